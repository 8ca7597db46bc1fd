"""Sizes of items and values, the size limit, and write units.

Sizes are counted as DynamoDB does
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html):
an attribute takes its name in UTF-8 plus its value; text counts in UTF-8, binary as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import ItemTooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from langgraph_checkpoint_dynamodb.requests.items import Item

ITEM_LIMIT = 409_600
"""Largest item in bytes: 400 KB, attribute names and keys included."""


def item_size(item: Item) -> int:
    """Size of an item in bytes, as DynamoDB counts it.

    Args:
        item: Typed attribute values. All types are accepted, for items of other writers.
    """
    return sum(_text_size(name) + value_size(value) for name, value in item.items())


def write_units(size: int) -> int:
    """Write capacity units of an item: one per started kilobyte."""
    return max(1, -(-size // 1024))


def require_item_fits(item: Item, place: str, limit: int = ITEM_LIMIT) -> int:
    """Check that an item is within the limit, and return its size in bytes.

    Raises:
        ItemTooLargeError: It is over the limit.
    """
    size = item_size(item)
    if size > limit:
        raise ItemTooLargeError(place=place, size=size, limit=limit)
    return size


def value_size(typed: Any) -> int:
    """Size of a typed attribute value in bytes, without a name."""
    ((kind, value),) = typed.items()
    size: int = _SIZES[kind](value)
    return size


def _text_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _number_size(number: str) -> int:
    # About one byte per two digits plus one; rounded up for a sign or a point.
    return len(number) // 2 + 2


def _list_size(values: Iterable[Any]) -> int:
    return 3 + sum(1 + value_size(value) for value in values)


def _map_size(entries: Mapping[str, Any]) -> int:
    return 3 + sum(1 + _text_size(name) + value_size(value) for name, value in entries.items())


_SIZES: dict[str, Callable[[Any], int]] = {
    "S": _text_size,
    "B": len,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "N": _number_size,
    "L": _list_size,
    "M": _map_size,
    "SS": lambda values: sum(map(_text_size, values)),
    "NS": lambda values: sum(map(_number_size, values)),
    "BS": lambda values: sum(map(len, values)),
}
