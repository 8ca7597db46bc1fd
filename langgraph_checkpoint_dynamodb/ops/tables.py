"""Creating the tables, or verifying that those there are the right ones."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.calls import backoff
from langgraph_checkpoint_dynamodb.effects import (
    CreateRunIndex,
    CreateTable,
    DescribeTable,
    DescribeTimeToLive,
    EnableTimeToLive,
    Operation,
    send,
    together,
)
from langgraph_checkpoint_dynamodb.errors import TableError, TableInUseError, TableMismatchError
from langgraph_checkpoint_dynamodb.keys import (
    RUN_ID_INDEX_KEY,
    SPECS,
    Attribute,
    Table,
    TableSpec,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_dynamodb.type_defs import (
        AttributeDefinitionTypeDef,
        KeySchemaElementTypeDef,
        TableDescriptionTypeDef,
    )

_POLLS = 60
"""Looks at a table before giving up: two minutes on average, since the waits between them grow to
five seconds at most. A table is there within seconds, an index over data takes longer."""


def set_up(names: dict[Table, str], run_id_index: str | None, *, expiring: bool) -> Operation[None]:
    """Create what is missing and verify what is there. Can be repeated, and run by many at once.

    Args:
        names: Name of each table.
        run_id_index: Name of the run index, `None` for none.
        expiring: Whether items expire, so that DynamoDB is to delete them.

    Raises:
        TableMismatchError: A table has other keys, the index is not on the run id, or items expire
            by another attribute.
        TableError: A table did not become active in time.
    """
    yield from together(
        [_set_up_table(table, names[table], run_id_index, expiring) for table in SPECS]
    )


def _set_up_table(
    table: Table, name: str, run_id_index: str | None, expiring: bool
) -> Operation[None]:
    yield from _set_up(table, name, run_id_index)
    if expiring:
        yield from _set_up_expiry(table, name)


def _set_up(table: Table, name: str, run_id_index: str | None) -> Operation[None]:
    index = run_id_index if table is Table.CHECKPOINTS else None
    for attempt in range(1, _POLLS + 1):
        description = yield from send(DescribeTable(table))
        if description is not None:
            _verify(description, name, SPECS[table], index)
            if _ready(description, index):
                return
        request = _missing(table, description, index)
        if request is not None:
            # Somebody else may be at it: then wait for what they make, and verify that.
            with suppress(TableInUseError):
                yield from send(request)
                continue
        yield from send(backoff(attempt))
    raise TableError(
        name, "was not active after two minutes; see its status in the console, then repeat setup()"
    )


def _set_up_expiry(table: Table, name: str) -> Operation[None]:
    for attempt in range(1, _POLLS + 1):
        description = yield from send(DescribeTimeToLive(table))
        status = description.get("TimeToLiveStatus", "DISABLED")
        attribute = description.get("AttributeName", Attribute.TTL)
        if status in ("ENABLED", "ENABLING"):
            if attribute == Attribute.TTL:
                return
            raise TableMismatchError(
                name, f"has items expire by {attribute!r}, needs {Attribute.TTL!r}; turn it off"
            )
        if status == "DISABLED":
            # Somebody else may be at it: then look again.
            with suppress(TableInUseError):
                yield from send(EnableTimeToLive(table))
                return
        yield from send(backoff(attempt))
    raise TableError(
        name,
        f"has its time to live {status} after two minutes; DynamoDB allows one change of it an "
        "hour, so repeat setup() later",
    )


def _missing(
    table: Table, description: TableDescriptionTypeDef | None, index: str | None
) -> CreateTable | CreateRunIndex | None:
    if description is None:
        return CreateTable(table, index)
    if index is not None and _index_status(description, index) is None and _active(description):
        return CreateRunIndex(index)
    return None


def _ready(description: TableDescriptionTypeDef, index: str | None) -> bool:
    return _active(description) and (
        index is None or _index_status(description, index) in ("ACTIVE", "")
    )


def _active(description: TableDescriptionTypeDef) -> bool:
    # While an index is built the table says UPDATING and serves all the same.
    return description.get("TableStatus", "ACTIVE") == "ACTIVE"


def _index_status(description: TableDescriptionTypeDef, index: str) -> str | None:
    for described in description.get("GlobalSecondaryIndexes", []):
        if described.get("IndexName") == index:
            return described.get("IndexStatus", "")
    return None


def _verify(
    description: TableDescriptionTypeDef, name: str, spec: TableSpec, index: str | None
) -> None:
    definitions = description.get("AttributeDefinitions", [])
    found = _key_schema(description.get("KeySchema", []), definitions)
    wanted = [("HASH", spec.partition_key, "S"), ("RANGE", spec.sort_key, "S")]
    if found != wanted:
        raise TableMismatchError(
            name, f"has the keys {found}, needs {wanted}; name another table or make this one anew"
        )
    for described in description.get("GlobalSecondaryIndexes", []):
        if index is None or described.get("IndexName") != index:
            continue
        found = _key_schema(described.get("KeySchema", []), definitions)
        wanted = [("HASH", RUN_ID_INDEX_KEY, "S")]
        if found[:1] != wanted:
            raise TableMismatchError(
                name, f"index {index!r} has the keys {found}, needs {wanted}; name another index"
            )


def _key_schema(
    schema: Sequence[KeySchemaElementTypeDef], definitions: Sequence[AttributeDefinitionTypeDef]
) -> list[tuple[str, str, str]]:
    types = {d["AttributeName"]: d["AttributeType"] for d in definitions}
    return [(k["KeyType"], k["AttributeName"], types.get(k["AttributeName"], "?")) for k in schema]
