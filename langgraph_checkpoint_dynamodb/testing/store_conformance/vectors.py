"""Semantic search, with an embedding whose results are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import PutOp

from langgraph_checkpoint_dynamodb.testing.store_conformance.base import (
    NAMESPACE,
    StoreSuite,
    needs,
)
from langgraph_checkpoint_dynamodb.testing.store_conformance.embedding import similarity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langgraph.store.base import SearchItem

    from langgraph_checkpoint_dynamodb.testing.store_conformance.calls import StoreCalls

_TEXTS = {
    "apples": "aaaa pp ll eee s",
    "bananas": "bbb aaaaaa nnn",
    "cherries": "c h eee rrr ii s",
    "dates": "d aa tttt eee",
    "figs": "f iiiii ggg s",
    "kiwis": "kkk iiii www s",
    "plums": "ppp ll u mmmm",
}
_QUERIES = ("banana", "fig", "cherry pie", "a plum", "zzz")


def _expected(query: str, texts: dict[str, str]) -> list[str]:
    """The keys, most similar first. Not for queries that match two texts equally."""
    return sorted(texts, key=lambda key: similarity(query, texts[key]), reverse=True)


def _scores(found: Iterable[SearchItem]) -> dict[str, Any]:
    return {one.key: one.score for one in found}


def _fill(calls: StoreCalls, namespace: tuple[str, ...] = NAMESPACE) -> None:
    kinds = {key: "early" if key < "d" else "late" for key in _TEXTS}
    calls.batch(
        [PutOp(namespace, key, {"text": text, "kind": kinds[key]}) for key, text in _TEXTS.items()]
    )


class VectorTests(StoreSuite):
    """Tests of `search` with `query`, and of `put` with `index`."""

    @needs("vectors")
    @pytest.mark.parametrize("query", _QUERIES)
    def test_the_most_alike_come_first_with_their_scores(
        self, vector_calls: StoreCalls, query: str
    ) -> None:
        """The cosines of the embeddings, falling."""
        _fill(vector_calls)
        found = vector_calls.search(NAMESPACE, query=query)
        expected = {key: similarity(query, text) for key, text in _TEXTS.items()}
        assert _scores(found) == pytest.approx(expected, abs=1e-5)
        falling = [one.score for one in found]
        assert falling == sorted(falling, key=lambda score: score or 0.0, reverse=True)
        assert all(type(score) is float for score in falling)

    @needs("vectors")
    def test_limits_offsets_filters_and_prefixes_hold_for_what_is_alike(
        self, vector_calls: StoreCalls
    ) -> None:
        """A filter and a prefix take out first, a limit and an offset count after that."""
        _fill(vector_calls)
        _fill(vector_calls, ("other",))
        ranked = _expected("banana", _TEXTS)
        found = vector_calls.search(NAMESPACE, query="banana", limit=2)
        assert [one.key for one in found] == ranked[:2]
        assert {tuple(one.namespace) for one in found} == {NAMESPACE}
        found = vector_calls.search(NAMESPACE, query="banana", limit=2, offset=2)
        assert [one.key for one in found] == ranked[2:4]
        late = {key: text for key, text in _TEXTS.items() if key >= "d"}
        found = vector_calls.search(NAMESPACE, query="banana", filter={"kind": "late"}, limit=2)
        assert [one.key for one in found] == _expected("banana", late)[:2]
        assert len(vector_calls.search((), query="banana", limit=50)) == 2 * len(_TEXTS)

    @needs("vectors")
    def test_what_was_not_embedded_comes_last_and_without_a_score(
        self, vector_calls: StoreCalls
    ) -> None:
        """By `index=False`, and where the field is not there."""
        _fill(vector_calls)
        vector_calls.put(NAMESPACE, "not to be", {"text": "banana"}, index=False)
        vector_calls.put(NAMESPACE, "no text", {"title": "banana"})
        found = vector_calls.search(NAMESPACE, query="banana", limit=50)
        assert [one.key for one in found][: len(_TEXTS)] == _expected("banana", _TEXTS)
        assert {one.key: one.score for one in found[len(_TEXTS) :]} == {
            "not to be": None,
            "no text": None,
        }
        assert len(vector_calls.search(NAMESPACE, query="banana", limit=3)) == 3

    @needs("vectors")
    def test_a_put_says_which_fields_are_embedded(self, vector_calls: StoreCalls) -> None:
        """Within others, and each of a list; the best of them counts, and the item comes once."""
        value = {"text": "zzz", "meta": {"title": "banana"}, "tags": ["fff", "banana", "kkk"]}
        vector_calls.put(NAMESPACE, "by text", value)
        vector_calls.put(NAMESPACE, "by title", value, index=["meta.title"])
        vector_calls.put(NAMESPACE, "by tags", value, index=["tags[*]"])
        vector_calls.put(NAMESPACE, "by both", value, index=["text", "meta.title"])
        found = vector_calls.search(NAMESPACE, query="banana")
        assert len(found) == 4
        assert _scores(found) == pytest.approx(
            {"by text": 0.0, "by title": 1.0, "by tags": 1.0, "by both": 1.0}, abs=1e-5
        )

    @needs("vectors")
    def test_another_value_is_embedded_anew_and_a_deleted_one_is_not_found(
        self, vector_calls: StoreCalls
    ) -> None:
        """In the same item."""
        _fill(vector_calls)
        vector_calls.put(NAMESPACE, "figs", {"text": "banana"})
        vector_calls.delete(NAMESPACE, "bananas")
        changed = {**_TEXTS, "figs": "banana"}
        del changed["bananas"]
        found = vector_calls.search(NAMESPACE, query="banana")
        assert [one.key for one in found] == _expected("banana", changed)
        assert found[0].score == pytest.approx(1.0, abs=1e-5)

    @needs("vectors")
    @pytest.mark.parametrize("query", [None, ""])
    def test_without_a_query_nothing_is_scored(
        self, vector_calls: StoreCalls, query: str | None
    ) -> None:
        """A search as ever."""
        _fill(vector_calls)
        found = vector_calls.search(NAMESPACE, query=query)
        assert _scores(found) == dict.fromkeys(_TEXTS)
