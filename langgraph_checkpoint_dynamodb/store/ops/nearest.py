"""Searching items by meaning: those whose vectors are the most similar to that of a query.

The result is that of LangGraph's InMemoryStore. An item is as similar as its most similar vector.
Items without vectors follow, in order, where there are too few with vectors.

Vectors are ranked by their keys, and then items are read as far down the ranking as it takes. A
vector counts if its item is there and of the version that the vector is of, so what a process has
left behind that died, or has not deleted yet, is passed over. An item that is stored anew while its
value is read is ranked anew: no value is given with the similarity of another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_checkpoint_dynamodb.errors import MissingPartError
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.ops.parts import in_batches
from langgraph_checkpoint_dynamodb.requests.items import GetItem
from langgraph_checkpoint_dynamodb.requests.operations import compute, send, together
from langgraph_checkpoint_dynamodb.store.filters import matches
from langgraph_checkpoint_dynamodb.store.items import read_item
from langgraph_checkpoint_dynamodb.store.keys import vector_owner
from langgraph_checkpoint_dynamodb.store.ops.get import (
    counts,
    decode_all,
    live_on,
    read_all,
    read_records,
)
from langgraph_checkpoint_dynamodb.store.ops.ranking import (
    rank_all,
    rank_by_index,
)
from langgraph_checkpoint_dynamodb.store.ops.search import (
    Collected,
    Wanted,
    collect,
    not_excluded,
    search_item,
    weight,
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

_FEWEST = 10
"""Items that are read at first where a filter may drop some."""
_RANKED_BYTES = 20
"""What an item counts to be ranked: sorting some thousands is left to another thread."""
_MOST = 400
"""Items that are read at once, at most."""
_FASTER = 4


@dataclass(frozen=True, slots=True)
class Similar:
    """What a search is for that goes by meaning.

    Attributes:
        wanted: What it is for, beside that.
        query: The vector that items are to be similar to.
        dims: How many numbers it has.
    """

    wanted: Wanted
    query: Sequence[float]
    dims: int

    @property
    def needed(self) -> int:
        """How many items with vectors are needed."""
        return self.wanted.offset + self.wanted.limit


class Scored(NamedTuple):
    """An item, and how similar it is.

    Attributes:
        score: From -1 to 1.
        record: The item that is so similar.
        value: The item with its value, where that was read already, as it was then.
    """

    score: float
    record: ItemRecord
    value: Decoded | None = None

    @property
    def place(self) -> tuple[Any, ...]:
        """What they are ordered by: the most similar first, equals by namespace and key."""
        return (-self.score, self.record.ref.namespace, self.record.ref.key)


@dataclass(slots=True)
class _Found:
    """The most similar items so far.

    Attributes:
        needed: How many are needed.
        ranked: The items, the most similar first.
        seen: Stems of the vectors of those that were looked at, whether they count or not.
    """

    needed: int
    ranked: list[Scored] = field(default_factory=list)
    seen: set[Key] = field(default_factory=set)

    @property
    def is_enough(self) -> bool:
        """Whether there are as many as are needed."""
        return len(self.ranked) >= self.needed

    def beats(self, score: float) -> bool:
        """Whether items of this score, or less, are not needed any more."""
        return self.is_enough and self.ranked[-1].score >= score

    def add(self, scored: Sequence[Scored]) -> None:
        """Take in some more. What an item is now counts in place of what it was."""
        if not scored:
            return
        found = {one.record.ref: one for one in (*self.ranked, *scored)}
        self.ranked = sorted(found.values(), key=lambda one: one.place)[: self.needed]


def search_nearest(
    context: Context, indexing: Indexing, wanted: Wanted, query: Sequence[float]
) -> Operation[list[SearchItem]]:
    """Items below a prefix that pass a filter, the most similar first, then those without vectors.

    Raises:
        TableMismatchError: A vector of the table has other dimensions.
        MissingPartError: A vector is not there, and its item is.
    """
    similar = Similar(wanted, query, indexing.dims)
    if not wanted.limit:
        return []
    found = yield from _most_similar(context, similar)
    unscored = yield from _without_vectors(context, similar, found)
    scored = found.ranked[wanted.offset :][: wanted.limit]
    rest = unscored[: wanted.limit - len(scored)]
    results = sorted((yield from _given(context, similar, found, scored, rest)), key=_order)
    if wanted.used:
        yield from live_on(context, [one.record for one, _ in results])
    return [search_item(one, score) for one, score in results]


def _order(given: tuple[Decoded, float | None]) -> tuple[Any, ...]:
    (record, _), score = given
    return (score is None, -(score or 0), record.ref.namespace, record.ref.key)


def _most_similar(context: Context, similar: Similar) -> Operation[_Found]:
    found = _Found(similar.needed)
    prefix = similar.wanted.prefix
    if context.vector_index is not None and prefix and any(similar.query):
        ranking = yield from rank_by_index(context, context.vector_index, prefix, similar.query)
        if ranking is not None:
            yield from _look_at(context, similar, ranking, found)
            if found.is_enough or not ranking.is_cut:
                return found
            found = _Found(similar.needed)
    while True:
        ranking = yield from rank_all(context, similar.dims, prefix, similar.query, found.seen)
        yield from _look_at(context, similar, ranking, found)
        if found.is_enough or not ranking.is_cut:
            return found


def _look_at(
    context: Context, similar: Similar, ranking: Ranking, found: _Found
) -> Operation[None]:
    """Read items, the most similar first, until there are enough that count."""
    candidates = yield from compute(ranking.best, len(ranking) * _RANKED_BYTES)
    size = min(similar.needed, _MOST)
    if similar.wanted.condition:
        size = max(size, _FEWEST)
    while candidates and not found.beats(candidates[0].score):
        some, candidates = candidates[:size], candidates[size:]
        size = min(_FASTER * size, _MOST)
        owners = {one.stem: vector_owner(one.stem, context.spread) for one in some}
        refs = list(dict.fromkeys(one.ref for one in owners.values() if one is not None))
        records = {one.ref: one for one in (yield from read_records(context, refs))}
        scored = []
        anew = []
        for score, stem, vectors in some:
            owner = owners[stem]
            record = None if owner is None else records.get(owner.ref)
            if stem in found.seen or record is None or not counts(context, record):
                continue
            if stem == _stem(record) and vectors in (None, record.vectors):
                scored.append(Scored(score, record))
            else:
                anew.append(record)
        found.seen.update(one.stem for one in some)
        scored += yield from _score(context, similar, anew, found)
        found.add((yield from _passing(context, similar, scored)))


def _score(
    context: Context, similar: Similar, records: Sequence[ItemRecord], found: _Found
) -> Operation[list[Scored]]:
    """Items that were stored anew since vectors were ranked, by the vectors they have now."""
    fresh = {_stem(record): record for record in records if record.vectors}
    found.seen.update(fresh)
    scored = yield from together([_score_one(context, similar, one) for one in fresh.values()])
    return [one for one in scored if one is not None]


def _stem(record: ItemRecord) -> Key:
    return record.ref.vector_stem(record.version)


def _score_one(context: Context, similar: Similar, record: ItemRecord) -> Operation[Scored | None]:
    while True:
        keys = vector_keys(record.ref, record.version, record.vectors)
        items = yield from read_all(context.consistently(), keys)
        if len(items) == len(keys):
            break
        item = yield from send(GetItem(Table.STORE, record.ref.primary, consistent=True))
        again = None if item is None else read_item(item, context.spread)
        if again is None or not again.vectors or again.expired(context.moment):
            return None
        if again.version == record.version:
            raise MissingPartError(
                place=str(record.ref),
                attribute=Attribute.VECTORS,
                problem=f"says that it has {len(keys)} vectors, and {len(items)} are there; put "
                "the item again",
                part=record.version,
            )
        record = again
    packed = [read_vector(one, similar.dims, context.table_name) for one in items]
    work = partial(similarities, similar.query, packed)
    scores = yield from compute(work, sum(map(len, packed)))
    return Scored(max(scores), record)


def _passing(
    context: Context, similar: Similar, scored: Sequence[Scored]
) -> Operation[list[Scored]]:
    """Those that pass the filter."""
    condition = similar.wanted.condition
    if not condition:
        return list(scored)
    rest = yield from not_excluded(context, [one.record for one in scored], condition)
    passing: list[Decoded] = []
    for batch in in_batches(rest, weight):
        decoded = yield from decode_all(context, batch)
        passing += [one for one in decoded if matches(one.value, condition)]
    ranked = {one.record.ref: one for one in scored}
    return [ranked[one.record.ref]._replace(value=one) for one in passing]


def _without_vectors(context: Context, similar: Similar, found: _Found) -> Operation[list[Decoded]]:
    """Items without vectors, as many as are missing; none is passed over for the offset.

    What has vectors that were not ranked was stored since, or the index lags behind: it is added
    to what was found.
    """
    wanted = similar.wanted
    missing = wanted.limit - len(found.ranked[wanted.offset :])
    if missing <= 0:
        return []
    unseen: list[ItemRecord] = []
    # Somebody may store one of them anew meanwhile: it is given as it was, and once.
    ranked = {one.record.ref for one in found.ranked}

    def has_none(record: ItemRecord) -> bool:
        if record.ref in ranked or _stem(record) in found.seen:
            return False
        if not _is_ranked(context, record):
            return True
        unseen.append(record)
        return False

    collected = Collected(missing, 0)
    yield from collect(context, wanted, collected, has_none)
    scored = yield from _score(context, similar, unseen, found)
    found.add((yield from _passing(context, similar, scored)))
    return collected.found


def _given(
    context: Context,
    similar: Similar,
    found: _Found,
    scored: Sequence[Scored],
    unscored: Sequence[Decoded] = (),
) -> Operation[list[tuple[Decoded, float | None]]]:
    """Items with their values, and how similar these are; without those that are gone meanwhile."""
    read = [one.value for one in scored if one.value is not None]
    rest = [one.record for one in scored if one.value is None]
    decoded = [*read, *(yield from decode_all(context, rest)), *unscored]
    known = {(one.record.ref, one.record.version): one.score for one in scored}
    given: list[tuple[Decoded, float | None]] = []
    anew: list[ItemRecord] = []
    for one in decoded:
        score = known.get((one.record.ref, one.record.version))
        if score is None and _is_ranked(context, one.record):
            anew.append(one.record)
        else:
            given.append((one, score))
    if anew:
        again = yield from _score(context, similar, anew, found)
        passing = yield from _passing(context, similar, again)
        given += yield from _given(context, similar, found, passing)
    return given


def _is_ranked(context: Context, record: ItemRecord) -> bool:
    """Whether an item is found by its vectors. Those of an expired one may be gone."""
    return record.vectors > 0 and not record.expired(context.moment)
