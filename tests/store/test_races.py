"""What calls of several processes do to each other, in every order of their requests.

Any of them may die after any of its requests. The bugs that this is to find are planted, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import GetOp, ListNamespacesOp, Op, PutOp, SearchOp

from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.requests.items import Delete, DeleteUnchanged, UpdateItem
from langgraph_checkpoint_dynamodb.store import DynamoDBStore
from langgraph_checkpoint_dynamodb.store import context as context_module
from langgraph_checkpoint_dynamodb.store.context import EMPTY_SECONDS, REMEMBERED_SECONDS
from langgraph_checkpoint_dynamodb.store.embedding import Embedded, embed
from langgraph_checkpoint_dynamodb.store.items import part_keys, read_item
from langgraph_checkpoint_dynamodb.store.ops import namespaces as namespaces_module
from langgraph_checkpoint_dynamodb.store.ops.batch import perform
from tests.simulation.world import Universe
from tests.store.faces import with_payloads
from tests.support.clocks import Clock
from tests.support.effort import everything
from tests.threads.interleavings import Played, alone, every_order, one_by_one

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langgraph_checkpoint_dynamodb.store.items import ItemRecord
    from tests.simulation.processes import Steps
    from tests.simulation.world import World

NOW = 4_000_000_000.0
AT, KEY = ("a", "b"), "k"
LARGE = {"text": "a long value " * 20, "n": 1}
LONG_AGO = NOW - EMPTY_SECONDS
MORTAL = (0, 1) if everything() else (0,)
"""Who may die where that makes very many orders."""


def process(now: float = NOW, **settings: Any) -> DynamoDBStore:
    """A store of a process of its own, which performs nothing itself."""
    store = DynamoDBStore(store_table_name="store", clock=Clock(now), **settings)
    return with_payloads(store, inline_limit=250, chunk_bytes=400)


def does(store: DynamoDBStore, *ops: Op) -> Steps:
    context, calls = store._parse(ops)
    indexing = context.indexing
    embedded = Embedded() if indexing is None else embed(indexing, calls.texts)
    return (yield from one_by_one(perform(context, calls, embedded)))


def put(store: DynamoDBStore, value: dict[str, Any] | None, **more: Any) -> Steps:
    return does(store, PutOp(AT, KEY, value, **more))


def made(universe: Universe, *calls: tuple[DynamoDBStore, Op]) -> World:
    """What these calls leave, one after the other."""
    world = universe.empty
    for store, op in calls:
        world = alone(universe, world, does(store, op))
    return world


def items(world: World) -> list[ItemRecord]:
    found = [read_item(one.item, 1) for one in world.items.values() if "version" in one.item]
    return [one for one in found if one is not None]


def ignore(_: World) -> None:
    """Nothing is to be seen on the way."""


def lies(world: World, universe: Universe, known: dict[World, bool]) -> bool:
    """Whether a process that knows nothing lists other namespaces than those that have items."""
    if world not in known:
        there = sorted({one.ref.namespace for one in items(world)})
        listing = Played(universe, world, [does(process(), ListNamespacesOp())], [], ignore)
        known[world] = listing.results[0] != [there]
    return known[world]


def find_lies(
    begin: Callable[[Universe], World], make: Callable[[], Sequence[Steps]], mortal: Sequence[int]
) -> int:
    """In how many worlds on the way a listing does not tell the truth."""
    universe = Universe()
    known: dict[World, bool] = {}

    def see(world: World) -> None:
        lies(world, universe, known)

    def begun(_: Universe) -> World:
        return begin(universe)

    for played in every_order(begun, make, mortal=mortal, see=see, universe=universe):
        see(played.world)
    return sum(known.values())


def entered_long_ago(universe: Universe) -> World:
    """A namespace that was entered long ago, and is empty since."""
    old = process(LONG_AGO)
    return made(universe, (old, PutOp(AT, KEY, {})), (old, PutOp(AT, KEY, None)))


def remembering(now: float) -> DynamoDBStore:
    """A process that has entered the namespace as it was entered long ago, and reckons by that."""
    store = process(now)
    store._memories.get().remember_namespace(AT, int(LONG_AGO))
    return store


LATE = (NOW, NOW - GRACE_SECONDS, LONG_AGO + REMEMBERED_SECONDS)
"""What the clock of a process may say, an hour behind included."""


@pytest.mark.parametrize("now", LATE)
def test_an_empty_namespace_is_never_taken_out_from_under_a_put(now: float) -> None:
    def make() -> list[Steps]:
        return [does(process(), ListNamespacesOp()), put(remembering(now), {"n": 1})]

    assert find_lies(entered_long_ago, make, mortal=(0, 1)) == 0


def test_two_processes_that_use_a_new_namespace_at_once_and_may_die_have_it_listed() -> None:
    def make() -> list[Steps]:
        return [put(process(), {"n": 1}), put(process(), {"n": 2}), put(process(), None)]

    assert find_lies(lambda universe: universe.empty, make, mortal=(0, 1)) == 0


def test_listing_and_deleting_and_putting_at_once_never_leaves_a_lie() -> None:
    def begin(universe: Universe) -> World:
        return made(universe, (process(LONG_AGO), PutOp(AT, KEY, {})))

    def make() -> list[Steps]:
        return [
            does(process(), ListNamespacesOp()),
            put(process(), None),
            does(process(), PutOp(AT, "another", {})),
        ]

    assert find_lies(begin, make, mortal=MORTAL) == 0


def unconditionally(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant: what is taken out is taken out whoever has entered it meanwhile."""
    from langgraph_checkpoint_dynamodb.requests.calls import write_all

    def take_out(request: DeleteUnchanged) -> Any:
        yield from write_all([Delete(request.table, request.key)])
        return True

    monkeypatch.setattr(namespaces_module, "send", lambda request: take_out(request))


def too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant: processes rely on a namespace for longer than it takes to be taken out."""
    monkeypatch.setattr(context_module, "REMEMBERED_SECONDS", 10 * EMPTY_SECONDS)


@pytest.mark.parametrize("plant", [unconditionally, too_early])
def test_a_planted_race_is_found(
    monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    plant(monkeypatch)

    def make() -> list[Steps]:
        return [does(process(), ListNamespacesOp()), put(remembering(NOW), {"n": 1})]

    assert find_lies(entered_long_ago, make, mortal=()) > 0


def test_an_item_that_is_stored_before_its_namespace_is_entered_would_be_found() -> None:
    def hasty(store: DynamoDBStore) -> Steps:
        requests = []
        steps = put(store, {"n": 1})
        request = next(steps)
        assert isinstance(request, UpdateItem)
        requests.append(request)
        steps.close()
        store._memories.get().remember_namespace(AT, int(NOW))
        yield from put(store, {"n": 1})
        yield request

    make = lambda: [hasty(process())]  # noqa: E731 - one more name would say no more
    assert find_lies(lambda universe: universe.empty, make, mortal=(0,)) > 0


def values(result: Any) -> Any:
    (found,) = result
    if isinstance(found, list):
        return [one.value for one in found]
    return found and found.value


OTHER = {"text": "another value " * 20, "n": 2}
SMALL = {"n": 3}


@pytest.mark.parametrize("read", [GetOp(AT, KEY), SearchOp(AT, {"text": LARGE["text"]})])
@pytest.mark.parametrize("new", [OTHER, SMALL, None])
def test_a_read_beside_a_change_of_a_large_value_finds_the_old_one_or_the_new_one(
    new: dict[str, Any] | None, read: Op
) -> None:
    universe = Universe()

    def begin(_: Universe) -> World:
        return made(universe, (process(), PutOp(AT, KEY, LARGE)))

    def make() -> list[Steps]:
        return [does(process(), read), put(process(), new)]

    found = []
    for played in every_order(begin, make, mortal=(1,), universe=universe):
        result = values(played.results[0])
        if isinstance(read, SearchOp):
            assert result in ([LARGE], [])
        else:
            assert result in (LARGE, new)
        found.append(result)
        require_whole(played.world)
    assert len({repr(one) for one in found}) == 2


def require_whole(world: World) -> None:
    """Every item has all its parts."""
    there = {(place.partition, place.sort) for place in world.items}
    for record in items(world):
        assert set(map(tuple, part_keys(record.ref, record.value.payload))) <= there


@pytest.mark.sample(2)
@pytest.mark.parametrize("second", [SMALL, OTHER, None])
def test_two_changes_at_once_leave_one_of_both_whole(second: dict[str, Any] | None) -> None:
    universe = Universe()

    def begin(_: Universe) -> World:
        return made(universe, (process(), PutOp(AT, KEY, {"text": "before " * 50})))

    def make() -> list[Steps]:
        return [put(process(), LARGE), put(process(), second)]

    ends = set()
    for played in every_order(begin, make, mortal=MORTAL, universe=universe):
        require_whole(played.world)
        if None not in played.results:
            read = Played(universe, played.world, [does(process(), GetOp(AT, KEY))], [], ignore)
            ends.add(repr(values(read.results[0])))
    assert ends == {repr(LARGE), repr(second)}


MINUTES = 10.0


def test_a_read_that_extends_a_ttl_neither_restores_an_item_nor_extends_another() -> None:
    universe = Universe()

    def begin(_: Universe) -> World:
        return made(universe, (process(NOW - 60), PutOp(AT, KEY, SMALL, None, MINUTES)))

    for new in (None, SMALL):

        def make(new: dict[str, Any] | None = new) -> list[Steps]:
            reader = does(process(), GetOp(AT, KEY))
            return [reader, put(process(NOW), new, index=None, ttl=1.0)]

        for played in every_order(begin, make, universe=universe):
            left = items(played.world)
            if new is None:
                assert left == []
            else:
                assert [one.ttl for one in left] == [int(NOW) + 60]


def test_chunks_outlive_their_item_however_many_readers_extend_it() -> None:
    universe = Universe()

    def begin(_: Universe) -> World:
        return made(universe, (process(NOW - 60), PutOp(AT, KEY, LARGE, None, MINUTES)))

    def make() -> list[Steps]:
        return [does(process(NOW), GetOp(AT, KEY)), does(process(NOW + 7), GetOp(AT, KEY))]

    for played in every_order(begin, make, mortal=(0, 1), universe=universe):
        (record,) = items(played.world)
        chunks = [
            one.item["ttl"]["N"] for one in played.world.items.values() if "chunk" in one.item
        ]
        assert record.ttl is not None
        assert chunks
        assert all(int(ttl) >= record.ttl + GRACE_SECONDS for ttl in chunks)
