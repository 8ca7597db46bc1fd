"""Runs the conformance suite for stores against a contender, in this process."""

from __future__ import annotations

import os
import sys
from collections import Counter
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from benchmarks.stores import StoreFace

_SUITE = Path(__file__).with_name("suite_of_stores.py")


@dataclass
class Verdict:
    """What came out.

    Attributes:
        passed: How many tests passed.
        failing: How many cases of each test failed, by its name.
        cases: How many cases of each test there were.
    """

    passed: int = 0
    failing: Counter[str] = field(default_factory=Counter)
    cases: Counter[str] = field(default_factory=Counter)

    @property
    def failed(self) -> int:
        """How many tests failed."""
        return self.failing.total()

    def names(self) -> list[str]:
        """The tests that failed, in words."""
        return [
            f"{name.removeprefix('test_').replace('_', ' ')} ({failed} of {self.cases[name]})"
            for name, failed in self.failing.items()
        ]


class _Contender:
    """Hands a store to each test, and notes what becomes of it."""

    def __init__(self, face: StoreFace) -> None:
        self.verdict = Verdict()
        self._face = face
        self._numbers = count()

    @pytest.fixture
    def fresh_store(self) -> Iterator[Any]:
        """A store on a table of its own."""
        with self._face.fresh(f"conformance-{next(self._numbers)}") as store:
            yield store

    @pytest.fixture
    def face(self) -> StoreFace:
        """The contender."""
        return self._face

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Declare what the store says: whether items expire."""
        for item in items:
            if isinstance(item, pytest.Function) and item.cls is not None:
                item.cls.ttl = self._face.saver.supports_ttl

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Count a test once: as failed where any part of it has failed."""
        report = yield
        name = item.nodeid.rpartition("::")[2].partition("[")[0]
        if report.when == "call" and not report.skipped:
            self.verdict.cases[name] += 1
            self.verdict.passed += report.passed
        if report.failed:
            self.verdict.cases[name] += report.when == "setup"
            self.verdict.failing[name] += 1
        return report


def run_suite(face: StoreFace) -> Verdict:
    """Run all tests of what the store says it can."""
    contender = _Contender(face)
    # Nothing of this project's settings: the warnings of other packages are no failures here.
    arguments = ["-q", "--tb=line", "-c", os.devnull, "--rootdir", str(_SUITE.parent), str(_SUITE)]
    with redirect_stdout(sys.stderr):
        code = pytest.main(["-p", "no:cacheprovider", *arguments], plugins=[contender])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"the suite did not run: {code!r}")
    return contender.verdict
