"""Single items: they are returned as they were put, and are not confused with others."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import GetOp, InvalidNamespaceError, Item, PutOp, SearchOp

from langgraph_checkpoint_dynamodb.testing.store_conformance.base import (
    NAMESPACE,
    StoreSuite,
    needs,
)
from langgraph_checkpoint_dynamodb.testing.store_conformance.calls import places, value_of

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.testing.store_conformance.calls import StoreCalls

_MAX_CLOCK_SKEW = timedelta(minutes=5)

_VALUES: dict[str, dict[str, Any]] = {
    "float": {"half": 0.5, "tenth": 0.1, "negative": -1.5e-7, "large": 1e300},
    "whole float": {"one": 1.0},
    "integer": {"zero": 0, "seven": 7, "negative": -3, "more than 64 bits": 2**70},
    "constants": {"yes": True, "no": False, "nothing": None},
    "text": {"empty": "", "umlaut": "é", "emoji": "\U0001f600", "lines": "a\n\tb", "quote": "'\""},
    "nested": {"list": [1, 2.5, [None, {"deep": [[]]}]], "object": {"a": {"b": {"c": 1}}}},
    "odd names": {"": 1, "a.b": 2, "$gt": 3, "with space": 4, "#n": 5, ":v": 6, "ttl": 7},
    "empty": {},
}
_PYTHON_VALUES: dict[str, dict[str, Any]] = {
    "time": {"at": datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone.utc)},
    "bytes": {"data": b"\x00\xff"},
    "set": {"some": {1, 2}},
    "id": {"uuid": uuid.UUID(int=5)},
    "infinite": {"float": float("inf")},
    "nul": {"text": "a\x00b"},
}

_NEIGHBOURS = (
    *((("a", "b"), "k"), (("a",), "b"), (("a", "b", "k"), "k"), (("ab",), "k"), (("a",), "k")),
    *((("a", "b"), "k2"), (("a", "b"), "k:1"), (("a", "b"), "K"), (("a", "b "), "k")),
    *(
        ((f"a{separator}b",), "k")
        for separator in (":", "::", ":::", "/", "#", "|", "~", "_", "-", "%", "*", "\\", " ")
    ),
    *((("a",), f"b{separator}k") for separator in (":", "::", "/", "#", "|", "~", ".")),
)
"""Pairs of namespace and key, all different, though many are equal once their parts are joined."""

_ODD_LABELS = ("é", "\U0001f600", "a b", "'", '"', "%", "_", "*", "?", "$", "&", "<>", "[0]", "-1")


def _types(value: object) -> Any:
    match value:
        case dict():
            return {name: _types(one) for name, one in value.items()}
        case list():
            return [_types(one) for one in value]
    return type(value)


class ItemTests(StoreSuite):
    """Tests of `get`, `put` and `delete`."""

    def test_an_item_comes_back_with_its_place_and_times(self, calls: StoreCalls) -> None:
        """With a time zone, and about now."""
        calls.put(("users", "1"), "prefs", {"theme": "dark"})
        found = calls.get(("users", "1"), "prefs")
        assert isinstance(found, Item)
        assert found.value == {"theme": "dark"}
        assert (tuple(found.namespace), found.key) == (("users", "1"), "prefs")
        assert found.created_at <= found.updated_at
        assert abs(datetime.now(timezone.utc) - found.updated_at) < _MAX_CLOCK_SKEW

    def test_what_is_not_there_is_none(self, calls: StoreCalls) -> None:
        """And deleting it is no error."""
        assert calls.get(NAMESPACE, "nobody") is None
        calls.delete(NAMESPACE, "nobody")
        assert calls.search(NAMESPACE) == []

    def test_a_second_put_replaces_all_of_the_value(self, calls: StoreCalls) -> None:
        """Nothing is merged, and the item is no older than it was."""
        calls.put(NAMESPACE, "k", {"title": "Old", "only here": 1})
        old = calls.get(NAMESPACE, "k")
        calls.put(NAMESPACE, "k", {"title": "New"})
        new = calls.get(NAMESPACE, "k")
        assert value_of(new) == {"title": "New"}
        assert old is not None
        assert new is not None
        assert new.updated_at >= old.updated_at

    def test_a_deleted_item_is_gone_and_can_come_back(self, calls: StoreCalls) -> None:
        """Its neighbour stays."""
        calls.put(NAMESPACE, "1", {"n": 1})
        calls.put(NAMESPACE, "2", {"n": 2})
        calls.delete(NAMESPACE, "1")
        assert calls.get(NAMESPACE, "1") is None
        assert places(calls.search(NAMESPACE)) == [(NAMESPACE, "2")]
        calls.put(NAMESPACE, "1", {"n": 3})
        assert value_of(calls.get(NAMESPACE, "1")) == {"n": 3}

    def test_no_two_places_are_the_same(self, calls: StoreCalls) -> None:
        """Whatever namespaces and keys are joined with."""
        for number, place in enumerate(_NEIGHBOURS):
            calls.put(*place, {"n": number})
        found = [value_of(calls.get(*place))["n"] for place in _NEIGHBOURS]
        assert found == list(range(len(_NEIGHBOURS)))

    def test_a_put_and_a_delete_leave_their_neighbours_alone(self, calls: StoreCalls) -> None:
        """One by one, each of the neighbours."""
        for number, place in enumerate(_NEIGHBOURS):
            calls.put(*place, {"n": number})
        for number, place in enumerate(_NEIGHBOURS):
            calls.delete(*place)
            left = [calls.get(*other) is not None for other in _NEIGHBOURS]
            assert left == [other > number for other in range(len(_NEIGHBOURS))]

    @pytest.mark.parametrize("value", _VALUES.values(), ids=_VALUES)
    def test_a_value_comes_back_as_what_it_was(
        self, calls: StoreCalls, value: dict[str, Any]
    ) -> None:
        """By `get` and by `search`: floats as floats, integers as integers, each of its type."""
        calls.put(NAMESPACE, "k", value)
        (searched,) = calls.search(NAMESPACE)
        for found in (calls.get(NAMESPACE, "k"), searched):
            assert value_of(found) == value
            assert _types(value_of(found)) == _types(value)

    @needs("python_values")
    @pytest.mark.parametrize("value", _PYTHON_VALUES.values(), ids=_PYTHON_VALUES)
    def test_a_value_of_python_comes_back_as_what_it_was(
        self, calls: StoreCalls, value: dict[str, Any]
    ) -> None:
        """What JSON has no word for."""
        calls.put(NAMESPACE, "k", value)
        assert value_of(calls.get(NAMESPACE, "k")) == value
        assert _types(value_of(calls.get(NAMESPACE, "k"))) == _types(value)

    @needs("large_values")
    @pytest.mark.parametrize("kilobytes", [390, 410, 1100])
    def test_a_large_value_comes_back_whole(self, calls: StoreCalls, kilobytes: int) -> None:
        """Also where a small one follows it, and it the small one."""
        value = {"text": "é" + "x" * (kilobytes * 1000)}
        for stored in ({"text": "small"}, value, {"text": "small"}, value):
            calls.put(NAMESPACE, "k", stored)
            assert value_of(calls.get(NAMESPACE, "k")) == stored
        (found,) = calls.search(NAMESPACE)
        assert found.value == value
        calls.delete(NAMESPACE, "k")
        assert calls.search(NAMESPACE) == []

    @pytest.mark.parametrize("label", _ODD_LABELS)
    def test_a_name_may_be_of_any_characters(self, calls: StoreCalls, label: str) -> None:
        """As a label and as a key; none is a pattern."""
        calls.put(("plain", "x"), "x", {"n": 0})
        namespaces: list[tuple[str, ...]] = [(label,), ("plain", label), (label, "below")]
        for number, namespace in enumerate(namespaces):
            calls.put(namespace, label, {"n": number})
        for number, namespace in enumerate(namespaces):
            assert value_of(calls.get(namespace, label)) == {"n": number}
        assert places(calls.search(("plain", label))) == [(("plain", label), label)]
        assert sorted(calls.list_namespaces()) == sorted([("plain", "x"), *namespaces])

    def test_a_key_may_be_long(self, calls: StoreCalls) -> None:
        """Two that differ at their ends are two."""
        for end in ("a", "b"):
            calls.put(NAMESPACE, "k" * 500 + end, {"end": end})
        assert value_of(calls.get(NAMESPACE, "k" * 500 + "b")) == {"end": "b"}
        assert len(calls.search(NAMESPACE)) == 2

    @pytest.mark.parametrize("namespace", [(), ("",), ("a", ""), ("a.b",), ("langgraph",), (1,)])
    def test_a_namespace_that_cannot_be_is_refused(self, calls: StoreCalls, namespace: Any) -> None:
        """By `put`, as LangGraph says."""
        with pytest.raises(InvalidNamespaceError):
            calls.put(namespace, "k", {"n": 1})

    @pytest.mark.parametrize(
        "namespace", [("a.b",), ("a", ""), ("", "a"), ("a\x00b",), ("a", "b\x00k"), ("a\x1fb",)]
    )
    def test_a_raw_operation_is_refused_or_kept_apart(
        self, calls: StoreCalls, namespace: tuple[str, ...]
    ) -> None:
        """`batch` gets namespaces that `put` has not looked at. None may be taken for another."""
        others = [(("a", "b"), "k"), (("a",), "b"), (("a", "b", "k"), "k"), (("a",), "k")]
        calls.batch([PutOp(*place, {"of": list(place[0])}) for place in others])
        refused = False
        try:
            calls.batch([PutOp(namespace, "k", {"of": list(namespace)})])
        except Exception:
            refused = True
        for place in others:
            assert value_of(calls.get(*place)) == {"of": list(place[0])}
        if refused:
            assert places(calls.search(("a",))) == sorted(others)
            return
        (found, searched) = calls.batch([GetOp(namespace, "k"), SearchOp(namespace)])
        assert value_of(found) == {"of": list(namespace)}
        assert isinstance(searched, list)
        assert len(searched) == 1
