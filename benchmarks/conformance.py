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

    from benchmarks.calls import StoreCalls

_SUITE = Path(__file__).with_name("store_suite.py")


@dataclass
class Verdict:
    """The results of the suite.

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


class _StorePlugin:
    """A pytest plugin: provides a store to each test, and counts the results."""

    def __init__(self, calls: StoreCalls) -> None:
        self.verdict = Verdict()
        self._calls = calls
        self._numbers = count()

    @pytest.fixture
    def fresh_store(self) -> Iterator[Any]:
        """A store on a new table."""
        with self._calls.fresh(f"conformance-{next(self._numbers)}") as store:
            yield store

    @pytest.fixture
    def calls(self) -> StoreCalls:
        """The contender."""
        return self._calls

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Declare whether the store's items expire."""
        for item in items:
            if isinstance(item, pytest.Function) and item.cls is not None:
                item.cls.ttl = self._calls.saver.supports_ttl

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Count each test once: as failed if its setup, call or teardown failed."""
        report = yield
        name = item.nodeid.rpartition("::")[2].partition("[")[0]
        if report.when == "call" and not report.skipped:
            self.verdict.cases[name] += 1
            self.verdict.passed += report.passed
        if report.failed:
            self.verdict.cases[name] += report.when == "setup"
            self.verdict.failing[name] += 1
        return report


def run_suite(calls: StoreCalls) -> Verdict:
    """Run the tests of all capabilities that the store declares."""
    plugin = _StorePlugin(calls)
    # Without this project's pytest settings, which make warnings of other packages fail.
    arguments = ["-q", "--tb=line", "-c", os.devnull, "--rootdir", str(_SUITE.parent), str(_SUITE)]
    with redirect_stdout(sys.stderr):
        code = pytest.main(["-p", "no:cacheprovider", *arguments], plugins=[plugin])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"the suite did not run: {code!r}")
    return plugin.verdict
