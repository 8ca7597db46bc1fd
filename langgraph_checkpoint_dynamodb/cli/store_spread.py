"""How the table of a store is spread, which its registry tells: nobody need say it."""

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


def read_spread(store: DynamoDBStore) -> None:
    """Have a store use the spread that its table was first used with."""
    spread = store._run(_spread(), "read_spread")
    store._settings = replace(store._settings, spread=spread)


def _spread() -> Operation[int]:
    # A table has one spread: a store refuses namespaces that were entered by one of another.
    first = [Query(Table.STORE, one, consistent=True, limit=1) for one in registry_partitions(())]
    pages = yield from together([send(query) for query in first])
    found = [number_or_none(item, Attribute.SPREAD) for page in pages for item in page.items]
    return next((spread for spread in found if spread), 1)
