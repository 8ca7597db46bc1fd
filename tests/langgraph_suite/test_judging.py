"""`make langgraph-suite` reports every unexplained difference."""

from __future__ import annotations

from typing import Any

from tests.langgraph_suite.judging import Difference, differing, judge

A, B = "tests/test_x.py::test_a[memory]", "tests/test_x.py::test_b"
KNOWN = Difference(r"test_x\.py::test_a\[.*\]", "KeyError", "why", savers=("sync",))


def result(outcome: str, error: str = "") -> dict[str, Any]:
    return {"outcome": outcome, "error": error}


PASSED = {A: result("passed"), B: result("passed")}


def test_the_same_outcomes_do_not_differ() -> None:
    assert differing(PASSED, PASSED, PASSED) == {}


def test_a_failure_differs_and_says_its_error() -> None:
    assert differing(PASSED, PASSED | {A: result("failed", "KeyError: 1")}, PASSED) == {
        A: "KeyError: 1"
    }


def test_a_test_that_only_fails_in_the_reference_differs() -> None:
    assert differing(PASSED | {A: result("failed", "x")}, PASSED, PASSED) == {A: "passed"}


def test_a_skipped_test_differs() -> None:
    assert differing(PASSED, PASSED | {A: result("skipped")}, PASSED) == {A: "skipped"}


def test_a_test_without_a_result_differs() -> None:
    assert differing(PASSED, {B: result("passed")}, PASSED) == {A: "it has no result"}
    assert differing({}, {}, [A]) == {A: "it has no result"}


def test_what_is_known_is_explained() -> None:
    found = judge("sync", {A: "KeyError: 1"}, [KNOWN])
    assert (found.unexplained, found.outdated) == ({}, [])


def test_another_test_another_error_and_another_saver_are_not_explained() -> None:
    for saver, differ in (
        ("sync", {B: "KeyError: 1"}),
        ("sync", {A: "AssertionError"}),
        ("async", {A: "KeyError: 1"}),
    ):
        assert judge(saver, differ, [KNOWN]).unexplained == differ


def test_what_does_not_differ_any_more_is_outdated() -> None:
    assert judge("sync", {}, [KNOWN]).outdated == [KNOWN.tests]
    assert judge("sync", {A: "AssertionError"}, [KNOWN]).outdated == [KNOWN.tests]
    assert judge("async", {}, [KNOWN]).outdated == []


def test_what_depends_on_time_may_differ_and_may_not() -> None:
    sometimes = Difference(KNOWN.tests, "", "slow", always=False)
    assert judge("sync", {}, [sometimes]).outdated == []
    assert judge("sync", {A: "TimeoutError"}, [sometimes]).unexplained == {}
