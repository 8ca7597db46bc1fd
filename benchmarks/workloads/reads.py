"""Reading and deleting threads of many checkpoints, call by call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measuring import require
from benchmarks.texts import chat
from benchmarks.values import config, put_chain
from benchmarks.workloads.base import Workload

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from benchmarks.measuring import Bench

_STATE = 2_000
"""Bytes of text in each checkpoint."""
_REPEATS = 10
_LENGTH = 200


def _latest(bench: Bench) -> None:
    stored, at = 0, config("long")
    for length in (10, 100) if bench.quick else (10, 100, 1_000):
        at = put_chain(bench.calls, at, length - stored, messages=chat(_STATE))
        stored = length
        with bench.measured(f"newest of {length:,}", _REPEATS) as row:
            for _ in range(_REPEATS):
                found = bench.calls.get_tuple(config("long"))
        require(found and found.config["configurable"]["checkpoint_id"], _id(at), "the newest")
        row.points.append(("latest", length, row.wall_ms))


def _nested(bench: Bench) -> None:
    root = put_chain(bench.calls, config("nested"), 1, messages=chat(_STATE))
    put_chain(bench.calls, config("nested", "child:1"), 100, messages=chat(_STATE))
    with bench.measured("newest of the root", _REPEATS):
        for _ in range(_REPEATS):
            found = bench.calls.get_tuple(config("nested"))
    require(found and found.config["configurable"]["checkpoint_id"], _id(root), "the root's newest")


def _history(bench: Bench) -> None:
    length = 20 if bench.quick else _LENGTH
    put_chain(bench.calls, config("history"), length, messages=chat(_STATE))
    for limit in (10, None):
        label = "all" if limit is None else f"the newest {limit}"
        with bench.measured(f"{label} of {length}"):
            found = bench.calls.list(config("history"), limit)
        require(len(found), limit or length, "checkpoints listed")


def _delete(bench: Bench) -> None:
    length = 20 if bench.quick else _LENGTH
    put_chain(bench.calls, config("doomed"), length, messages=chat(_STATE))
    with bench.measured(f"{length} checkpoints"):
        bench.calls.delete_thread("doomed")
    require(bench.calls.list(config("doomed")), [], "checkpoints left")


def _id(at: RunnableConfig) -> str:
    checkpoint_id: str = at["configurable"]["checkpoint_id"]
    return checkpoint_id


READS = (
    Workload("latest", "The newest checkpoint of a thread (`get_tuple`)", _latest),
    Workload("nested", "The root behind 100 nested checkpoints (`get_tuple`)", _nested),
    Workload("history", "History (`list`)", _history),
    Workload("delete", "Deleting a thread (`delete_thread`)", _delete),
)
