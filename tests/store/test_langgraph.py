"""What LangGraph's own tests of its stores check, of both families of methods."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import (
    GetOp,
    Item,
    ListNamespacesOp,
    PutOp,
    SearchOp,
)

if TYPE_CHECKING:
    from tests.store.faces import Store, StoreCalls


def test_a_second_put_replaces_the_value_and_is_younger(calls: StoreCalls) -> None:
    calls.put(("docs",), "1", {"title": "Old", "only here": 1})
    old = calls.get(("docs",), "1")
    calls.put(("docs",), "1", {"title": "New"})
    new = calls.get(("docs",), "1")
    assert old is not None
    assert new is not None
    assert new.value == {"title": "New"}
    assert new.updated_at > old.updated_at
    assert new.created_at > old.created_at


def test_neighbours_do_not_touch_each_other(calls: StoreCalls) -> None:
    # The stores this one replaces take the first two for one, and delete the third with them.
    places = [
        (("a:b",), "k"),
        (("a", "b"), "k"),
        (("a",), "b"),
        (("a", "b:k"), ""),
        (("a/b",), "k"),
    ]
    for number, (namespace, key) in enumerate(places):
        calls.put(namespace, key, {"n": number})
    for number, (namespace, key) in enumerate(places):
        found = calls.get(namespace, key)
        assert found is not None
        assert found.value == {"n": number}
    calls.delete(*places[0])
    calls.put(*places[1], {"n": -1})
    assert [calls.get(*place) is None for place in places] == [True, False, False, False, False]


@pytest.mark.parametrize(
    "value",
    [
        {"float": 1.5, "int": 7, "large": 2**100, "negative": -(2**70)},
        {"none": None, "yes": True, "text": "é\u0000\U0001f600", "half": "\ud83d"},
        {"deep": [{"a": [1, [2, {"b": 2**80}]]}], "empty": {}, "list": []},
        {"when": datetime(2026, 1, 2, tzinfo=timezone.utc), "id": uuid.UUID(int=5), "b": b"\x00"},
        {"set": {1, 2}, "": "no name", "inf": float("inf")},
        {},
    ],
)
def test_values_come_back_as_what_they_were(calls: StoreCalls, value: dict[str, Any]) -> None:
    calls.put(("values",), "k", value)
    found = calls.get(("values",), "k")
    assert found is not None
    assert found.value == value
    assert [type(one) for one in found.value.values()] == [type(one) for one in value.values()]


def test_a_caller_that_changes_what_it_has_put_or_got_changes_nothing(calls: StoreCalls) -> None:
    value = {"list": [1]}
    calls.put(("values",), "k", value)
    value["list"].append(2)
    found = calls.get(("values",), "k")
    assert found is not None
    found.value["list"].append(3)
    again = calls.get(("values",), "k")
    assert again is not None
    assert again.value == {"list": [1]}


def test_a_prefix_ends_at_the_end_of_a_label(calls: StoreCalls) -> None:
    for namespace in (("a", "b"), ("a", "bc"), ("ab",), ("a", "b\x01"), ("a", "b", "c")):
        calls.put(namespace, "k", {})
    assert [one.namespace for one in calls.search(("a", "b"))] == [("a", "b"), ("a", "b", "c")]
    assert [one.namespace for one in calls.search(("a",))] == [
        ("a", "b"),
        ("a", "b", "c"),
        ("a", "b\x01"),
        ("a", "bc"),
    ]


def test_a_search_pages_through_with_limit_and_offset(calls: StoreCalls) -> None:
    calls.batch([PutOp(("docs",), f"{i:02}", {"n": i, "odd": i % 2}) for i in range(30)])
    assert len(calls.search(("docs",))) == 10
    pages = [calls.search(("docs",), limit=7, offset=offset) for offset in range(0, 35, 7)]
    assert [one.value["n"] for page in pages for one in page] == list(range(30))
    odd = [calls.search(("docs",), filter={"odd": 1}, limit=4, offset=o) for o in range(0, 20, 4)]
    assert [one.value["n"] for page in odd for one in page] == list(range(1, 30, 2))
    assert calls.search(("docs",), limit=0) == []


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"score": 4.5}, ["b"]),
        ({"score": {"$eq": 4.5}}, ["b"]),
        ({"score": {"$ne": 4.5}}, ["a", "c", "d"]),
        ({"score": {"$gt": 3.0}}, ["b", "c"]),
        ({"score": {"$gte": 3.0}}, ["a", "b", "c"]),
        ({"score": {"$lt": 4.5}}, ["a"]),
        ({"score": {"$lte": 4.5}}, ["a", "b"]),
        ({"score": {"$gt": 3, "$lt": 5}}, ["b"]),
        ({"color": "red", "score": {"$gte": 4}}, ["c"]),
        ({"tags": ["x", "y"]}, ["a"]),
        ({"meta": {"lang": "en"}}, ["a", "b"]),
        ({"meta": {"lang": "en", "pages": {"$gt": 5}}}, ["b"]),
        ({"missing": None}, ["a", "b", "c", "d"]),
        ({}, ["a", "b", "c", "d"]),
    ],
)
def test_a_search_filters(
    calls: StoreCalls, condition: dict[str, Any], expected: list[str]
) -> None:
    values: dict[str, dict[str, Any]] = {
        "a": {"score": 3.0, "color": "red", "tags": ["x", "y"], "meta": {"lang": "en", "pages": 3}},
        "b": {"score": 4.5, "color": "blue", "tags": ["x"], "meta": {"lang": "en", "pages": 9}},
        "c": {"score": 5, "color": "red", "meta": {"lang": "de"}},
        "d": {"color": "red"},
    }
    calls.batch([PutOp(("docs",), key, value) for key, value in values.items()])
    assert [one.key for one in calls.search(("docs",), filter=condition)] == expected


def test_a_batch_reads_before_it_stores_and_the_last_put_counts(calls: StoreCalls) -> None:
    calls.put(("docs",), "1", {"n": 1})
    results = calls.batch(
        [
            PutOp(("docs",), "1", {"n": 2}),
            PutOp(("docs",), "2", {"n": 3}),
            GetOp(("docs",), "1"),
            SearchOp(("docs",)),
            ListNamespacesOp(),
            PutOp(("docs",), "2", None),
            PutOp(("more",), "x", {"n": 4}),
            PutOp(("docs",), "3", {"n": 5}),
            PutOp(("docs",), "3", {"n": 6}),
            GetOp(("docs",), "2"),
            GetOp(("docs",), "1"),
        ]
    )
    get, search, listed = results[2], results[3], results[4]
    assert isinstance(get, Item)
    assert get.value == {"n": 1}
    assert isinstance(search, list)
    assert len(search) == 1
    assert listed == [("docs",)]
    assert results[9] is None
    assert results[10] == get
    assert [results[at] for at in (0, 1, 5, 6, 7, 8)] == [None] * 6
    values = {one.key: one.value for one in calls.search(())}
    assert values == {"1": {"n": 2}, "3": {"n": 6}, "x": {"n": 4}}


def test_a_graph_remembers_across_threads(store: Store) -> None:
    from langgraph.graph import START, MessagesState, StateGraph
    from langgraph.store.base import BaseStore

    def greet(state: MessagesState, *, store: BaseStore) -> dict[str, Any]:
        known = store.get(("users", "ann"), "name")
        text = str(state["messages"][-1].content)
        store.put(("users", "ann"), "name", {"name": text})
        return {"messages": [("ai", "Who?" if known is None else known.value["name"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("greet", greet)
    builder.add_edge(START, "greet")
    graph = builder.compile(store=store)
    said: list[Any] = [{"messages": [("user", text)]} for text in ("Ann", "again")]
    first, second = map(graph.invoke, said)
    assert first["messages"][-1].content == "Who?"
    assert second["messages"][-1].content == "Ann"
