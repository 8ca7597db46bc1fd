"""Threads are loaded while scrolling, and can be searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from examples.pictures.story import NOW, Clock
from langgraph_checkpoint_dynamodb.cli.explore.pane import Lines
from tests.cli.explore.conftest import INDEX
from tests.cli.explore.large import many_threads, owned
from tests.cli.explore.screens import NARROW, WIDE, opened, run
from tests.cli.explore.watched import reader
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.cli.explore.watched import Watch
    from tests.support.tables import Tables


def test_threads_of_an_owner_come_with_what_is_known_of_them(
    shop: tuple[DynamoDBSaver, Watch],
) -> None:
    async def test() -> None:
        async with opened(shop[0], NARROW, "shop") as screen:
            lines = screen.text.split("\n")
            assert "Threads 11 · shop" in lines[1]
            assert [line.strip("│█ ").split() for line in lines[2:6]] == [
                ["◆", "Espresso", "machine", "arrived", "broken", "3m"],
                ["refund-a1042-7f31", "waits", "for", "1"],
                ["✖", "Gift", "card", "does", "not", "work", "35m"],
                ["gift-card-c41d", "failed"],
            ]

    run(test())


def test_owner_and_status_are_chosen(shop: tuple[DynamoDBSaver, Watch]) -> None:
    async def test() -> None:
        async with opened(shop[0], WIDE) as screen:
            assert "Threads 11 " in screen.text
            assert "gift-card-c41d · shop" in screen.text
            await screen.press("o")
            await screen.write("nobody")
            assert "Threads 0 · nobody" in await screen.press("enter")
            await screen.press("o")
            for _ in "nobody":
                await screen.press("backspace")
            await screen.write("shop")
            assert "Threads 11 · shop" in await screen.press("enter")
            titles = {
                "idle": "Recipe",
                "waiting": "Espresso",
                "failed": "Gift card",
            }
            for status, title in titles.items():
                text = await screen.press("s")
                assert f"· {status} · shop" in text
                assert [each for each in titles.values() if each in text] == [title]
            assert "Threads 11 · shop" in await screen.press("s")

    run(test())


def test_threads_are_found_by_title_and_id_among_those_read(
    shop: tuple[DynamoDBSaver, Watch],
) -> None:
    saver, watch = shop

    async def test() -> None:
        async with opened(saver, WIDE, "shop") as screen:
            watch.since()
            await screen.press("slash")
            text = await screen.write("mugs")
            assert "Threads 1 of 11 · shop" in text
            assert "Gift card" not in text
            assert watch.since() == {}
            assert "esc Close" in text.split("\n")[-1]
            assert "History · bulk-order-d5c2" in await screen.press("down", "enter")
            assert "Gift card" in await screen.press("1", "escape")

    run(test())


def test_a_thread_that_is_not_listed_is_opened_by_its_id(
    looking: tuple[DynamoDBSaver, Watch], writer: DynamoDBSaver
) -> None:
    async def test() -> None:
        async with opened(looking[0]) as screen:
            writer.put(config("late"), checkpoint("0001", mood="new here"), metadata(), {})
            await screen.press("slash")
            await screen.write("late")
            assert "new here" in await screen.press("enter")
            await screen.press("slash")
            await screen.write("r")
            assert "There is no checkpoint" in await screen.press("enter")

    run(test())


def test_without_an_index_threads_are_those_of_the_table(
    looking: tuple[DynamoDBSaver, Watch], writer: DynamoDBSaver
) -> None:
    for name in ("one", "two", "three"):
        writer.put(config(name), checkpoint("0001"), metadata(), {})

    async def test() -> None:
        async with opened(looking[0], NARROW) as screen:
            assert "Threads 3" in screen.text
            assert all(screen.line(f"○ {name}") for name in ("one", "two", "three"))
            assert "where the saver has a thread_index" in await screen.press("s")
            assert "where the saver has a thread_index" in await screen.press("o")
            assert "thread_index" not in await screen.press("r")

    run(test())


def test_of_500_threads_only_the_pages_that_are_shown_are_read(tables: Tables) -> None:
    tables.set_up(thread_index=INDEX)
    with tables.boto_saver(client=tables.client, thread_index=INDEX, clock=Clock(NOW)) as saver:
        many_threads(tables, saver, 510)
    looking, watch = reader(tables, thread_index=INDEX)

    async def test() -> None:
        async with opened(looking, NARROW, "ann") as screen:
            assert "Threads 50+ · ann" in screen.text
            assert watch.since() == {"Query": 1}
            await screen.press("down", "pagedown", "pageup")
            assert watch.since() == {}
            for pages in range(2, 11):
                text = await screen.press("end")
                assert f"Threads {50 * pages}+ · ann" in text
                assert watch.since() == {"Query": 1}
                # The line that has replaced the last is highlighted, not the end or the top.
                assert screen.app.query_one("#threads Lines", Lines).highlighted == 50 * (pages - 1)
            assert "Threads 510 · ann" in await screen.press("end")
            assert watch.since() == {"Query": 1}
            await screen.press("end", "slash")
            assert "Threads 15 of 510" in await screen.write("49")
            assert watch.since() == {}

    with looking:
        run(test())


def test_of_a_scan_only_the_pages_that_are_shown_are_read(
    looking: tuple[DynamoDBSaver, Watch], writer: DynamoDBSaver
) -> None:
    saver, watch = looking
    for number in range(12):
        # Three of these fill a page of 1 MB.
        writer.put(config(f"t{number}"), checkpoint("0001", large="x" * 380_000), metadata(), {})

    async def test() -> None:
        async with opened(saver, (80, 8)) as screen:
            first = watch.since()["Scan"]
            assert "+" in screen.line("─ Threads ")
            for _ in range(6):
                await screen.press("end")
                assert watch.asked["Scan"] <= 4
            assert "Threads 12 " in screen.text
            assert first <= 4 < first + watch.since()["Scan"]

    run(test())


def test_an_error_is_a_line_in_its_pane(tables: Tables) -> None:
    looking, _ = reader(tables)

    async def test() -> None:
        async with opened(looking, NARROW) as screen:
            assert "does not exist" in screen.text
            tables.set_up()
            with tables.boto_saver(client=tables.client) as writer:
                writer.put(owned("t"), checkpoint("0001"), metadata(), {})
            text = await screen.press("r")
            assert "does not exist" not in text
            assert screen.line("○ t")

    with looking:
        run(test())
