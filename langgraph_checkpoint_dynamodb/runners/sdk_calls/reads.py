"""Calls that read items."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from langgraph_checkpoint_dynamodb.format.tables import (
    RUN_ID_INDEX_KEY,
    SPECS,
    THREAD_INDEX_KEYS,
    VECTOR_FILTERS,
    Attribute,
    Key,
    Table,
)
from langgraph_checkpoint_dynamodb.items.attributes import as_numbers
from langgraph_checkpoint_dynamodb.requests.items import (
    BatchGet,
    GetItem,
    ItemRead,
    Query,
    QueryRunIndex,
    QueryThreadIndex,
    Scan,
    ScanThreadIndex,
    SearchVectors,
)
from langgraph_checkpoint_dynamodb.runners.sdk_calls.call import SdkCall
from langgraph_checkpoint_dynamodb.runners.sdk_calls.expressions import Expression, typed_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        BatchGetItemInputTypeDef,
        GetItemInputTypeDef,
        QueryInputTypeDef,
        ScanInputTypeDef,
        SearchVectorsInputTypeDef,
    )

    from langgraph_checkpoint_dynamodb.requests.items import StartKey
    from langgraph_checkpoint_dynamodb.runners.sdk_calls.call import TableNames


def read_call(tables: TableNames, request: ItemRead) -> SdkCall:
    """The SDK call of a request that reads items."""
    match request:
        case GetItem():
            return SdkCall.on_table("GetItem", _get_item(tables, request))
        case BatchGet(table):
            return SdkCall("BatchGetItem", _batch_get(tables, request), tables[table])
        case Query():
            return SdkCall.on_table("Query", _query(tables, request))
        case QueryRunIndex():
            return SdkCall.on_table("Query", _query_run_index(tables, request))
        case QueryThreadIndex():
            return SdkCall.on_table("Query", _query_thread_index(tables, request))
        case Scan():
            return SdkCall.on_table("Scan", _scan(tables, request))
        case ScanThreadIndex():
            return SdkCall.on_table("Scan", _scan_thread_index(tables, request))
        case SearchVectors():
            return SdkCall.on_table("SearchVectors", _search_vectors(tables, request))


def _get_item(tables: TableNames, request: GetItem) -> GetItemInputTypeDef:
    return {
        "TableName": tables[request.table],
        "Key": typed_key(request.table, request.key),
        "ConsistentRead": request.consistent,
    }


def _batch_get(tables: TableNames, request: BatchGet) -> BatchGetItemInputTypeDef:
    keys = [typed_key(request.table, key) for key in request.keys]
    wanted = {"Keys": keys, "ConsistentRead": request.consistent}
    return cast("BatchGetItemInputTypeDef", {"RequestItems": {tables[request.table]: wanted}})


def _query(tables: TableNames, request: Query) -> QueryInputTypeDef:
    spec = SPECS[request.table]
    names = {"#p": spec.partition_key}
    values: dict[str, AttributeValueTypeDef] = {":p": {"S": request.partition}}
    condition = "#p = :p"
    low, high = request.sort.low, request.sort.high
    if low is not None or high is not None:
        names["#s"] = spec.sort_key
        values |= {k: {"S": v} for k, v in ((":l", low), (":h", high)) if v is not None}
        if low is not None and high is not None:
            condition += " AND #s BETWEEN :l AND :h"
        else:
            condition += " AND #s >= :l" if low is not None else " AND #s <= :h"
    arguments: QueryInputTypeDef = {
        "TableName": tables[request.table],
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        "ConsistentRead": request.consistent,
        "ScanIndexForward": request.forward,
    }
    start = request.start
    if start is None and request.after is not None:
        start = typed_key(request.table, Key(request.partition, request.after))
    _set_page(arguments, start, request.limit)
    if request.attributes:
        names |= _aliases(request.attributes)
        arguments["ProjectionExpression"] = _projection(request.attributes)
    arguments["ExpressionAttributeNames"] = names
    return arguments


def _query_run_index(tables: TableNames, request: QueryRunIndex) -> QueryInputTypeDef:
    arguments = _query_of_index(tables, request.index, RUN_ID_INDEX_KEY, request.run_id)
    _set_page(arguments, request.start)
    return arguments


def _query_thread_index(tables: TableNames, request: QueryThreadIndex) -> QueryInputTypeDef:
    arguments = _query_of_index(tables, request.index, THREAD_INDEX_KEYS[0], request.owner)
    arguments["ScanIndexForward"] = False
    _set_page(arguments, request.start, request.limit)
    return arguments


def _query_of_index(tables: TableNames, index: str, key: str, partition: str) -> QueryInputTypeDef:
    """Arguments of a Query of a partition of an index on the checkpoints table."""
    return {
        "TableName": tables[Table.CHECKPOINTS],
        "IndexName": index,
        "KeyConditionExpression": "#p = :p",
        "ExpressionAttributeNames": {"#p": key},
        "ExpressionAttributeValues": {":p": {"S": partition}},
    }


def _scan(tables: TableNames, request: Scan) -> ScanInputTypeDef:
    arguments: ScanInputTypeDef = {
        "TableName": tables[request.table],
        "ConsistentRead": request.consistent,
    }
    if request.segments > 1:
        arguments["Segment"] = request.segment
        arguments["TotalSegments"] = request.segments
    _set_page(arguments, request.start)
    if request.attributes:
        arguments["ProjectionExpression"] = _projection(request.attributes)
        arguments["ExpressionAttributeNames"] = _aliases(request.attributes)
    return arguments


def _scan_thread_index(tables: TableNames, request: ScanThreadIndex) -> ScanInputTypeDef:
    arguments: ScanInputTypeDef = {
        "TableName": tables[Table.CHECKPOINTS],
        "IndexName": request.index,
    }
    _set_page(arguments, request.start, request.limit)
    return arguments


def _search_vectors(tables: TableNames, request: SearchVectors) -> SearchVectorsInputTypeDef:
    labels = zip(VECTOR_FILTERS, request.labels, strict=False)
    expression = Expression()
    conditions = [
        f"{expression.name(name)} = {expression.value({'S': label})}" for name, label in labels
    ]
    returned = [expression.name(name) for name in (Attribute.ROOT, Attribute.PATH)]
    returned.append(expression.name(Attribute.VECTOR_ROOT))
    return {
        "TableName": tables[Table.STORE],
        "IndexName": request.index,
        "SearchVector": as_numbers(request.vector),
        "SearchConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeNames": expression.names,
        "ExpressionAttributeValues": expression.values,
        "ProjectionExpression": ", ".join(returned),
        "TopK": request.limit,
    }


def _set_page(
    arguments: QueryInputTypeDef | ScanInputTypeDef,
    start: StartKey | None,
    limit: int | None = None,
) -> None:
    if start is not None:
        arguments["ExclusiveStartKey"] = start
    if limit is not None:
        arguments["Limit"] = limit


def _aliases(attributes: Sequence[str]) -> dict[str, str]:
    return {f"#{position}": name for position, name in enumerate(attributes)}


def _projection(attributes: Sequence[str]) -> str:
    return ", ".join(f"#{position}" for position in range(len(attributes)))
