"""Faults of the service and the network: a call ends as it should, or raises and is repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config

from langgraph_checkpoint_dynamodb import (
    ReplyError,
    ServiceError,
    TransportError,
    UnprocessedItemsError,
)
from langgraph_checkpoint_dynamodb.cache import DynamoDBCache
from langgraph_checkpoint_dynamodb.store.cache_keys import require_entry
from tests.cache.faces import cache_on_session, empty, quick_cache
from tests.store.faces import with_payloads
from tests.store.test_faults import DYNAMODB, LessThanAsked
from tests.support.faults import (
    SDK_ATTEMPTS,
    STORE_WRITES,
    Answer,
    ForEver,
    Leftovers,
    LostAnswers,
    OneItemPages,
    Refusal,
    Refusals,
    SkippedWaits,
)
from tests.support.sessions import on, saver_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cache.faces import Cache, FullKey
    from tests.store.faces import StoreTable
    from tests.support.faults import Fault

A, B = ("a",), ("b", "c")
AT: FullKey = (A, "k")
LARGE = "x" * 900


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    SkippedWaits().install(monkeypatch)


def faulty(table: StoreTable, *faults: Fault, **settings: Any) -> Cache:
    session = saver_session()
    for fault in faults:
        fault.install(session)
    config = Config(retries={"mode": "standard", "total_max_attempts": SDK_ATTEMPTS})
    made = cache_on_session(table, session=session, boto_config=config, **settings)
    return with_payloads(made, inline_limit=400, chunk_bytes=300)


def live(cache: Cache) -> list[Any]:
    """All kinds of calls, and what they have found."""
    many: list[FullKey] = [(B, str(number)) for number in range(40)]
    cache.set({key: (number, 1000) for number, key in enumerate(many)})
    cache.set({(A, str(number)): ("x" * 300 * number, None) for number in range(4)})
    found: list[Any] = [cache.get(many), cache.get([(A, "2"), (A, "no"), (A, "3"), (B, "7")])]
    cache.set({(A, "3"): (LARGE, None)})
    cache.set({(A, "2"): (LARGE, -1)})
    found.append(cache.get([(A, "3"), (A, "2")]))
    cache.clear([B])
    found.append(cache.get([*many, (A, "3")]))
    cache.clear()
    found.append(cache.get([(A, "3"), (A, "1")]))
    return found


@pytest.fixture
def expected(table: StoreTable) -> list[Any]:
    with quick_cache(table) as cache:
        found = live(with_payloads(cache, inline_limit=400, chunk_bytes=300))
    assert found[-1] == {}
    empty(table)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_requests_that_are_refused_at_random_change_nothing(
    table: StoreTable, expected: list[Any], seed: int
) -> None:
    refusals = Refusals([table.name], seed, DYNAMODB, STORE_WRITES)
    with faulty(table, refusals) as cache:
        assert live(cache) == expected
    assert refusals.refused


def test_answers_that_are_lost_change_nothing(
    table: StoreTable, expected: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """A large value among them, whose request is repeated by the SDK: its parts stay."""
    lost = LostAnswers(writes=STORE_WRITES)
    with faulty(table, lost) as cache:
        assert live(cache) == expected
    assert lost.lost > 10
    assert "counts as absent" not in caplog.text


@pytest.mark.parametrize(
    "fault", [OneItemPages(), Leftovers(1), LessThanAsked()], ids=["pages", "leftovers", "keys"]
)
def test_a_service_that_does_less_at_once_changes_nothing(
    table: StoreTable, expected: list[Any], fault: Fault
) -> None:
    if isinstance(fault, LessThanAsked):
        fault = LessThanAsked()  # It counts, and the case may run twice.
    with faulty(table, fault) as cache:
        assert live(cache) == expected


def test_what_is_handed_back_for_ever_is_named(table: StoreTable) -> None:
    with (
        faulty(table, LessThanAsked(progress=False)) as cache,
        pytest.raises(UnprocessedItemsError) as raised,
    ):
        cache.get([(A, "1"), (A, "2")])
    assert {key[0] for key in raised.value.keys} == {"store"}
    stuck = require_entry(A, "1")
    with (
        faulty(table, ForEver(stuck.path)) as cache,
        pytest.raises(UnprocessedItemsError) as raised,
    ):
        cache.set({(A, str(number)): (1, None) for number in range(3)})
    assert raised.value.keys == (("store", *stuck.primary),)


CALLS: dict[str, Callable[[Cache], object]] = {
    "GetItem": lambda cache: cache.get([AT]),
    "BatchGetItem": lambda cache: cache.get([AT, (A, "l")]),
    "Query": lambda cache: cache.clear([A]),
    "PutItem": lambda cache: cache.set({AT: (1, None)}),
    "BatchWriteItem": lambda cache: cache.set({AT: (1, None), (A, "l"): (2, None)}),
    "UpdateItem": lambda cache: cache.set({(("new",), "k"): (1, None)}),
    "DeleteItem": lambda cache: cache.set({AT: (1, 0)}),
    "Scan": lambda cache: cache.sweep_orphans(),
}


@pytest.mark.parametrize("action", CALLS)
def test_a_refusal_that_lasts_is_raised_and_the_call_can_be_repeated(
    table: StoreTable, action: str
) -> None:
    with faulty(table, Refusal(action, "AccessDeniedException", times=1)) as cache:
        with pytest.raises(ServiceError, match=action) as raised:
            CALLS[action](cache)
        assert raised.value.code == "AccessDeniedException"
        CALLS[action](cache)


@pytest.mark.parametrize("action", CALLS)
def test_an_answer_that_is_none_to_the_request_is_an_error(table: StoreTable, action: str) -> None:
    body = b"<html>a proxy says hello</html>"
    with (
        faulty(table, Answer(action, body, content_type="text/html")) as cache,
        pytest.raises(ReplyError),
    ):
        CALLS[action](cache)


@pytest.mark.parametrize("action", ["GetItem", "BatchGetItem"])
def test_the_entry_of_another_is_an_error_and_never_found(table: StoreTable, action: str) -> None:
    with quick_cache(table) as cache:
        cache.set({(B, "other"): ("of another", None)})
    (other,) = table.heads()
    root, path = other["root"]["S"].encode(), other["path"]["S"].encode()
    item = b'{"root": {"S": "%s"}, "path": {"S": "%s"}}' % (root, path)
    bodies = {
        "GetItem": b'{"Item": %s}' % item,
        "BatchGetItem": b'{"Responses": {"%s": [%s]}}' % (table.name.encode(), item),
    }
    with (
        faulty(table, Answer(action, bodies[action])) as cache,
        pytest.raises(ReplyError, match=r"another|other keys"),
    ):
        CALLS[action](cache)


def test_no_answer_at_all_is_a_transport_error(table: StoreTable) -> None:
    with faulty(table, LostAnswers(None, STORE_WRITES)) as cache, pytest.raises(TransportError):
        cache.set({AT: (1, None)})
    with quick_cache(table) as cache:
        cache.set({AT: (2, None)})
        assert cache.get([AT]) == {AT: 2}


def test_old_parts_that_cannot_be_deleted_are_logged_and_the_call_succeeds(
    table: StoreTable, caplog: pytest.LogCaptureFixture
) -> None:
    with faulty(table, Refusal("BatchWriteItem", "AccessDeniedException")) as cache:
        cache.set({AT: (LARGE, None)})
        cache.set({AT: (1, None)})
        assert cache.get([AT]) == {AT: 1}
    assert "stay behind" in caplog.text
    assert len(table.parts()) > 0


MEDDLING: dict[str, tuple[Callable[[Cache], object], dict[FullKey, str]]] = {
    "replaced": (lambda cache: cache.set({AT: ("new" * 300, None)}), {AT: "new" * 300}),
    "replaced by a small one": (lambda cache: cache.set({AT: ("new", None)}), {AT: "new"}),
    "replaced by one that has expired": (lambda cache: cache.set({AT: (LARGE, 5)}), {}),
    "cleared": (lambda cache: cache.clear(), {}),
}


@pytest.mark.parametrize("consistent", [True, False])
@pytest.mark.parametrize("meddling", MEDDLING)
def test_an_entry_that_changes_while_it_is_read_is_found_as_it_is_then(
    table: StoreTable, caplog: pytest.LogCaptureFixture, meddling: str, consistent: bool
) -> None:
    act, expected = MEDDLING[meddling]
    # On threads, whichever is under test: a loop is running where it meddles.
    made: DynamoDBCache[Any] = DynamoDBCache(
        cache_table_name=table.name, client=table.client, clock=lambda: 4e9 - 10
    )
    with with_payloads(made, inline_limit=300, chunk_bytes=200) as writer:
        writer.set({AT: (LARGE, None)})
        left = [act]

        def meddle(**_: object) -> None:
            if left:
                left.pop()(writer)

        session = saver_session()
        on(session, "before-call.dynamodb.Query", meddle)
        with cache_on_session(
            table, session=session, consistent_reads=consistent, clock=lambda: 4e9
        ) as cache:
            assert cache.get([AT]) == expected
    assert left == []
    assert "counts as absent" not in caplog.text
