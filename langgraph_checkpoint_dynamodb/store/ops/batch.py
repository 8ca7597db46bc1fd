"""Several calls at once, in the order that LangGraph's InMemoryStore performs them.

Everything is read before anything is stored, whatever the order in which it was asked for; of
several puts of one key the last counts.
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
from langgraph_checkpoint_dynamodb.store.ops.search import Wanted, search

if TYPE_CHECKING:
    from langgraph.store.base import Result, SearchItem

    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context
    from langgraph_checkpoint_dynamodb.store.embedding import Embedded
    from langgraph_checkpoint_dynamodb.store.keys import ItemRef


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls that are performed together, each at its position.

    Attributes:
        count: How many there are.
        gets: Which item, by position; `None` for one that there cannot be.
        used: Those of these items whose lives begin anew.
        searches: What is searched for, by position.
        listings: Which namespaces are listed, by position.
        puts: What is stored.
        deletes: What is deleted; no item is in both.
    """

    count: int
    gets: dict[int, ItemRef | None] = field(default_factory=dict)
    used: list[ItemRef] = field(default_factory=list)
    searches: dict[int, Wanted] = field(default_factory=dict)
    listings: dict[int, Listing] = field(default_factory=dict)
    puts: list[ItemPut] = field(default_factory=list)
    deletes: list[ItemRef] = field(default_factory=list)

    @property
    def texts(self) -> Texts:
        """What of them is embedded."""
        stored = dict.fromkeys(text for put in self.puts for text in put.texts)
        queries = dict.fromkeys(one.query for one in self.searches.values() if one.query)
        return Texts(tuple(stored), tuple(queries))


def perform(context: Context, calls: Calls, embedded: Embedded) -> Operation[list[Result]]:
    """The result of each call.

    Args:
        context: How to read and write.
        calls: The calls.
        embedded: The vectors of their texts.
    """
    refs = [ref for ref in calls.gets.values() if ref is not None]
    reads: list[Operation[Any]] = [get_all(context, refs, calls.used)] if refs else []
    reads += [_search(context, wanted, embedded) for wanted in calls.searches.values()]
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


def _search(context: Context, wanted: Wanted, embedded: Embedded) -> Operation[list[SearchItem]]:
    if wanted.query is None or context.indexing is None:
        return search(context, wanted)
    return search_nearest(context, context.indexing, wanted, embedded.queries[wanted.query])
