"""The differences between two runs of LangGraph's tests, and whether they are explained."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Report: TypeAlias = dict[str, dict[str, Any]]
"""For each test its outcome, error, duration in seconds, and numbers of savers and requests."""

LOST = {"outcome": "lost", "error": "it has no result"}
"""The entry of a test without a result, as after a crash of its process."""

SYNC = "sync"
ASYNC = "async"
IN_THREADS = "async-in-threads"
"""The async saver whose sync methods are called in another thread than that of the event loop."""

REFUSAL = "EventLoopError"
"""The error of the async saver's sync methods in a thread that runs an event loop."""


@dataclass(frozen=True)
class Difference:
    """Tests with another outcome than with LangGraph's own savers.

    Attributes:
        tests: Regular expression for their whole ids, after `tests/`.
        error: Text that their error contains. Another error is not explained.
        reason: Why the outcome is not a bug.
        savers: The savers concerned.
        always: Whether the tests always differ; some depend on the speed of a saver.
    """

    tests: str
    error: str
    reason: str
    savers: tuple[str, ...] = (SYNC, ASYNC)
    always: bool = True

    def explains(self, test: str, saver: str, error: str) -> bool:
        """Whether the difference covers this test with this saver and error."""
        return self.names(test) and saver in self.savers and self.error in error

    def names(self, test: str) -> bool:
        """Whether the difference covers this test."""
        return re.fullmatch(f"tests/{self.tests}", test) is not None


@dataclass(frozen=True)
class Judgement:
    """The result for a saver.

    Attributes:
        differ: Tests with another outcome than in the reference, with their errors.
        unexplained: Tests that no known difference explains.
        outdated: Known differences that should always occur and did not.
    """

    differ: dict[str, str]
    unexplained: dict[str, str]
    outdated: list[str]


def differing(reference: Report, found: Report, tests: Iterable[str]) -> dict[str, str]:
    """The tests with another outcome than in the reference, with their errors."""
    ended = {test: found.get(test, LOST) for test in tests}
    return {
        test: result["error"] or result["outcome"]
        for test, result in ended.items()
        if result["outcome"] != reference.get(test, LOST)["outcome"] or result is LOST
    }


def judge(saver: str, differ: dict[str, str], known: Iterable[Difference]) -> Judgement:
    """Compare the differences of a saver with the known ones."""
    known = [difference for difference in known if saver in difference.savers]
    unexplained = {
        test: error
        for test, error in differ.items()
        if not any(difference.explains(test, saver, error) for difference in known)
    }
    outdated = [
        difference.tests
        for difference in known
        if difference.always
        and not any(difference.explains(test, saver, error) for test, error in differ.items())
    ]
    return Judgement(differ, unexplained, outdated)
