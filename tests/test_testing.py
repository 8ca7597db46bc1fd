"""The helpers with which users test their own applications."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import boto3
import pytest

from langgraph_checkpoint_dynamodb.store import DynamoDBStore
from langgraph_checkpoint_dynamodb.testing import (
    embedded_engine,
    temporary_saver,
    temporary_tables,
)
from tests.support.calls import SyncCalls
from tests.support.savers import saver_class
from tests.support.values import config, put_chain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APPLICATION_TESTS = """
def test_one(dynamodb_saver, dynamodb_endpoint):
    assert list(dynamodb_saver.list(None)) == []
    config = {"configurable": {"thread_id": "1", "checkpoint_ns": ""}}
    dynamodb_saver.put(config, checkpoint(), {}, {})
    assert [one.thread_id for one in dynamodb_saver.list_threads().threads] == ["1"]


test_another = test_one


def test_tables(dynamodb_tables):
    with dynamodb_saver_of(dynamodb_tables) as saver:
        saver.setup()
        assert list(saver.list(None)) == []


def checkpoint():
    from langgraph.checkpoint.base import empty_checkpoint

    return empty_checkpoint()


def dynamodb_saver_of(tables):
    from langgraph_checkpoint_dynamodb import DynamoDBSaver

    return DynamoDBSaver(**tables.saver_settings)
"""
CONFTEST = """
import pytest

pytest_plugins = ["langgraph_checkpoint_dynamodb.testing.fixtures"]


@pytest.fixture
def dynamodb_saver_settings():
    return {"thread_index": {"owner": "user_id"}}
"""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with embedded_engine() as url:
        yield url


def table_names(endpoint: str) -> list[str]:
    """The tables of this module: all of moto in one process shares its tables."""
    client = boto3.client("dynamodb", endpoint_url=endpoint)
    try:
        names = client.list_tables()["TableNames"]
        return [name for name in names if name.startswith("testing-")]
    finally:
        client.close()


def test_a_temporary_saver_has_tables_of_its_own_which_go_with_it(endpoint: str) -> None:
    with temporary_saver(endpoint) as one, temporary_saver(endpoint) as other:
        put_chain(SyncCalls(one), "t", 1)
        assert one.get_tuple(config("t")) is not None
        assert other.get_tuple(config("t")) is None
        assert len(table_names(endpoint)) == 4
    assert table_names(endpoint) == []


def test_temporary_tables_go_with_an_error_too(endpoint: str) -> None:
    with pytest.raises(RuntimeError, match="the test's own"), temporary_saver(endpoint):
        raise RuntimeError("the test's own")
    assert table_names(endpoint) == []


def test_temporary_tables_serve_savers_and_stores(endpoint: str) -> None:
    with temporary_tables(endpoint) as tables:
        with saver_class()(**tables.saver_settings) as saver:
            saver.setup()
        with DynamoDBStore(**tables.store_settings) as store:
            store.setup()
            store.put(("a",), "b", {"c": 1})
        assert len(table_names(endpoint)) == 3
        client = tables.client()
        assert client.scan(TableName=tables.store_table_name)["Items"]
        client.close()
    assert table_names(endpoint) == []


@pytest.mark.sample(1)
@pytest.mark.parametrize("given", [True, False])
def test_the_fixtures_give_each_test_a_saver_of_its_own(
    tmp_path: Path, endpoint: str, given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_application.py").write_text(APPLICATION_TESTS)
    monkeypatch.delenv("DYNAMODB_ENDPOINT_URL", raising=False)
    if given:
        monkeypatch.setenv("DYNAMODB_ENDPOINT_URL", endpoint)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr
    assert table_names(endpoint) == []


def test_a_port_that_is_taken_is_an_error_and_does_not_end_the_process(endpoint: str) -> None:
    port = int(endpoint.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"), embedded_engine(port):
        pass


@pytest.mark.parametrize("port", ["taken", "99999999"])
def test_the_command_says_which_port_it_cannot_listen_on(endpoint: str, port: str) -> None:
    asked = endpoint.rpartition(":")[2] if port == "taken" else port
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "langgraph_checkpoint_dynamodb.testing", "--port", asked],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert f"cannot listen on port {asked}: " in done.stderr
    assert "Traceback" not in done.stderr
