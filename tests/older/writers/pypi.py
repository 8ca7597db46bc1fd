"""Fills a pair of tables with PyPI 0.1.0. Each thread is a scenario of `graphs.py`.

    python pypi.py write ENDPOINT CHECKPOINTS WRITES
    python pypi.py read ENDPOINT CHECKPOINTS WRITES THREAD
    python pypi.py goes_on ENDPOINT CHECKPOINTS WRITES THREAD

It runs in an environment with that release, which has the name of this package, and with any
langgraph version that the release supports. So it imports nothing else.
"""

import json
import operator
import sys
from typing import Annotated, Any

from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict

from langgraph_checkpoint_dynamodb.saver import DynamoDBSaver


class State(TypedDict):
    log: Annotated[list[Any], operator.add]
    note: str


HI = {"log": ["hi"]}


def chat(saver: Any, config: Any) -> None:
    builder = StateGraph(MessagesState)
    builder.add_node(
        "model", lambda state: {"messages": [AIMessage(f"answer {len(state['messages'])}")]}
    )
    builder.add_edge(START, "model")
    graph = builder.compile(checkpointer=saver)
    for text in ("first", "second"):
        graph.invoke({"messages": [("user", text)]}, config)


def _asks(saver: Any) -> Any:
    builder = StateGraph(State)
    builder.add_node(
        "ask", lambda _: {"log": [f"answer: {interrupt({'question': 'sure?'})}"], "note": "asked"}
    )
    builder.add_node("end", lambda _: {"log": ["end"]})
    builder.add_edge(START, "ask")
    builder.add_edge("ask", "end")
    return builder.compile(checkpointer=saver)


def asks(saver: Any, config: Any) -> None:
    _asks(saver).invoke(HI, config)


def asks_twice(saver: Any, config: Any) -> None:
    builder = StateGraph(State)
    builder.add_node("ask", lambda _: {"log": [f"{interrupt('one?')} and {interrupt('two?')}"]})
    builder.add_edge(START, "ask")
    graph = builder.compile(checkpointer=saver)
    graph.invoke(HI, config)
    graph.invoke(Command(resume="1"), config)


def _pair(saver: Any, left: Any, right: Any) -> Any:
    builder = StateGraph(State)
    builder.add_node("left", left)
    builder.add_node("right", right)
    builder.add_edge(START, "left")
    builder.add_edge(START, "right")
    return builder.compile(checkpointer=saver)


def both_ask(saver: Any, config: Any) -> None:
    graph = _pair(
        saver,
        lambda _: {"log": [f"left: {interrupt('left?')}"], "note": "left"},
        lambda _: {"log": [f"right: {interrupt('right?')}"]},
    )
    graph.invoke(HI, config)


def both_fail(saver: Any, config: Any) -> None:
    def fail(_: Any) -> dict[str, Any]:
        raise TypeError("it failed")

    try:
        _pair(saver, fail, fail).invoke(HI, config)
    except TypeError:
        return
    raise AssertionError("it did not fail")


def sends(saver: Any, config: Any) -> None:
    builder = StateGraph(State)
    builder.add_node("plan", lambda _: {"log": ["plan"]})
    builder.add_node("work", lambda state: {"log": [f"work {state['item']}"]})
    builder.add_edge(START, "plan")
    builder.add_conditional_edges(
        "plan", lambda _: [Send("work", {"item": item}) for item in (1, 2)], ["work"]
    )
    builder.compile(checkpointer=saver, interrupt_before=["work"]).invoke(HI, config)


# No nested graphs: that release cannot read their checkpoints (`query() only accepts keyword
# arguments`).
SCENARIOS = (chat, asks, asks_twice, both_ask, both_fail, sends)


def main(action: str, endpoint: str, checkpoints: str, writes: str, thread_id: str = "") -> None:
    saver = DynamoDBSaver(
        client_config={
            "endpoint_url": endpoint,
            "region_name": "us-east-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        },
        checkpoints_table_name=checkpoints,
        writes_table_name=writes,
    )
    if action == "write":
        for scenario in SCENARIOS:
            scenario(saver, {"configurable": {"thread_id": scenario.__name__}})
        return
    config = {"configurable": {"thread_id": thread_id}}
    if action == "goes_on":
        _asks(saver).invoke({"log": ["again"]}, config)
    print(json.dumps(saver.get_tuple(config).checkpoint["channel_values"]["log"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
