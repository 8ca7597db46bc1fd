"""Converts JSON values of LangGraph.js to the classes that LangGraph for Python expects.

LangGraph.js stores interrupts and Sends as plain objects and tells them apart by their channel;
LangGraph for Python ignores anything but its own classes there. LangGraph.js also marks fields that
are `undefined`, which Python's message classes reject. Observed with `@langchain/langgraph` 0.2.74
and 1.7.3.
"""

from __future__ import annotations

import json
from typing import Any

from langgraph.checkpoint.serde.types import INTERRUPT, RESUME, TASKS

JSON_TYPE = "json"
"""Type tag of values that LangGraph.js serializes. Python uses it for values msgpack rejects."""

_UNDEFINED = {"lc": 2, "type": "undefined"}
_NO_TASK = "00000000-0000-0000-0000-000000000000"
"""LangGraph's task id of an answer to the next interrupted task."""
_PENDING_SENDS = "pending_sends"
"""Field with the Sends of the next step, in checkpoints before version 4."""


def drop_undefined(data: bytes) -> bytes:
    """JSON without fields that are `undefined`. In an array they become `null`."""
    if b'"undefined"' not in data:
        return data
    try:
        loaded = json.loads(data)
    except ValueError:
        # Data of a custom serializer, which reports its own errors.
        return data
    return json.dumps(_defined(loaded)).encode()


def is_answer_without_task(task_id: str, channel: str) -> bool:
    """Whether a write is an answer that LangGraph.js stored without the id of the task that asked.

    LangGraph counts the answers of a task by its id. LangGraph.js creates other ids, so such a task
    would count as unanswered, and the last answer would be used for its first question.
    """
    return channel == RESUME and task_id == _NO_TASK


def revive_write(channel: str, value: object) -> object:
    """A pending write's value as LangGraph for Python expects it."""
    if channel == INTERRUPT:
        # 1.7.3 stores a task's interrupts in one write, 0.2.74 each in a write of its own.
        return [_interrupt(each) for each in (value if isinstance(value, list) else [value])]
    return _send(value) if channel == TASKS else value


def revive_checkpoint(checkpoint: dict[str, Any]) -> None:
    """Convert the pending Sends of a loaded checkpoint in place."""
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
        # Without LangGraph no graph is resumed, so the plain value is enough.
        return value
    known: dict[str, Any] = {}
    match value:
        case {"id": str(id_)}:
            known = {"id": id_}
        case {"ns": [*names]} if names and all(isinstance(name, str) for name in names):
            # LangGraph derives the id from these names.
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
