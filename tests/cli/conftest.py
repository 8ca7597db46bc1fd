"""The command line, called in this process on tables of a test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from langgraph_checkpoint_dynamodb import DynamoDBSaver, ThreadIndex
from langgraph_checkpoint_dynamodb.cli import main
from tests.support.sessions import _botocore_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.tables import Tables


@dataclass(frozen=True)
class Said:
    """Result of a command.

    Attributes:
        code: Its exit code.
        out: Its standard output.
        err: Its standard error.
    """

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its standard output, parsed as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Cli:
    """The command line on a pair of tables.

    Attributes:
        tables: The tables.
        capture: Captures its output.
    """

    tables: Tables
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str, code: int = 0) -> Said:
        """Run a command and check its exit code."""
        self.capture.readouterr()
        ended = main(arguments)
        said = self.capture.readouterr()
        assert ended == code, said.err or said.out
        return Said(ended, said.out, said.err)


INDEXED: dict[str, Any] = {"thread_index": ThreadIndex(owner="user_id")}


@pytest.fixture
def cli(tables: Tables, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line on tables that do not exist yet."""
    monkeypatch.setattr(boto3, "Session", _quick_session)
    for name, value in environment(tables).items():
        monkeypatch.setenv(name, value)
    return Cli(tables, capsys)


_Session = boto3.Session


def _quick_session(**given: Any) -> boto3.Session:
    """A session that shares the SDK's service models with the others: loading them is slow."""
    given.setdefault("botocore_session", _botocore_session())
    return _Session(**given)


def environment(tables: Tables) -> dict[str, str]:
    """The command line's configuration of the tables."""
    return {
        "LANGGRAPH_CHECKPOINTS_TABLE": tables.checkpoints,
        "LANGGRAPH_WRITES_TABLE": tables.writes,
        "AWS_ENDPOINT_URL_DYNAMODB": tables.engine.url,
    }


@pytest.fixture
def plain(tables: Tables) -> Iterator[DynamoDBSaver]:
    """A saver on tables without an index."""
    tables.set_up()
    with tables.boto_saver(client=tables.client) as saver:
        yield saver


@pytest.fixture
def listing(tables: Tables) -> Iterator[DynamoDBSaver]:
    """A saver that lists its threads."""
    tables.set_up(**INDEXED)
    with tables.boto_saver(client=tables.client, **INDEXED) as saver:
        yield saver
