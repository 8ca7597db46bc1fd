"""Creating the tables, or verifying that those there are the right ones."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.calls import backoff
from langgraph_checkpoint_dynamodb.effects import (
    CreateIndex,
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
    SPECS,
    Attribute,
    IndexSpec,
    Table,
    TableSpec,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_dynamodb.type_defs import (
        AttributeDefinitionTypeDef,
        GlobalSecondaryIndexDescriptionTypeDef,
        KeySchemaElementTypeDef,
        TableDescriptionTypeDef,
    )

_POLLS = 60
"""Looks at a table before giving up: two minutes on average, since the waits between them grow to
five seconds at most. A table is there within seconds, an index over data takes longer."""


def set_up(
    names: dict[Table, str], indexes: Sequence[IndexSpec], *, expiring: bool
) -> Operation[None]:
    """Create what is missing and verify what is there. Can be repeated, and run by many at once.

    Args:
        names: Name of each table.
        indexes: The indexes on the checkpoints table.
        expiring: Whether items expire, so that DynamoDB is to delete them.

    Raises:
        TableMismatchError: A table or an index has other keys, or items expire by another
            attribute.
        TableError: A table did not become active in time.
    """
    yield from together(
        [_set_up_table(table, name, indexes, expiring) for table, name in names.items()]
    )


def _set_up_table(
    table: Table, name: str, indexes: Sequence[IndexSpec], expiring: bool
) -> Operation[None]:
    yield from _set_up(table, name, indexes if table is Table.CHECKPOINTS else ())
    if expiring:
        yield from _set_up_expiry(table, name)


def _set_up(table: Table, name: str, indexes: Sequence[IndexSpec]) -> Operation[None]:
    for attempt in range(1, _POLLS + 1):
        description = yield from send(DescribeTable(table))
        if description is not None:
            verify_keys(description, name, SPECS[table])
            verify_indexes(description, name, indexes)
            if _ready(description, indexes):
                return
        request = _missing(table, description, indexes)
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
    table: Table, description: TableDescriptionTypeDef | None, indexes: Sequence[IndexSpec]
) -> CreateTable | CreateIndex | None:
    if description is None:
        return CreateTable(table, tuple(indexes))
    if not _active(description):
        return None  # DynamoDB makes one index of a table at a time.
    defined = [one["AttributeName"] for one in description.get("AttributeDefinitions", [])]
    return next(
        (
            CreateIndex(index, tuple(defined))
            for index in indexes
            if index_status(description, index.name) is None
        ),
        None,
    )


def _ready(description: TableDescriptionTypeDef, indexes: Sequence[IndexSpec]) -> bool:
    return _active(description) and all(
        index_status(description, index.name) in ("ACTIVE", "") for index in indexes
    )


def _active(description: TableDescriptionTypeDef) -> bool:
    # While an index is built the table says UPDATING and serves all the same.
    return description.get("TableStatus", "ACTIVE") == "ACTIVE"


def index_status(description: TableDescriptionTypeDef, index: str) -> str | None:
    """The status of an index, `None` where there is none of that name."""
    for described in description.get("GlobalSecondaryIndexes", []):
        if described.get("IndexName") == index:
            return described.get("IndexStatus", "")
    return None


def verify_keys(description: TableDescriptionTypeDef, name: str, spec: TableSpec) -> None:
    """Check the keys of a table.

    Raises:
        TableMismatchError: They are others.
    """
    definitions = description.get("AttributeDefinitions", [])
    found = _key_schema(description.get("KeySchema", []), definitions)
    wanted = [("HASH", spec.partition_key, "S"), ("RANGE", spec.sort_key, "S")]
    if found != wanted:
        raise TableMismatchError(
            name, f"has the keys {found}, needs {wanted}; name another table or make this one anew"
        )


def verify_indexes(
    description: TableDescriptionTypeDef, name: str, indexes: Sequence[IndexSpec]
) -> None:
    """Check those indexes of a table that are there.

    Raises:
        TableMismatchError: One has other keys, or holds too little.
    """
    definitions = description.get("AttributeDefinitions", [])
    described = {one.get("IndexName"): one for one in description.get("GlobalSecondaryIndexes", [])}
    for index in indexes:
        if index.name in described:
            _verify_index(described[index.name], definitions, name, index)


def _verify_index(
    described: GlobalSecondaryIndexDescriptionTypeDef,
    definitions: Sequence[AttributeDefinitionTypeDef],
    name: str,
    index: IndexSpec,
) -> None:
    found = _key_schema(described.get("KeySchema", []), definitions)
    kinds = ("HASH", "RANGE")
    wanted = [(kind, key, "S") for kind, key in zip(kinds, index.keys, strict=False)]
    if found[: len(wanted)] != wanted:
        raise TableMismatchError(
            name, f"index {index.name!r} has the keys {found}, needs {wanted}; name another index"
        )
    projection = described.get("Projection", {}).get("ProjectionType", "ALL")
    if index.whole and projection != "ALL":
        raise TableMismatchError(
            name, f"index {index.name!r} holds {projection}, needs ALL; name another index"
        )


def _key_schema(
    schema: Sequence[KeySchemaElementTypeDef], definitions: Sequence[AttributeDefinitionTypeDef]
) -> list[tuple[str, str, str]]:
    types = {d["AttributeName"]: d["AttributeType"] for d in definitions}
    return [(k["KeyType"], k["AttributeName"], types.get(k["AttributeName"], "?")) for k in schema]
