"""Damages of stored items and of the parts of their values."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

DAMAGES: dict[str, dict[str, Any] | None] = {
    "missing": None,
    "a number": {"N": "1"},
    "other text": {"S": "damaged"},
    "other bytes": {"B": b"\xc1"},
}


def damaged(item: dict[str, Any], name: str, damage: dict[str, Any] | None) -> dict[str, Any]:
    """An item with another value of an attribute, or without it."""
    left = {key: value for key, value in item.items() if key != name}
    return left if damage is None else {**left, name: damage}


PART_DAMAGES: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
    "gone": lambda _: None,
    "no bytes": lambda item: damaged(item, "chunk", None),
    "a number": lambda item: damaged(item, "chunk", {"N": "1"}),
    "other bytes": lambda item: damaged(item, "chunk", {"B": b"other"}),
    "fewer bytes": lambda item: {**item, "chunk": {"B": item["chunk"]["B"][1:]}},
}


def noise(size: int) -> bytes:
    """Bytes that cannot be compressed."""
    return random.Random(1).randbytes(size)  # noqa: S311 - no secret
