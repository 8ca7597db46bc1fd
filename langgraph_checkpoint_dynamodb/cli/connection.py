"""The saver that a command works with, made from its options."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config

from langgraph_checkpoint_dynamodb.cli.errors import StoppedError
from langgraph_checkpoint_dynamodb.cli.serde import ShowingSerde, load_serde, moving_serde
from langgraph_checkpoint_dynamodb.errors import InvalidInputError, ServiceError
from langgraph_checkpoint_dynamodb.format.tables import (
    RUN_ID_INDEX_KEY,
    SAVER_TABLES,
    THREAD_INDEX_KEYS,
    Table,
)
from langgraph_checkpoint_dynamodb.requests.operations import send
from langgraph_checkpoint_dynamodb.requests.tables import DescribeTable
from langgraph_checkpoint_dynamodb.saver import DynamoDBSaver
from langgraph_checkpoint_dynamodb.settings.saver import ThreadIndex
from langgraph_checkpoint_dynamodb.store.sync import DynamoDBStore

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from langgraph_checkpoint_dynamodb.cli.options import Options
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Stream
    from langgraph_checkpoint_dynamodb.requests.tables import TableDescription

T = TypeVar("T")

_ATTEMPTS = 5
"""Attempts of a request. Ten, as in a run, are a minute of silence where nobody listens."""
_UNKNOWN_OWNER_KEY = "owner"
"""Stands for the key of an index that was found: what reads an index needs no key."""
_SETTINGS = frozenset(
    {
        "checkpoints_table_name",
        "writes_table_name",
        "compression",
        "consistent_reads",
        "endpoint_url",
        "max_concurrency",
        "max_value_bytes",
        "memory_bytes",
        "on_conflict",
        "region_name",
        "run_id_index",
        "s3_offload_config",
        "thread_index",
        "ttl_seconds",
    }
)


@dataclass
class Connection:
    """A saver, and a way to have it perform operations.

    Attributes:
        saver: The saver.
        session: The session that its clients are made from.
        long_term: The store, where its table is named.
    """

    saver: DynamoDBSaver
    session: boto3.Session
    long_term: DynamoDBStore | None = None

    @property
    def store(self) -> Context:
        """What an operation is given."""
        return self.saver._store()

    def run(self, operation: Operation[T]) -> T:
        """Perform an operation on the tables of the saver."""
        return self.saver._run(operation, "run")

    def run_on(self, table: Table, operation: Operation[T]) -> T:
        """Perform an operation on a table, be it the store's."""
        return self._user_of(table)._run(operation, "run")

    def pages(self, stream: Stream[T]) -> Generator[list[T], None, None]:
        """Perform a stream as far as its pages are asked for."""
        return self.saver._pages(stream, "pages")

    def name(self, table: Table) -> str:
        """Name of a table."""
        return self._user_of(table)._settings.table_names[table]

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that are named."""
        return SAVER_TABLES if self.long_term is None else (*SAVER_TABLES, Table.STORE)

    def _user_of(self, table: Table) -> DynamoDBSaver | DynamoDBStore:
        if table is not Table.STORE:
            return self.saver
        if self.long_term is None:
            raise AssertionError("the table of the store is not named")
        return self.long_term

    @cached_property
    def dynamodb(self) -> Any:
        """A client for DynamoDB, for what no saver asks for."""
        return self._client("dynamodb", endpoint_url=self.saver._settings.client.endpoint_url)

    @cached_property
    def s3(self) -> Any:
        """A client for S3, likewise."""
        return self._client("s3", endpoint_url=self.saver._settings.client.s3_endpoint_url)

    @cached_property
    def iam(self) -> Any:
        """A client for IAM."""
        return self._client("iam")

    @cached_property
    def sts(self) -> Any:
        """A client for STS."""
        return self._client("sts")

    def _client(self, service: str, **arguments: Any) -> Any:
        # The stubs know services by their literal names, one overload for each.
        make: Any = self.session.client
        return make(service, config=_quick(2), **arguments)

    def describe(self, table: Table) -> TableDescription | None:
        """What DynamoDB says of a table; `None` if there is none."""
        return self.run_on(table, send(DescribeTable(table)))

    def with_found_indexes(self) -> Connection:
        """The same with the indexes that the checkpoints table has, as far as none is named.

        Who may not describe the table has those that are named.
        """
        settings = self.saver._settings
        if settings.thread_index is not None and settings.run_id_index is not None:
            return self
        try:
            found = self.describe(Table.CHECKPOINTS) or {}
        except ServiceError:
            return self
        by_keys = {
            tuple(key["AttributeName"] for key in index.get("KeySchema", [])): index["IndexName"]
            for index in found.get("GlobalSecondaryIndexes", [])
        }
        threads, runs = settings.thread_index, settings.run_id_index
        if threads is None and THREAD_INDEX_KEYS in by_keys:
            threads = ThreadIndex(_UNKNOWN_OWNER_KEY, by_keys[THREAD_INDEX_KEYS])
        runs = runs or by_keys.get((RUN_ID_INDEX_KEY,))
        self.saver._settings = replace(settings, thread_index=threads, run_id_index=runs)
        return self

    @property
    def lists_threads(self) -> bool:
        """Whether there is an index of threads."""
        return self.saver._settings.thread_index is not None

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Closing waits for requests under way. After Ctrl-C nobody does: the process ends.
        if kind is None or (issubclass(kind, Exception) and not issubclass(kind, StoppedError)):
            self.saver.close()
            if self.long_term is not None:
                self.long_term.close()
            for name in ("dynamodb", "s3", "iam", "sts"):
                if name in self.__dict__:
                    self.__dict__[name].close()


def connect(
    options: Options, *, moving: bool = False, store_table: str | None = None
) -> Connection:
    """Make the saver, and the store where its table is named. They ask nothing yet.

    Args:
        options: The user's.
        moving: Whether values are moved; else they are shown.
        store_table: Name or ARN of the store's table.

    Raises:
        InvalidInputError: An option or a setting cannot be used.
        BotoCoreError: The AWS configuration cannot be used.
    """
    settings = _merged(options)
    given = None if options.serde is None else load_serde(options.serde)
    session = boto3.Session(
        profile_name=options.profile, region_name=settings.pop("region_name", None)
    )
    reached: dict[str, Any] = {
        "session": session,
        "boto_config": None if _says_attempts() else _quick(),
    }
    saver = DynamoDBSaver(
        **settings, **reached, serde=moving_serde(given) if moving else ShowingSerde(given)
    )
    if store_table is None:
        return Connection(saver, session)
    reached |= {name: settings.get(name) for name in ("endpoint_url", "s3_offload_config")}
    return Connection(saver, session, DynamoDBStore(store_table_name=store_table, **reached))


def _says_attempts() -> bool:
    return bool({"AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS"} & os.environ.keys())


def _quick(attempts: int = _ATTEMPTS) -> Config:
    return Config(retries={"mode": "standard", "total_max_attempts": attempts}, connect_timeout=5)


def _merged(options: Options) -> dict[str, Any]:
    """The saver's arguments: what the file says, and over it each option."""
    settings = {} if options.settings is None else _read_settings(options.settings)
    named = {
        "checkpoints_table_name": options.checkpoints_table,
        "writes_table_name": options.writes_table,
        "run_id_index": options.run_id_index,
        "ttl_seconds": options.ttl_seconds,
        "region_name": options.region,
        "endpoint_url": options.endpoint_url,
    }
    settings |= {name: value for name, value in named.items() if value is not None}
    settings |= _s3(options, settings.get("s3_offload_config"))
    settings |= _threads(options, settings.get("thread_index"))
    for name, option in (
        ("checkpoints_table_name", "--checkpoints-table or LANGGRAPH_CHECKPOINTS_TABLE"),
        ("writes_table_name", "--writes-table or LANGGRAPH_WRITES_TABLE"),
    ):
        if name not in settings:
            raise InvalidInputError(name, f"is missing: name the table with {option}")
    return settings


def _s3(options: Options, config: object) -> dict[str, Any]:
    said = {"bucket_name": options.bucket, "key_prefix": options.key_prefix}
    given = {name: value for name, value in said.items() if value is not None}
    if config is None and not given:
        return {}
    return {"s3_offload_config": {**(config if isinstance(config, dict) else {}), **given}}


def _threads(options: Options, index: object) -> dict[str, Any]:
    named = index if isinstance(index, dict) else {}
    if isinstance(index, str):
        named = {"owner": index}
    if options.owner_key is not None:
        named = {**named, "owner": options.owner_key}
    if not named:
        return {}
    try:
        return {"thread_index": ThreadIndex(**named)}
    except TypeError as error:
        raise InvalidInputError(
            "thread_index", f"must have owner and index_name: {error}"
        ) from error


def _read_settings(path: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text()
        said: Any = json.loads(text)
    except OSError as error:
        raise InvalidInputError("--settings", f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidInputError("--settings", f"{path} is no JSON: {error}") from None
    if isinstance(said, dict) and "saver_settings" in said:
        said = said["saver_settings"]  # All outputs of the module.
    if isinstance(said, dict) and "value" in said:
        said = said["value"]
    if isinstance(said, str):
        said = json.loads(said)  # The output of the CDK's stack.
    if not isinstance(said, dict):
        raise InvalidInputError("--settings", f"{path} must hold a JSON object")
    return _known(said, path)


def _known(said: Mapping[str, Any], path: str) -> dict[str, Any]:
    unknown = sorted(said.keys() - _SETTINGS)
    if unknown:
        raise InvalidInputError(
            "--settings",
            f"{path} has unknown names {', '.join(unknown)}; known are: "
            f"{', '.join(sorted(_SETTINGS))}",
        )
    return {name: value for name, value in said.items() if value is not None}
