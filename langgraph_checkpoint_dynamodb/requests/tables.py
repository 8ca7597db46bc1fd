"""Requests about tables: their keys, indexes and time to live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from langgraph_checkpoint_dynamodb.requests.operations import Request

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef, TimeToLiveDescriptionTypeDef

    from langgraph_checkpoint_dynamodb.format.tables import IndexSpec, Table, VectorIndexSpec

    TableDescription: TypeAlias = TableDescriptionTypeDef
    TimeToLiveDescription: TypeAlias = TimeToLiveDescriptionTypeDef


@dataclass(frozen=True, slots=True)
class DescribeTable(Request["TableDescription | None"]):
    """Describe a table; `None` if there is none."""

    table: Table


@dataclass(frozen=True, slots=True)
class CreateTable(Request[None]):
    """Create a table by its specification, with the given indexes.

    Raises:
        TableInUseError: The table is being created.
    """

    table: Table
    indexes: tuple[IndexSpec, ...] = ()
    vectors: VectorIndexSpec | None = None


@dataclass(frozen=True, slots=True)
class CreateIndex(Request[None]):
    """Add an index to the checkpoints table.

    Attributes:
        index: The index.
        defined: The existing key attributes of the table and its indexes.

    Raises:
        TableInUseError: The table is being changed.
    """

    index: IndexSpec
    defined: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CreateVectorIndex(Request[None]):
    """Add the vector index to the store's table.

    Attributes:
        index: The index.
        defined: The existing key attributes of the table and its indexes.

    Raises:
        TableInUseError: The table is being changed.
    """

    index: VectorIndexSpec
    defined: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DescribeTimeToLive(Request["TimeToLiveDescription"]):
    """Describe whether and by which attribute a table's items expire."""

    table: Table


@dataclass(frozen=True, slots=True)
class EnableTimeToLive(Request[None]):
    """Have DynamoDB delete a table's expired items.

    Raises:
        TableInUseError: The setting was changed recently.
    """

    table: Table


TableRequest: TypeAlias = (
    DescribeTable
    | CreateTable
    | CreateIndex
    | CreateVectorIndex
    | DescribeTimeToLive
    | EnableTimeToLive
)
