"""Searches: prefixes, filters, limits and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import PutOp, SearchItem

from langgraph_checkpoint_dynamodb.testing.store_conformance.base import NAMESPACE, StoreSuite
from langgraph_checkpoint_dynamodb.testing.store_conformance.calls import places

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.testing.store_conformance.calls import StoreCalls


_SCORED: dict[str, dict[str, Any]] = {
    "a": {"score": 30, "color": "red", "tags": ["x", "y"], "meta": {"lang": "en", "pages": 3}},
    "b": {"score": 45, "color": "blue", "tags": ["x"], "meta": {"lang": "en", "pages": 9}},
    "c": {"score": 50, "color": "red", "tags": [], "meta": {"lang": "de", "pages": 1}},
}


class SearchTests(StoreSuite):
    """Tests of `search`."""

    def test_a_search_finds_all_below_a_prefix(self, calls: StoreCalls) -> None:
        """However deep, each with its own namespace, as `SearchItem` without a score."""
        namespaces = [("a",), ("a", "b"), ("a", "b", "c"), ("a", "b", "c", "d"), ("b", "a")]
        for namespace in namespaces:
            calls.put(namespace, "k", {"depth": len(namespace)})
        found = calls.search(("a", "b"))
        assert places(found) == [(namespace, "k") for namespace in namespaces[1:4]]
        assert {type(one) for one in found} == {SearchItem}
        assert {one.score for one in found} == {None}
        assert {one.value["depth"] for one in found} == {2, 3, 4}
        assert len(calls.search(("a",))) == 4
        assert calls.search(("a", "b", "c", "d", "e")) == []

    def test_a_prefix_ends_at_the_end_of_a_label(self, calls: StoreCalls) -> None:
        """The beginning of a label is no prefix, nor is a pattern."""
        for namespace in (("users", "1"), ("users", "10"), ("users1",), ("users", "1", "x")):
            calls.put(namespace, "k", {})
        assert len(calls.search(("users", "1"))) == 2
        assert len(calls.search(("users",))) == 3
        for pattern in (("user",), ("users", "%"), ("users", "*"), ("user_",), ("users", "_")):
            assert calls.search(pattern) == []

    def test_the_empty_prefix_finds_everything(self, calls: StoreCalls) -> None:
        """Across all roots."""
        for namespace in (("a",), ("b", "c"), ("d", "e", "f")):
            calls.put(namespace, "k", {})
        assert places(calls.search(())) == [
            (("a",), "k"),
            (("b", "c"), "k"),
            (("d", "e", "f"), "k"),
        ]

    def test_pages_fit_together(self, calls: StoreCalls) -> None:
        """With `limit` and `offset` nothing is left out and nothing comes twice; 10 by default."""
        calls.batch([PutOp(NAMESPACE, f"{n:02}", {"n": n, "odd": n % 2}) for n in range(30)])
        assert len(calls.search(NAMESPACE)) == 10
        for asked, expected in (({}, range(30)), ({"filter": {"odd": 1}}, range(1, 30, 2))):
            pages = [calls.search(NAMESPACE, limit=7, offset=at, **asked) for at in range(0, 35, 7)]
            assert all(len(page) <= 7 for page in pages)
            assert sorted(one.value["n"] for page in pages for one in page) == list(expected)
        assert len(calls.search(NAMESPACE, limit=100)) == 30
        assert calls.search(NAMESPACE, limit=0) == []

    def test_filters_are_applied_before_limits(self, calls: StoreCalls) -> None:
        """The one that passes is found, however many there are that do not."""
        kinds = {f"{n:03}": "rare" if n == 119 else "common" for n in range(120)}
        calls.batch([PutOp(NAMESPACE, key, {"kind": kind}) for key, kind in kinds.items()])
        for limit in (1, 10):
            found = calls.search(NAMESPACE, filter={"kind": "rare"}, limit=limit)
            assert [one.key for one in found] == ["119"]
        assert calls.search(NAMESPACE, filter={"kind": "common"}, limit=3, offset=118) != []
        assert calls.search(NAMESPACE, filter={"kind": "common"}, limit=3, offset=119) == []

    def test_a_search_reads_on_past_the_first_page(self, calls: StoreCalls) -> None:
        """A page of DynamoDB holds 1 MB; here are 2.4."""
        calls.batch([PutOp(NAMESPACE, f"{n:03}", {"n": n, "x": "x" * 20_000}) for n in range(120)])
        found = calls.search(NAMESPACE, limit=500)
        assert sorted(one.value["n"] for one in found) == list(range(120))
        assert [one.value["n"] for one in calls.search(NAMESPACE, filter={"n": 119}, limit=1)] == [
            119
        ]

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            ({"score": 45}, "b"),
            ({"color": "red"}, "ac"),
            ({"score": {"$eq": 30}}, "a"),
            ({"score": {"$ne": 45}}, "ac"),
            ({"score": {"$gt": 30}}, "bc"),
            ({"score": {"$gte": 30}}, "abc"),
            ({"score": {"$lt": 45}}, "a"),
            ({"score": {"$lte": 45}}, "ab"),
            ({"score": {"$gt": 30, "$lt": 50}}, "b"),
            ({"color": "red", "score": {"$gte": 40}}, "c"),
            ({"color": {"$ne": "red"}}, "b"),
            ({"tags": ["x", "y"]}, "a"),
            ({"tags": []}, "c"),
            ({"meta": {"lang": "en"}}, "ab"),
            ({"meta": {"lang": "en", "pages": {"$gt": 5}}}, "b"),
            ({"score": {"$gt": 44.5}}, "bc"),
            ({"missing": "anything"}, ""),
            ({}, "abc"),
        ],
        ids=str,
    )
    def test_a_filter_lets_pass_what_it_says(
        self, calls: StoreCalls, condition: dict[str, Any], expected: str
    ) -> None:
        """Equality, the six operators, and fields within fields."""
        calls.batch([PutOp(NAMESPACE, key, value) for key, value in _SCORED.items()])
        found = calls.search(NAMESPACE, filter=condition)
        assert sorted(one.key for one in found) == list(expected)

    def test_a_filter_holds_below_the_prefix_alone(self, calls: StoreCalls) -> None:
        """Not for what is beside it."""
        for namespace in (("a", "x"), ("a", "y"), ("b", "x")):
            calls.put(namespace, "k", {"n": 1})
        assert places(calls.search(("a",), filter={"n": 1})) == [
            (("a", "x"), "k"),
            (("a", "y"), "k"),
        ]

    def test_a_query_without_an_index_is_a_search_without_it(self, calls: StoreCalls) -> None:
        """The store under test has none."""
        calls.put(NAMESPACE, "1", {"text": "about cats"}, index=["text"])
        calls.put(NAMESPACE, "2", {"text": "about dogs"}, index=False)
        found = calls.search(NAMESPACE, query="cats")
        assert places(found) == [(NAMESPACE, "1"), (NAMESPACE, "2")]
        assert [one.score for one in found] == [None, None]
