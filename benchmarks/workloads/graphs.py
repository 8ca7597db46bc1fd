"""Graphs, run as users run them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.graphs import (
    approval_graph,
    chat_graph,
    decision,
    delta_graph,
    fan_out_graph,
    short_delta_graph,
    turn,
)
from benchmarks.measuring import require
from benchmarks.values import Recorder, config
from benchmarks.workloads.base import ONE_OF_EACH, WITH_INCREMENTAL, WITH_WRAPPERS, Workload

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.measuring import Bench, Row

TURNS = 30
_LONG_TURNS = (30, 100, 300)
_READ_PRICE = 0.2
"""AWS charges five times as much for a write unit as for a read unit."""
_AGENT_TURNS = 50
_AGENT = (
    "`create_deep_agent` of the package deepagents with a model that answers from a text. In one "
    "turn of five it writes a file. The statements of `langgraph-checkpoint-postgres` are shown as "
    "requests, for scale; nothing is added to the time they take."
)
_REPEATS = 2
_RESUMED = (
    "LangGraph stores a DeltaChannel whole at every hundredth update. These threads of 30, 130 and "
    "330 turns are all 60 updates past the last time, or past their beginning."
)


def _chat(make: Callable[[Any], Any], plot: str, bench: Bench) -> None:
    graph = make(bench.calls.saver)
    turns = 5 if bench.quick else TURNS
    with bench.measured("the whole chat") as whole:
        for number in range(turns):
            bench.calls.invoke(graph, turn(number), config("chat"))
            whole.points.append((plot, number + 1, _units(bench)))
    _to_differences(whole)
    require(_length(bench, graph, "chat"), 2 * turns, "messages after the chat")


def _long_chat(bench: Bench) -> None:
    """In parts, so that of who fails at the largest item it is seen how far it came."""
    graph = chat_graph(bench.calls.saver)
    done = 0
    for turns in (2, 4, 6) if bench.quick else _LONG_TURNS:
        with bench.measured(f"turns {done + 1} to {turns}") as part:
            for number in range(done, turns):
                bench.calls.invoke(graph, turn(number), config("chat"))
                part.points.append(("long-chat", number + 1, _units(bench)))
        _to_differences(part)
        done = turns
    require(_length(bench, graph, "chat"), 2 * done, "messages after the chat")


def _units(bench: Bench) -> float:
    """What was consumed so far, in write units by their price."""
    return bench.meter.write_units + _READ_PRICE * bench.meter.read_units


def _to_differences(row: Row) -> None:
    """Turn running totals into what each turn added."""
    before: dict[str, float] = {}
    for position, (plot, x, total) in enumerate(row.points):
        row.points[position] = (plot, x, total - before.get(plot, 0))
        before[plot] = total


def _agent(bench: Bench) -> None:
    # Imported late: it brings much along that other workloads' memory is measured without.
    from benchmarks.agents import deep_agent, messages_after, request

    graph = deep_agent(bench.calls.saver)
    turns, at = (5 if bench.quick else _AGENT_TURNS), config("agent")
    with bench.measured(f"{turns} turns") as row:
        for number in range(turns):
            bench.calls.invoke(graph, request(number), at)
            row.points.append(("agent-requests", number + 1, bench.meter.requests))
            row.points.append(("agent-units", number + 1, _units(bench)))
    _to_differences(row)
    said = messages_after(turns)
    with bench.measured("get_state"):
        found = _length(bench, graph, "agent")
    require(found, said, "messages of the agent")
    bench.calls.forget()
    with bench.measured("get_state in a process that has not seen the thread"):
        found = _length(bench, graph, "agent")
    require(found, said, "messages of the agent")
    bench.calls.forget()
    with bench.measured("the newest 10 of the history in such a process"):
        states = bench.calls.history(graph, at, 10)
    require(len(states[0].values["messages"]), said, "messages in the newest")
    short = turns // 5
    for number in range(short):
        bench.calls.invoke(graph, request(number), config("short"))
    bench.calls.forget()
    with bench.measured(f"the whole history of {short} turns in such a process"):
        states = bench.calls.history(graph, config("short"))
    require(len(states[0].values["messages"]), messages_after(short), "messages in the newest")


def _resume(turns: int, bench: Bench) -> None:
    recorder = Recorder(bench.calls.saver)
    graph = short_delta_graph(recorder)
    for number in range(turns):
        # Every step stored before the next: what is stored does not depend on the machine.
        graph.invoke(turn(number), config("long"), durability="sync")
    recorder.replay(bench.calls)
    graph = short_delta_graph(bench.calls.saver)
    with bench.measured(f"get_state after {turns} turns", _REPEATS) as row:
        for _ in range(_REPEATS):
            found = _length(bench, graph, "long")
    row.points.append(("resume", turns, row.wall_ms))
    require(found, 2 * turns, "messages that were read")
    with bench.measured(f"one turn after {turns} turns"):
        bench.calls.invoke(graph, turn(turns), config("long"))
    require(_length(bench, graph, "long"), 2 * turns + 2, "messages after one more turn")


def _fan_out(width: int, bench: Bench) -> None:
    graph = fan_out_graph(bench.calls.saver, width)
    with bench.measured(f"{width} tasks"):
        result = bench.calls.invoke(graph, {"found": []}, config("fan-out"))
    require(len(result["found"]), width, "results of tasks")


def _approval(bench: Bench) -> None:
    graph = approval_graph(bench.calls.saver)
    at = config("approval")
    with bench.measured("until the question"):
        asked = bench.calls.invoke(graph, turn(0), at)
    require(len(asked["__interrupt__"]), 1, "questions")
    with bench.measured("from the answer to the end"):
        result = bench.calls.invoke(graph, decision(), at)
    said = [message.content for message in result["messages"]]
    require(said.count("It was decided: yes"), 1, "decisions among the messages")


def _length(bench: Bench, graph: Any, thread_id: str) -> int:
    return len(bench.calls.state(graph, config(thread_id)).values["messages"])


GRAPHS = (
    Workload(
        "chat",
        "A chat of 30 turns, all messages in each checkpoint",
        partial(_chat, chat_graph, "chat"),
        WITH_INCREMENTAL,
    ),
    Workload(
        "long-chat",
        f"A chat of {_LONG_TURNS[-1]} turns, all messages in each checkpoint",
        _long_chat,
        WITH_INCREMENTAL,
    ),
    Workload(
        "delta-chat",
        "The same chat with a DeltaChannel",
        partial(_chat, delta_graph, "delta-chat"),
    ),
    Workload(
        "deep-agent",
        f"A deep agent of {_AGENT_TURNS} turns",
        _agent,
        (*ONE_OF_EACH, "postgres"),
        note=_AGENT,
    ),
    *(
        Workload(
            f"resume-{turns}",
            f"Resuming a DeltaChannel thread of {turns} turns",
            partial(_resume, turns),
            note=_RESUMED,
            quick=turns == TURNS,
        )
        for turns in (30, 130, 330)
    ),
    *(
        Workload(
            f"fan-out-{width}",
            f"Fan-out to {width} tasks",
            partial(_fan_out, width),
            (*WITH_WRAPPERS, "memory"),
        )
        for width in (10, 100)
    ),
    Workload("approval", "A person decides, through a subgraph", _approval),
)
