"""Calls about tables: their keys, indexes and time to live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.tables import (
    SPECS,
    VECTOR_FILTERS,
    Attribute,
    IndexSpec,
    Table,
    VectorIndexSpec,
)
from langgraph_checkpoint_dynamodb.requests.tables import (
    CreateIndex,
    CreateTable,
    CreateVectorIndex,
    DescribeTable,
    DescribeTimeToLive,
    EnableTimeToLive,
    TableRequest,
)
from langgraph_checkpoint_dynamodb.runners.sdk_calls.call import SdkCall

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import (
        AttributeDefinitionTypeDef,
        CreateTableInputTypeDef,
        GlobalSecondaryIndexTypeDef,
        KeySchemaElementTypeDef,
        UpdateTableInputTypeDef,
        UpdateTimeToLiveInputTypeDef,
        VectorIndexTypeDef,
    )

    from langgraph_checkpoint_dynamodb.runners.sdk_calls.call import TableNames


def table_call(tables: TableNames, request: TableRequest) -> SdkCall:
    """The SDK call of a request about a table."""
    match request:
        case DescribeTable(table):
            return SdkCall.on_table("DescribeTable", {"TableName": tables[table]})
        case CreateTable():
            return SdkCall.on_table("CreateTable", _create_table(tables, request))
        case CreateIndex():
            return SdkCall.on_table("UpdateTable", _create_index(tables, request))
        case CreateVectorIndex():
            return SdkCall.on_table("UpdateTable", _create_vector_index(tables, request))
        case DescribeTimeToLive(table):
            return SdkCall.on_table("DescribeTimeToLive", {"TableName": tables[table]})
        case EnableTimeToLive(table):
            return SdkCall.on_table("UpdateTimeToLive", _enable_time_to_live(tables, table))


def _create_table(tables: TableNames, request: CreateTable) -> CreateTableInputTypeDef:
    spec = SPECS[request.table]
    definitions = [_string(spec.partition_key), _string(spec.sort_key)]
    arguments: CreateTableInputTypeDef = {
        "TableName": tables[request.table],
        "KeySchema": [_hash(spec.partition_key), _range(spec.sort_key)],
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": definitions,
    }
    if request.indexes:
        names = dict.fromkeys(key for index in request.indexes for key in index.keys)
        definitions += map(_string, names)
        arguments["GlobalSecondaryIndexes"] = [_index(index) for index in request.indexes]
    if request.vectors is not None:
        definitions += map(_string, VECTOR_FILTERS)
        arguments["VectorIndexes"] = [_vector_index(request.vectors)]
    return arguments


def _create_index(tables: TableNames, request: CreateIndex) -> UpdateTableInputTypeDef:
    # Existing key attributes too: some engines keep only those that an update names.
    names = dict.fromkeys((*request.defined, *request.index.keys))
    return {
        "TableName": tables[Table.CHECKPOINTS],
        "AttributeDefinitions": [_string(name) for name in names],
        "GlobalSecondaryIndexUpdates": [{"Create": _index(request.index)}],
    }


def _create_vector_index(tables: TableNames, request: CreateVectorIndex) -> UpdateTableInputTypeDef:
    names = dict.fromkeys((*request.defined, *VECTOR_FILTERS))
    return {
        "TableName": tables[Table.STORE],
        "AttributeDefinitions": [_string(name) for name in names],
        "VectorIndexUpdates": [{"Create": _vector_index(request.index)}],
    }


def _enable_time_to_live(tables: TableNames, table: Table) -> UpdateTimeToLiveInputTypeDef:
    return {
        "TableName": tables[table],
        "TimeToLiveSpecification": {"Enabled": True, "AttributeName": Attribute.TTL},
    }


def _string(name: str) -> AttributeDefinitionTypeDef:
    return {"AttributeName": name, "AttributeType": "S"}


def _hash(name: str) -> KeySchemaElementTypeDef:
    return {"AttributeName": name, "KeyType": "HASH"}


def _range(name: str) -> KeySchemaElementTypeDef:
    return {"AttributeName": name, "KeyType": "RANGE"}


def _index(index: IndexSpec) -> GlobalSecondaryIndexTypeDef:
    return {
        "IndexName": index.name,
        "KeySchema": [make(key) for make, key in zip((_hash, _range), index.keys, strict=False)],
        "Projection": {"ProjectionType": "ALL" if index.whole else "KEYS_ONLY"},
    }


def _vector_index(index: VectorIndexSpec) -> VectorIndexTypeDef:
    return {
        "IndexName": index.name,
        "VectorAttribute": {"AttributeName": Attribute.VECTOR},
        "SearchSchema": [
            {
                "AttributeName": name,
                "SearchSchemaElementType": "INLINE_FILTER" if position else "HASH",
            }
            for position, name in enumerate(VECTOR_FILTERS)
        ],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
        "Dimensions": index.dims,
        "DistanceFunction": "COSINE",
    }
