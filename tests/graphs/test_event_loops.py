"""One saver, several event loops."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

from tests.support.calls import LoopThread
from tests.support.graphs import HEAD, Graph, Log, Mode, Stage, compare
from tests.support.savers import Saver


def asking(stage: Stage) -> Graph:
    def ask(_: Log) -> Log:
        return {"log": [interrupt("?")]}

    builder: Any = StateGraph(Log)
    builder.add_node("a", stage.node("a"))
    builder.add_node("ask", ask)
    builder.add_edge(START, "a")
    builder.add_edge("a", "ask")
    return stage.compile(builder)


def test_a_graph_is_awaited_on_one_loop_after_another(
    saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = asking(stage)
        waiting = asyncio.run(graph.ainvoke({"log": ["in"]}, HEAD))
        assert waiting["log"] == ["in", "a"]
        ended = asyncio.run(graph.ainvoke(Command(resume="yes"), HEAD))
        assert ended == {"log": ["in", "a", "yes"]}

    compare(scenario, Mode("async", "async"), saver, loop_thread)


def test_loops_in_several_threads_await_one_graph_at_once(
    saver: Saver, loop_thread: LoopThread
) -> None:
    stage = Stage(saver, Mode("async", "async"), loop_thread)
    graph = asking(stage)

    def chat(thread_id: str) -> list[str]:
        config: Any = {"configurable": {"thread_id": thread_id}}
        asyncio.run(graph.ainvoke({"log": [thread_id]}, config))
        ended: list[str] = asyncio.run(graph.ainvoke(Command(resume="yes"), config))["log"]
        return ended

    names = [f"{number}" for number in range(6)]
    with ThreadPoolExecutor(len(names)) as threads:
        assert list(threads.map(chat, names)) == [[name, "a", "yes"] for name in names]


def test_one_graph_is_called_plainly_and_awaited_in_turn(
    saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = asking(stage)
        graph.invoke({"log": ["one"]}, HEAD)
        asyncio.run(graph.ainvoke(Command(resume="yes"), HEAD))
        asyncio.run(graph.ainvoke({"log": ["two"]}, HEAD))
        ended = graph.invoke(Command(resume="no"), HEAD)
        assert ended == {"log": ["one", "a", "yes", "two", "a", "no"]}

    compare(scenario, Mode("sync", "sync"), saver, loop_thread)
