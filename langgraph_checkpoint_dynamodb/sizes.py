"""How much room a value takes, what fits into an item, and what writing it costs.

Sizes are counted as DynamoDB counts them
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html):
every attribute is its name in UTF-8 plus its value; text counts in UTF-8, binary as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import ItemTooLargeError

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.effects import Item

ITEM_LIMIT = 409_600
"""Largest item in bytes: 400 KB, attribute names and keys included."""


def item_size(item: Item) -> int:
    """Size of an item in bytes, as DynamoDB counts it.

    Args:
        item: Typed attribute values, of any type: items of other writers are measured too.
    """
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def write_units(size: int) -> int:
    """Write capacity units of an item: one for each kilobyte begun."""
    return max(1, -(-size // 1024))


def require_fits(item: Item, place: str) -> int:
    """Size of the item in bytes.

    Raises:
        ItemTooLargeError: It is over 409,600 bytes.
    """
    size = item_size(item)
    if size > ITEM_LIMIT:
        raise ItemTooLargeError(place=place, size=size, limit=ITEM_LIMIT)
    return size


def _value_size(typed: object) -> int:
    match typed:
        case {"S": str(text)}:
            return len(text.encode())
        case {"B": bytes(data)}:
            return len(data)
        case {"BOOL": _} | {"NULL": _}:
            return 1
        case {"N": str(number)}:
            # About a byte for two digits and one for the rest; rounded up for a sign or a point.
            return len(number) // 2 + 2
        case {"L": list(values)}:
            return 3 + sum(1 + _value_size(value) for value in values)
        case {"M": dict(entries)}:
            return 3 + sum(1 + len(k.encode()) + _value_size(v) for k, v in entries.items())
        case {"SS": list(values)}:
            return sum(len(text.encode()) for text in values)
        case {"NS": list(values)}:
            return sum(len(number) // 2 + 2 for number in values)
        case {"BS": list(values)}:
            return sum(len(data) for data in values)
    raise AssertionError("not a typed attribute value")
