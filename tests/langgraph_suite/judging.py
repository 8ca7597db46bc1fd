"""What differs between two runs of LangGraph's tests, and whether it is explained."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Report: TypeAlias = dict[str, dict[str, Any]]
"""For each test its outcome, its error, its seconds, and the savers and requests it made."""

LOST = {"outcome": "lost", "error": "it has no result"}
"""Of a test that was to run and has no result, as where its process has died."""

SYNC = "sync"
ASYNC = "async"
IN_THREADS = "async-in-threads"
"""The async saver, where tests call its plain methods in another thread than that of the loop."""

REFUSAL = "EventLoopError"
"""With what the async saver refuses its plain methods in a thread that runs an event loop."""


@dataclass(frozen=True)
class Difference:
    """Tests that end otherwise than with LangGraph's own savers.

    Attributes:
        tests: What their ids match, from beginning to end, after `tests/`.
        error: What their error has in it, wherever. A test that fails otherwise is not explained.
        reason: Why that is no wrong answer.
        savers: With which savers.
        always: Whether they always differ; some depend on how fast a saver answers.
    """

    tests: str
    error: str
    reason: str
    savers: tuple[str, ...] = (SYNC, ASYNC)
    always: bool = True

    def explains(self, test: str, saver: str, error: str) -> bool:
        """Whether it is about that test with that saver and that error."""
        return self.names(test) and saver in self.savers and self.error in error

    def names(self, test: str) -> bool:
        """Whether it is about that test."""
        return re.fullmatch(f"tests/{self.tests}", test) is not None


@dataclass(frozen=True)
class Judgement:
    """What there is to say of a saver.

    Attributes:
        differ: Tests that end otherwise than in the reference, with their errors.
        unexplained: Those that no difference explains.
        outdated: What is said to differ always and does not.
    """

    differ: dict[str, str]
    unexplained: dict[str, str]
    outdated: list[str]


def differing(reference: Report, found: Report, tests: Iterable[str]) -> dict[str, str]:
    """Those of the tests that end otherwise than in the reference, with their errors."""
    ended = {test: found.get(test, LOST) for test in tests}
    return {
        test: result["error"] or result["outcome"]
        for test, result in ended.items()
        if result["outcome"] != reference.get(test, LOST)["outcome"] or result is LOST
    }


def judge(saver: str, differ: dict[str, str], known: Iterable[Difference]) -> Judgement:
    """Hold what differs with a saver against what is known to."""
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
