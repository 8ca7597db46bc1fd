"""Searching by meaning with DynamoDB's vector index: what it cannot tell is found without it."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import botocore
import pytest
from botocore.awsrequest import AWSResponse
from langgraph.store.base import PutOp

from langgraph_checkpoint_dynamodb import ReplyError, ServiceError, TableMismatchError
from langgraph_checkpoint_dynamodb.format.tables import VECTOR_FILTERS, Table, VectorIndexSpec
from langgraph_checkpoint_dynamodb.ops.tables import set_up
from langgraph_checkpoint_dynamodb.policies import (
    STORE_READ_ACTIONS,
    STORE_ROLES,
    STORE_SETUP_ACTIONS,
)
from langgraph_checkpoint_dynamodb.requests.operations import Backoff
from langgraph_checkpoint_dynamodb.requests.tables import CreateVectorIndex, DescribeTable
from langgraph_checkpoint_dynamodb.store import DynamoDBStore, UnsupportedIndexError
from tests.store.embedders import DIMS, index, letters
from tests.store.faces import EVERY_ACTION, Store, StoreCalls, StoreTable
from tests.support.effort import everything
from tests.support.sessions import held_session, metered_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.calls import LoopThread
    from tests.support.clocks import Clock
    from tests.support.engines import Engine
    from tests.support.iam import Ask

AT = ("users", "ann")
INDEX = "vectors"


@pytest.fixture(autouse=True)
def _searches(engine: Engine) -> None:
    if not engine.searches_vectors:
        pytest.skip("this engine or SDK has no vector indexes")


@pytest.fixture
def indexed(unmade: StoreTable) -> StoreTable:
    """A table with a vector index."""
    with by_index(unmade) as store:
        store.setup()
    return unmade


@pytest.fixture(params=["sync", "async"])
def calls(
    request: pytest.FixtureRequest, indexed: StoreTable, loop_thread: LoopThread
) -> Iterator[StoreCalls]:
    with by_index(indexed) as store:
        yield StoreCalls(store, None if request.param == "sync" else loop_thread)


def by_index(table: StoreTable, **settings: Any) -> Store:
    return table.quick(**{"index": index(fields=["text"]), "vector_index": INDEX, **settings})


def metered(table: StoreTable) -> tuple[Store, Any]:
    session, meter = metered_session()
    config = index(fields=["text"])
    return table.on_session(session=session, index=config, vector_index=INDEX), meter


def described(table: StoreTable) -> list[dict[str, Any]]:
    found: Any = table.client.describe_table(TableName=table.name)["Table"]
    return list(found.get("VectorIndexes", []))


def require_right(found: dict[str, Any]) -> None:
    """Check that a vector index is as it is specified."""
    assert found["IndexStatus"] == "ACTIVE"
    assert found["Dimensions"] == DIMS
    assert found["DistanceFunction"] == "COSINE"
    assert found["VectorAttribute"] == {"AttributeName": "vector"}
    assert found["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    schema = [
        (one["AttributeName"], one["SearchSchemaElementType"]) for one in found["SearchSchema"]
    ]
    filters = [(f"vector_label_{number}", "INLINE_FILTER") for number in (2, 3, 4)]
    assert schema == [("vector_root", "HASH"), *filters]


def test_setup_makes_the_index_with_the_table(unmade: StoreTable, loop_thread: LoopThread) -> None:
    actions = STORE_SETUP_ACTIONS - {"dynamodb:UpdateTable"}
    with unmade.store(actions, index=index(), vector_index=INDEX) as store:
        store.setup()
        loop_thread.run(store.asetup())
    (made,) = described(unmade)
    require_right(made)


@pytest.mark.skipif(not everything(), reason="this engine takes 15 seconds to fill an index")
def test_setup_adds_the_index_and_searches_do_without_it_meanwhile(
    table: StoreTable, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        table.store(STORE_SETUP_ACTIONS, index=index(), vector_index=INDEX) as store,
        ThreadPoolExecutor(1) as pool,
    ):
        done = pool.submit(store.setup)
        while not described(table):
            assert not done.done()
        with by_index(table) as meanwhile:
            meanwhile.put(AT, "k", {"text": "a"})
            assert len(meanwhile.search(AT, query="a")) == 1
        assert "vectors are searched without index" in caplog.text
        done.result()
    require_right(*described(table))


def test_setup_waits_until_an_index_that_it_has_added_is_filled() -> None:
    wanted = VectorIndexSpec(INDEX, 2)
    keys: Any = {
        "KeySchema": [
            {"AttributeName": "root", "KeyType": "HASH"},
            {"AttributeName": "path", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": "S"} for name in ("root", "path")
        ],
    }
    added: Any = {
        "IndexName": INDEX,
        "VectorAttribute": {"AttributeName": "vector"},
        "Dimensions": 2,
        "DistanceFunction": "COSINE",
        "SearchSchema": [
            {
                "AttributeName": name,
                "SearchSchemaElementType": "INLINE_FILTER" if position else "HASH",
            }
            for position, name in enumerate(VECTOR_FILTERS)
        ],
    }
    operation = set_up({Table.STORE: "store"}, (), expiring=False, vectors=wanted)
    assert isinstance(next(operation), DescribeTable)
    assert operation.send(keys) == CreateVectorIndex(wanted, ("root", "path"))
    operation.send(None)
    for status in (
        {"TableStatus": "UPDATING", "VectorIndexes": [{**added, "IndexStatus": "CREATING"}]},
        {"VectorIndexes": [{**added, "IndexStatus": "CREATING", "Backfilling": True}]},
        {"VectorIndexes": [{**added, "IndexStatus": "ACTIVE", "Backfilling": True}]},
    ):
        assert isinstance(operation.send({**keys, **status}), Backoff)
        assert isinstance(operation.send(None), DescribeTable)
    with pytest.raises(StopIteration):
        operation.send({**keys, "VectorIndexes": [{**added, "IndexStatus": "ACTIVE"}]})


def test_setup_refuses_an_index_of_other_dimensions(indexed: StoreTable) -> None:
    other = index(lambda texts: [[1.0, 2.0] for _ in texts], dims=2)
    with (
        by_index(indexed, index=other) as store,
        pytest.raises(TableMismatchError, match=rf"has the dimensions {DIMS}, needs 2"),
    ):
        store.setup()


def test_a_search_asks_the_index_and_reads_what_it_gives(indexed: StoreTable) -> None:
    store, meter = metered(indexed)
    with store:
        store.batch([PutOp(AT, f"{i:02}", {"text": "a" * i + "b"}) for i in range(1, 30)])
        meter.reset()
        found = store.search(AT, query="a", limit=3)
        assert [one.key for one in found] == ["29", "28", "27"]
        assert meter.requests == {"SearchVectors": 1, "BatchGetItem": 1}
        meter.reset()
        assert [one.key for one in store.search(AT, query="a", limit=3, offset=3)] == [
            "26",
            "25",
            "24",
        ]
        assert meter.requests == {"SearchVectors": 1, "BatchGetItem": 1}


def test_more_than_the_index_gives_is_found_without_it(indexed: StoreTable) -> None:
    store, meter = metered(indexed)
    with store:
        ops = [PutOp(AT, f"{i:03}", {"text": "a" * (i % 50) + "b" * 25}) for i in range(130)]
        store.batch([*ops, *(PutOp(AT, f"!{i}", {"n": i}) for i in range(30))])
        with indexed.quick(index=index(fields=["text"])) as exact:
            expected = exact.search(AT, query="a", limit=120)
            beyond = exact.search(AT, query="a", limit=5, offset=98)
        meter.reset()
        assert _plain(store.search(AT, query="a", limit=120)) == _plain(expected)
        assert meter.requests["SearchVectors"] == 1
        assert meter.requests["Query"] > 0
        assert _plain(store.search(AT, query="a", limit=5, offset=98)) == _plain(beyond)
        assert len(beyond) == 5
        # None of the first hundred passes.
        found = store.search(AT, query="a", filter={"text": "b" * 25}, limit=5)
        assert [one.key for one in found] == ["000", "050", "100"]


def _plain(found: Any) -> list[tuple[str, float]]:
    return [(one.key, round(one.score, 5)) for one in found]


def test_several_vectors_of_one_item_take_places_that_are_found_otherwise(
    indexed: StoreTable,
) -> None:
    with by_index(indexed, index=index(fields=["texts[*]"])) as store:
        store.put(AT, "many", {"texts": ["a"] * 110})
        store.put(AT, "few", {"texts": ["aab", "b"]})
        store.put(AT, "other", {"texts": ["b"]})
        found = store.search(AT, query="a", limit=2)
    assert [one.key for one in found] == ["many", "few"]


@pytest.mark.sample(4)
@pytest.mark.parametrize("labels", range(1, 7))
def test_a_prefix_of_any_length_is_searched(calls: StoreCalls, labels: int) -> None:
    deep = ("a", "b", "c", "d", "e", "f")
    other = ("a", "b", "c", "d", "x", "f")
    calls.batch([PutOp(one, "k", {"text": "a"}) for one in (deep, other, ("a",), ("ab",))])
    found = calls.search(deep[:labels], query="a")
    expected = {1: 3, 2: 2, 3: 2, 4: 2}.get(labels, 1)
    assert len(found) == expected
    assert all(one.score == pytest.approx(1) for one in found)
    assert len(calls.search((), query="a")) == 4


def test_an_index_that_may_not_be_searched_or_is_not_there_is_done_without(
    indexed: StoreTable, caplog: pytest.LogCaptureFixture
) -> None:
    with by_index(indexed) as store:
        store.put(AT, "k", {"text": "a"})
    config = index(fields=["text"])
    with indexed.store(STORE_READ_ACTIONS, index=config, vector_index=INDEX) as tenant:
        assert len(tenant.search(AT, query="a", refresh_ttl=False)) == 1
    assert "SearchVectors" in caplog.text
    caplog.clear()
    with by_index(indexed, vector_index="another") as store:
        assert len(store.search(AT, query="a")) == 1
    assert "searched without index 'another'" in caplog.text


def test_a_tenant_searches_by_the_patterns_that_it_has_and_no_index(indexed: StoreTable) -> None:
    """As AWS does: a statement with a condition on leading keys never allows SearchVectors."""

    def allows(ask: Ask) -> bool:
        if ask.action == "dynamodb:SearchVectors":
            return False
        return all(
            key == "acme" or key.startswith(("acme.", ".namespaces.")) for key in ask.leading_keys
        )

    with by_index(indexed) as store:
        store.put(("other",), "k", {"text": "a"})
    config: Any = {"index": index(fields=["text"]), "vector_index": INDEX}
    with indexed.on_session(session=held_session(allows), **config) as tenant:
        tenant.put(("acme", "b"), "k", {"text": "a"})
        tenant.put(("acme", "b"), "k", {"text": "ab"})
        assert len(tenant.search(("acme",), query="a")) == 1
        tenant.delete(("acme", "b"), "k")
        with pytest.raises(ServiceError, match="AccessDenied"):
            tenant.search(("other",), query="a")


def test_a_reader_may_search_the_index(indexed: StoreTable) -> None:
    with by_index(indexed) as store:
        store.put(AT, "k", {"text": "a"})
    role = STORE_ROLES["read"]
    session_actions = role.tables | role.vectors
    with indexed.store(session_actions, index=index(), vector_index=INDEX) as reader:
        assert len(reader.search(AT, query="a", refresh_ttl=False)) == 1
    assert all("dynamodb:SearchVectors" not in one.tables for one in STORE_ROLES.values())


def test_whoever_stores_vectors_stores_them_for_the_index(
    indexed: StoreTable, calls: StoreCalls
) -> None:
    calls.put(AT, "first", {"text": "a"})
    with indexed.quick(index=index(fields=["text"])) as without:
        without.put(AT, "second", {"text": "ab"})
        assert [one.key for one in without.search(AT, query="a")] == ["first", "second"]
    assert [one.key for one in calls.search(AT, query="a", limit=2)] == ["first", "second"]


def test_vectors_that_the_index_does_not_hold_are_found_and_none_are_added(
    indexed: StoreTable, caplog: pytest.LogCaptureFixture
) -> None:
    with indexed.quick(index=index(fields=["text"])) as without:
        without.put(AT, "old", {"text": "a"})
    with by_index(indexed) as store:
        assert [one.key for one in store.search(AT, query="a")] == ["old"]
        assert "stored without vector_index" in caplog.text
        with pytest.raises(TableMismatchError, match="stored without vector_index"):
            store.put(AT, "new", {"text": "a"})
        store.put(AT, "new", {"text": "a"}, index=False)


def test_an_index_that_lags_behind_gives_nothing_that_is_gone(
    indexed: StoreTable, clock: Clock
) -> None:
    """What it tells late: vectors of items that were replaced, deleted, or have expired."""
    late: list[Any] = []

    def answer(parsed: dict[str, Any], **_: object) -> None:
        if late:
            parsed["SearchResults"] = list(late)

    with by_index(indexed, clock=clock) as store:
        indexed.on("after-call.dynamodb.SearchVectors", answer)
        for key in ("kept", "replaced", "deleted"):
            store.put(AT, key, {"text": "a"})
        store.put(AT, "expired", {"text": "a"}, ttl=1)
        late += search(indexed, "a")
        store.put(AT, "replaced", {"text": "aab"})
        store.put(AT, "new", {"text": "ab"})
        store.delete(AT, "deleted")
        store.put(AT, "plain", {"text": "a"}, index=False)
        clock.now += 60
        found = store.search(AT, query="a", limit=3)
        assert [one.key for one in store.search(AT, query="a")][3:] == ["plain"]
    assert [one.key for one in found] == ["kept", "replaced", "new"]
    scores = [one.score for one in found]
    assert scores == pytest.approx([1, 2 / 5**0.5, 0.5**0.5])


def search(table: StoreTable, query: str) -> list[Any]:
    numbers: Any = [{"N": str(number)} for number in letters(query)]
    response: Any = table.client.search_vectors(
        TableName=table.name,
        IndexName=INDEX,
        SearchVector=numbers,
        TopK=100,
        SearchConditionExpression="vector_root = :r",
        ExpressionAttributeValues={":r": {"S": "users"}},
    )
    return list(response["SearchResults"])


def test_a_reply_about_another_root_label_is_refused(
    indexed: StoreTable, calls: StoreCalls
) -> None:
    calls.put(AT, "k", {"text": "a"})

    def forge(parsed: dict[str, Any], **_: object) -> None:
        parsed["SearchResults"][0]["Item"]["vector_root"] = {"S": "other"}

    indexed.on("after-call.dynamodb.SearchVectors", forge)
    with pytest.raises(ReplyError, match="vector_root"):
        calls.search(AT, query="a")


def test_a_query_of_no_length_is_not_asked_of_the_index(indexed: StoreTable) -> None:
    store, meter = metered(indexed)
    with store:
        store.put(AT, "k", {"text": "a"})
        assert [one.score for one in store.search(AT, query="zz")] == [0]
        assert meter.requests["SearchVectors"] == 0


def test_a_refusal_that_may_pass_is_told_and_not_worked_around(
    indexed: StoreTable,
) -> None:
    def refuse(**_: object) -> Any:
        response = AWSResponse("", 400, {}, None)  # type: ignore[arg-type]  # nobody reads it
        error = {"Error": {"Code": "InternalServerError", "Message": "later"}}
        return response, error

    with by_index(indexed) as store:
        store.put(AT, "k", {"text": "a"})
        indexed.on("before-call.dynamodb.SearchVectors", refuse)
        with pytest.raises(ServiceError, match="later"):
            store.search(AT, query="a")


@pytest.mark.parametrize("role", ["runtime", "admin"])
def test_each_role_may_do_what_it_is_for(indexed: StoreTable, role: str) -> None:
    config = index(fields=["text"])
    held = STORE_ROLES[role]
    actions = held.tables | held.vectors
    assert actions <= EVERY_ACTION | held.vectors
    with indexed.store(actions, index=config, vector_index=INDEX) as store:
        store.put(AT, "k", {"text": "a"}, ttl=1)
        store.put(AT, "k", {"text": "b"}, ttl=1)
        store.batch([PutOp(AT, str(i), {"text": "ab"}) for i in range(3)])
        assert len(store.search(("users",), query="a")) == 4
        store.delete(AT, "k")
        assert Counter(one.key for one in store.search(AT, query="a")) == Counter("012")


def test_an_sdk_that_cannot_search_an_index_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore, "__version__", "1.43.63")
    with pytest.raises(UnsupportedIndexError, match=r"boto3 1\.43\.64 or later") as raised:
        DynamoDBStore(store_table_name="store", index=index(), vector_index=INDEX)
    assert isinstance(raised.value, NotImplementedError)
    monkeypatch.setattr(botocore, "__version__", "1.43.64")
    DynamoDBStore(store_table_name="store", index=index(), vector_index=INDEX)
