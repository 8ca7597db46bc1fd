"""A plugin of LangGraph's own test session: puts a saver in the place of `InMemorySaver`.

It replaces the class in every test module that imports it, in `langgraph.checkpoint.memory` for
tests that import it late, and in the fixtures of a saver. What it leaves alone are subclasses that
tests make for themselves when they are imported: doubles that fail or count. It keeps of the
parameters of those fixtures only the saver in memory, and notes which tests have made a saver.

LangGraph's tests are a package named `tests`, as this project's are, so nothing of this project
but the package itself can be imported here.
"""

from __future__ import annotations

import itertools
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from aiobotocore.session import AioSession
from botocore.loaders import create_loader
from langgraph.checkpoint import memory
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_checkpoint_dynamodb import DynamoDBSaver
from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver

KIND = os.environ["SUITE_SAVER"]
ENDPOINT = os.environ["SUITE_ENDPOINT"]
REPORT = Path(os.environ["SUITE_REPORT"])
ONLY = os.environ.get("SUITE_ONLY")
"""A file with the ids of the tests to run, in JSON; all of them where there is none."""

IN_MEMORY = {"sync_checkpointer": "memory", "async_checkpointer": "memory", "cache": "memory"}
"""The parameter to keep of each fixture."""

_made: list[Any] = []
"""Savers that the test that runs has made."""
_numbers = itertools.count()
_loader = create_loader()
_found: defaultdict[str, dict[str, Any]] = defaultdict(dict)


class _Tables:
    """Makes fresh tables for each saver: LangGraph's tests all call their threads the same."""

    client = boto3.client("dynamodb", endpoint_url=ENDPOINT) if KIND != "memory" else None

    def __init__(self) -> None:
        name = f"suite-{os.getpid()}-{next(_numbers)}"
        self.names: dict[str, Any] = {
            "checkpoints_table_name": f"{name}-checkpoints",
            "writes_table_name": f"{name}-writes",
        }
        with DynamoDBSaver(**self.names, client=self.client) as saver:
            saver.setup()


def _session() -> Any:
    """A session that shares the service models with the others: reading them takes longest."""
    session = AioSession()
    session.register_component("data_loader", _loader)
    return session


class InPlace(DynamoDBSaver):
    """`DynamoDBSaver` with the arguments of `InMemorySaver`."""

    def __init__(self, *, serde: Any = None, factory: Any = None) -> None:  # noqa: ARG002 - of the other
        tables = _Tables()
        super().__init__(**tables.names, client=tables.client, serde=serde)
        _made.append(self)


class InPlaceAsync(AsyncDynamoDBSaver):
    """`AsyncDynamoDBSaver` with the arguments of `InMemorySaver`."""

    def __init__(self, *, serde: Any = None, factory: Any = None) -> None:  # noqa: ARG002 - of the other
        names = _Tables().names
        super().__init__(**names, session=_session(), endpoint_url=ENDPOINT, serde=serde)
        _made.append(self)


def _from_another_thread(name: str) -> Any:
    plain = getattr(AsyncDynamoDBSaver, name)

    def method(self: InPlaceAsync, *args: Any, **kwargs: Any) -> Any:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: _whole(plain(self, *args, **kwargs))).result()

    return method


def _whole(found: Any) -> Any:
    return iter(list(found)) if isinstance(found, Iterator) else found


# Where an event loop runs they refuse to stop it. LangGraph's tests call them there all the same.
for _name in ("get_tuple", "list", "put", "put_writes", "get_delta_channel_history"):
    setattr(InPlaceAsync, _name, _from_another_thread(_name))


SAVERS: dict[str, type[Any]] = {"memory": InMemorySaver, "sync": InPlace, "async": InPlaceAsync}


def pytest_configure() -> None:
    if KIND == "memory":
        _count_those_in_memory()


def _count_those_in_memory() -> None:
    original = InMemorySaver.__init__

    def counted(self: InMemorySaver, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        _made.append(self)

    InMemorySaver.__init__ = counted  # type: ignore[method-assign]  # that is the purpose


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    only = None if ONLY is None else set(json.loads(Path(ONLY).read_text()))
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        keep = _in_memory(item) and (only is None or item.nodeid in only)
        (kept if keep else left).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left)
    if KIND != "memory":
        _replace(items)


def _in_memory(item: pytest.Item) -> bool:
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return all(parameters.get(name, value) == value for name, value in IN_MEMORY.items())


def _replace(items: list[pytest.Item]) -> None:
    saver = SAVERS[KIND]
    for module in {id(item.module): item.module for item in items}.values():  # type: ignore[attr-defined]  # of functions
        for name, value in list(vars(module).items()):
            if value is InMemorySaver:
                setattr(module, name, saver)
    memory.InMemorySaver = memory.MemorySaver = saver  # type: ignore[misc]  # that is the purpose
    # Its fixtures take a subclass that checks that nobody changes what was stored.
    from tests import conftest_checkpointer  # type: ignore[attr-defined]  # LangGraph's

    conftest_checkpointer.MemorySaverAssertImmutable = saver


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    _made.clear()
    try:
        return (yield)
    finally:
        for saver in _made:
            if KIND != "memory":
                saver.close()
        _made.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    item.user_properties.append(("savers", len(_made)))
    return (yield)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    test = _found[report.nodeid]
    if report.when == "call" or report.outcome != "passed":
        test["outcome"] = report.outcome
        if report.failed:
            test["error"] = _last_line(report)
    test["seconds"] = test.get("seconds", 0.0) + report.duration
    test.update(dict(report.user_properties))


def _last_line(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(report.longrepr if crash is None else crash.message).strip()[:500]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        REPORT.write_text(json.dumps(_found))
