"""Values of channels as text: as JSON, on one line, and as a diff."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from difflib import unified_diff
from enum import Enum
from typing import Any

from langchain_core.messages import BaseMessage

from langgraph_checkpoint_dynamodb.cli.serde import Opaque, Unreadable
from langgraph_checkpoint_dynamodb.cli.terminal.output import byte_size, escape_line

_CONTEXT = 1
"""Unchanged lines around a change in a diff."""


def json_value(value: object) -> Any:
    """Convert a value to JSON's types. An opaque value becomes `{"type": ..., "bytes": ...}`."""
    match value:
        case Unreadable():
            return json_value(value.opaque)
        case Opaque(type=type_, size=bytes_):
            return {"type": type_, "bytes": bytes_}
        case None | bool() | int() | float() | str():
            return value
        case bytes() | bytearray():
            return {"type": type(value).__name__, "bytes": len(value)}
        case BaseMessage():
            return _message_json(value)
        case Mapping():
            return {str(key): json_value(each) for key, each in value.items()}
        case list() | tuple():
            return [json_value(each) for each in value]
        case set() | frozenset():
            return sorted((json_value(each) for each in value), key=str)
        case Enum():
            return json_value(value.value)
        case date() | datetime() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
    return _object_json(value)


def _message_json(message: BaseMessage) -> dict[str, Any]:
    shown = {"type": message.type, "content": json_value(message.content)}
    more = ("id", "name", "tool_calls", "tool_call_id", "status", "usage_metadata")
    found = {name: getattr(message, name, None) for name in more}
    return shown | {name: json_value(each) for name, each in found.items() if each}


def _object_json(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: json_value(getattr(value, each.name)) for each in fields(value)}
    names = getattr(type(value), "__slots__", ())
    if isinstance(names, tuple) and names:
        return {name: json_value(getattr(value, name, None)) for name in names}
    return str(value)


def pretty(value: object) -> str:
    """Return a value as indented JSON."""
    return json.dumps(json_value(value), indent=2, ensure_ascii=False)


def brief(value: object) -> str:
    """Return a value on one line, however long."""
    match value:
        case Unreadable():
            return brief(value.opaque)
        case Opaque(type=type_, size=bytes_):
            return f"<{escape_line(type_)}, {byte_size(bytes_)}>"
        case bytes() | bytearray():
            return f"<{type(value).__name__}, {byte_size(len(value))}>"
        case str():
            return escape_line(value)
        case BaseMessage():
            return f"{message_author(value)}: {escape_line(message_text(value))}"
    return escape_line(_json_line(value))


def _json_line(value: object) -> str:
    return json.dumps(json_value(value), ensure_ascii=False)


def message_author(message: BaseMessage) -> str:
    """Return the type of a message, with the name of its author."""
    return f"{message.type} {message.name}" if message.name else message.type


def message_text(message: BaseMessage) -> str:
    """Return the text of a message, with the names of the tools that it calls."""
    content: object = message.content
    text = (
        content if isinstance(content, str) else json.dumps(json_value(content), ensure_ascii=False)
    )
    calls = [str(call.get("name")) for call in getattr(message, "tool_calls", None) or []]
    return " ".join([*([text] if text else []), *(f"[calls {name}]" for name in calls)])


def value_lines(value: object) -> list[str]:
    """Return a value as lines: one for each element of a list, or entry of a mapping."""
    if isinstance(value, (list, tuple)) and value:
        return [brief(each) for each in value]
    if isinstance(value, dict) and value and not isinstance(value, Unreadable):
        return [f"{escape_line(str(key))}: {brief(each)}" for key, each in value.items()]
    return [brief(value)]


def diff_lines(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """Return the lines of a unified diff, without its headers."""
    lines = unified_diff(before, after, lineterm="", n=_CONTEXT)
    for position, line in enumerate(lines):
        if position >= 2 and not line.startswith("@@"):
            yield line


def truncate(text: str, width: int) -> str:
    """Shorten a text to a width in characters."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"
