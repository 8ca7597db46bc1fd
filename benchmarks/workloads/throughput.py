"""Many conversations at once in one process."""

from __future__ import annotations

import asyncio
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.graphs import chat_graph, turn
from benchmarks.measuring import require
from benchmarks.texts import chat
from benchmarks.values import WRITES, checkpoint, config, metadata
from benchmarks.workloads.base import WITH_WRAPPERS, Workload

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.measuring import Bench, Row

_STATE = 4_000
"""Bytes of text in each checkpoint."""
_TURNS = 3
_FEWEST_TURNS = 60
"""Turns in all where there are few conversations."""
_CHECKPOINTS = 3
"""Checkpoints of a turn: its input, the step into the graph, and a node's."""


@dataclass
class _Times:
    """Seconds that turns and whole conversations took."""

    turns: list[float] = field(default_factory=list)
    conversations: list[float] = field(default_factory=list)


def _cycle(conversations: int, bench: Bench) -> None:
    """What LangGraph asks of a saver in a turn, one call after the other, without LangGraph."""
    saver = bench.calls.saver
    messages = chat(_STATE)
    plain = partial(_plain_turn, saver, messages)
    awaited = partial(_awaited_turn, saver, messages)
    _converse(bench, conversations, plain, awaited, plot=True)


def _agents(conversations: int, bench: Bench) -> None:
    """A real graph's turns."""
    graph = chat_graph(bench.calls.saver)

    def plain(thread_id: str, number: int) -> None:
        found = graph.invoke(turn(number), config(thread_id))
        require(len(found["messages"]), 2 * number + 2, "messages")

    async def awaited(thread_id: str, number: int) -> None:
        found = await graph.ainvoke(turn(number), config(thread_id))
        require(len(found["messages"]), 2 * number + 2, "messages")

    _converse(bench, conversations, plain, awaited)


def _converse(
    bench: Bench,
    conversations: int,
    plain: Callable[[str, int], None],
    awaited: Callable[[str, int], Any],
    *,
    plot: bool = False,
) -> None:
    if bench.quick:
        conversations = min(conversations, 20)
    turns = max(_TURNS, _FEWEST_TURNS // conversations)
    times = _Times()
    with bench.measured(f"{conversations} at once, {turns} turns each") as row:
        begin = time.perf_counter()
        if bench.calls.is_async:
            bench.calls.run(_all_awaited(conversations, turns, awaited, times))
        else:
            _all_plain(conversations, turns, plain, times)
        seconds = time.perf_counter() - begin
    _report(row, times, seconds)
    if plot:
        row.points.append(("throughput", conversations, row.more["turns/s"]))


def _all_plain(
    conversations: int, turns: int, take_turn: Callable[[str, int], None], times: _Times
) -> None:
    def converse(thread_id: str) -> None:
        begin = time.perf_counter()
        for number in range(turns):
            start = time.perf_counter()
            take_turn(thread_id, number)
            times.turns.append(time.perf_counter() - start)
        times.conversations.append(time.perf_counter() - begin)

    with ThreadPoolExecutor(conversations) as pool:
        for _ in pool.map(converse, _threads(conversations)):
            pass


async def _all_awaited(
    conversations: int, turns: int, take_turn: Callable[[str, int], Any], times: _Times
) -> None:
    async def converse(thread_id: str) -> None:
        begin = time.perf_counter()
        for number in range(turns):
            start = time.perf_counter()
            await take_turn(thread_id, number)
            times.turns.append(time.perf_counter() - start)
        times.conversations.append(time.perf_counter() - begin)

    await asyncio.gather(*map(converse, _threads(conversations)))


def _plain_turn(saver: Any, messages: Any, thread_id: str, number: int) -> None:
    found = saver.get_tuple(config(thread_id))
    _require_turn(found, number)
    at = found.config if found else config(thread_id)
    for step in range(_CHECKPOINTS):
        state = checkpoint(messages=messages, turn=number)
        at = saver.put(at, state, metadata(number), state["channel_versions"])
        if step < _CHECKPOINTS - 1:
            saver.put_writes(at, WRITES, f"task-{step}")


async def _awaited_turn(saver: Any, messages: Any, thread_id: str, number: int) -> None:
    found = await saver.aget_tuple(config(thread_id))
    _require_turn(found, number)
    at = found.config if found else config(thread_id)
    for step in range(_CHECKPOINTS):
        state = checkpoint(messages=messages, turn=number)
        at = await saver.aput(at, state, metadata(number), state["channel_versions"])
        if step < _CHECKPOINTS - 1:
            await saver.aput_writes(at, WRITES, f"task-{step}")


def _require_turn(found: Any, number: int) -> None:
    turn_before = found.checkpoint["channel_values"]["turn"] if found else -1
    require(turn_before, number - 1, "the turn before")


def _threads(conversations: int) -> list[str]:
    return [f"conversation-{number}" for number in range(conversations)]


def _report(row: Row, times: _Times, seconds: float) -> None:
    cuts = statistics.quantiles(times.turns, n=100, method="inclusive")
    row.more = {
        "turns/s": len(times.turns) / seconds,
        "turn p50 ms": 1000 * cuts[49],
        "turn p99 ms": 1000 * cuts[98],
        "longest turn ms": 1000 * max(times.turns),
        "median conversation ms": 1000 * statistics.median(times.conversations),
        "longest conversation ms": 1000 * max(times.conversations),
    }


_PARTICIPANTS = (*WITH_WRAPPERS, "memory")
THROUGHPUT = (
    *(
        Workload(
            f"conversations-{count}",
            f"{count} conversations at once, the saver's calls of each turn",
            partial(_cycle, count),
            _PARTICIPANTS,
            "A turn is `get_tuple`, three `put` and two `put_writes`, one after the other: what "
            "LangGraph asks of a saver, without LangGraph. Plain methods run in a thread for each "
            "conversation, asynchronous ones in one event loop.",
            quick=count == 10,
        )
        for count in (1, 10, 50, 100, 500)
    ),
    Workload(
        "agents-500",
        "500 conversations at once, a real graph",
        partial(_agents, 500),
        _PARTICIPANTS,
        "A turn is a run of the chat graph, with LangGraph's own work on the same processor.",
    ),
)
