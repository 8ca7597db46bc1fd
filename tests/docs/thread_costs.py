"""The tables of `explanation/costs.md` about whole threads, and threads counted for them."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from tests.docs.pages import DOCS
from tests.incremental.states import text
from tests.support.sessions import metered_session
from tests.support.tables import forget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langgraph.graph.state import CompiledStateGraph

    from tests.support.buckets import Bucket
    from tests.support.savers import Saver
    from tests.support.tables import Tables

PAGE = DOCS / "explanation" / "costs.md"
KB = 1024


class State(TypedDict):
    """State of a thread: a constant value, and one that grows."""

    document: str
    messages: Annotated[list[str], operator.add]


@dataclass(frozen=True)
class Row:
    """A row of the table of measured threads.

    Attributes:
        asked: Inputs of the calculator, by field.
        calculated: Write units and read units that the calculator shows.
        counted: Write units and read units that an engine has counted.
    """

    asked: Mapping[str, str]
    calculated: tuple[float, float]
    counted: tuple[float, float]

    def __str__(self) -> str:
        return " ".join(self.asked.values())


def cells_below(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, row by row, including the header."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n{heading}\n")[1].split("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if not set("".join(row)) <= set("-: ")]


def counted_rows() -> list[Row]:
    """The table of measured threads."""
    head, *rows = cells_below("### Held to what an engine counts")
    names = [re.sub(r"\W", "", name) for name in head[:-4]]
    found = []
    for row in rows:
        writes, counted_writes, reads, counted_reads = (
            float(cell.replace(",", "")) for cell in row[-4:]
        )
        asked = dict(zip(names, row[:-4], strict=True))
        found.append(Row(asked, (writes, reads), (counted_writes, counted_reads)))
    return found


def prices() -> dict[str, float]:
    """The prices that the calculator uses on the page."""
    (place,) = re.findall(r'<div id="thread-calculator"([^>]*)>', PAGE.read_text(encoding="utf-8"))
    return {name: float(value) for name, value in re.findall(r'data-(\w+)="([\d.]+)"', place)}


def count(row: Row, tables: Tables, bucket: Bucket) -> tuple[float, float]:
    """Write units and read units of such a thread, as counted by the engine."""
    asked = row.asked
    steps, turns = int(asked["steps"]), int(asked["turns"])
    share = int(float(asked["growth"]) * KB) // (steps + 1)
    settings: dict[str, Any] = {}
    if asked["compression"] != "none":
        settings["compression"] = asked["compression"]
    if asked["large"] == "s3":
        settings["s3_offload_config"] = bucket.config(350 * KB)
    session, meter = metered_session()
    with tables.saver(session=session, **settings) as saver:
        graph = _chat(steps, share, saver)
        at: Any = {"configurable": {"thread_id": str(row)}}
        for turn in range(turns):
            if asked["seen"] == "no":
                forget(saver)
            given: dict[str, Any] = {"messages": [text(share, turn)]}
            if turn == 0:
                given["document"] = text(int(float(asked["start"]) * KB))
            graph.invoke(given, at)
        reads = meter.read_units
        if asked["history"] == "newest":
            saver.prune([str(row)])
        if asked["end"] == "delete":
            saver.delete_thread(str(row))
    # A delete reads what exists. The calculator counts only the reads of turns.
    return meter.write_units, reads


def _chat(steps: int, share: int, saver: Saver) -> CompiledStateGraph[Any, Any, Any, Any]:
    builder = StateGraph(State)
    names = [f"step_{number}" for number in range(steps)]
    for name in names:
        builder.add_node(name, _saying(share, name))
    builder.add_edge(START, names[0])
    for before, after in pairwise(names):
        builder.add_edge(before, after)
    return builder.compile(checkpointer=saver)


def _saying(share: int, name: str) -> Any:
    def say(state: State) -> dict[str, list[str]]:
        return {"messages": [text(share, (len(state["messages"]), name))]}

    return say
