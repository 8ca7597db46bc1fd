"""Every pair of calls of a store, and of a cache, at every interleaving of their requests.

In `make test` a sample of them; all of them under `TEST_ALL`. Races are planted, and found.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement, product
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.cache import ops as cache_ops
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.requests import calls as service_calls
from langgraph_checkpoint_dynamodb.requests.items import Delete, DeleteUnchanged, Update
from langgraph_checkpoint_dynamodb.requests.operations import done, send
from langgraph_checkpoint_dynamodb.store.items import ItemRecord
from langgraph_checkpoint_dynamodb.store.ops import get, namespaces, nearest, parts, put, sweep
from tests.simulation.explore import explore, story
from tests.simulation.pairs import ONE_ITEM_PAGES, PLAIN, WITH_FAULT, Way
from tests.simulation.processes import BACKWARD, TURNS
from tests.store.judging import play
from tests.store.simulated import (
    CACHE_CALLS,
    CHUNKS,
    EXPIRING,
    INLINE,
    OF_CACHE,
    OF_STORE,
    STORE_CALLS,
    VECTOR_CALLS,
    VECTORS,
    Variant,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.simulation.explore import Report

    Patch = Callable[[pytest.MonkeyPatch], None]

MOST = 4_000
"""States of a pair: a few pairs of long calls are cut off there."""
WAYS = (
    PLAIN,
    Way(order=BACKWARD),
    Way(order=TURNS),
    WITH_FAULT,
    ONE_ITEM_PAGES,
    Way(clocks=(3599, 0)),
    Way(clocks=(-3599, 0)),
)
EVERY = [
    (kind, variant, way)
    for kind, variants in (("store", OF_STORE), ("cache", OF_CACHE))
    for variant, way in product(variants, WAYS)
]


@pytest.mark.sample(4)
@pytest.mark.parametrize(
    ("kind", "variant", "way"), EVERY, ids=lambda one: getattr(one, "name", str(one))
)
def test_every_pair_of_calls_is_right_at_every_interleaving(
    kind: str, variant: Variant, way: Way
) -> None:
    states = 0
    calls = CACHE_CALLS if kind == "cache" else STORE_CALLS
    for pair in combinations_with_replacement(calls + VECTOR_CALLS * variant.vectors, 2):
        played = play(variant, pair, way)
        report = explore(played, MOST)
        for trail in report.failures.values():
            pytest.fail(f"{' beside '.join(one.name for one in pair)}\n{story(played, trail)}")
        states += report.states
    assert states > 1_000


def explored(variant: Variant, names: Sequence[str], way: Way) -> Report:
    """Two calls of one kind, by their names."""
    by_name = {call.name: call for call in (*CACHE_CALLS, *STORE_CALLS, *VECTOR_CALLS)}
    return explore(play(variant, [by_name[name] for name in names], way))


def nothing_done(*_: Any, **__: Any) -> Any:
    """An operation without a request."""
    yield from ()


def a_searched_item_is_as_similar_as_it_was(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(nearest, "_has_live_vectors", lambda *_: False)


def a_read_that_lacks_a_part_does_not_look_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(parts, "_load", parts._load_once)


def a_cache_does_not_look_again(patch: pytest.MonkeyPatch) -> None:
    # It looks again by a GetItem; what it has looked for first comes by a batch.
    patch.setattr(cache_ops, "send", lambda _: done(None))


def what_is_read_lives_on_whatever_it_is_now(patch: pytest.MonkeyPatch) -> None:
    ttl_update = ItemRecord.ttl_update

    def anyhow(record: ItemRecord, ttl: int) -> Update:
        return replace(ttl_update(record, ttl), expected=None)

    patch.setattr(ItemRecord, "ttl_update", anyhow)


def an_item_is_put_as_often_as_repeated(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        put, "put_skipping_existing", lambda puts, **_: service_calls.put_skipping_existing(puts)
    )


def a_namespace_is_taken_out_anyhow(patch: pytest.MonkeyPatch) -> None:
    def take_out(request: Any) -> Any:
        if not isinstance(request, DeleteUnchanged):
            return (yield from send(request))
        yield from service_calls.write_all([Delete(request.table, request.key)])
        return True

    patch.setattr(namespaces, "send", take_out)


def parts_seem_older_than_they_are(patch: pytest.MonkeyPatch) -> None:
    store_parts = parts.store_parts
    patch.setattr(put, "store_parts", lambda ref, made, _, ttl: store_parts(ref, made, 0, ttl))


def chunks_live_no_longer_than_their_item(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(get, "parts_ttl", lambda ttl: ttl - 1)
    patch.setattr(put, "parts_ttl", lambda ttl: ttl - 1)


def a_sweep_finds_no_part(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sweep, "_part", lambda *_: None)


def a_sweep_takes_what_is_needed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sweep, "outside_if_readable", lambda *_: ())


def a_delete_does_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(put, "_delete", nothing_done)


def a_cache_enters_no_namespace(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(cache_ops, "_register", nothing_done)


LARGE_PUT, GET = "put(k, large)", "get(k), refreshing"
EMPTY_PUT = "put(empty namespace, large)"
PLANTED: list[tuple[Patch, Variant, tuple[str, str], str]] = [
    (a_searched_item_is_as_similar_as_it_was, VECTORS, (LARGE_PUT, "search()"), "never true"),
    (a_searched_item_is_as_similar_as_it_was, VECTORS, (LARGE_PUT, "search(filter)"), "never true"),
    (a_read_that_lacks_a_part_does_not_look_again, CHUNKS, (LARGE_PUT, GET), "raised"),
    (a_cache_does_not_look_again, CHUNKS, ("set(k, large)", "get()"), "never true"),
    (what_is_read_lives_on_whatever_it_is_now, EXPIRING, ("delete(k)", GET), "Unreadable"),
    (a_namespace_is_taken_out_anyhow, INLINE, (EMPTY_PUT, "list_namespaces()"), "are listed"),
    (parts_seem_older_than_they_are, CHUNKS, (LARGE_PUT, "sweep_orphans()"), "is missing"),
    (chunks_live_no_longer_than_their_item, EXPIRING, (GET, LARGE_PUT), "too early"),
    (a_sweep_finds_no_part, CHUNKS, (LARGE_PUT, LARGE_PUT), "is loose"),
    (a_sweep_takes_what_is_needed, CHUNKS, (LARGE_PUT, EMPTY_PUT), "a sweep makes"),
    (a_delete_does_nothing, INLINE, ("delete(k)", "put(k, small)"), "not one of"),
    (a_cache_enters_no_namespace, INLINE, ("set(new namespace)", "clear()"), "not one of"),
    # It takes a lost reply.
    (an_item_is_put_as_often_as_repeated, CHUNKS, (LARGE_PUT, "put(k, small)"), "is missing"),
]


@pytest.mark.parametrize(
    ("plant", "variant", "names", "said"), PLANTED, ids=[one[0].__name__ for one in PLANTED]
)
def test_a_planted_race_is_found(
    monkeypatch: pytest.MonkeyPatch,
    plant: Patch,
    variant: Variant,
    names: tuple[str, str],
    said: str,
) -> None:
    way = WITH_FAULT if plant is an_item_is_put_as_often_as_repeated else PLAIN
    assert not explored(variant, names, way).failures

    plant(monkeypatch)

    assert any(said in problem for problem in explored(variant, names, way).failures)


def test_a_sweep_beyond_the_margin_of_clocks_would_be_found() -> None:
    way = Way(clocks=(-2 * GRACE_SECONDS, 0))
    assert explored(CHUNKS, (LARGE_PUT, "sweep_orphans()"), way).failures
