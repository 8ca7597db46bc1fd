"""Searching by meaning: what is embedded when, what is stored of it, and what is refused."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import GetOp, PutOp, SearchOp

from langgraph_checkpoint_dynamodb import (
    InvalidInputError,
    MissingPartError,
    TableMismatchError,
    UnreadableItemError,
)
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.format.sizes import item_size
from langgraph_checkpoint_dynamodb.policies import STORE_READ_ACTIONS
from langgraph_checkpoint_dynamodb.store import DynamoDBStore, similarity
from langgraph_checkpoint_dynamodb.store.embedding import pack
from langgraph_checkpoint_dynamodb.store.keys import ItemRef
from langgraph_checkpoint_dynamodb.store.ops import ranking
from langgraph_checkpoint_dynamodb.store.vectors import vector_puts
from tests.docs.pages import DOCS as PAGES
from tests.store.crashes import Stopping, stops
from tests.store.embedders import DIMS, Letters, index, letters
from tests.store.faces import Store, StoreCalls, StoreTable, names
from tests.support.sessions import metered_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_core.embeddings import Embeddings

    from langgraph_checkpoint_dynamodb.store.vectors import Form
    from tests.support.calls import LoopThread
    from tests.support.clocks import Clock

AT = ("users", "ann")
DOCS: dict[str, dict[str, Any]] = {
    "fig": {"text": "a fig", "kind": "fruit"},
    "bag": {"text": "bag bag", "kind": "thing"},
    "cab": {"text": "a cab", "kind": "thing"},
}


def vectors(table: StoreTable) -> list[dict[str, Any]]:
    """The vectors of a table, as they are stored."""
    return [one for one in table.items() if one["root"]["S"].endswith(".vectors") and "path" in one]


def rows(table: StoreTable) -> list[dict[str, Any]]:
    """Those but for the record of all of them."""
    return [one for one in vectors(table) if "dims" not in one]


@pytest.fixture
def embedder() -> Letters:
    return Letters()


@pytest.fixture
def made(
    table: StoreTable, clock: Clock, embedder: Letters, family: LoopThread | None
) -> Iterator[StoreCalls]:
    with table.quick(index=index(embedder, ["text"]), clock=clock) as store:
        yield StoreCalls(store, family)


def fill(calls: StoreCalls) -> None:
    calls.batch([PutOp(AT, key, value) for key, value in DOCS.items()])


def cosine(one: str, other: str) -> float:
    first, second = letters(one), letters(other)
    return sum(a * b for a, b in zip(first, second, strict=True)) / (
        math.hypot(*first) * math.hypot(*second)
    )


def test_the_most_similar_come_first_with_their_scores(made: StoreCalls) -> None:
    fill(made)
    found = made.search(("users",), query="bag")
    assert [one.key for one in found] == ["bag", "cab", "fig"]
    scores = [one.score for one in found]
    assert scores == pytest.approx([cosine("bag", DOCS[one.key]["text"]) for one in found])
    assert found[0].value == DOCS["bag"]
    assert [one.score for one in made.search(("users",))] == [None, None, None]


def test_limits_offsets_and_filters_are_of_the_ranking(made: StoreCalls) -> None:
    fill(made)
    assert [one.key for one in made.search(AT, query="bag", limit=1)] == ["bag"]
    assert [one.key for one in made.search(AT, query="bag", limit=1, offset=1)] == ["cab"]
    assert made.search(AT, query="bag", limit=0) == []
    found = made.search(AT, query="fig", filter={"kind": "thing"})
    assert [one.key for one in found] == ["bag", "cab"]
    assert made.search(("others",), query="fig") == []


def test_what_is_put_anew_is_found_by_what_it_is_now(made: StoreCalls, table: StoreTable) -> None:
    fill(made)
    made.put(AT, "fig", {"text": "bag"})
    assert [one.key for one in made.search(AT, query="bag", limit=2)] == ["bag", "fig"]
    assert len(rows(table)) == 3
    made.put(AT, "fig", {"text": "bag"}, index=False)
    found = made.search(AT, query="bag")
    assert [(one.key, one.score is None) for one in found] == [
        ("bag", False),
        ("cab", False),
        ("fig", True),
    ]
    made.delete(AT, "bag")
    assert [one.key for one in made.search(AT, query="bag")] == ["cab", "fig"]
    assert len(rows(table)) == 1


def test_a_put_says_which_of_its_texts_are_embedded(
    made: StoreCalls, embedder: Letters, table: StoreTable
) -> None:
    value = {"text": "a", "title": "bb", "more": [{"t": "cc"}, {"t": "dd"}], "deep": {"e": "ee"}}
    made.put(AT, "k", value, index=["title", "more[*].t", "deep.e", "none"])
    assert embedder.documents == [["bb", "cc", "dd", "ee"]]
    assert len(rows(table)) == 4
    for text in ("b", "c", "d", "e"):
        assert made.search(AT, query=text)[0].score == pytest.approx(1)
    assert made.search(AT, query="a")[0].score == 0


def test_vectors_are_seen_by_nothing_but_searches_by_meaning(
    made: StoreCalls, table: StoreTable
) -> None:
    fill(made)
    assert len(rows(table)) == 3
    assert made.list_namespaces() == [AT]
    assert len(made.search(())) == 3
    assert len(made.search(("users",), filter={"kind": "thing"})) == 2
    with table.quick() as without:
        assert len(without.search((), query="bag")) == 3
        without.delete(AT, "bag")
    assert len(rows(table)) == 2


def test_each_text_of_a_call_is_embedded_once_and_no_loop_is_kept_waiting(
    made: StoreCalls, embedder: Letters
) -> None:
    made.batch(
        [
            PutOp(AT, "1", {"text": "a"}),
            PutOp(AT, "1", {"text": "b"}),
            PutOp(AT, "2", {"text": "b"}),
            PutOp(AT, "3", {"text": "c"}),
            PutOp(AT, "4", {"text": "d"}, False),
            PutOp(AT, "5", None),
            SearchOp(AT, query="q"),
            SearchOp((), query="q"),
            SearchOp((), query=""),
            GetOp(AT, "1"),
        ]
    )
    assert embedder.documents == [["b", "c"]]
    assert embedder.queries == ["q"]
    assert not any(embedder.loops)
    made.batch([GetOp(AT, "1"), PutOp(AT, "6", {"other": "a"}), SearchOp(AT)])
    assert len(embedder.documents) == len(embedder.queries) == 1


def test_nothing_is_embedded_or_stored_of_calls_that_are_refused(
    made: StoreCalls, embedder: Letters, table: StoreTable
) -> None:
    bad: Any = 5
    for ops in (
        [PutOp(AT, "k", {"text": "a"}), PutOp(AT, bad, {})],
        [PutOp(AT, "k", {"text": "a"}, index=bad)],
        [PutOp(AT, "k", {"text": "a"}, index=[bad])],
        [SearchOp(AT, query=bad)],
        [PutOp(AT, "k", {"text": {"a": {1, 2}}})],
        [PutOp(AT, "k" * 1000, {"text": "a"})],
    ):
        with pytest.raises(InvalidInputError):
            made.batch(ops)
    assert embedder.documents + embedder.queries == []
    assert table.items() == []
    made.put(AT, "k" * 1000, {"text": "a"}, index=False)


class _Failing(Letters):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise RuntimeError(f"no model today for {len(texts)}")


@pytest.mark.parametrize(
    ("embed", "error", "message"),
    [
        (_Failing(), RuntimeError, "no model today"),
        (lambda texts: [[1.0] * DIMS for _ in texts][1:], InvalidInputError, "0 vectors of 1"),
        (lambda texts: [[1.0]] * len(texts), InvalidInputError, "a vector of 1 numbers"),
        (lambda texts: [[math.nan] * DIMS] * len(texts), InvalidInputError, "32 bits"),
        (lambda texts: [[1e300] * DIMS] * len(texts), InvalidInputError, "32 bits"),
        (lambda texts: [["x"] * DIMS] * len(texts), InvalidInputError, "no vector"),
    ],
)
def test_what_an_embedder_does_wrong_is_told_and_nothing_is_stored(
    table: StoreTable,
    family: LoopThread | None,
    embed: Embeddings,
    error: type[Exception],
    message: str,
) -> None:
    with table.quick(index=index(embed)) as store, pytest.raises(error, match=message):
        StoreCalls(store, family).put(AT, "k", {"text": "a"})
    assert table.items() == []


def test_an_asynchronous_function_embeds_for_asynchronous_calls(
    table: StoreTable, loop_thread: LoopThread
) -> None:
    async def embed(texts: list[str]) -> list[list[float]]:
        return [letters(text) for text in texts]

    with table.quick(index=index(embed)) as store:
        calls = StoreCalls(store, loop_thread)
        calls.put(AT, "k", {"text": "a"})
        assert calls.search(AT, query="a")[0].score is not None
        with pytest.raises(ValueError, match="async"):
            store.search(AT, query="a")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"index": 5}, "index"),
        ({"index": {"embed": letters}}, "index.dims"),
        ({"index": {"dims": 0, "embed": letters}}, "index.dims"),
        ({"index": {"dims": 5000, "embed": letters}}, "index.dims"),
        ({"index": {"dims": 2}}, "index.embed"),
        ({"index": {"dims": 2, "embed": "nobody:nothing"}}, "index.embed"),
        ({"index": {"dims": 2, "embed": letters, "fields": "text"}}, "index.fields"),
        ({"index": {"dims": 2, "embed": letters, "fields": [1]}}, "index.fields"),
        ({"index": {"dims": 2, "embed": letters, "model": "x"}}, "index"),
        ({"vector_index": "vectors"}, "vector_index"),
        ({"index": index(), "vector_index": "a b"}, "vector_index"),
        ({"exact_search_warning": -1}, "exact_search_warning"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        DynamoDBStore(store_table_name="store", **settings)
    assert raised.value.field == named


def test_vectors_of_other_dimensions_are_refused_whoever_comes_second(
    made: StoreCalls, table: StoreTable
) -> None:
    fill(made)
    with table.quick(index=index(lambda texts: [[1.0, 2.0] for _ in texts], dims=2)) as other:
        with pytest.raises(TableMismatchError, match=rf"vectors of {DIMS} numbers.*dims is 2"):
            other.put(("elsewhere",), "k", {"text": "a"})
        with pytest.raises(TableMismatchError, match=rf"a vector of {DIMS} numbers"):
            other.search(AT, query="a")
        other.put(AT, "plain", {"text": "a"}, index=False)
        assert len(other.search(AT)) == 4


def test_a_vector_goes_with_its_item_when_its_time_is_over_and_lives_on_with_it(
    table: StoreTable, clock: Clock, family: LoopThread | None
) -> None:
    def lives() -> list[int]:
        return [int(one["ttl"]["N"]) for one in rows(table)]

    with table.quick(index=index(fields=["text"]), clock=clock, ttl={"default_ttl": 10}) as store:
        calls = StoreCalls(store, family)
        calls.put(AT, "fig", DOCS["fig"])
        calls.put(AT, "cab", DOCS["cab"], ttl=1)
        assert sorted(lives()) == [4_000_000_060 + GRACE_SECONDS, 4_000_000_600 + GRACE_SECONDS]
        clock.now += 300
        assert [one.key for one in calls.search(AT, query="cab")] == ["fig"]
        assert 4_000_000_900 + GRACE_SECONDS in lives()
        clock.now += 601
        assert calls.search(AT, query="fig") == []


def test_an_expired_item_that_counts_is_found_though_its_vector_be_gone(
    table: StoreTable, clock: Clock
) -> None:
    ttl: Any = {"default_ttl": 1, "omit_expired": False, "refresh_on_read": False}
    with table.quick(index=index(fields=["text"]), clock=clock, ttl=ttl) as store:
        store.put(AT, "fig", DOCS["fig"])
        clock.now += 2 * GRACE_SECONDS
        assert [one.score for one in store.search(AT, query="a fig")] == [pytest.approx(1)]
        table.delete(rows(table))
        assert [one.score for one in store.search(AT, query="fig")] == [None]


def test_a_vector_that_is_not_there_is_told(made: StoreCalls, table: StoreTable) -> None:
    fill(made)
    made.put(AT, "two", {"text": "a", "more": "b"}, index=["text", "more"])
    (item,) = [one for one in rows(table) if "\0two" in one["path"]["S"]][:1]
    table.delete([item])
    with pytest.raises(MissingPartError, match="2 vectors, and 1 are there"):
        made.search(AT, query="a")
    table.delete(rows(table))
    with pytest.raises(MissingPartError, match="vectors, and 0 are there"):
        made.search(AT, query="a")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"packed": {"B": b"123"}}, "not made of 32-bit numbers"),
        ({"packed": {"N": "1"}}, "is not binary"),
        ({"packed": {"B": b"1234"}}, "a vector of 1 numbers"),
        ({"vector": {"S": "x"}}, "no list"),
        ({"vector": {"L": [{"S": "x"}]}}, "no list"),
    ],
)
def test_a_damaged_vector_is_told(
    made: StoreCalls, table: StoreTable, change: dict[str, Any], message: str
) -> None:
    fill(made)
    table.replace({**rows(table)[0], **change})
    with pytest.raises((UnreadableItemError, TableMismatchError), match=message):
        made.search(AT, query="a")


@pytest.mark.parametrize("damage", [{"N": "9" * 12}, {"S": "x"}])
def test_a_damaged_number_of_vectors_is_told(
    made: StoreCalls, table: StoreTable, damage: dict[str, str]
) -> None:
    fill(made)
    table.replace({**table.heads()[0], "vectors": damage})
    with pytest.raises(UnreadableItemError, match="'vectors'"):
        made.search(AT)


@pytest.mark.parametrize("change", [{"form": {"S": "sparse"}}, {"dims": {"S": "x"}}])
def test_a_damaged_record_of_vectors_is_told(
    made: StoreCalls, table: StoreTable, change: dict[str, Any]
) -> None:
    fill(made)
    (record,) = [one for one in table.items() if "dims" in one]
    table.replace({**record, **change})
    with (
        table.quick(index=index()) as store,
        pytest.raises(UnreadableItemError, match="record of all vectors"),
    ):
        store.put(AT, "new", {"text": "a"})


def test_vectors_that_were_left_behind_are_not_found_and_are_swept(
    made: StoreCalls, table: StoreTable, clock: Clock
) -> None:
    fill(made)
    for row in rows(table):
        path = row["path"]["S"]
        stale = {**row, "path": {"S": f"{path[:-22]}{'0' * 16}{path[-6:]}"}}
        table.replace({**stale, "packed": {"B": b"\0\0\x80?" * DIMS}})
        table.replace({**stale, "path": {"S": f"ann\0\0gone{'1' * 16}000000"}})
    strange = {**rows(table)[0], "path": {"S": "x" * 30}}
    table.replace(strange)
    table.delete([strange])
    assert [one.key for one in made.search(AT, query="bag")] == ["bag", "cab", "fig"]
    store = made.store
    assert store.sweep_orphans().young == 7
    clock.now += 2 * 24 * 3600
    assert store.sweep_orphans().vectors_deleted == 4
    assert len(rows(table)) == 3
    assert [one.key for one in made.search(AT, query="bag")] == ["bag", "cab", "fig"]


def test_what_a_batch_without_vectors_replaces_is_left_to_the_sweep(
    made: StoreCalls, table: StoreTable, clock: Clock
) -> None:
    fill(made)
    made.batch([PutOp(AT, key, value, False) for key, value in DOCS.items()])
    assert len(rows(table)) == 3
    assert {one.score for one in made.search(AT, query="bag")} == {None}
    clock.now += 2 * GRACE_SECONDS
    assert made.store.sweep_orphans(older_than=GRACE_SECONDS).vectors_deleted == 3
    assert rows(table) == []


def test_ranked_in_several_passes_the_result_is_the_same(
    made: StoreCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["a" * (number % 7) + "b" * (number % 5) for number in range(30)]
    made.batch([PutOp(AT, f"{number:02}", {"text": text}) for number, text in enumerate(texts)])
    made.batch([PutOp(AT, f"{number}n", {"n": number}) for number in range(3)])
    expected = made.search(AT, query="aab", limit=100)
    monkeypatch.setattr(ranking, "_CAPACITY", 4)
    assert made.search(AT, query="aab", limit=100) == expected
    assert made.search(AT, query="aab", limit=9, offset=12) == expected[12:21]


def test_a_search_of_more_vectors_than_a_setting_names_says_so(
    table: StoreTable, caplog: pytest.LogCaptureFixture, family: LoopThread | None
) -> None:
    with table.quick(index=index(), exact_search_warning=2) as store:
        calls = StoreCalls(store, family)
        calls.batch([PutOp(AT, str(number), {"text": "a"}) for number in range(2)])
        calls.search(AT, query="a")
        assert caplog.text == ""
        calls.put(AT, "2", {"text": "a"})
        calls.search(AT, query="a")
    assert "compared 3 vectors, over exact_search_warning=2" in caplog.text


def test_the_same_is_computed_with_numpy_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numpy", reason="numpy is not installed")
    texts = ["", "abc", "aab", "hh", "bca"]
    packed = [pack(letters(text)) for text in texts]
    for query in texts:
        with_numpy = similarity.similarities(letters(query), packed)
        monkeypatch.setattr(similarity, "_numpy", lambda: None)
        assert similarity.similarities(letters(query), packed) == pytest.approx(with_numpy)
        monkeypatch.undo()


def test_a_search_by_meaning_reads_vectors_and_no_more_items_than_it_gives(
    table: StoreTable,
) -> None:
    session, meter = metered_session()
    with table.on_session(session=session, index=index(fields=["text"])) as store:
        store.batch(
            [PutOp(AT, f"{i:03}", {"text": "a" * (i % 9), "large": "x" * 3000}) for i in range(200)]
        )
        meter.reset()
        assert len(store.search(AT, query="a", limit=5)) == 5
        assert meter.requests == Counter(Query=1, BatchGetItem=1)


def test_names_are_in_order_where_all_is_equally_similar(made: StoreCalls) -> None:
    ops = [PutOp(("users", n), k, {"text": "a"}) for n in ("b", "a") for k in ("2", "1")]
    made.batch(ops)
    found = names(made.search(("users",), query="a"))
    assert found == sorted(found)
    assert len(found) == 4


def test_a_store_that_only_reads_needs_no_more_than_before(table: StoreTable) -> None:
    with table.quick(index=index()) as store:
        store.put(AT, "k", {"text": "a"})
    with table.store(STORE_READ_ACTIONS, index=index()) as reader:
        assert len(reader.search(AT, query="a", refresh_ttl=False)) == 1


ACTS: dict[str, PutOp] = {
    "new": PutOp(AT, "new", {"text": "ab", "more": "b"}, ["text", "more"]),
    "replaced": PutOp(AT, "bag", {"text": "ab"}),
    "without": PutOp(AT, "bag", {"text": "ab"}, False),
    "deleted": PutOp(AT, "bag", None),
}


@pytest.mark.sample(2)
@pytest.mark.parametrize("act", ACTS)
def test_whatever_stops_between_two_requests_a_sweep_leaves_the_vectors_of_items(
    table: StoreTable, clock: Clock, act: str
) -> None:
    def fresh() -> Store:
        return table.quick(index=index(fields=["text"]), clock=clock)

    requests, done = 0, False
    while not done:
        table.empty()
        with fresh() as store:
            fill(StoreCalls(store))
            before = store.search(AT, query="bag")
        with fresh() as store:
            stopping = Stopping(requests, backward=bool(requests % 2))
            done = not stops(store, lambda store: store.batch([ACTS[act]]), stopping)
        requests += 1
        with fresh() as store:
            found = store.search(AT, query="bag")
            changed = [one for one in found if one not in before and one.key in ("new", "bag")]
            assert found == before or changed or act == "deleted"
            clock.now += 2 * GRACE_SECONDS
            store.sweep_orphans(older_than=GRACE_SECONDS)
            assert store.search(AT, query="bag") == found
        counted = sum(int(one["vectors"]["N"]) for one in table.heads() if "vectors" in one)
        assert len(rows(table)) == counted


def test_a_vector_takes_the_room_that_its_page_says() -> None:
    numbers = random.Random(1)  # noqa: S311 - no secret
    vector = pack([numbers.gauss(0, 0.03) for _ in range(1024)])

    def kilobytes(form: Form) -> float:
        (put,) = vector_puts(ItemRef(AT, "k"), "0" * 16, [vector], 1, None, form)
        return round(item_size(put.item) / 1000, 1)

    said = f"{kilobytes('list')} KB for the index and {kilobytes('packed')} KB without it"
    page = (PAGES / "how-to" / "search-by-meaning.md").read_text(encoding="utf-8")
    assert said in " ".join(page.split())
