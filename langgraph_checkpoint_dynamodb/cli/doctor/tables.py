"""What `doctor` looks at in DynamoDB: tables, keys, time to live, indexes, encryption."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.cli.doctor.findings import Finding, ok, unknown, wrong
from langgraph_checkpoint_dynamodb.cli.terminal.output import count, size
from langgraph_checkpoint_dynamodb.errors import ServiceError, TableMismatchError, TransportError
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Attribute, Table
from langgraph_checkpoint_dynamodb.ops.tables import index_status, verify_indexes, verify_keys
from langgraph_checkpoint_dynamodb.requests.operations import send
from langgraph_checkpoint_dynamodb.requests.tables import DescribeTimeToLive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langgraph_checkpoint_dynamodb.cli.connection import Connection
    from langgraph_checkpoint_dynamodb.format.tables import IndexSpec
    from langgraph_checkpoint_dynamodb.requests.tables import TableDescription

_MAY_NOT = "allow this identity what the published policy `setup` does, to have this looked at"
_SETUP = "run `langgraph-dynamodb setup` with the same options"
_STORE_SETUP = "call `setup()` of the store or the cache"
_MADE_BY = {
    Table.CHECKPOINTS: "run `langgraph-dynamodb setup`",
    Table.WRITES: "run `langgraph-dynamodb setup`",
    Table.STORE: _STORE_SETUP,
}


def check_table(connection: Connection, table: Table) -> Iterator[Finding]:
    """Look at a table.

    Raises:
        TransportError: DynamoDB cannot be reached.
    """
    name = connection.name(table)
    subject = f"table {name}"
    try:
        described = connection.describe(table)
    except TransportError:
        raise
    except ServiceError as error:
        yield unknown(subject, f"DescribeTable: {error.code}", _MAY_NOT)
        return
    if described is None:
        yield wrong(subject, "is not there", f"{_MADE_BY[table]}, or correct name or region")
        return
    yield _status(subject, described)
    yield _keys(described, name, table)
    if table is Table.CHECKPOINTS:
        yield from _indexes(connection, described, name)
    yield _expiry(connection, table, name)
    yield _encryption(described, name)


def _status(subject: str, described: TableDescription) -> Finding:
    status = described.get("TableStatus", "ACTIVE")
    billing = described.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    mode = "on demand" if billing == "PAY_PER_REQUEST" else "provisioned capacity"
    about = (
        f"{status}, {mode}, about {count(described.get('ItemCount', 0), 'item')}, "
        f"{size(described.get('TableSizeBytes', 0))}"
    )
    if status in ("ACTIVE", "UPDATING"):
        return ok(subject, about)
    return wrong(subject, about, "wait until it is ACTIVE; see the console for what keeps it")


def _keys(described: TableDescription, name: str, table: Table) -> Finding:
    spec = SPECS[table]
    subject = f"keys of {name}"
    try:
        verify_keys(described, name, spec)
    except TableMismatchError as error:
        return wrong(subject, str(error), "name the table that has them, or make one with setup")
    return ok(subject, f"{spec.partition_key}, {spec.sort_key}")


def _indexes(connection: Connection, described: TableDescription, name: str) -> Iterator[Finding]:
    indexes = connection.saver._settings.indexes
    if not indexes:
        yield ok(f"indexes of {name}", "none is needed by these options, and none is there")
    for index in indexes:
        yield _index(index, described, name)


def _index(index: IndexSpec, described: TableDescription, name: str) -> Finding:
    subject = f"index {index.name}"
    status = index_status(described, index.name)
    if status is None:
        return wrong(subject, f"is not on {name}", _SETUP)
    try:
        verify_indexes(described, name, [index])
    except TableMismatchError as error:
        return wrong(subject, str(error), "name another index, and have setup make it")
    if status in ("ACTIVE", ""):
        return ok(subject, f"on {', '.join(index.keys)}")
    return wrong(subject, f"is {status}", "wait until it is ACTIVE")


def _expiry(connection: Connection, table: Table, name: str) -> Finding:
    subject = f"time to live of {name}"
    try:
        described: Any = connection.run_on(table, send(DescribeTimeToLive(table)))
    except TransportError:
        raise
    except ServiceError as error:
        return unknown(subject, f"DescribeTimeToLive: {error.code}", _MAY_NOT)
    status = described.get("TimeToLiveStatus", "DISABLED")
    attribute = described.get("AttributeName", Attribute.TTL)
    on = status in ("ENABLED", "ENABLING")
    if on and attribute != Attribute.TTL:
        return wrong(
            subject,
            f"is by {attribute!r}, items have {Attribute.TTL!r}",
            f"turn it off; then {_STORE_SETUP}"
            if table is Table.STORE
            else "turn it off and run setup with --ttl-seconds",
        )
    if table is Table.STORE and not on:
        # Whoever puts an item may say when it expires, and entries of a cache mostly do.
        return wrong(subject, f"is {status}: what expires stays, and is paid for", _STORE_SETUP)
    seconds = connection.saver._settings.ttl_seconds
    if seconds is not None and not on:
        return wrong(subject, f"is {status}, and ttl_seconds is {seconds:,}", _SETUP)
    if on:
        return ok(subject, f"{status}, by {attribute!r}")
    return ok(subject, f"{status}; only `sweep` takes away the marks that deletes leave")


def _encryption(described: TableDescription, name: str) -> Finding:
    subject = f"encryption of {name}"
    found = described.get("SSEDescription")
    if found is None:
        return ok(subject, "with a key that AWS owns")
    status, key = found.get("Status", "ENABLED"), found.get("KMSMasterKeyArn", "a key of KMS")
    if found.get("InaccessibleEncryptionDateTime") is not None or status == "DISABLED":
        return wrong(
            subject, f"{key} cannot be used", "enable the key, and let DynamoDB use it, in KMS"
        )
    return ok(subject, f"{status}, with {key}")
