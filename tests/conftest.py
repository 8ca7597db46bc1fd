"""Fixtures: an engine per pytest worker, new tables per test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from langgraph_checkpoint_dynamodb.policies import SWEEP_ACTIONS, TTL_EXTENSION_ACTIONS
from tests.support import collector
from tests.support.buckets import Bucket, new_bucket, running_object_store
from tests.support.calls import AsyncCalls, LoopThread, SyncCalls
from tests.support.clocks import Clock
from tests.support.effort import amount, everything, left_out
from tests.support.engines import Engine, engine_name, running_engine
from tests.support.faults import SkippedWaits
from tests.support.savers import native, saver_class
from tests.support.sessions import own_handlers, shared_client
from tests.support.tables import Tables, new_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.calls import Calls
    from tests.support.savers import Saver

# Fake credentials, and no others reach the SDK: the engines accept anything.
os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",  # noqa: S106 - not a secret
    AWS_DEFAULT_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
)
for _name in (
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_S3",
):
    os.environ.pop(_name, None)

# Engines may be slow: Hypothesis must not fail a test because of its duration.
settings.register_profile(
    "default",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
    max_examples=amount(100, 25),
)
settings.load_profile("default")


# Tests of the saver on aiobotocore; they cannot be imported without its extra.
collect_ignore_glob = [] if native() else ["test_aio*.py"]

# The collector is not available on every platform.
collect_ignore_glob += [] if collector.is_installed() else ["test_otel_collector.py"]

# Tests that need Terraform, the CDK and an engine for more than DynamoDB: `make infra-test`.
collect_ignore = [] if os.environ.get("TEST_INFRA") else ["infra"]

# Tests that need a browser and the extra [web]: `make web-test`.
collect_ignore += [] if os.environ.get("TEST_WEB") else ["web"]


def pytest_report_header() -> str:
    cases = "all" if everything() else "a sample (make test-all runs all)"
    return f"engine: {engine_name()}, saver: {saver_class().__name__}, cases: {cases}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if everything():
        return
    left = set(map(id, found := left_out(items)))
    items[:] = [item for item in items if id(item) not in left]
    config.hook.pytest_deselected(items=found)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with running_engine() as running:
        yield running


@pytest.fixture(scope="session")
def loop_thread() -> Iterator[LoopThread]:
    loop = LoopThread()
    yield loop
    loop.close()


@pytest.fixture(scope="session")
def object_store(engine: Engine) -> Iterator[str]:
    """The S3 endpoint of an engine."""
    with running_object_store(engine) as url:
        yield url


@pytest.fixture
def bucket(object_store: str) -> Iterator[Bucket]:
    """An empty bucket."""
    fresh = new_bucket(object_store)
    yield fresh
    fresh.drop()
    fresh.client.close()


@pytest.fixture
def tables(engine: Engine) -> Iterator[Tables]:
    """Names of two tables that do not exist yet."""
    client = shared_client(engine.url)
    with own_handlers(client):
        fresh = new_tables(engine, client)
        yield fresh
        fresh.drop()


@pytest.fixture
def existing_tables(tables: Tables) -> Tables:
    """Two tables with the schema of the savers."""
    tables.set_up()
    return tables


@pytest.fixture
def clock() -> Clock:
    """A clock for savers that tests set."""
    return Clock()


@pytest.fixture
def skipped_waits(monkeypatch: pytest.MonkeyPatch) -> SkippedWaits:
    """Every wait is recorded and skipped: the runner's own and the SDK's between its attempts."""
    skipped = SkippedWaits()
    skipped.install(monkeypatch)
    return skipped


@pytest.fixture
def saver(tables: Tables) -> Iterator[Saver]:
    """A saver on new tables, with only the permissions of the published runtime policy."""
    tables.set_up()
    with tables.saver(SWEEP_ACTIONS | TTL_EXTENSION_ACTIONS) as made:
        yield made


@pytest.fixture(params=["sync", "async"])
def calls(request: pytest.FixtureRequest, saver: Saver, loop_thread: LoopThread) -> Calls:
    """The saver's calls, through its sync methods and through its `a*` methods."""
    return SyncCalls(saver) if request.param == "sync" else AsyncCalls(saver, loop_thread)


@pytest.fixture(params=["sync", "async"])
def calls_of(request: pytest.FixtureRequest, loop_thread: LoopThread) -> Callable[[Any], Calls]:
    """Creates the calls of a saver, through its sync methods and through its `a*` methods."""
    if request.param == "sync":
        return SyncCalls
    return lambda saver: AsyncCalls(saver, loop_thread)
