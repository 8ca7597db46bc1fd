"""What must be true of every schedule of calls of stores and caches.

What must be true of every schedule:

- What a read returns of an item was true at one moment between its beginning and its end: it is
  what the same read finds, undisturbed, in a world of that time. A namespace is listed if it had
  items at one moment of that.
- No call raises anything.
- In the end each item is as one of the calls leaves it: one that no other has followed which began
  after its end. A call that has died may have done its part or not.
- Namespaces are listed that have items, and no others.
- What an item leads to is there, and outlives it.
- After a sweep nothing is loose, and no reader notices the sweep.
- A cache may miss where a reply was lost. It never gives a wrong value.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph.store.base import Item, ListNamespacesOp, SearchOp

from langgraph_checkpoint_dynamodb.cache.entries import read_entry
from langgraph_checkpoint_dynamodb.format.tables import Attribute
from langgraph_checkpoint_dynamodb.payloads.kinds import S3Object
from langgraph_checkpoint_dynamodb.store.cache_keys import is_cached
from langgraph_checkpoint_dynamodb.store.items import part_keys, read_item
from langgraph_checkpoint_dynamodb.store.vectors import vector_keys
from tests.simulation.explore import Play
from tests.simulation.scenarios import ALL, LATER, run
from tests.simulation.variants import NOW
from tests.simulation.world import Universe
from tests.store.simulated import (
    AT,
    GONE,
    KEYS,
    NEW,
    SWEEP,
    Call,
    Party,
    beginning,
    heads,
    name_of,
    ops,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.simulation.pairs import Way
    from tests.simulation.processes import Ended
    from tests.simulation.world import World
    from tests.store.simulated import Variant

    Moment = frozenset[tuple[str, str]]

_LISTED = "namespace "


def findings(ended: Ended) -> Mapping[str, str]:
    """What a read has found: a text for each item or namespace."""
    if ended.error is not None:
        return {"": f"{ended.error!r}"}
    if isinstance(ended.value, dict):
        return {name_of(*pair): repr(value) for pair, value in ended.value.items()}
    found: dict[str, str] = {}
    for result in ended.value:
        for one in result if isinstance(result, list) else [result]:
            if isinstance(one, Item):
                told = one.value, one.updated_at.timestamp(), getattr(one, "score", None)
                found[name_of(one.namespace, one.key)] = repr(told)
            elif one is not None:
                found[_LISTED + "/".join(one)] = ""
    return found


_READ = (
    Call("search", ops(*(SearchOp(one, None, ALL) for one in (AT, NEW, GONE)), ListNamespacesOp())),
    Call("get", lambda cache, _: cache._get(KEYS), cached=True),
)
"""How a fresh process reads all there is."""


class Judge:
    """Judges the schedules of some calls on a world.

    Args:
        universe: Where worlds come from.
        variant: How values are stored.
        world: What is there in the beginning.
        parties: The calls.
        misses: Whether a cache may miss what is there.
    """

    def __init__(
        self,
        universe: Universe,
        variant: Variant,
        world: World,
        parties: Sequence[Party],
        *,
        misses: bool,
    ) -> None:
        self._universe = universe
        self._variant = variant
        self._parties = parties
        self._cached = parties[0].call.cached
        self._misses = misses and self._cached
        self._solo: dict[tuple[int, World], Moment] = {}
        self._fresh: dict[World, Mapping[str, str]] = {}
        self._settled: dict[World, list[str]] = {}
        self._before = self._found(world)
        self._after = []
        for call, token, now in parties:
            after, _ = run(universe, world, call.script(variant, token, now))
            self._after.append(self._found(after))

    def seen(self, party: int, world: World) -> Moment:
        """What a reading call finds in a world, undisturbed."""
        known = self._solo.get((party, world))
        if known is None:
            call, token, now = self._parties[party]
            _, ended = run(self._universe, world, call.script(self._variant, token, now))
            known = self._solo[party, world] = frozenset(findings(ended).items())
        return known

    def ended(self, party: int, ended: Ended) -> list[str]:
        """What is wrong with the end of any call."""
        name = self._parties[party].call.name
        return [f"{name} raised {ended.error!r}"] if ended.error is not None else []

    def read(self, party: int, ended: Ended, candidates: Iterable[Moment], *_: Any) -> list[str]:
        """What is wrong with the result of a read."""
        found = findings(ended)
        moments = [dict(moment) for moment in candidates]
        who = self._parties[party].call.name
        return [
            f"{who} returned for {name}: {found.get(name)}, never true in its time"
            for name in sorted(found.keys() | {name for moment in moments for name in moment})
            if all(found.get(name) != moment.get(name) for moment in moments)
            and not (self._misses and name not in found)
        ]

    def final(
        self, world: World, done: frozenset[int], begun: frozenset[int], before: frozenset[Any]
    ) -> tuple[str, ...]:
        """What is wrong in the end."""
        found = self._found(world)
        wrong = list(self._settle(world))
        changed = {name for party in begun for name in self._parties[party].call.changes}
        for name in sorted(found.keys() | self._before.keys() | changed):
            calls = {one for one in begun if name in self._parties[one].call.changes}
            allowed = {
                self._after[one].get(name)
                for one in calls
                if not any((one, other) in before for other in done & calls)
            }
            if not done & calls:
                allowed.add(self._before.get(name))
            if found.get(name) not in allowed and not (self._misses and name not in found):
                wrong.append(f"{name} is {found.get(name)}, not one of {allowed}")
        return tuple(wrong)

    def _found(self, world: World) -> Mapping[str, str]:
        """The items that a fresh process finds."""
        return {name: text for name, text in self._read(world).items() if _LISTED not in name}

    def _read(self, world: World) -> Mapping[str, str]:
        if world not in self._fresh:
            read = _READ[self._cached].script(self._variant, "9")
            self._fresh[world] = findings(run(self._universe, world, read)[1])
        return self._fresh[world]

    def _settle(self, world: World) -> list[str]:
        """What is wrong with a world that nobody changes any more, and after a sweep of it."""
        if world not in self._settled:
            wrong = [] if self._misses else _missing(world)
            if not self._cached:
                wrong += _listed_wrongly(self._read(world))
            sweep = replace(SWEEP, cached=self._cached).script(self._variant, "8", LATER)
            swept, ended = run(self._universe, world, sweep)
            if ended.error is not None:
                wrong.append(f"the sweep raised {ended.error!r}")
            if self._read(swept) != self._read(world):
                wrong.append(f"a sweep makes {self._read(world)} {self._read(swept)}")
            self._settled[world] = [*wrong, *_loose(swept)]
        return self._settled[world]


def play(
    variant: Variant,
    calls: Sequence[Call],
    way: Way,
    universe: Universe | None = None,
    judged_by: Variant | None = None,
) -> Play:
    """Calls on what is there in the beginning.

    Args:
        variant: How values are stored.
        calls: The calls, up to three.
        way: How they are explored. A third clock is right.
        universe: Where worlds come from; one of its own if `None`.
        judged_by: How the judge reads; `None` for as the calls do.
    """
    universe = universe or Universe()
    world = beginning(universe, variant, cached=calls[0].cached)
    clocks = [NOW + off for off in (*way.clocks, 0)]
    parties = [Party(*one) for one in zip(calls, "abc", clocks, strict=False)]
    judge = Judge(universe, judged_by or variant, world, parties, misses=way.faults > 0)
    of_saver: tuple[Any, ...] = (universe, variant, world, parties)
    return Play(*of_saver, order=way.order, page=way.page, faults=way.faults, judge=judge)


def _listed_wrongly(found: Mapping[str, str]) -> list[str]:
    """Whether other namespaces are listed than those that have items."""
    listed = {name.removeprefix(_LISTED) for name in found if _LISTED in name}
    there = {name.rpartition("/")[0] for name in found if _LISTED not in name}
    return [f"{listed} are listed, and {there} have items"] if listed != there else []


class _Beside(NamedTuple):
    """What an item has beside it.

    Attributes:
        keys: Partition and sort key of each of its parts and vectors.
        objects: Bucket and key of its S3 objects.
        ttl: When it expires.
    """

    keys: set[tuple[str, str]]
    objects: set[tuple[str, str]]
    ttl: float


def _beside(item: Any) -> _Beside:
    if is_cached(item[Attribute.ROOT]["S"]):
        record: Any = read_entry(item)
        vectors = []
    else:
        record = read_item(item, 1)
        vectors = vector_keys(record.ref, record.version, record.vectors)
    found = record.value.payload
    return _Beside(
        {(key.partition, key.sort) for key in (*part_keys(record.ref, found), *vectors)},
        {(found.bucket, found.key)} if isinstance(found, S3Object) else set(),
        _ttl(item),
    )


def _ttl(item: Any) -> float:
    return float(item[Attribute.TTL]["N"]) if Attribute.TTL in item else inf


def _missing(world: World) -> list[str]:
    """What items lead to that is not there, or expires before them."""
    there = {(place.partition, place.sort): one.item for place, one in world.items.items()}
    found = [_beside(world.items[place].item) for place in heads(world)]
    alive = [one for one in found if one.ttl > NOW]
    missing = {str(key) for one in alive for key in one.keys if key not in there}
    missing |= {str(key) for one in alive for key in one.objects if key not in world.objects}
    early = {
        str(key)
        for one in alive
        for key in one.keys
        # What leads to an object never expires.
        if key in there and _ttl(there[key]) < one.ttl
    }
    return [f"{key} is missing" for key in missing] + [f"{key} expires too early" for key in early]


def _loose(world: World) -> list[str]:
    """What nothing leads to."""
    found = [_beside(world.items[place].item) for place in heads(world)]
    needed = {key for one in found for key in one.keys}
    parts = {
        (place.partition, place.sort)
        for place, one in world.items.items()
        if Attribute.CREATED in one.item
    }
    loose: set[tuple[str, str]] = parts - needed
    loose |= world.objects.keys() - {key for one in found for key in one.objects}
    return [f"{key} is loose" for key in loose]
