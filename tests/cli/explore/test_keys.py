"""Everything can be done with keys, with and without room for all panes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.explore.screens import NARROW, WIDE, opened, run

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.cli.explore.watched import Watch

EVERY_KEY = (
    *("enter", "down", "d", "w", "end", "up", "space", "enter", "pagedown", "escape", "r", "t"),
    *("question_mark", "escape", "y", "1", "s", "r", "o", "escape", "slash", "a", "escape", "tab"),
)


@pytest.mark.sample(1)
@pytest.mark.parametrize("size", [WIDE, NARROW, (40, 10)], ids=str)
def test_no_key_writes_or_fails(shop: tuple[DynamoDBSaver, Watch], size: tuple[int, int]) -> None:
    saver, watch = shop

    async def test() -> None:
        async with opened(saver, size) as screen:
            for key in EVERY_KEY:
                await screen.press(key)
                assert not any(line.display for line in screen.app.query(".problem"))

    run(test())
    assert watch.asked.keys() - {"GetItem"} == {"Query", "Scan"}


def test_enter_goes_deeper_and_escape_goes_back(shop: tuple[DynamoDBSaver, Watch]) -> None:
    async def test() -> None:
        async with opened(shop[0], NARROW, "shop") as screen:
            assert screen.here == "threads"
            assert "Espresso machine" in screen.text
            assert "Send a return label" not in screen.text
            text = await screen.press("enter")
            assert screen.here == "history"
            assert "Send a return label" in text
            assert "Espresso machine" not in text
            text = await screen.press("enter")
            assert screen.here == "state"
            assert "I want my money back" in text
            await screen.press("escape")
            assert screen.here == "history"
            await screen.press("escape")
            assert screen.here == "threads"
            await screen.press("3")
            assert screen.here == "state"
            await screen.press("1")
            assert screen.here == "threads"

    run(test())


def test_all_panes_are_there_where_there_is_room(shop: tuple[DynamoDBSaver, Watch]) -> None:
    async def test() -> None:
        async with opened(shop[0], WIDE, "shop") as screen:
            text = await screen.press("enter")
            for part in ("Espresso machine", "Send a return label", "I want my money back"):
                assert part in text
            await screen.press("tab")
            assert screen.here == "state"
            await screen.press("shift+tab")
            assert screen.here == "history"

    run(test())


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=str)
def test_the_keys_are_shown_below_and_explained(
    shop: tuple[DynamoDBSaver, Watch], size: tuple[int, int]
) -> None:
    async def test() -> None:
        async with opened(shop[0], size) as screen:
            last = screen.text.split("\n")[-1]
            for key in ("/ Filter", "d Diff", "y Copy id", "r Reload", "? Help", "q Quit"):
                assert key in last
            assert "what is new since the parent" in await screen.press("question_mark")
            assert "what is new since the parent" not in await screen.press("escape")

    run(test())


def test_the_id_of_what_is_highlighted_is_copied(shop: tuple[DynamoDBSaver, Watch]) -> None:
    async def test() -> None:
        async with opened(shop[0], owner="shop") as screen:
            await screen.press("down", "y")
            assert screen.app.clipboard == "gift-card-c41d"
            await screen.press("enter", "y")
            newest = screen.app.clipboard
            assert newest.endswith(screen.line(f"..{newest[-8:]}").split("..")[-1][:8])
            await screen.press("down", "enter", "y")
            assert screen.app.clipboard < newest

    run(test())


def test_q_quits_and_leaves_the_saver_open(shop: tuple[DynamoDBSaver, Watch]) -> None:
    saver, _ = shop

    async def test() -> None:
        async with opened(saver) as screen:
            await screen.press("q")
            assert not screen.app.is_running

    run(test())
    assert saver.get_thread("gift-card-c41d") is not None


def test_the_theme_turns_light_and_dark(shop: tuple[DynamoDBSaver, Watch]) -> None:
    async def test() -> None:
        async with opened(shop[0], owner="shop") as screen:
            before = await screen.press("enter")
            dark = screen.app.export_screenshot()
            assert await screen.press("t") == before
            assert not screen.app.current_theme.dark
            assert screen.app.export_screenshot() != dark
            await screen.press("t")
            assert screen.app.export_screenshot() == dark

    run(test())


def test_letters_are_letters_while_one_writes(shop: tuple[DynamoDBSaver, Watch]) -> None:
    async def test() -> None:
        async with opened(shop[0]) as screen:
            await screen.press("slash")
            await screen.write("qdr")
            assert screen.app.is_running
            assert "qdr" in screen.text
            assert "qdr" not in await screen.press("escape")

    run(test())
