"""Telling, before a value is serialized, whether that will take long."""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from itertools import islice
from typing import Any

from langgraph_checkpoint_dynamodb.requests.operations import LARGE_BYTES

_PART_BYTES = LARGE_BYTES // 4000
"""What a string, a container or an object counts beside its bytes: 4,000 of them are large."""
_MEMBER_BYTES = 8
"""What a member of a container counts for itself, be it a number."""
_SAMPLE = 4
"""Members of a container that are looked at; they stand for all."""
_LOOKS = 1000
"""Looks after which a value is taken for large: it is nested deeply, or in itself."""
_SCALARS = frozenset({type(None), bool, int, float})


def is_large(value: object) -> bool:
    """Whether a value has many bytes or many parts.

    A guess for a cheap look: it follows the common containers and the attributes of objects.
    """
    stack: list[tuple[Any, int]] = [(value, 1)]
    size = looks = 0
    while stack:
        part, times = stack.pop()
        kind: Any = type(part)
        if kind in _SCALARS:
            continue
        looks += 1
        size += times * _PART_BYTES
        if kind is str or kind is bytes or _tells_its_bytes(kind):
            size += times * _bytes_of(part)
        else:
            inside = _inside(part)
            size += times * len(inside) * _MEMBER_BYTES
            step = max(1, len(inside) // _SAMPLE)
            stack += [(one, times * step) for one in islice(inside, 0, None, step)]
        if size >= LARGE_BYTES or looks > _LOOKS:
            return True
    return False


@lru_cache(maxsize=256)
def _tells_its_bytes(kind: Any) -> bool:
    """Of text, byte arrays, other arrays and memory views. An object may be slow to deny it."""
    return issubclass(kind, (str, bytes, bytearray)) or hasattr(kind, "nbytes")


def _bytes_of(part: Any) -> int:
    size = len(part) if isinstance(part, (str, bytes, bytearray)) else part.nbytes
    return size if isinstance(size, int) else 0


def _inside(part: Any) -> Any:
    """What a container or an object consists of."""
    if isinstance(part, dict):
        return part.values()
    if isinstance(part, (list, tuple, set, frozenset, deque)):
        return part
    attributes = getattr(part, "__dict__", None)
    return attributes.values() if isinstance(attributes, dict) else ()
