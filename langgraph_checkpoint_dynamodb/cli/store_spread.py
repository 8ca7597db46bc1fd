"""The spread of a store's table, read from its registry so that no option has to name it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.attributes import number_or_none
from langgraph_checkpoint_dynamodb.requests.items import Query
from langgraph_checkpoint_dynamodb.requests.operations import send, together
from langgraph_checkpoint_dynamodb.store.keys import registry_partitions

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.sync import DynamoDBStore


def use_registered_spread(store: DynamoDBStore) -> None:
    """Set the store's spread to the one that its table was first used with."""
    spread = store._run(_registered_spread(), "read_spread")
    store._settings = replace(store._settings, spread=spread)


def _registered_spread() -> Operation[int]:
    # All namespaces of a table have the same spread, so one entry of the registry is enough.
    queries = [
        Query(Table.STORE, partition, consistent=True, limit=1)
        for partition in registry_partitions(())
    ]
    pages = yield from together([send(query) for query in queries])
    spreads = [number_or_none(item, Attribute.SPREAD) for page in pages for item in page.items]
    return next((spread for spread in spreads if spread), 1)
