"""The response stream: one line of JSON for each event of a turn, as it happens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, ToolMessage

from langgraph_checkpoint_dynamodb import ThreadConflictError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from langchain_core.runnables import RunnableConfig
    from langgraph.types import Interrupt

    from purchase_desk.agent import Agent
    from purchase_desk.turns import Turn

DONE = {"done": True}
"""The last line. A response without it was cut off; a retry of the request gets the rest."""


async def of_turn(agent: Agent, turn: Turn, config: RunnableConfig) -> AsyncIterator[str]:
    """The lines of a turn, beginning with the part that is already stored."""
    for message in turn.told:
        for told in of_message(message):
            yield line(told)
    for asked in of_questions(turn.questions):
        yield line(asked)
    try:
        async for happened in _running(agent, turn, config):
            yield line(happened)
    except ThreadConflictError:
        # A concurrent run was first. The output of this run so far is not stored.
        yield line({"error": "the conversation has gone on elsewhere; send the request again"})
        return
    yield line(DONE)


def of_message(message: AnyMessage) -> Iterator[dict[str, Any]]:
    """The content of the lines for a stored message."""
    if isinstance(message, ToolMessage):
        yield {"tool": message.name, "result": message.text}
    elif isinstance(message, AIMessage) and message.text:
        yield {"text": message.text}


def of_questions(questions: Iterable[Interrupt]) -> Iterator[dict[str, Any]]:
    """The content of the lines for pending questions."""
    for question in questions:
        yield {"question": question.id, "text": question.value}


def line(content: dict[str, Any]) -> str:
    """Encode a line."""
    return json.dumps(content) + "\n"


async def _running(
    agent: Agent, turn: Turn, config: RunnableConfig
) -> AsyncIterator[dict[str, Any]]:
    if not turn.runs:
        return
    # "sync" stores each step before the next one begins: if the function is killed, only the
    # current step runs again.
    events = agent.astream(
        turn.given, config, stream_mode=["messages", "updates"], durability="sync"
    )
    async for mode, content in events:
        if turn.told and _is_of_stored(mode, content):
            continue
        for happened in _of_event(mode, content):
            yield happened


def _is_of_stored(mode: str, content: Any) -> bool:
    # When LangGraph resumes a step, it repeats the updates of tasks whose writes are stored.
    return mode == "updates" and content.get("__metadata__", {}).get("cached", False)


def _of_event(mode: str, content: Any) -> Iterator[dict[str, Any]]:
    if mode == "messages":
        piece = content[0]
        if isinstance(piece, AIMessageChunk) and piece.text:
            yield {"text": piece.text}
        return
    for node, update in content.items():
        if node == "__interrupt__":
            yield from of_questions(update)
        elif node == "tools":
            for message in update["messages"]:
                yield from of_message(message)
