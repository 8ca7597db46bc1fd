"""Telling, before a value is serialized, whether that will take long."""

from __future__ import annotations

from typing import Any

from langgraph_checkpoint_dynamodb.effects import LARGE_BYTES

_MANY_OBJECTS = 1000
"""Objects that take about as long to serialize as `LARGE_BYTES` of text, and the most looked at."""


def is_large(value: object) -> bool:
    """Whether a value has many bytes or consists of many objects.

    A guess for a cheap look: it follows the common containers and the attributes of objects.
    """
    stack: list[Any] = [value]
    size = 0
    for _ in range(_MANY_OBJECTS):
        if not stack:
            return False
        part = stack.pop()
        if isinstance(part, (str, bytes, bytearray)):
            size += len(part)
        elif isinstance(part, (dict, list, tuple, set, frozenset)):
            if len(part) > _MANY_OBJECTS:
                return True
            stack.extend(part.values() if isinstance(part, dict) else part)
        else:
            size += _bytes_of(part)
            stack.extend(getattr(part, "__dict__", {}).values())
        if size >= LARGE_BYTES:
            return True
    return True


def _bytes_of(part: Any) -> int:
    """Of arrays and memory views, which tell."""
    size = getattr(part, "nbytes", 0)
    return size if isinstance(size, int) else 0
