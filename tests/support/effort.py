"""How much of the suite runs: a quick sample, or everything.

`make test` runs `n` evenly spread cases of a test marked `sample(n)`, and gives Hypothesis fewer
examples. `make test-all` runs every case of every test: it sets `TEST_ALL`.
"""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pytest

T = TypeVar("T")


def everything() -> bool:
    """Whether to run the whole suite."""
    return bool(os.environ.get("TEST_ALL"))


def amount(of_all: int, sample: int) -> int:
    """The number of examples, rounds and so on."""
    return of_all if everything() else sample


def left_out(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """The cases to leave out of a sample, independent of the collection order."""
    cases: defaultdict[tuple[str, int], list[pytest.Item]] = defaultdict(list)
    for item in items:
        mark = item.get_closest_marker("sample")
        if mark is not None:
            cases[item.nodeid.partition("[")[0], mark.args[0]].append(item)
    found = []
    for (_, count), of_test in cases.items():
        ordered = sorted(of_test, key=lambda item: item.nodeid)
        kept = set(map(id, spread(ordered, count)))
        found += [item for item in of_test if id(item) not in kept]
    return found


def spread(values: Sequence[T], count: int) -> list[T]:
    """Pick `count` values, as far from one another and from both ends as possible."""
    if count >= len(values):
        return list(values)
    return [values[(2 * position + 1) * len(values) // (2 * count)] for position in range(count)]
