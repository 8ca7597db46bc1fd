"""Vector search: the items whose vectors are the most similar to that of a query.

The result is that of LangGraph's InMemoryStore. The score of an item is that of its most similar
vector. If there are too few items with vectors, items without vectors follow, sorted by key.

Vectors are ranked first, and then items are read in the order of the ranking until there are
enough. A vector is valid if its item exists and has the version in the vector's key: vectors that
were left behind or not deleted yet are ignored. An item that is replaced while the search runs is
scored again, so that no value is returned with the score of another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_checkpoint_dynamodb.errors import MissingPartError
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.requests.items import GetItem
from langgraph_checkpoint_dynamodb.requests.operations import compute, send, together
from langgraph_checkpoint_dynamodb.store.items import read_item
from langgraph_checkpoint_dynamodb.store.keys import vector_owner
from langgraph_checkpoint_dynamodb.store.ops.get import (
    decode_all,
    is_visible,
    read_all,
    read_records,
    refresh_ttls,
)
from langgraph_checkpoint_dynamodb.store.ops.ranking import (
    rank_all,
    rank_by_index,
)
from langgraph_checkpoint_dynamodb.store.ops.search import (
    Collected,
    Criteria,
    collect,
    collect_matching,
    search_item,
)
from langgraph_checkpoint_dynamodb.store.similarity import similarities
from langgraph_checkpoint_dynamodb.store.vectors import read_vector, vector_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langgraph.store.base import SearchItem

    from langgraph_checkpoint_dynamodb.format.tables import Key
    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context
    from langgraph_checkpoint_dynamodb.store.embedding import Indexing
    from langgraph_checkpoint_dynamodb.store.items import ItemRecord
    from langgraph_checkpoint_dynamodb.store.ops.get import Decoded
    from langgraph_checkpoint_dynamodb.store.ops.ranking import Ranking

_MIN_BATCH = 10
"""Minimum number of items to read first if there is a filter."""
_RANKED_BYTES = 20
"""Assumed bytes per item when sorting, so that thousands are sorted in another thread."""
_MAX_BATCH = 400
"""Maximum number of items to read at once."""
_GROWTH = 4


@dataclass(frozen=True, slots=True)
class VectorSearch:
    """A vector search.

    Attributes:
        criteria: Prefix, filter, limit and offset.
        query: The vector to compare with.
        dims: Number of its dimensions.
    """

    criteria: Criteria
    query: Sequence[float]
    dims: int

    @property
    def needed(self) -> int:
        """Number of items with vectors that are needed."""
        return self.criteria.offset + self.criteria.limit


class Scored(NamedTuple):
    """An item and its score.

    Attributes:
        score: Cosine similarity, from -1 to 1.
        record: The item that has this score.
        value: The item with its value, if the filter has read it already.
    """

    score: float
    record: ItemRecord
    value: Decoded | None = None

    @property
    def order(self) -> tuple[Any, ...]:
        """Sort key: the most similar first, equal scores by namespace and key."""
        return (-self.score, self.record.ref.namespace, self.record.ref.key)


@dataclass(slots=True)
class _Best:
    """The most similar items so far.

    Attributes:
        needed: The number of items needed.
        ranked: The items, the most similar first.
        seen: Stems of the vectors of all items that were read.
    """

    needed: int
    ranked: list[Scored] = field(default_factory=list)
    seen: set[Key] = field(default_factory=set)

    @property
    def is_full(self) -> bool:
        """Whether there are as many items as needed."""
        return len(self.ranked) >= self.needed

    def beats(self, score: float) -> bool:
        """Whether items with this score or a lower one are no longer needed."""
        return self.is_full and self.ranked[-1].score >= score

    def add(self, scored: Sequence[Scored]) -> None:
        """Add items, each in place of an earlier version of it."""
        if not scored:
            return
        found = {one.record.ref: one for one in (*self.ranked, *scored)}
        self.ranked = sorted(found.values(), key=lambda one: one.order)[: self.needed]


def search_nearest(
    context: Context, indexing: Indexing, criteria: Criteria, query: Sequence[float]
) -> Operation[list[SearchItem]]:
    """Items below a prefix that match a filter, the most similar first, then those without vectors.

    Raises:
        TableMismatchError: A vector of the table has other dimensions.
        MissingPartError: A vector of an item is missing.
    """
    search = VectorSearch(criteria, query, indexing.dims)
    if not criteria.limit:
        return []
    best = yield from _most_similar(context, search)
    unscored = yield from _without_vectors(context, search, best)
    scored = best.ranked[criteria.offset :][: criteria.limit]
    rest = unscored[: criteria.limit - len(scored)]
    results = sorted((yield from _with_values(context, search, best, scored, rest)), key=_order)
    if criteria.refresh_ttl:
        yield from refresh_ttls(context, [one.record for one, _ in results])
    return [search_item(one, score) for one, score in results]


def _order(given: tuple[Decoded, float | None]) -> tuple[Any, ...]:
    (record, _), score = given
    return (score is None, -(score or 0), record.ref.namespace, record.ref.key)


def _most_similar(context: Context, search: VectorSearch) -> Operation[_Best]:
    best = _Best(search.needed)
    prefix = search.criteria.prefix
    if context.vector_index is not None and prefix and any(search.query):
        ranking = yield from rank_by_index(context, context.vector_index, prefix, search.query)
        if ranking is not None:
            yield from _read_ranked(context, search, ranking, best)
            if best.is_full or not ranking.is_cut:
                return best
            best = _Best(search.needed)
    while True:
        ranking = yield from rank_all(context, search.dims, prefix, search.query, best.seen)
        yield from _read_ranked(context, search, ranking, best)
        if best.is_full or not ranking.is_cut:
            return best


def _read_ranked(
    context: Context, search: VectorSearch, ranking: Ranking, best: _Best
) -> Operation[None]:
    """Read items, the most similar first, until there are enough."""
    candidates = yield from compute(ranking.best, len(ranking) * _RANKED_BYTES)
    size = min(search.needed, _MAX_BATCH)
    if search.criteria.condition:
        size = max(size, _MIN_BATCH)
    while candidates and not best.beats(candidates[0].score):
        some, candidates = candidates[:size], candidates[size:]
        size = min(_GROWTH * size, _MAX_BATCH)
        owners = {one.stem: vector_owner(one.stem, context.spread) for one in some}
        refs = list(dict.fromkeys(one.ref for one in owners.values() if one is not None))
        records = {one.ref: one for one in (yield from read_records(context, refs))}
        scored = []
        changed = []
        for score, stem, vectors in some:
            owner = owners[stem]
            record = None if owner is None else records.get(owner.ref)
            if stem in best.seen or record is None or not is_visible(context, record):
                continue
            if stem == _vector_stem(record) and vectors in (None, record.vectors):
                scored.append(Scored(score, record))
            else:
                changed.append(record)
        best.seen.update(one.stem for one in some)
        rescored = yield from _score(context, search, changed, best)
        best.add((yield from _passing(context, search, [*scored, *rescored.scored])))


class Rescored(NamedTuple):
    """Items that were stored after the ranking.

    Attributes:
        scored: Those with vectors.
        plain: Those that were replaced by a version without vectors since they were read.
    """

    scored: list[Scored]
    plain: list[ItemRecord]


def _score(
    context: Context, search: VectorSearch, records: Sequence[ItemRecord], best: _Best
) -> Operation[Rescored]:
    """Score items that were stored after the ranking, by reading their vectors."""
    fresh = {_vector_stem(record): record for record in records if record.vectors}
    best.seen.update(fresh)
    found = yield from together([_score_one(context, search, one) for one in fresh.values()])
    scored = [one for one in found if isinstance(one, Scored)]
    plain = [one for one in found if one is not None and not isinstance(one, Scored)]
    return Rescored(scored, plain)


def _vector_stem(record: ItemRecord) -> Key:
    return record.ref.vector_stem(record.version)


def _score_one(
    context: Context, search: VectorSearch, record: ItemRecord
) -> Operation[Scored | ItemRecord | None]:
    """The score of an item; the item if it has no vectors any more, `None` if it is gone."""
    while True:
        keys = vector_keys(record.ref, record.version, record.vectors)
        items = yield from read_all(context.consistently(), keys)
        if len(items) == len(keys):
            break
        item = yield from send(GetItem(Table.STORE, record.ref.primary, consistent=True))
        again = None if item is None else read_item(item, context.spread)
        if again is None or not is_visible(context, again):
            return None
        if not _has_live_vectors(context, again):
            return again
        if again.version == record.version:
            raise MissingPartError(
                place=str(record.ref),
                attribute=Attribute.VECTORS,
                problem=f"says that it has {len(keys)} vectors, and {len(items)} are there; put "
                "the item again",
                part=record.version,
            )
        record = again
    packed = [read_vector(one, search.dims, context.table_name) for one in items]
    work = partial(similarities, search.query, packed)
    scores = yield from compute(work, sum(map(len, packed)))
    return Scored(max(scores), record)


def _passing(
    context: Context, search: VectorSearch, scored: Sequence[Scored]
) -> Operation[list[Scored]]:
    """The items that match the filter."""
    if not search.criteria.condition:
        return list(scored)
    passing = yield from _decoded(context, search, [one.record for one in scored])
    ranked = {one.record.ref: one for one in scored}
    return [ranked[one.record.ref]._replace(value=one) for one in passing]


def _decoded(
    context: Context, search: VectorSearch, records: Sequence[ItemRecord]
) -> Operation[list[Decoded]]:
    """Those of the items that match the filter, with their values."""
    collected = Collected(len(records), 0)
    yield from collect_matching(context, search.criteria, records, collected)
    return collected.found


def _without_vectors(
    context: Context, search: VectorSearch, best: _Best
) -> Operation[list[Decoded]]:
    """Items without vectors, as many as are missing; the offset does not apply to them.

    Items with vectors that were not ranked were stored after the ranking, or the index lags behind:
    they are added to `best`.
    """
    criteria = search.criteria
    missing = criteria.limit - len(best.ranked[criteria.offset :])
    if missing <= 0:
        return []
    unseen: list[ItemRecord] = []
    # If one of them is replaced meanwhile, it must not be returned twice.
    ranked = {one.record.ref for one in best.ranked}

    def has_none(record: ItemRecord) -> bool:
        if record.ref in ranked or _vector_stem(record) in best.seen:
            return False
        if not _has_live_vectors(context, record):
            return True
        unseen.append(record)
        return False

    collected = Collected(missing, 0)
    yield from collect(context, criteria, collected, has_none)
    rescored = yield from _score(context, search, unseen, best)
    best.add((yield from _passing(context, search, rescored.scored)))
    found = [*collected.found, *(yield from _decoded(context, search, rescored.plain))]
    return sorted(found, key=lambda one: (one.record.ref.namespace, one.record.ref.key))


def _with_values(
    context: Context,
    search: VectorSearch,
    best: _Best,
    scored: Sequence[Scored],
    unscored: Sequence[Decoded] = (),
) -> Operation[list[tuple[Decoded, float | None]]]:
    """Items with their values and scores, without those that were deleted meanwhile."""
    read = [one.value for one in scored if one.value is not None]
    rest = [one.record for one in scored if one.value is None]
    decoded = [*read, *(yield from decode_all(context, rest)), *unscored]
    known = {(one.record.ref, one.record.version): one.score for one in scored}
    given: list[tuple[Decoded, float | None]] = []
    changed: list[ItemRecord] = []
    for one in decoded:
        score = known.get((one.record.ref, one.record.version))
        if score is None and _has_live_vectors(context, one.record):
            changed.append(one.record)
        else:
            given.append((one, score))
    if changed:
        again = yield from _score(context, search, changed, best)
        passing = yield from _passing(context, search, again.scored)
        plain = yield from _decoded(context, search, again.plain)
        given += yield from _with_values(context, search, best, passing, plain)
    return given


def _has_live_vectors(context: Context, record: ItemRecord) -> bool:
    """Whether an item can be scored. Vectors of an expired item may have been deleted."""
    return record.vectors > 0 and not record.expired(context.moment)
