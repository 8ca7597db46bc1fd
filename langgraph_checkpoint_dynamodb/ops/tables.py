"""Creating the tables and indexes, and verifying existing ones."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import TableError, TableInUseError, TableMismatchError
from langgraph_checkpoint_dynamodb.format.tables import (
    SPECS,
    VECTOR_FILTERS,
    Attribute,
    IndexSpec,
    Table,
    TableSpec,
    VectorIndexSpec,
)
from langgraph_checkpoint_dynamodb.requests.calls import backoff
from langgraph_checkpoint_dynamodb.requests.operations import Operation, send, together
from langgraph_checkpoint_dynamodb.requests.tables import (
    CreateIndex,
    CreateTable,
    CreateVectorIndex,
    DescribeTable,
    DescribeTimeToLive,
    EnableTimeToLive,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_dynamodb.type_defs import (
        AttributeDefinitionTypeDef,
        GlobalSecondaryIndexDescriptionTypeDef,
        KeySchemaElementTypeDef,
        TableDescriptionTypeDef,
        VectorIndexDescriptionTypeDef,
    )

_POLLS = 60
"""Polls of a table before giving up: two minutes on average, since the delays grow up to five
seconds. A new table is active within seconds, an index over existing data takes longer."""


def set_up(
    names: dict[Table, str],
    indexes: Sequence[IndexSpec],
    *,
    expiring: bool,
    vectors: VectorIndexSpec | None = None,
) -> Operation[None]:
    """Create missing tables and indexes, and verify existing ones. Idempotent and concurrent-safe.

    Args:
        names: Name of each table.
        indexes: The indexes on the checkpoints table.
        expiring: Whether items expire, so that DynamoDB is to delete them.
        vectors: The vector index on the store's table; `None` for none.

    Raises:
        TableMismatchError: A table or an index has other keys, or items expire by another
            attribute.
        TableError: A table did not become active in time.
    """
    yield from together(
        [
            _set_up_table(
                table,
                name,
                indexes if table is Table.CHECKPOINTS else (),
                vectors if table is Table.STORE else None,
                expiring=expiring,
            )
            for table, name in names.items()
        ]
    )


def _set_up_table(
    table: Table,
    name: str,
    indexes: Sequence[IndexSpec],
    vectors: VectorIndexSpec | None,
    *,
    expiring: bool,
) -> Operation[None]:
    yield from _set_up_keys_and_indexes(table, name, indexes, vectors)
    if expiring:
        yield from _set_up_time_to_live(table, name)


def _set_up_keys_and_indexes(
    table: Table, name: str, indexes: Sequence[IndexSpec], vectors: VectorIndexSpec | None
) -> Operation[None]:
    for attempt in range(1, _POLLS + 1):
        description = yield from send(DescribeTable(table))
        if description is not None:
            verify_keys(description, name, SPECS[table])
            verify_indexes(description, name, indexes)
            if vectors is not None:
                verify_vector_index(description, name, vectors)
            if _is_ready(description, indexes, vectors):
                return
        request = _next_request(table, description, indexes, vectors)
        if request is not None:
            # If another process is creating it, wait for it and verify it.
            with suppress(TableInUseError):
                yield from send(request)
                continue
        yield from send(backoff(attempt))
    raise TableError(
        name, "was not active after two minutes; see its status in the console, then repeat setup()"
    )


def _set_up_time_to_live(table: Table, name: str) -> Operation[None]:
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
            # If another process is enabling it, poll again.
            with suppress(TableInUseError):
                yield from send(EnableTimeToLive(table))
                return
        yield from send(backoff(attempt))
    raise TableError(
        name,
        f"has its time to live {status} after two minutes; DynamoDB allows one change of it an "
        "hour, so repeat setup() later",
    )


def _next_request(
    table: Table,
    description: TableDescriptionTypeDef | None,
    indexes: Sequence[IndexSpec],
    vectors: VectorIndexSpec | None,
) -> CreateTable | CreateIndex | CreateVectorIndex | None:
    if description is None:
        return CreateTable(table, tuple(indexes), vectors)
    if not _is_active(description):
        return None  # DynamoDB creates one index of a table at a time.
    defined = [one["AttributeName"] for one in description.get("AttributeDefinitions", [])]
    if vectors is not None and _vector_index(description, vectors.name) is None:
        return CreateVectorIndex(vectors, tuple(defined))
    return next(
        (
            CreateIndex(index, tuple(defined))
            for index in indexes
            if index_status(description, index.name) is None
        ),
        None,
    )


def _is_ready(
    description: TableDescriptionTypeDef,
    indexes: Sequence[IndexSpec],
    vectors: VectorIndexSpec | None,
) -> bool:
    if vectors is not None:
        described = _vector_index(description, vectors.name)
        # The index cannot be searched while it is backfilled.
        if described is None or described.get("Backfilling"):
            return False
        if described.get("IndexStatus", "ACTIVE") != "ACTIVE":
            return False
    return _is_active(description) and all(
        index_status(description, index.name) in ("ACTIVE", "") for index in indexes
    )


def _is_active(description: TableDescriptionTypeDef) -> bool:
    # A table whose index is being created has status UPDATING, but can be read and written.
    return description.get("TableStatus", "ACTIVE") == "ACTIVE"


def index_status(description: TableDescriptionTypeDef, index: str) -> str | None:
    """The status of an index; `None` if there is no index of that name."""
    for described in description.get("GlobalSecondaryIndexes", []):
        if described.get("IndexName") == index:
            return described.get("IndexStatus", "")
    return None


def verify_keys(description: TableDescriptionTypeDef, name: str, spec: TableSpec) -> None:
    """Check the keys of a table.

    Raises:
        TableMismatchError: The table has other keys.
    """
    definitions = description.get("AttributeDefinitions", [])
    found = _key_schema(description.get("KeySchema", []), definitions)
    wanted = [("HASH", spec.partition_key, "S"), ("RANGE", spec.sort_key, "S")]
    if found != wanted:
        raise TableMismatchError(
            name,
            f"has the keys {found}, needs {wanted}; use another table name or recreate the table",
        )


def verify_indexes(
    description: TableDescriptionTypeDef, name: str, indexes: Sequence[IndexSpec]
) -> None:
    """Check the existing indexes of a table.

    Raises:
        TableMismatchError: An index has other keys, or does not project all attributes.
    """
    definitions = description.get("AttributeDefinitions", [])
    described = {one.get("IndexName"): one for one in description.get("GlobalSecondaryIndexes", [])}
    for index in indexes:
        if index.name in described:
            _verify_index(described[index.name], definitions, name, index)


def _vector_index(
    description: TableDescriptionTypeDef, name: str
) -> VectorIndexDescriptionTypeDef | None:
    found = description.get("VectorIndexes", [])
    return next((one for one in found if one.get("IndexName") == name), None)


def verify_vector_index(
    description: TableDescriptionTypeDef, name: str, index: VectorIndexSpec
) -> None:
    """Check the vector index of a table, if it exists.

    Raises:
        TableMismatchError: It differs from what the store needs.
    """
    described = _vector_index(description, index.name)
    if described is None:
        return
    schema = {
        one["AttributeName"]: one["SearchSchemaElementType"]
        for one in described.get("SearchSchema", [])
    }
    hashes = [attribute for attribute, kind in schema.items() if kind == "HASH"]
    for what, found, wanted in (
        ("vectors", described.get("VectorAttribute"), {"AttributeName": Attribute.VECTOR}),
        ("dimensions", described.get("Dimensions"), index.dims),
        ("distances", described.get("DistanceFunction"), "COSINE"),
        ("partition key", hashes, [VECTOR_FILTERS[0]]),
        ("filters", sorted(schema.keys() & {*VECTOR_FILTERS}), sorted(VECTOR_FILTERS)),
    ):
        if found != wanted:
            raise TableMismatchError(
                name,
                f"vector index {index.name!r} has the {what} {found}, needs {wanted}; use another "
                "index name, or recreate the index",
            )


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
