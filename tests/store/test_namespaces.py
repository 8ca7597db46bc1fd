"""Namespaces: what is below them, and how they are listed, as LangGraph's own tests check it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import ListNamespacesOp, MatchCondition, PutOp, SearchItem

if TYPE_CHECKING:
    from tests.store.faces import StoreCalls

TREE: list[tuple[str, ...]] = [
    ("a", "b", "c"),
    ("a", "b", "d", "e"),
    ("a", "b", "d", "i"),
    ("a", "b", "f"),
    ("a", "c", "f"),
    ("b", "a", "f"),
    ("users", "123"),
    ("users", "456", "settings"),
    ("admin", "users", "789"),
]


@pytest.fixture
def tree(calls: StoreCalls) -> StoreCalls:
    calls.batch([PutOp(namespace, f"id-{i}", {"n": i}) for i, namespace in enumerate(TREE)])
    return calls


def test_a_search_finds_all_below_a_prefix_and_nothing_else(tree: StoreCalls) -> None:
    found = tree.search(("a", "b"), limit=20)
    assert [one.namespace for one in found] == [one for one in TREE if one[:2] == ("a", "b")]
    assert all(type(one) is SearchItem and one.score is None for one in found)
    assert [one.namespace for one in tree.search(("a", "b", "d", "i"))] == [("a", "b", "d", "i")]
    assert tree.search(("a", "b", "d", "i", "x")) == []
    assert len(tree.search(("users",))) == 2


def test_a_search_of_no_prefix_finds_everything(tree: StoreCalls) -> None:
    assert [one.namespace for one in tree.search((), limit=20)] == sorted(TREE)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, sorted(TREE)),
        ({"prefix": ("a", "b")}, [one for one in sorted(TREE) if one[:2] == ("a", "b")]),
        ({"suffix": ("f",)}, [("a", "b", "f"), ("a", "c", "f"), ("b", "a", "f")]),
        ({"prefix": ("a",), "suffix": ("f",)}, [("a", "b", "f"), ("a", "c", "f")]),
        ({"prefix": ("a", "*", "f")}, [("a", "b", "f"), ("a", "c", "f")]),
        ({"prefix": ("*", "users")}, [("admin", "users", "789")]),
        ({"suffix": ("*", "settings")}, [("users", "456", "settings")]),
        ({"suffix": ("users", "*")}, [("admin", "users", "789"), ("users", "123")]),
        ({"max_depth": 1}, [("a",), ("admin",), ("b",), ("users",)]),
        ({"max_depth": 2, "prefix": ("a",)}, [("a", "b"), ("a", "c")]),
        ({"max_depth": 0}, [()]),
        ({"max_depth": 2, "suffix": ("f",)}, [("a", "b"), ("a", "c"), ("b", "a")]),
        ({"limit": 2, "offset": 3}, sorted(TREE)[3:5]),
        ({"limit": 2, "offset": 2, "max_depth": 1}, [("b",), ("users",)]),
        ({"limit": 0}, []),
        ({"prefix": ("nobody",)}, []),
        ({"prefix": ("users", "12")}, []),
    ],
)
def test_namespaces_are_listed(
    tree: StoreCalls, asked: dict[str, Any], expected: list[tuple[str, ...]]
) -> None:
    assert tree.list_namespaces(**asked) == expected


def test_a_namespace_without_items_is_not_listed(tree: StoreCalls) -> None:
    tree.delete(("users", "123"), "id-6")
    assert ("users", "123") not in tree.list_namespaces()
    assert tree.list_namespaces(prefix=("users",), max_depth=1) == [("users",)]
    tree.delete(("users", "456", "settings"), "id-7")
    assert tree.list_namespaces(prefix=("users",), max_depth=1) == []
    tree.put(("users", "123"), "back", {})
    assert tree.list_namespaces(prefix=("users",)) == [("users", "123")]


def test_several_conditions_must_all_match(tree: StoreCalls) -> None:
    conditions = (
        MatchCondition("prefix", ("a",)),
        MatchCondition("prefix", ("*", "b")),
        MatchCondition("suffix", ("d", "*")),
    )
    (found,) = tree.batch([ListNamespacesOp(match_conditions=conditions)])
    assert found == [("a", "b", "d", "e"), ("a", "b", "d", "i")]
