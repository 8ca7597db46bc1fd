"""LangGraph's own conformance suite, and the results it must report."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from langgraph.checkpoint.conformance import checkpointer_test, validate

from tests.support.savers import saver_class

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from langgraph.checkpoint.base import BaseCheckpointSaver

TESTS_BY_CAPABILITY = {
    "put": 17,
    "put_writes": 10,
    "get_tuple": 10,
    "list": 16,
    "delete_thread": 5,
    "delete_for_runs": 7,
    "copy_thread": 8,
    "prune": 8,
}
"""The 81 tests of langgraph-checkpoint-conformance 0.0.2; later versions may only add."""


def assert_conforms(fresh: Callable[[], AsyncIterator[BaseCheckpointSaver[str]]]) -> None:
    """Check that every capability is present and every test of it passes.

    Args:
        fresh: Yields a new saver without checkpoints for each test.
    """
    report = asyncio.run(validate(checkpointer_test(name=saver_class().__name__)(fresh)))
    failures = {name: result.failures for name, result in report.results.items()}
    assert {name: found for name, found in failures.items() if found} == {}
    passed = {name: result.tests_passed for name, result in report.results.items()}
    assert passed.keys() == TESTS_BY_CAPABILITY.keys()
    assert all(passed[name] >= count for name, count in TESTS_BY_CAPABILITY.items())
    assert all(result.tests_skipped == 0 for result in report.results.values())
