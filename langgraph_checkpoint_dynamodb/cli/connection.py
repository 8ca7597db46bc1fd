"""The saver, the store and the AWS clients of a command, made from its options."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config

from langgraph_checkpoint_dynamodb.cli.errors import StoppedError, UsageError
from langgraph_checkpoint_dynamodb.cli.serde import DisplaySerde, load_serde, passthrough_serde
from langgraph_checkpoint_dynamodb.cli.settings import saver_arguments
from langgraph_checkpoint_dynamodb.errors import ServiceError
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
    from collections.abc import Generator

    from langgraph_checkpoint_dynamodb.cli.options import Options
    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Stream
    from langgraph_checkpoint_dynamodb.requests.tables import TableDescription

T = TypeVar("T")

_ATTEMPTS = 5
"""Attempts of a request of the saver. Its default of ten keeps a user waiting for a minute."""
_CHECK_ATTEMPTS = 2
"""Attempts of a request of the clients that only `doctor` uses."""
_CONNECT_SECONDS = 5
_UNKNOWN_OWNER_KEY = "owner"
"""Placeholder for the owner key of a discovered index, which reads do not need."""


@dataclass
class Connection:
    """The saver of a command, and the store if its table is named.

    Attributes:
        saver: The saver.
        session: The session that the clients are made from.
        store: The store; `None` if no store table is named.
    """

    saver: DynamoDBSaver
    session: boto3.Session
    store: DynamoDBStore | None = None

    @property
    def now(self) -> int:
        """The time that operations use, in seconds since the epoch."""
        return self.saver._context().now

    def run(self, operation: Operation[T]) -> T:
        """Run an operation on the saver's tables."""
        return self.saver._run(operation, "run")

    def run_on(self, table: Table, operation: Operation[T]) -> T:
        """Run an operation on a table of the saver or of the store."""
        return self._client_of(table)._run(operation, "run")

    def pages(self, stream: Stream[T]) -> Generator[list[T], None, None]:
        """Run a stream lazily, page by page."""
        return self.saver._pages(stream, "pages")

    def name(self, table: Table) -> str:
        """Return the name of a table."""
        return self._client_of(table)._settings.table_names[table]

    @property
    def tables(self) -> tuple[Table, ...]:
        """The saver's tables, and the store's if it is named."""
        return SAVER_TABLES if self.store is None else (*SAVER_TABLES, Table.STORE)

    def _client_of(self, table: Table) -> DynamoDBSaver | DynamoDBStore:
        if table is not Table.STORE:
            return self.saver
        if self.store is None:
            raise AssertionError("the table of the store is not named")
        return self.store

    @cached_property
    def dynamodb(self) -> Any:
        """A boto3 client for DynamoDB, for requests that no operation makes."""
        return self._client("dynamodb", endpoint_url=self.saver._settings.client.endpoint_url)

    @cached_property
    def s3(self) -> Any:
        """A boto3 client for S3, for requests that no operation makes."""
        return self._client("s3", endpoint_url=self.saver._settings.client.s3_endpoint_url)

    @cached_property
    def iam(self) -> Any:
        """A boto3 client for IAM."""
        return self._client("iam")

    @cached_property
    def sts(self) -> Any:
        """A boto3 client for STS."""
        return self._client("sts")

    def _client(self, service: str, **arguments: Any) -> Any:
        # The stubs have an overload for each literal service name, so a variable needs `Any`.
        make: Any = self.session.client
        return make(service, config=_config(_CHECK_ATTEMPTS), **arguments)

    def describe(self, table: Table) -> TableDescription | None:
        """Describe a table; `None` if it does not exist."""
        return self.run_on(table, send(DescribeTable(table)))

    def with_discovered_indexes(self) -> Connection:
        """Use the indexes that the checkpoints table has, unless options name them.

        If the identity may not describe the table, only the named indexes are used.
        """
        settings = self.saver._settings
        if settings.thread_index is not None and settings.run_id_index is not None:
            return self
        try:
            description = self.describe(Table.CHECKPOINTS) or {}
        except ServiceError:
            return self
        by_keys = {
            tuple(key["AttributeName"] for key in index.get("KeySchema", [])): index["IndexName"]
            for index in description.get("GlobalSecondaryIndexes", [])
        }
        threads, runs = settings.thread_index, settings.run_id_index
        if threads is None and THREAD_INDEX_KEYS in by_keys:
            threads = ThreadIndex(_UNKNOWN_OWNER_KEY, by_keys[THREAD_INDEX_KEYS])
        runs = runs or by_keys.get((RUN_ID_INDEX_KEY,))
        self.saver._settings = replace(settings, thread_index=threads, run_id_index=runs)
        return self

    @property
    def has_thread_index(self) -> bool:
        """Whether the saver uses an index of threads."""
        return self.saver._settings.thread_index is not None

    def require_thread_index(self, options: str) -> None:
        """Refuse options that need an index of threads if there is none.

        Raises:
            UsageError: There is no index of threads.
        """
        if not self.has_thread_index:
            raise UsageError(
                f"{options} cannot be used: this table has no index of threads; "
                "`langgraph-dynamodb setup --owner-key KEY --reindex` makes one"
            )

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Closing waits for requests in flight. After Ctrl-C the process ends without waiting.
        if kind is None or (issubclass(kind, Exception) and not issubclass(kind, StoppedError)):
            self.saver.close()
            if self.store is not None:
                self.store.close()
            for name in ("dynamodb", "s3", "iam", "sts"):
                if name in self.__dict__:
                    self.__dict__[name].close()


def connect(
    options: Options, *, raw_values: bool = False, store_table: str | None = None
) -> Connection:
    """Make the saver, and the store if its table is named, without sending a request.

    Args:
        options: The options of the command.
        raw_values: Whether values keep their serialized bytes, to be moved; otherwise they are
            loaded to be displayed.
        store_table: Name or ARN of the store's table.

    Raises:
        InvalidInputError: An option or a setting cannot be used.
        BotoCoreError: The AWS configuration cannot be used.
    """
    arguments = saver_arguments(options)
    users = None if options.serde is None else load_serde(options.serde)
    session = boto3.Session(
        profile_name=options.profile, region_name=arguments.pop("region_name", None)
    )
    shared: dict[str, Any] = {
        "session": session,
        "boto_config": None if _retries_are_configured() else _config(_ATTEMPTS),
    }
    serde = passthrough_serde(users) if raw_values else DisplaySerde(users)
    saver = DynamoDBSaver(**arguments, **shared, serde=serde)
    if store_table is None:
        return Connection(saver, session)
    shared |= {name: arguments.get(name) for name in ("endpoint_url", "s3_offload_config")}
    return Connection(saver, session, DynamoDBStore(store_table_name=store_table, **shared))


def _retries_are_configured() -> bool:
    return bool({"AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS"} & os.environ.keys())


def _config(attempts: int) -> Config:
    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=_CONNECT_SECONDS,
    )
