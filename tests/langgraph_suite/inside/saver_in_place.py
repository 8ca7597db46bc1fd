"""A pytest plugin for LangGraph's own tests that replaces LangGraph's savers.

`PYTEST_PLUGINS` loads it before any of LangGraph's tests is imported. After that these names refer
to a saver of this package, with new tables each time:

- `InMemorySaver` and `MemorySaver`. Tests create them, or subclass them to make them fail or
  count. The fixture parameters `memory`, which checks that stored data is not modified, and
  `memory_migrate_sends` are built on them;
- `SqliteSaver` and `AsyncSqliteSaver` of the parameters `sqlite_aes`, which encrypts, and
  `sqlite_aio`.

No saver of LangGraph remains. Skipped are the parameters of fixtures that need a server
(PostgreSQL, Redis), and `sqlite`: either a saver that is `sqlite_aes` without the encryption, or a
cache that uses no saver.

With `SUITE_SAVER=memory` LangGraph's own savers stay in place and are counted.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .stand_ins import STAND_INS, count_langgraphs_own, put_in_place
from .tally import tally

if TYPE_CHECKING:
    from collections.abc import Iterator

KIND = os.environ["SUITE_SAVER"]
REPORT = Path(os.environ["SUITE_REPORT"])
ONLY = os.environ.get("SUITE_ONLY")
"""A JSON file with the ids of the tests to run; if unset, all tests run."""
FIXTURES = ("sync_checkpointer", "async_checkpointer", "sync_store", "async_store", "cache")
"""Fixtures whose parameters name their backend."""
SERVERS = ("postgres", "redis")
COPY = "sqlite"

_found: defaultdict[str, dict[str, Any]] = defaultdict(
    lambda: {"outcome": "passed", "error": "", "seconds": 0.0}
)

if KIND == "memory":
    count_langgraphs_own()
else:
    put_in_place(STAND_INS[KIND])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    only = None if ONLY is None else set(json.loads(Path(ONLY).read_text()))
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        keep = not _is_left_out(item) and (only is None or item.nodeid in only)
        (kept if keep else left).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left)


def _is_left_out(item: pytest.Item) -> bool:
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return any(
        isinstance(value, str) and (value.startswith(SERVERS) or value == COPY)
        for name, value in parameters.items()
        if name in FIXTURES
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    tally.begin()
    try:
        return (yield)
    finally:
        tally.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    try:
        return (yield)
    finally:
        item.user_properties += [("savers", tally.savers), ("requests", tally.requests)]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    test = _found[report.nodeid]
    if report.outcome != "passed" and test["outcome"] != "failed":
        test.update(outcome=report.outcome, error=_first_line(report) if report.failed else "")
    test["seconds"] += report.duration
    test.update(dict(report.user_properties))


def _first_line(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = str(report.longrepr if crash is None else crash.message).strip().splitlines()
    return lines[0][:200] if lines else ""


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    # Workers report to the process that started them.
    if not hasattr(session.config, "workerinput"):
        REPORT.write_text(json.dumps(_found, indent=1))
