"""Estimates, before a value is serialized, whether that will take long."""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from itertools import islice
from typing import Any

from langgraph_checkpoint_dynamodb.requests.operations import LARGE_BYTES

_PART_BYTES = LARGE_BYTES // 4000
"""Bytes counted for each string, container or object, besides its content: 4,000 are large."""
_MEMBER_BYTES = 8
"""Bytes counted for each member of a container."""
_SAMPLE = 4
"""Number of members of a container that are inspected as a sample."""
_INSPECTED_PARTS = 1000
"""Inspected parts after which a value counts as large: it is deeply nested, or contains itself."""
_SCALARS = frozenset({type(None), bool, int, float})


def is_large(value: object) -> bool:
    """Whether a value has many bytes or many parts.

    A cheap estimate: it follows the common containers and the attributes of objects.
    """
    stack: list[tuple[Any, int]] = [(value, 1)]
    size = inspected = 0
    while stack:
        part, times = stack.pop()
        kind: Any = type(part)
        if kind in _SCALARS:
            continue
        inspected += 1
        size += times * _PART_BYTES
        if kind is str or kind is bytes or _has_size(kind):
            size += times * _bytes_of(part)
        else:
            inside = _inside(part)
            size += times * len(inside) * _MEMBER_BYTES
            step = max(1, len(inside) // _SAMPLE)
            stack += [(one, times * step) for one in islice(inside, 0, None, step)]
        if size >= LARGE_BYTES or inspected > _INSPECTED_PARTS:
            return True
    return False


@lru_cache(maxsize=256)
def _has_size(kind: Any) -> bool:
    """Whether a type is text or bytes, or has `nbytes`. Cached: `hasattr` may be slow."""
    return issubclass(kind, (str, bytes, bytearray)) or hasattr(kind, "nbytes")


def _bytes_of(part: Any) -> int:
    size = len(part) if isinstance(part, (str, bytes, bytearray)) else part.nbytes
    return size if isinstance(size, int) else 0


def _inside(part: Any) -> Any:
    """The members of a container or the attributes of an object."""
    if isinstance(part, dict):
        return part.values()
    if isinstance(part, (list, tuple, set, frozenset, deque)):
        return part
    attributes = getattr(part, "__dict__", None)
    return attributes.values() if isinstance(attributes, dict) else ()
