"""Values of channels as text: in JSON, on one line, and what differs between two."""

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
from langgraph_checkpoint_dynamodb.cli.terminal.output import clean_line, size

_CONTEXT = 1
"""Lines around those that differ."""


def plain(value: object) -> Any:
    """A value in JSON's types. What cannot be shown is `{"type": ..., "bytes": ...}`."""
    match value:
        case Unreadable():
            return plain(value.opaque)
        case Opaque(type=type_, size=bytes_):
            return {"type": type_, "bytes": bytes_}
        case None | bool() | int() | float() | str():
            return value
        case bytes() | bytearray():
            return {"type": type(value).__name__, "bytes": len(value)}
        case BaseMessage():
            return _of_message(value)
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case set() | frozenset():
            return sorted((plain(each) for each in value), key=str)
        case Enum():
            return plain(value.value)
        case date() | datetime() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
    return _of_object(value)


def _of_message(message: BaseMessage) -> dict[str, Any]:
    shown = {"type": message.type, "content": plain(message.content)}
    more = ("id", "name", "tool_calls", "tool_call_id", "status", "usage_metadata")
    found = {name: getattr(message, name, None) for name in more}
    return shown | {name: plain(each) for name, each in found.items() if each}


def _of_object(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    names = getattr(type(value), "__slots__", ())
    if isinstance(names, tuple) and names:
        return {name: plain(getattr(value, name, None)) for name in names}
    return str(value)


def pretty(value: object) -> str:
    """A value as indented JSON."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False)


def brief(value: object) -> str:
    """A value on one line, whatever its length."""
    match value:
        case Unreadable():
            return brief(value.opaque)
        case Opaque(type=type_, size=bytes_):
            return f"<{clean_line(type_)}, {size(bytes_)}>"
        case bytes() | bytearray():
            return f"<{type(value).__name__}, {size(len(value))}>"
        case str():
            return clean_line(value)
        case BaseMessage():
            return f"{message_kind(value)}: {clean_line(message_text(value))}"
    return clean_line(json.dumps(plain(value), ensure_ascii=False))


def message_kind(message: BaseMessage) -> str:
    """Who has said it."""
    return f"{message.type} {message.name}" if message.name else message.type


def message_text(message: BaseMessage) -> str:
    """What a message says, with the tools it calls."""
    content: object = message.content
    text = content if isinstance(content, str) else json.dumps(plain(content), ensure_ascii=False)
    calls = [str(call.get("name")) for call in getattr(message, "tool_calls", None) or []]
    return " ".join([*([text] if text else []), *(f"[calls {name}]" for name in calls)])


def elements(value: object) -> list[str]:
    """A value as the lines that are shown of it: one for each element of a list."""
    if isinstance(value, (list, tuple)) and value:
        return [brief(each) for each in value]
    if isinstance(value, dict) and value and not isinstance(value, Unreadable):
        return [f"{clean_line(str(key))}: {brief(each)}" for key, each in value.items()]
    return [brief(value)]


def differing(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """The lines by which two texts differ, as `diff -u` has them, without its head."""
    lines = unified_diff(before, after, lineterm="", n=_CONTEXT)
    for position, line in enumerate(lines):
        if position >= 2 and not line.startswith("@@"):
            yield line


def cut(text: str, width: int) -> str:
    """Text that fits a line."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"
