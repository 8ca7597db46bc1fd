"""Attributes of items: creates typed values, reads and checks them. Uses the SDK's serializer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeSerializer

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.bounds import MAX_EPOCH_SECONDS, parse_seconds
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Key, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langgraph_checkpoint_dynamodb.requests.items import Item, StoredItem


serialize = TypeSerializer().serialize


def make_item(table: Table, key: Key, attributes: Mapping[str, Any]) -> Item:
    """An item of a table. Attributes that are `None` are left out."""
    spec = SPECS[table]
    return typed({spec.partition_key: key.partition, spec.sort_key: key.sort, **attributes})


def typed(attributes: Mapping[str, Any]) -> Item:
    """Attributes as DynamoDB's typed values. Those that are `None` are left out."""
    return {name: serialize(value) for name, value in attributes.items() if value is not None}


def as_numbers(vector: Sequence[float]) -> list[Any]:
    """32-bit numbers as typed values, in 9 digits: the fewest that keep all of them distinct."""
    return [{"N": f"{number:.9g}"} for number in vector]


def read_key(item: StoredItem, table: Table) -> Key:
    """The primary key of an item."""
    spec = SPECS[table]
    place = f"an item of the {table.value} table"
    return Key(text(item, spec.partition_key, place), text(item, spec.sort_key, place))


def optional_text(item: StoredItem, attribute: str, place: str) -> str | None:
    """The text of an attribute, `None` if it is missing, or NULL as older writers store it."""
    if item.get(attribute) in (None, {"NULL": True}):
        return None
    return text(item, attribute, place)


def text(item: StoredItem, attribute: str, place: str) -> str:
    """The text of an attribute.

    Raises:
        UnreadableItemError: It is missing or of another type.
    """
    match item.get(attribute):
        case {"S": str(found)}:
            return found
    raise _not_of_type(item, attribute, place, "text (S)")


def binary(item: StoredItem, attribute: str, place: str) -> bytes:
    """The bytes of an attribute, or of its text: custom serdes of the JavaScript port store text.

    Raises:
        UnreadableItemError: It is missing or of another type.
    """
    match item.get(attribute):
        case {"B": bytes(data)}:
            return data
        case {"S": str(found)}:
            return found.encode()
    raise _not_of_type(item, attribute, place, "binary (B)")


def _not_of_type(
    item: StoredItem, attribute: str, place: str, expected: str
) -> UnreadableItemError:
    problem = f"is not {expected}" if attribute in item else "is missing"
    return UnreadableItemError(place=place, attribute=attribute, problem=problem)


def optional_number(item: StoredItem, attribute: str, place: str) -> int | None:
    """The time in an attribute, without its fraction; `None` if it is missing or NULL.

    Raises:
        UnreadableItemError: It is of another type, or is not a time in seconds since the epoch.
    """
    if item.get(attribute) in (None, {"NULL": True}):
        return None
    problem = "is not a number (N)"
    match item.get(attribute):
        case {"N": str(found)}:
            time = parse_seconds(found)
            if time is not None:
                return time
            problem = f"is not a number of seconds (N) from 0 to {MAX_EPOCH_SECONDS}"
    raise UnreadableItemError(place=place, attribute=attribute, problem=problem)


def number_or_none(item: StoredItem, attribute: str) -> int | None:
    """The time in an attribute, `None` also if it holds something else."""
    try:
        return optional_number(item, attribute, "an item")
    except UnreadableItemError:
        return None
