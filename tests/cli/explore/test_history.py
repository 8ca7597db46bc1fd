"""The history of a thread: forks, subgraphs, interrupts and errors."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt

from langgraph_checkpoint_dynamodb.cli.explore.lanes import Lanes
from langgraph_checkpoint_dynamodb.cli.explore.step import step_of
from tests.cli.explore.large import long_history
from tests.cli.explore.screens import NARROW, WIDE, opened, run
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.cli.explore.watched import Watch
    from tests.support.tables import Tables


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]


def make_graph(saver: Any, inner: Any = None) -> Any:
    """Two parallel nodes, one after both, three Sends, an interrupt and a subgraph."""
    builder = StateGraph(State)
    for name in ("left", "right", "both", "sent"):
        builder.add_node(name, lambda _, name=name: {"log": [name]})
    builder.add_node("ask", lambda _: {"log": [interrupt({"question": "Go on?"})]})
    builder.add_node("inner", inner or (lambda _: {"log": ["inner"]}))
    builder.add_edge(START, "left")
    builder.add_edge(START, "right")
    builder.add_edge(["left", "right"], "both")
    builder.add_conditional_edges("both", lambda _: [Send("sent", {})] * 3, ["sent"])
    builder.add_edge("sent", "inner")
    builder.add_edge("inner", "ask")
    builder.add_edge("ask", END)
    return builder.compile(checkpointer=saver)


def make_inner() -> Any:
    builder = StateGraph(State)
    builder.add_node("deep", lambda _: {"log": ["deep"]})
    builder.add_edge(START, "deep")
    return builder.compile()


THREAD: Any = {"configurable": {"thread_id": "t"}}


def test_what_runs_next_is_what_langgraph_says() -> None:
    saver = InMemorySaver()
    graph = make_graph(saver)
    graph.invoke({"log": []}, THREAD)
    graph.invoke(Command(resume="yes"), THREAD)
    expected = {
        one.config["configurable"]["checkpoint_id"]: sorted(set(one.next))
        for one in graph.get_state_history(THREAD)
    }
    found = {step.checkpoint_id: sorted(step.next) for step in map(step_of, saver.list(THREAD))}
    assert found == expected
    assert any(len(names) > 1 for names in expected.values())


def test_a_real_graph_is_shown_with_question_and_subgraph(
    looking: tuple[DynamoDBSaver, Watch], writer: DynamoDBSaver
) -> None:
    make_graph(writer, make_inner()).invoke({"log": []}, THREAD)

    async def test() -> None:
        async with opened(looking[0], WIDE) as screen:
            text = await screen.press("enter")
            assert "→ ask  ◆ Go on?" in screen.line(" 4  loop")
            assert "→ left, right" in screen.line(" 0  loop")
            lines = text.split("\n")
            call = lines.index(screen.line("▸ inner"))
            assert "→ inner" in lines[call - 1]
            await screen.press(*["down"] * 2)
            opened_call = await screen.press("right")
            assert "▾ inner" in opened_call
            assert "→ deep" in opened_call
            assert opened_call.count(" end ") == 1
            assert "→ deep" not in await screen.press("left")

    run(test())


def test_a_fork_is_drawn_as_a_branch(shop: tuple[DynamoDBSaver, Watch]) -> None:
    async def test() -> None:
        async with opened(shop[0], NARROW, "shop") as screen:
            lines = (await screen.press("enter")).split("\n")[2:15]
            assert [line[2:10].rstrip() for line in lines] == [
                *("●     8", "●     7", "●     6", "●     5", "●     4", "●     3"),
                *("│ ●   4", "│ ●   3", "●─╯   2", "●     1", "●     0", "│   ▸ re"),
                "●    -1",
            ]

    run(test())


def drawn(*pairs: tuple[str, str | None]) -> list[str]:
    lanes = Lanes()
    return ["".join(cell for cell, _ in lanes.draw(*pair)).rstrip() for pair in pairs]


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("b", "a"), ("a", None)], ["●", "●"]),
        ([("c", "a"), ("b", "a"), ("a", None)], ["●", "│ ●", "●─╯"]),
        (
            [("d", "a"), ("c", "b"), ("b", "a"), ("e", "a"), ("a", None)],
            ["●", "│ ●", "│ ●", "│ │ ●", "●─┴─╯"],
        ),
        ([("d", "b"), ("c", "a"), ("b", None), ("a", None)], ["●", "│ ●", "● │", "  ●"]),
        (
            [("f", "a"), ("e", "b"), ("d", "a"), ("a", None), ("b", None)],
            ["●", "│ ●", "│ │ ●", "●─┼─╯", "  ●"],
        ),
        # Regardless of the ids: a parent that is already drawn is not waited for.
        ([("b", None), ("a", "b"), ("0", None)], ["●", "●", "●"]),
        ([("b", "gone"), ("a", "gone")], ["●", "│ ●"]),
    ],
)
def test_branches_join_where_they_have_left(
    pairs: list[tuple[str, str | None]], expected: list[str]
) -> None:
    assert drawn(*pairs) == expected


def test_more_branches_than_there_is_room_for_share_a_place() -> None:
    lines = drawn(*((f"{number}", "root") for number in range(9)), ("root", None))
    assert max(map(len, lines)) <= 12
    assert lines[8] == "│ │ │ │ │ ●"


def test_of_300_checkpoints_only_the_pages_that_are_shown_are_read(
    tables: Tables, looking: tuple[DynamoDBSaver, Watch], writer: DynamoDBSaver
) -> None:
    saver, watch = looking
    long_history(tables, writer, "t", 300)

    async def test() -> None:
        async with opened(saver, NARROW) as screen:
            watch.since()
            await screen.press("enter")
            # Two pages of 20 checkpoints with their writes fill the screen; one more for subgraphs.
            assert watch.since() == {"Query": 2 * 21 + 1}
            await screen.press("down", "down", "enter", "2", "up")
            assert watch.since() == {}
            for _ in range(3):
                await screen.press("end")
                assert watch.since() == {"Query": 21}
            assert "..0219" in screen.text

    run(test())


def test_a_slow_answer_for_a_thread_that_is_not_chosen_any_more_is_dropped(
    looking: tuple[DynamoDBSaver, Watch], writer: DynamoDBSaver
) -> None:
    saver, watch = looking
    for name in ("slow", "swift"):
        writer.put(config(name), checkpoint("0001", said=f"of the {name}"), metadata(), {})
    watch.held = lambda params: "slow" in str(params.get("ExpressionAttributeValues"))

    async def test() -> None:
        async with opened(saver, WIDE) as screen:
            names = [line for line in screen.text.split("\n") if "○ s" in line]
            to_swift = "down" if "slow" in names[0] else "up"
            if to_swift == "up":
                await screen.press("down")
            screen.app.simulate_key("enter")
            await screen.until(watch.waiting.is_set)
            assert "reading ..." in screen.text
            for key in ("1", to_swift, "enter"):
                screen.app.simulate_key(key)
                await screen.until(lambda: False, rounds=10)
            await screen.until(lambda: "of the swift" in screen.text)
            watch.release.set()
            await screen.until(lambda: saver._runner.performer().calls.count == 0)
            text = await screen.press("2")
            assert "of the swift" in text
            assert text.count("..0001") == 1
            assert "reading ..." not in text

    run(test())


def test_r_reads_anew(looking: tuple[DynamoDBSaver, Watch], writer: DynamoDBSaver) -> None:
    first = writer.put(config("t"), checkpoint("0001", said="before"), metadata(), {})

    async def test() -> None:
        async with opened(looking[0], WIDE) as screen:
            assert "before" in await screen.press("enter")
            writer.put(first, checkpoint("0002", said="after"), metadata(step=1), {})
            assert "after" not in await screen.press("tab", "shift+tab")
            assert "after" in await screen.press("r", "home")

    run(test())
