"""Ranking vectors by how similar they are to another: all of them, or by the vector index."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from langgraph_checkpoint_dynamodb.effects import Query, SearchVectors, compute, send
from langgraph_checkpoint_dynamodb.errors import ServiceError, TableMismatchError
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.keys import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.store.keys import (
    VectorOwner,
    range_below,
    vector_owner,
    vector_partitions_below,
)
from langgraph_checkpoint_dynamodb.store.ops.agreeing import stored_vectors
from langgraph_checkpoint_dynamodb.store.ops.merged import MOST_ITEMS, Merged
from langgraph_checkpoint_dynamodb.store.ops.namespaces import next_root
from langgraph_checkpoint_dynamodb.store.similarity import similarities
from langgraph_checkpoint_dynamodb.store.vectors import read_vector

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from langgraph_checkpoint_dynamodb.effects import Operation, StoredItem
    from langgraph_checkpoint_dynamodb.store.context import Context
    from langgraph_checkpoint_dynamodb.store.keys import Namespace

_log = logging.getLogger("langgraph_checkpoint_dynamodb")

TOP = 100
"""Vectors that the index gives, at most; it has no second page."""
_ROOM = 10_000
"""Items that are ranked at once: some 5 MB of them."""
_UNUSABLE = ("AccessDeniedException", "ValidationException", "UnknownOperationException")
"""Codes that mean that the index cannot be searched, and not that it may be in a moment."""
_RANKED = (Attribute.ROOT, Attribute.PATH, Attribute.PACKED, Attribute.VECTOR)


class Candidate(NamedTuple):
    """An item whose vectors were ranked.

    Attributes:
        score: How similar the most similar of them is.
        owner: Which item, and which version of it.
        vectors: How many of its vectors were ranked; `None` where that is not known.
    """

    score: float
    owner: VectorOwner
    vectors: int | None


class _Best(NamedTuple):
    score: float
    vectors: int


class Ranking:
    """The most similar items, each by its most similar vector.

    Args:
        room: How many items it gives where there are more, which `is_cut` then says.
        spread: The store's spread.
        counted: Whether every vector of an item is added.
        without: Items that are left out.
    """

    def __init__(
        self,
        room: int,
        spread: int,
        *,
        counted: bool = True,
        without: Collection[VectorOwner] = (),
    ) -> None:
        self._room = room
        self._spread = spread
        self._counted = counted
        self._without = without
        self._best: dict[VectorOwner, _Best] = {}
        self.is_cut = False

    def add(self, key: Key, score: float) -> None:
        """Rank a vector."""
        owner = vector_owner(key, self._spread)
        if owner is None or owner in self._without:
            return
        best = self._best.get(owner)
        if best is None:
            self._best[owner] = _Best(score, 1)
        else:
            self._best[owner] = _Best(max(score, best.score), best.vectors + 1)
        if len(self._best) > 2 * self._room:
            self.is_cut = True
            self._best = dict(self._ordered()[: self._room])

    def best(self) -> list[Candidate]:
        """The items, the most similar first, equals by namespace and key."""
        # Beyond the room there are some that came after better ones were let go of.
        ordered = self._ordered()[: self._room if self.is_cut else None]
        return [
            Candidate(best.score, owner, best.vectors if self._counted else None)
            for owner, best in ordered
        ]

    def _ordered(self) -> list[tuple[VectorOwner, _Best]]:
        return sorted(
            self._best.items(),
            key=lambda one: (-one[1].score, one[0].ref.namespace, one[0].ref.key),
        )


def rank_all(
    context: Context,
    dims: int,
    prefix: Namespace,
    query: Sequence[float],
    without: Collection[VectorOwner],
) -> Operation[Ranking]:
    """Rank every vector below a prefix.

    Args:
        context: How to read.
        dims: How many numbers a vector has.
        prefix: The prefix; empty for all vectors.
        query: What they are compared with.
        without: Items that are left out.

    Raises:
        TableMismatchError: A vector has another number of dimensions.
    """
    ranking = Ranking(_ROOM, context.spread, without=without)
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
    """Rank the vectors below a prefix by the vector index; `None` where it cannot be searched.

    Args:
        context: How to read.
        index: Its name.
        prefix: The prefix, of one label at least.
        query: What they are compared with.
    """
    try:
        stored = yield from stored_vectors(context)
        if stored is not None and stored.form != "list":
            _log.warning(
                "vectors of table %r were stored without vector_index: they are searched without "
                "the index, which holds none of them",
                context.table_name,
            )
            return None
        found = yield from send(SearchVectors(index, tuple(query), prefix, TOP))
    except (ServiceError, TableMismatchError) as error:
        if isinstance(error, ServiceError) and error.code not in _UNUSABLE:
            raise
        _log.warning("vectors are searched without index %r: %s", index, error)
        return None
    ranking = Ranking(TOP, context.spread, counted=False)
    for key, score in found:
        owner = vector_owner(key, context.spread)
        if owner is not None and owner.ref.namespace[: len(prefix)] == prefix:
            ranking.add(key, score)
    ranking.is_cut = len(found) >= TOP
    return ranking


def _rank_below(
    context: Context, dims: int, prefix: Namespace, query: Sequence[float], ranking: Ranking
) -> Operation[int]:
    """Rank the vectors below a prefix of one label at least; tells how many there are."""
    pages = Merged(
        Query(Table.STORE, partition, context.consistent, range_below(prefix), attributes=_RANKED)
        for partition in vector_partitions_below(prefix, context.spread)
    )
    compared = 0
    while (items := (yield from pages.next(MOST_ITEMS))) is not None:
        packed = [read_vector(item, dims, context.table_name) for item in items]
        work = partial(similarities, query, packed)
        scores = yield from compute(work, sum(map(len, packed)))
        for item, score in zip(items, scores, strict=True):
            ranking.add(_key(item), score)
        compared += len(items)
    return compared


def _key(item: StoredItem) -> Key:
    return read_key(item, Table.STORE)
