"""Lists of namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import ListNamespacesOp, MatchCondition, PutOp

from langgraph_checkpoint_dynamodb.testing.store_conformance.base import StoreSuite

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.testing.store_conformance.calls import StoreCalls

Namespaces = list[tuple[str, ...]]

_TREE: Namespaces = [
    ("a", "b", "c"),
    ("a", "b", "d", "e"),
    ("a", "b", "d", "i"),
    ("a", "b", "f"),
    ("a", "c", "f"),
    ("admin", "users", "789"),
    ("b", "a", "f"),
    ("users", "123"),
    ("users", "456", "settings"),
]

_ASKED: list[tuple[dict[str, Any], Namespaces]] = [
    ({}, _TREE),
    ({"prefix": ("a", "b")}, _TREE[:4]),
    ({"suffix": ("f",)}, [("a", "b", "f"), ("a", "c", "f"), ("b", "a", "f")]),
    ({"prefix": ("a",), "suffix": ("f",)}, [("a", "b", "f"), ("a", "c", "f")]),
    ({"prefix": ("a", "*", "f")}, [("a", "b", "f"), ("a", "c", "f")]),
    ({"prefix": ("*", "users")}, [("admin", "users", "789")]),
    ({"suffix": ("*", "settings")}, [("users", "456", "settings")]),
    ({"suffix": ("users", "*")}, [("admin", "users", "789"), ("users", "123")]),
    ({"max_depth": 1}, [("a",), ("admin",), ("b",), ("users",)]),
    ({"max_depth": 2, "prefix": ("a",)}, [("a", "b"), ("a", "c")]),
    ({"max_depth": 2, "suffix": ("f",)}, [("a", "b"), ("a", "c"), ("b", "a")]),
    ({"max_depth": 9}, _TREE),
    ({"limit": 2, "offset": 3}, _TREE[3:5]),
    ({"limit": 2, "offset": 2, "max_depth": 1}, [("b",), ("users",)]),
    ({"offset": 100}, []),
    ({"prefix": ("nobody",)}, []),
    ({"prefix": ("users", "12")}, []),
    ({"suffix": ("ettings",)}, []),
]


class NamespaceTests(StoreSuite):
    """Tests of `list_namespaces`."""

    @pytest.mark.parametrize(("asked", "expected"), _ASKED, ids=[str(one) for one, _ in _ASKED])
    def test_namespaces_are_listed_in_order(
        self, calls: StoreCalls, asked: dict[str, Any], expected: Namespaces
    ) -> None:
        """Each once, with prefixes, suffixes, wildcards, depth, limit and offset."""
        calls.batch([PutOp(namespace, f"{n}", {}) for n, namespace in enumerate(_TREE)])
        calls.put(_TREE[0], "another", {})
        found = [tuple(namespace) for namespace in calls.list_namespaces(**asked)]
        assert found == expected

    def test_several_conditions_must_all_match(self, calls: StoreCalls) -> None:
        """Two prefixes and a suffix at once."""
        calls.batch([PutOp(namespace, "k", {}) for namespace in _TREE])
        conditions = (
            MatchCondition("prefix", ("a",)),
            MatchCondition("prefix", ("*", "b")),
            MatchCondition("suffix", ("d", "*")),
        )
        (found,) = calls.batch([ListNamespacesOp(match_conditions=conditions)])
        assert found == [("a", "b", "d", "e"), ("a", "b", "d", "i")]

    def test_a_hundred_are_listed_and_the_rest_with_an_offset(self, calls: StoreCalls) -> None:
        """A hundred by default."""
        every = [("root", f"{n:03}") for n in range(130)]
        calls.batch([PutOp(namespace, "k", {}) for namespace in every])
        assert calls.list_namespaces() == every[:100]
        assert calls.list_namespaces(offset=100) == every[100:]
        assert calls.list_namespaces(limit=500) == every
        assert calls.list_namespaces(max_depth=1) == [("root",)]
