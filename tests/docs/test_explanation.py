"""What the explanation and contributing pages say of the repository is true."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import DOCS, ROOT, pages
from tests.docs.test_reference import PACKAGE, PUBLIC
from tests.support.savers import native

if TYPE_CHECKING:
    from pathlib import Path

STABILITY = (DOCS / "contributing" / "stability.md").read_text(encoding="utf-8")
PUBLISHED = {
    module: re.findall(r"`(\w+)`", names)
    for module, names in re.findall(
        rf"^\| `({PACKAGE}[\w.]*)` \| (.+) \|$", STABILITY, re.MULTILINE
    )
}


@pytest.mark.parametrize("module", PUBLISHED)
def test_the_names_that_are_called_public_are_those_that_a_module_lists(module: str) -> None:
    if module.endswith(".aio") and not native():
        return  # It needs the extra, which is not installed here.
    lazily = ["AsyncDynamoDBSaver"] if module == PACKAGE else []

    assert sorted([*importlib.import_module(module).__all__, *lazily]) == PUBLISHED[module]


def test_every_public_module_is_called_so() -> None:
    assert {f"{PACKAGE}{module}" for module in PUBLIC} <= PUBLISHED.keys()


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(DOCS)))
def test_what_a_page_leads_to_in_the_repository_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = [(page.parent / path).resolve() for path in re.findall(r"\]\((\.\./[^)#\s]+)", text)]

    missing = [one for one in targets if not one.is_relative_to(DOCS) and not one.exists()]

    assert [str(one.relative_to(ROOT)) for one in missing] == []


@pytest.mark.parametrize("picture", sorted((DOCS / "pictures").glob("*.svg")), ids=lambda p: p.name)
def test_a_drawn_picture_is_text_says_what_it_shows_and_has_colours_for_the_dark(
    picture: Path,
) -> None:
    text = picture.read_text(encoding="utf-8")

    assert re.search(r"<title id=.title.>.+</title>\s+<desc id=.desc.>.+</desc>", text)
    assert "@media (prefers-color-scheme: dark)" in text
    assert "<text" in text
    assert 'class="page"' in text


def test_the_rooms_are_listed_in_the_order_that_their_imports_are_held_to() -> None:
    page = (DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+?`) \| .* \| .*\|$", page, re.MULTILINE)
    listed = [sorted(re.findall(r"`(\w+)(?:/|\.py)`", row)) for row in rows]
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (layers,) = re.findall(r"^layers = \[\n(.+?)^\]", settings, re.MULTILINE | re.DOTALL)

    assert listed == [sorted(layer.split(" | ")) for layer in re.findall(r'"(.+)"', layers)]


def test_every_room_has_its_place_in_that_order() -> None:
    rooms = {path.parent.name for path in (ROOT / PACKAGE).glob("*/__init__.py")}
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    assert [
        room for room in rooms if not re.search(rf'^    ".*\b{room}\b.*",$', settings, re.M)
    ] == []
