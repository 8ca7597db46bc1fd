"""Stores: put, get, search and list, call by call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph.store.base import GetOp, PutOp

from benchmarks.calls import StoreCalls
from benchmarks.conformance import run_suite
from benchmarks.measuring import require
from benchmarks.texts import long_text, piece
from benchmarks.workloads.base import STORES, Workload

if TYPE_CHECKING:
    from benchmarks.measuring import Bench

_SIZE = 1_000
"""Bytes of text in each item."""
_LARGE = 1_000_000
_REPEATS = 10
_BATCH = 25
_ITEMS = 1_000
_QUICK_ITEMS = 200
_NAMESPACES = 100
_RARE = 100
"""One of this many items passes the filter."""
_LIMIT = 10
_USER = ("users", "ann", "memories")


def _calls(bench: Bench) -> StoreCalls:
    if not isinstance(bench.calls, StoreCalls):
        raise TypeError("this workload is for stores")
    return bench.calls


def _value(number: int, size: int = _SIZE) -> dict[str, Any]:
    return {"text": piece(number, size), "number": number, "rare": number % _RARE == _RARE - 1}


def _put_and_get(bench: Bench) -> None:
    calls = _calls(bench)
    calls.put_item(_USER, "first", _value(0))
    with bench.measured("put of 1 KB", _REPEATS):
        for number in range(_REPEATS):
            calls.put_item(_USER, f"{number:05}", _value(number))
    with bench.measured("get of 1 KB", _REPEATS):
        for number in range(_REPEATS):
            found = calls.get(_USER, f"{number:05}")
    require(found and found.value, _value(_REPEATS - 1), "the last item")


def _large(bench: Bench) -> None:
    calls = _calls(bench)
    value = {"text": long_text(_LARGE)}
    with bench.measured("put of 1 MB"):
        calls.put_item(_USER, "large", value)
    with bench.measured("get of 1 MB"):
        found = calls.get(_USER, "large")
    require(found and found.value, value, "the item")


def _batch(bench: Bench) -> None:
    calls = _calls(bench)
    calls.put_item(_USER, "first", _value(0))
    with bench.measured(f"{_BATCH} puts"):
        calls.batch([PutOp(_USER, f"{number:05}", _value(number)) for number in range(_BATCH)])
    with bench.measured(f"{_BATCH} gets"):
        found = calls.batch([GetOp(_USER, f"{number:05}") for number in range(_BATCH)])
    require([one.value["number"] for one in found], list(range(_BATCH)), "the items")


def _fill(bench: Bench, users: int, items: int) -> None:
    """Store items in the namespaces of several users."""
    ops = [
        PutOp(("users", f"{user:03}", "memories"), f"{number:05}", _value(number))
        for user in range(users)
        for number in range(items)
    ]
    for start in range(0, len(ops), _BATCH):
        _calls(bench).batch(ops[start : start + _BATCH])


def _search(bench: Bench) -> None:
    _fill(bench, 1, _QUICK_ITEMS if bench.quick else _ITEMS)
    with bench.measured(f"the first {_LIMIT}"):
        found = _calls(bench).search(("users", "000", "memories"), limit=_LIMIT)
    require(len({one.key for one in found}), _LIMIT, "items found")


def _filter(bench: Bench) -> None:
    items = _QUICK_ITEMS if bench.quick else _ITEMS
    _fill(bench, 1, items)
    with bench.measured(f"those that pass among {items:,}"):
        found = _calls(bench).search(
            ("users", "000", "memories"), filter={"rare": True}, limit=items
        )
    require(len({one.key for one in found}), items // _RARE, "items found")


def _prefix(bench: Bench) -> None:
    users = _QUICK_ITEMS // 10 if bench.quick else _NAMESPACES
    _fill(bench, users, 10)
    with bench.measured("one user's"):
        found = _calls(bench).search(("users", "007"), limit=_LIMIT)
    require(len({one.key for one in found}), _LIMIT, "items found of one user")
    with bench.measured("everybody's"):
        found = _calls(bench).search(("users",), limit=10 * users)
    require(len({(one.namespace, one.key) for one in found}), 10 * users, "items found")


def _namespaces(bench: Bench) -> None:
    users = _QUICK_ITEMS // 10 if bench.quick else _NAMESPACES
    _fill(bench, users, 10)
    with bench.measured(f"{_LIMIT} of {users}"):
        found = _calls(bench).list_namespaces(prefix=("users",), limit=_LIMIT)
    require(found, [("users", f"{n:03}", "memories") for n in range(_LIMIT)], "namespaces")
    with bench.measured("by suffix"):
        found = _calls(bench).list_namespaces(suffix=("007", "*"))
    require(found, [("users", "007", "memories")], "the namespaces of a user")


def _conform(bench: Bench) -> None:
    with bench.measured("the suite") as row:
        verdict = run_suite(_calls(bench))
    row.more = {
        "tests": verdict.passed + verdict.failed,
        "passed": verdict.passed,
        "failed": verdict.failed,
    }
    row.remarks = verdict.names()


STORE_WORKLOADS = (
    Workload("store-item", "Store: an item (`put`, `get`)", _put_and_get, STORES),
    Workload("store-large", "Store: a large item (`put`, `get`)", _large, STORES),
    Workload("store-batch", "Store: many items at once (`batch`)", _batch, STORES),
    Workload("store-search", "Store: a namespace (`search`)", _search, STORES),
    Workload(
        "store-filter",
        "Store: a filter (`search`)",
        _filter,
        STORES,
        "One item of a hundred passes.",
    ),
    Workload("store-prefix", "Store: namespaces below a prefix (`search`)", _prefix, STORES),
    Workload("store-namespaces", "Store: `list_namespaces`", _namespaces, STORES),
    Workload(
        "store-conformance",
        "Store: the conformance suite",
        _conform,
        STORES,
        "`langgraph_checkpoint_dynamodb.testing.store_conformance`, its tests of what a store says "
        "it can, on the plain and on the asynchronous methods. Vectors are not among them. The "
        "figures are those of the whole run.",
    ),
)
