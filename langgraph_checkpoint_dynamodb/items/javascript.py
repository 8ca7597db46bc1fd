"""What LangGraph.js stores as JSON, made into what LangGraph reads.

LangGraph.js knows by the channel what a value is: it stores interrupts and Sends as plain objects,
where LangGraph stores its own classes and passes over everything else. And it marks a field that is
`undefined`, which Python's messages refuse. Measured with `@langchain/langgraph` 0.2.74 and 1.7.3.
"""

from __future__ import annotations

import json
from typing import Any

from langgraph.checkpoint.serde.types import INTERRUPT, RESUME, TASKS

JSON_TYPE = "json"
"""The type of what LangGraph.js serializes. Python stores it where msgpack refuses a value."""

_UNDEFINED = {"lc": 2, "type": "undefined"}
_NO_TASK = "00000000-0000-0000-0000-000000000000"
"""LangGraph's task id of an answer to whichever task asks next."""
_PENDING_SENDS = "pending_sends"
"""Where checkpoints before version 4 keep the Sends of the step that comes."""


def without_undefined(data: bytes) -> bytes:
    """JSON without the fields that were `undefined`; in an array, one is `null`."""
    if b'"undefined"' not in data:
        return data
    try:
        loaded = json.loads(data)
    except ValueError:
        # Of a serializer of the user's. What is wrong with it, if anything, that one tells.
        return data
    return json.dumps(_defined(loaded)).encode()


def is_given_answer(task_id: str, channel: str) -> bool:
    """Whether a write is an answer that LangGraph.js has given to the task that asked.

    LangGraph counts a task's answers by its id, which LangGraph.js makes in another way. To it the
    task was never answered: it would take the last answer for the one to its first question.
    """
    return channel == RESUME and task_id == _NO_TASK


def revive_write(channel: str, value: object) -> object:
    """A pending write's value as LangGraph reads it."""
    if channel == INTERRUPT:
        # 1.7.3 stores a task's interrupts in one write, 0.2.74 each in a write of its own.
        return [_interrupt(each) for each in (value if isinstance(value, list) else [value])]
    return _send(value) if channel == TASKS else value


def revive_checkpoint(checkpoint: dict[str, Any]) -> None:
    """Make the pending Sends of a loaded checkpoint into LangGraph's, in place."""
    _revive_sends(checkpoint, _PENDING_SENDS)
    _revive_sends(checkpoint.get("channel_values"), TASKS)


def _defined(value: Any) -> Any:
    if value == _UNDEFINED:
        return None
    if isinstance(value, list):
        return [_defined(each) for each in value]
    if isinstance(value, dict):
        return {name: _defined(each) for name, each in value.items() if each != _UNDEFINED}
    return value


def _interrupt(value: Any) -> Any:
    """`{id, value}` of 1.7.3, or `{value, when, resumable, ns}` of 0.2.74, as an `Interrupt`."""
    if not isinstance(value, dict) or not value.keys() & {"id", "value"}:
        return value
    try:
        from langgraph.types import Interrupt
    except ImportError:
        # Nobody resumes a graph here.
        return value
    known: dict[str, Any] = {}
    match value:
        case {"id": str(id_)}:
            known = {"id": id_}
        case {"ns": [*names]} if names and all(isinstance(name, str) for name in names):
            # LangGraph makes the id of them.
            known = {"ns": names}
    return Interrupt(value.get("value"), **known)


def _revive_sends(holder: Any, name: str) -> None:
    if isinstance(holder, dict) and isinstance(holder.get(name), list):
        holder[name] = [_send(value) for value in holder[name]]


def _send(value: Any) -> Any:
    """`{node, args}` as a `Send`."""
    if not isinstance(value, dict) or not isinstance(value.get("node"), str):
        return value
    try:
        from langgraph.types import Send
    except ImportError:
        return value
    return Send(value["node"], value.get("args"))
