"""The registry: one item per namespace, so that listing namespaces needs no scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import optional_number, read_key, typed
from langgraph_checkpoint_dynamodb.requests.items import Expected, Update
from langgraph_checkpoint_dynamodb.store.keys import (
    Namespace,
    registered_namespace,
    registry_key,
)

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem


@dataclass(frozen=True, slots=True)
class Registration:
    """A namespace in the registry.

    Attributes:
        namespace: The namespace.
        key: Primary key of its item.
        touched: When it was last registered, in seconds since the epoch.
        spread: The spread of the store that registered it.
    """

    namespace: Namespace
    key: Key
    touched: int
    spread: int


def registration_update(namespace: Namespace, now: int, spread: int) -> Update:
    """The update that registers a namespace, or renews its registration.

    Its condition fails if a store with another spread has registered the namespace.
    """
    same = Expected(Attribute.SPREAD, ({"N": str(spread)},))
    values = typed({Attribute.TOUCHED: now, Attribute.SPREAD: spread})
    return Update(Table.STORE, registry_key(namespace), values, expected=same)


def read_registration(item: StoredItem) -> Registration:
    """Parse an item of the registry.

    Raises:
        UnreadableItemError: It is damaged.
    """
    key = read_key(item, Table.STORE)
    place = f"item {key.sort!r} of partition {key.partition!r} in the store's table"
    namespace = registered_namespace(key.sort)
    if namespace is None:
        raise UnreadableItemError(
            place=place, attribute=Attribute.PATH, problem="is of no namespace"
        )
    return Registration(
        namespace,
        key,
        _number(item, Attribute.TOUCHED, place),
        _number(item, Attribute.SPREAD, place),
    )


def _number(item: StoredItem, attribute: str, place: str) -> int:
    found = optional_number(item, attribute, place)
    if found is None:
        raise UnreadableItemError(place=place, attribute=attribute, problem="is missing")
    return found
