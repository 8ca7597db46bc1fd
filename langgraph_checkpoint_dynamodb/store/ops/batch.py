"""Batches of calls, with the semantics of LangGraph's InMemoryStore.

All reads come before all writes, whatever the order of the calls; of several puts of one key the
last one is stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.requests.operations import together
from langgraph_checkpoint_dynamodb.store.embedding import Texts
from langgraph_checkpoint_dynamodb.store.ops.get import get_all
from langgraph_checkpoint_dynamodb.store.ops.namespaces import Listing, list_namespaces
from langgraph_checkpoint_dynamodb.store.ops.nearest import search_nearest
from langgraph_checkpoint_dynamodb.store.ops.put import ItemPut, change_all
from langgraph_checkpoint_dynamodb.store.ops.search import Criteria, search

if TYPE_CHECKING:
    from langgraph.store.base import Result, SearchItem

    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context
    from langgraph_checkpoint_dynamodb.store.embedding import Embedded
    from langgraph_checkpoint_dynamodb.store.keys import ItemRef


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of a batch.

    Attributes:
        count: Number of calls.
        gets: By position, the item to read; `None` for one that cannot exist.
        refreshed: The items among them whose TTL the batch refreshes.
        searches: By position, the searches.
        listings: By position, the listings of namespaces.
        puts: Items to store.
        deletes: Items to delete; no item is in both lists.
    """

    count: int
    gets: dict[int, ItemRef | None] = field(default_factory=dict)
    refreshed: list[ItemRef] = field(default_factory=list)
    searches: dict[int, Criteria] = field(default_factory=dict)
    listings: dict[int, Listing] = field(default_factory=dict)
    puts: list[ItemPut] = field(default_factory=list)
    deletes: list[ItemRef] = field(default_factory=list)

    @property
    def texts(self) -> Texts:
        """The texts to embed."""
        stored = dict.fromkeys(text for put in self.puts for text in put.texts)
        queries = dict.fromkeys(one.query for one in self.searches.values() if one.query)
        return Texts(tuple(stored), tuple(queries))


def perform(context: Context, calls: Calls, embedded: Embedded) -> Operation[list[Result]]:
    """Perform the calls, and return the result of each.

    Args:
        context: Settings, time and memory of the call.
        calls: The calls.
        embedded: The vectors of their texts.
    """
    refs = [ref for ref in calls.gets.values() if ref is not None]
    reads: list[Operation[Any]] = [get_all(context, refs, calls.refreshed)] if refs else []
    reads += [_search(context, criteria, embedded) for criteria in calls.searches.values()]
    reads += [list_namespaces(context, listing) for listing in calls.listings.values()]
    found = yield from together(reads)
    results: list[Result] = [None] * calls.count
    if refs:
        items, *found = found
        for position, ref in calls.gets.items():
            results[position] = None if ref is None else items.get(ref)
    for position, result in zip((*calls.searches, *calls.listings), found, strict=True):
        results[position] = result
    yield from change_all(context, calls.puts, calls.deletes, embedded.stored)
    return results


def _search(
    context: Context, criteria: Criteria, embedded: Embedded
) -> Operation[list[SearchItem]]:
    if criteria.query is None or context.indexing is None:
        return search(context, criteria)
    return search_nearest(context, context.indexing, criteria, embedded.queries[criteria.query])
