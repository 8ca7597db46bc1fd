"""Faults of the service and the network: a call ends as it should, or raises and is repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from langgraph.store.base import GetOp, ListNamespacesOp, PutOp, SearchOp

from langgraph_checkpoint_dynamodb import (
    ReplyError,
    ServiceError,
    TransportError,
    UnprocessedItemsError,
)
from tests.store.faces import StoreCalls, StoreTable, with_payloads
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

    from langgraph_checkpoint_dynamodb import RequestInfo
    from tests.store.faces import Store
    from tests.support.faults import Fault

AT = ("users", "ann")
DYNAMODB: dict[str, dict[str, int]] = {
    "dynamodb": {
        "ProvisionedThroughputExceededException": 400,
        "ThrottlingException": 400,
        "InternalServerError": 500,
        "ServiceUnavailable": 503,
        "broken": 0,
    }
}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    SkippedWaits().install(monkeypatch)


def faulty(table: StoreTable, *faults: Fault, **settings: Any) -> Store:
    session = saver_session()
    for fault in faults:
        fault.install(session)
    config = Config(retries={"mode": "standard", "total_max_attempts": SDK_ATTEMPTS})
    made = table.on_session(session=session, boto_config=config, **settings)
    return with_payloads(made, inline_limit=400, chunk_bytes=300)


def live(store: Store) -> list[Any]:
    """All kinds of calls, and what they have found."""
    calls = StoreCalls(store)
    found: list[Any] = []
    for number in range(4):
        calls.put(AT, f"{number}", {"n": number, "text": "x" * 300 * number})
    calls.batch([PutOp(("b", str(i)), "k", {"n": i}) for i in range(30)])
    calls.batch([PutOp(("b", "0"), "k", None), PutOp(AT, "3", {"n": 9}), PutOp(AT, "1", None)])
    calls.put(AT, "2", {"n": 2, "text": "y" * 900})
    found.append([one.value for one in calls.search((), limit=50)])
    found.append([one.value for one in calls.search(("b",), filter={"n": {"$gt": 20}}, offset=3)])
    found.append(calls.list_namespaces())
    found += [one and one.value for one in calls.batch([GetOp(AT, str(i)) for i in range(5)])]  # type: ignore[union-attr]  # of gets alone
    return found


@pytest.fixture
def expected(table: StoreTable) -> list[Any]:
    with table.quick() as store:
        found = live(with_payloads(store, inline_limit=400, chunk_bytes=300))
    for item in table.items():
        key = {name: item[name] for name in ("root", "path")}
        table.client.delete_item(TableName=table.name, Key=key)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_requests_that_are_refused_at_random_change_nothing(
    table: StoreTable, expected: list[Any], seed: int
) -> None:
    refusals = Refusals([table.name], seed, DYNAMODB, STORE_WRITES)
    with faulty(table, refusals) as store:
        assert live(store) == expected
    assert refusals.refused


def test_answers_that_are_lost_change_nothing(table: StoreTable, expected: list[Any]) -> None:
    lost = LostAnswers(writes=STORE_WRITES)
    with faulty(table, lost) as store:
        assert live(store) == expected
    assert lost.lost > 10


@pytest.mark.parametrize("fault", [OneItemPages(), Leftovers(1)], ids=["pages", "leftovers"])
def test_a_service_that_does_less_at_once_changes_nothing(
    table: StoreTable, expected: list[Any], fault: Fault
) -> None:
    with faulty(table, fault) as store:
        assert live(store) == expected


class LessThanAsked:
    """Batches of keys of which one is answered at a time."""

    def __init__(self, *, progress: bool = True) -> None:
        self.requests = 0
        self._progress = progress

    def install(self, session: Any) -> None:
        on(session, "provide-client-params.dynamodb.BatchGetItem", self._ask_less)
        on(session, "after-call.dynamodb.BatchGetItem", self._hand_back)

    def _ask_less(
        self, params: dict[str, Any], context: dict[str, Any], **_: object
    ) -> dict[str, Any]:
        self.requests += 1
        ((name, wanted),) = params["RequestItems"].items()
        context["left"] = (name, wanted["Keys"][1:] if self._progress else wanted["Keys"])
        return {**params, "RequestItems": {name: {**wanted, "Keys": wanted["Keys"][:1]}}}

    def _hand_back(self, parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        name, left = context["left"]
        if left:
            parsed["UnprocessedKeys"] = {name: {"Keys": left}}
        if not self._progress:
            parsed["Responses"] = {name: []}


def test_keys_that_are_handed_back_are_asked_for_again(table: StoreTable) -> None:
    fault = LessThanAsked()
    told: list[RequestInfo] = []
    with faulty(table, fault, on_request=told.append) as store:
        store.batch([PutOp(AT, str(i), {"n": i}) for i in range(5)])
        found = store.batch([GetOp(AT, str(i)) for i in range(5)])
        assert [one.value["n"] for one in found] == list(range(5))  # type: ignore[union-attr]  # of gets alone
    assert fault.requests == 5
    gets = [one for one in told if one.action == "BatchGetItem"]
    assert [one.unprocessed for one in gets] == [4, 3, 2, 1, 0]


def test_keys_that_are_handed_back_for_ever_are_named(table: StoreTable) -> None:
    with (
        faulty(table, LessThanAsked(progress=False)) as store,
        pytest.raises(UnprocessedItemsError) as raised,
    ):
        store.batch([GetOp(AT, str(i)) for i in range(3)])
    assert {key[0] for key in raised.value.keys} == {"store"}


def test_puts_that_are_handed_back_for_ever_are_named(table: StoreTable) -> None:
    with (
        faulty(table, ForEver("ann\\x00\\x001")) as store,
        pytest.raises(UnprocessedItemsError) as raised,
    ):
        store.batch([PutOp(AT, str(i), {}) for i in range(3)])
    assert raised.value.keys == (("store", "users", "ann\0\0001"),)


CALLS: dict[str, Callable[[Store], object]] = {
    "GetItem": lambda store: store.get(AT, "k"),
    "BatchGetItem": lambda store: store.batch([GetOp(AT, "k"), GetOp(AT, "l")]),
    "Query": lambda store: store.search(AT),
    "PutItem": lambda store: store.put(AT, "k", {}),
    "BatchWriteItem": lambda store: store.batch([PutOp(AT, "k", {}), PutOp(AT, "l", {})]),
    "UpdateItem": lambda store: store.put(("new",), "k", {}),
    "DeleteItem": lambda store: store.delete(AT, "k"),
    "TransactWriteItems": lambda store: store.put(AT, "k", {"text": "x" * 500}),
    "Scan": lambda store: store.sweep_orphans(),
}


@pytest.mark.parametrize("action", CALLS)
def test_a_refusal_that_lasts_is_raised_and_the_call_can_be_repeated(
    table: StoreTable, action: str
) -> None:
    with faulty(table, Refusal(action, "AccessDeniedException", times=1)) as store:
        with pytest.raises(ServiceError, match=action) as raised:
            CALLS[action](store)
        assert raised.value.code == "AccessDeniedException"
        CALLS[action](store)


@pytest.mark.parametrize("action", CALLS)
def test_an_answer_that_is_none_to_the_request_is_an_error(table: StoreTable, action: str) -> None:
    body = b"<html>a proxy says hello</html>"
    with (
        faulty(table, Answer(action, body, content_type="text/html")) as store,
        pytest.raises(ReplyError),
    ):
        CALLS[action](store)


@pytest.mark.parametrize("action", ["GetItem", "BatchGetItem", "Query", "DeleteItem", "PutItem"])
def test_the_item_of_another_is_an_error_and_never_found(table: StoreTable, action: str) -> None:
    other = (
        b'{"root": {"S": "users"}, "path": {"S": "bob\\u0000\\u0000k"}, "version": {"S": "v"},'
        b' "type": {"S": "msgpack"}, "value": {"B": "gA=="}, "stored": {"N": "1"}}'
    )
    bodies = {
        "GetItem": b'{"Item": %s}' % other,
        "BatchGetItem": b'{"Responses": {"%s": [%s]}}' % (table.name.encode(), other),
        "Query": b'{"Items": [%s]}' % other.replace(b'"users"', b'"others"'),
        "DeleteItem": b'{"Attributes": %s}' % other,
        "PutItem": b'{"Attributes": %s}' % other,
    }
    with (
        faulty(table, Answer(action, bodies[action])) as store,
        pytest.raises(ReplyError, match=r"another|other keys"),
    ):
        CALLS[action](store)


def test_no_answer_at_all_is_a_transport_error(table: StoreTable) -> None:
    with faulty(table, LostAnswers(None, STORE_WRITES)) as store, pytest.raises(TransportError):
        store.put(AT, "k", {"n": 1})
    with table.quick() as store:
        store.put(AT, "k", {"n": 2})
        (found, listed, search) = store.batch([GetOp(AT, "k"), ListNamespacesOp(), SearchOp(())])
        assert found.value == {"n": 2}  # type: ignore[union-attr]  # of a get
        assert listed == [AT]
        assert isinstance(search, list)


def test_old_parts_that_cannot_be_deleted_are_logged_and_the_call_succeeds(
    table: StoreTable, caplog: pytest.LogCaptureFixture
) -> None:
    with faulty(table, Refusal("BatchWriteItem", "AccessDeniedException")) as store:
        store.put(AT, "k", {"text": "x" * 1000})
        store.put(AT, "k", {"n": 1})
        found = store.get(AT, "k")
        assert found is not None
        assert found.value == {"n": 1}
    assert "stay behind" in caplog.text
    assert len(table.parts()) > 0
