"""The cases that `make test` leaves to `make test-all`."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.effort import left_out, spread

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Item:
    """A test case, with the attributes that are used here."""

    nodeid: str
    count: int | None = None

    def get_closest_marker(self, name: str) -> Any:
        assert name == "sample"
        return None if self.count is None else pytest.mark.sample(self.count).mark


def left(items: Sequence[Item]) -> list[str]:
    return sorted(item.nodeid for item in left_out(cast("Sequence[pytest.Item]", items)))


@pytest.mark.parametrize("count", range(12))
def test_a_sample_is_spread_over_the_cases(count: int) -> None:
    chosen = spread("abcdefghij", count)
    assert len(set(chosen)) == min(count, 10)
    assert chosen == sorted(chosen)
    if count == 3:
        assert chosen == ["b", "f", "i"]


def test_tests_that_are_not_marked_run_whole() -> None:
    assert left([Item("a"), Item("b[1]"), Item("b[2]")]) == []


def test_each_test_has_a_sample_of_its_own() -> None:
    items = [Item(f"{test}[{case}]", 1) for test in ("a.py::x", "b.py::x") for case in "123"]
    assert left(items) == [f"{test}[{case}]" for test in ("a.py::x", "b.py::x") for case in "13"]


def test_a_test_without_a_sample_does_not_run() -> None:
    assert left([Item("a", 0), Item("b[1]", 0), Item("b[2]", 0)]) == ["a", "b[1]", "b[2]"]


def test_the_order_in_which_cases_are_found_changes_nothing() -> None:
    items = [Item(f"a[{case}]", 3) for case in range(20)]
    expected = left(items)
    for seed in range(5):
        random.Random(seed).shuffle(items)  # noqa: S311 - an order, not a secret
        assert left(items) == expected
