"""Ranking vectors by their similarity to a query: exactly, or by the vector index."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from langgraph_checkpoint_dynamodb.errors import (
    ServiceError,
    TableMismatchError,
    TableNotFoundError,
)
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.requests.items import Query, SearchVectors
from langgraph_checkpoint_dynamodb.requests.operations import compute, send
from langgraph_checkpoint_dynamodb.store.embedding import packed_bytes
from langgraph_checkpoint_dynamodb.store.keys import (
    range_below,
    vector_order,
    vector_owner,
    vector_partitions_below,
    vector_stem,
)
from langgraph_checkpoint_dynamodb.store.ops.merged import MOST_ITEMS, Merged
from langgraph_checkpoint_dynamodb.store.ops.namespaces import next_root
from langgraph_checkpoint_dynamodb.store.ops.vector_format import read_vector_format
from langgraph_checkpoint_dynamodb.store.similarity import similarities
from langgraph_checkpoint_dynamodb.store.vectors import read_vector

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context
    from langgraph_checkpoint_dynamodb.store.keys import Namespace

_log = logging.getLogger("langgraph_checkpoint_dynamodb")

TOP_K = 100
"""Maximum number of vectors that the index returns; it has no second page."""
_CAPACITY = 10_000
"""Maximum number of items in a ranking. Up to twice as many keys are in memory meanwhile."""
_FALLBACK_CODES = ("AccessDeniedException", "ValidationException", "UnknownOperationException")
"""Error codes that mean that the index cannot be searched, rather than not just now."""
_ATTRIBUTES = (Attribute.ROOT, Attribute.PATH, Attribute.PACKED, Attribute.VECTOR)


class Candidate(NamedTuple):
    """An item whose vectors were ranked.

    Attributes:
        score: The score of its most similar vector.
        stem: The common prefix of their keys, which holds the item and its version.
        vectors: The number of its vectors that were ranked; `None` if unknown.
    """

    score: float
    stem: Key
    vectors: int | None

    @property
    def order(self) -> tuple[float, tuple[str, str]]:
        """Sort key: the most similar first, equal scores by namespace and key."""
        return (-self.score, vector_order(self.stem))


class Ranking:
    """The most similar items, each by its most similar vector.

    Args:
        capacity: Maximum number of items; `is_cut` tells whether there were more.
        counted: Whether every vector of an item is added.
        excluded: Stems of vectors to ignore.
    """

    def __init__(
        self, capacity: int, *, counted: bool = True, excluded: Collection[Key] = ()
    ) -> None:
        self._capacity = capacity
        self._counted = counted
        self._excluded = excluded
        self._best: dict[Key, Candidate] = {}
        self.is_cut = False

    def __len__(self) -> int:
        return len(self._best)

    def add(self, key: Key, score: float) -> None:
        """Add a vector."""
        stem = vector_stem(key)
        if stem in self._excluded:
            return
        best = self._best.get(stem)
        if best is None:
            self._best[stem] = Candidate(score, stem, 1 if self._counted else None)
        else:
            count = None if best.vectors is None else best.vectors + 1
            self._best[stem] = Candidate(max(score, best.score), stem, count)
        if len(self._best) > 2 * self._capacity:
            self.is_cut = True
            self._best = {one.stem: one for one in self.best()}

    def best(self) -> list[Candidate]:
        """The items, the most similar first, equal scores by namespace and key."""
        # Beyond the capacity, better items may have been dropped than those that are left.
        ordered = sorted(self._best.values(), key=lambda one: one.order)
        return ordered[: self._capacity if self.is_cut else None]


def rank_all(
    context: Context,
    dims: int,
    prefix: Namespace,
    query: Sequence[float],
    excluded: Collection[Key],
) -> Operation[Ranking]:
    """Rank every vector below a prefix.

    Args:
        context: Settings of the call.
        dims: Number of dimensions of a vector.
        prefix: The prefix; empty for all vectors.
        query: The vector to compare with.
        excluded: Stems of vectors to ignore.

    Raises:
        TableMismatchError: A vector has another number of dimensions.
    """
    ranking = Ranking(_CAPACITY, excluded=excluded)
    compared = 0
    if prefix:
        compared = yield from _rank_below(context, dims, prefix, query, ranking)
    else:
        root = yield from next_root(context, None)
        while root is not None:
            compared += yield from _rank_below(context, dims, (root,), query, ranking)
            root = yield from next_root(context, root)
    if compared > context.exact_search_warning:
        _log.warning(
            "a search below %r has read and compared %d vectors, over exact_search_warning=%d: "
            "search below a longer prefix, or use a vector index",
            prefix,
            compared,
            context.exact_search_warning,
        )
    return ranking


def rank_by_index(
    context: Context, index: str, prefix: Namespace, query: Sequence[float]
) -> Operation[Ranking | None]:
    """Rank the vectors below a prefix by the vector index; `None` if it cannot be searched.

    Args:
        context: Settings and memory of the call.
        index: Name of the index.
        prefix: The prefix, with at least one label.
        query: The vector to compare with.
    """
    try:
        stored = yield from read_vector_format(context)
        if stored is not None and stored.form != "list":
            _log.warning(
                "vectors of table %r were stored without vector_index: they are searched without "
                "the index, which holds none of them",
                context.table_name,
            )
            return None
        found = yield from send(SearchVectors(index, tuple(query), prefix, TOP_K))
    except (ServiceError, TableMismatchError, TableNotFoundError) as error:
        # If the table is missing, and not only the index, the exact search raises.
        if isinstance(error, ServiceError) and error.code not in _FALLBACK_CODES:
            raise
        _log.warning("vectors are searched without index %r: %s", index, error)
        return None
    ranking = Ranking(TOP_K, counted=False)
    for key, score in found:
        owner = vector_owner(vector_stem(key), context.spread)
        if owner is not None and owner.ref.namespace[: len(prefix)] == prefix:
            ranking.add(key, score)
    ranking.is_cut = len(found) >= TOP_K
    return ranking


def _rank_below(
    context: Context, dims: int, prefix: Namespace, query: Sequence[float], ranking: Ranking
) -> Operation[int]:
    """Rank the vectors below a prefix, which has at least one label; return their number."""
    pages = Merged(
        Query(
            Table.STORE,
            partition,
            context.consistent,
            range_below(prefix),
            attributes=_ATTRIBUTES,
        )
        for partition in vector_partitions_below(prefix, context.spread)
    )
    compared = 0
    while (items := (yield from pages.next(MOST_ITEMS))) is not None:
        work = partial(_rank, context.table_name, dims, query, items, ranking)
        yield from compute(work, len(items) * packed_bytes(dims))
        compared += len(items)
    return compared


def _rank(
    table_name: str,
    dims: int,
    query: Sequence[float],
    items: Sequence[StoredItem],
    ranking: Ranking,
) -> None:
    packed = [read_vector(item, dims, table_name) for item in items]
    scores = similarities(query, packed)
    for item, score in zip(items, scores, strict=True):
        ranking.add(read_key(item, Table.STORE), score)
