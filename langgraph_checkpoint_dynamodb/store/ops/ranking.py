"""Ranking vectors by how similar they are to another: all of them, or by the vector index."""

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
    vector_owner,
    vector_partitions_below,
    vector_place,
    vector_stem,
)
from langgraph_checkpoint_dynamodb.store.ops.agreeing import stored_vectors
from langgraph_checkpoint_dynamodb.store.ops.merged import MOST_ITEMS, Merged
from langgraph_checkpoint_dynamodb.store.ops.namespaces import next_root
from langgraph_checkpoint_dynamodb.store.similarity import similarities
from langgraph_checkpoint_dynamodb.store.vectors import read_vector

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context
    from langgraph_checkpoint_dynamodb.store.keys import Namespace

_log = logging.getLogger("langgraph_checkpoint_dynamodb")

TOP = 100
"""Vectors that the index gives, at most; it has no second page."""
_ROOM = 10_000
"""Items that are ranked at once. Twice as many are in memory meanwhile, by their keys."""
_UNUSABLE = ("AccessDeniedException", "ValidationException", "UnknownOperationException")
"""Codes that mean that the index cannot be searched, and not that it may be in a moment."""
_RANKED = (Attribute.ROOT, Attribute.PATH, Attribute.PACKED, Attribute.VECTOR)


class Candidate(NamedTuple):
    """An item whose vectors were ranked.

    Attributes:
        score: How similar the most similar of them is.
        stem: What their keys begin with: which item it is, and which version of it.
        vectors: How many of its vectors were ranked; `None` where that is not known.
    """

    score: float
    stem: Key
    vectors: int | None

    @property
    def place(self) -> tuple[float, tuple[str, str]]:
        """What they are ordered by: the most similar first, equals by namespace and key."""
        return (-self.score, vector_place(self.stem))


class Ranking:
    """The most similar items, each by its most similar vector.

    Args:
        room: How many items it gives where there are more, which `is_cut` then says.
        counted: Whether every vector of an item is added.
        without: Stems of vectors that are left out.
    """

    def __init__(self, room: int, *, counted: bool = True, without: Collection[Key] = ()) -> None:
        self._room = room
        self._counted = counted
        self._without = without
        self._best: dict[Key, Candidate] = {}
        self.is_cut = False

    def __len__(self) -> int:
        return len(self._best)

    def add(self, key: Key, score: float) -> None:
        """Rank a vector."""
        stem = vector_stem(key)
        if stem in self._without:
            return
        best = self._best.get(stem)
        if best is None:
            self._best[stem] = Candidate(score, stem, 1 if self._counted else None)
        else:
            count = None if best.vectors is None else best.vectors + 1
            self._best[stem] = Candidate(max(score, best.score), stem, count)
        if len(self._best) > 2 * self._room:
            self.is_cut = True
            self._best = {one.stem: one for one in self.best()}

    def best(self) -> list[Candidate]:
        """The items, the most similar first, equals by namespace and key."""
        # Beyond the room there are some that came after better ones were let go of.
        ordered = sorted(self._best.values(), key=lambda one: one.place)
        return ordered[: self._room if self.is_cut else None]


def rank_all(
    context: Context,
    dims: int,
    prefix: Namespace,
    query: Sequence[float],
    without: Collection[Key],
) -> Operation[Ranking]:
    """Rank every vector below a prefix.

    Args:
        context: How to read.
        dims: How many numbers a vector has.
        prefix: The prefix; empty for all vectors.
        query: What they are compared with.
        without: Stems of vectors that are left out.

    Raises:
        TableMismatchError: A vector has another number of dimensions.
    """
    ranking = Ranking(_ROOM, without=without)
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
    except (ServiceError, TableMismatchError, TableNotFoundError) as error:
        # Without the index, or without the table: the latter is told by the search that follows.
        if isinstance(error, ServiceError) and error.code not in _UNUSABLE:
            raise
        _log.warning("vectors are searched without index %r: %s", index, error)
        return None
    ranking = Ranking(TOP, counted=False)
    for key, score in found:
        owner = vector_owner(vector_stem(key), context.spread)
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
