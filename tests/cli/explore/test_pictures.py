"""The screenshots in the documentation match the command."""

from __future__ import annotations

import asyncio
import html
import re
from typing import TYPE_CHECKING

import pytest

from examples.pictures.draw import FOLDER, PICTURES, draw

if TYPE_CHECKING:
    from examples.pictures.draw import Picture
    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.cli.explore.watched import Watch


def shown(picture: str) -> list[tuple[str, str]]:
    """Each text of a screenshot, with its clipping line: colours differ between versions."""
    found = re.findall(r'<text class="[^"]*" x="([^"]*)"[^>]*line-(\d+)\)">([^<]*)</text>', picture)
    lines: dict[str, str] = {}
    for _, line, text in found:
        lines[line] = lines.get(line, "") + html.unescape(text)
    return sorted((line, text.replace("\xa0", " ").rstrip()) for line, text in lines.items())


@pytest.mark.sample(3)
@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_shows_what_the_command_draws(
    shop: tuple[DynamoDBSaver, Watch], picture: Picture
) -> None:
    drawn = asyncio.run(draw(shop[0], picture))
    kept = picture.path.read_text(encoding="utf-8")
    assert len(shown(kept)) == picture.size[1]
    assert shown(drawn) == shown(kept), "python -m examples.pictures draws them anew"


def test_every_picture_in_the_folder_is_one_that_is_drawn() -> None:
    assert {each.name for each in FOLDER.glob("*.svg")} == {each.path.name for each in PICTURES}
