"""Calls that write and delete items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from langgraph_checkpoint_dynamodb.format.keys import is_auxiliary_key
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Attribute, Table
from langgraph_checkpoint_dynamodb.requests.items import (
    BatchWrite,
    Delete,
    DeleteIfOld,
    DeleteItem,
    DeleteUnchanged,
    Expected,
    ExtendTtl,
    ItemWrite,
    Put,
    PutItem,
    TransactPut,
    Update,
    UpdateItem,
)
from langgraph_checkpoint_dynamodb.runners.sdk_calls.call import SdkCall
from langgraph_checkpoint_dynamodb.runners.sdk_calls.expressions import Expression, typed_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        BatchWriteItemInputTypeDef,
        DeleteItemInputTypeDef,
        PutItemInputTypeDef,
        PutTypeDef,
        TransactWriteItemsInputTypeDef,
        UpdateItemInputTypeDef,
        UpdateTypeDef,
        WriteRequestTypeDef,
    )

    from langgraph_checkpoint_dynamodb.runners.sdk_calls.call import TableNames


def write_call(tables: TableNames, request: ItemWrite) -> SdkCall:
    """The SDK call of a request that writes or deletes items."""
    match request:
        case PutItem(put):
            return SdkCall.on_table("PutItem", _put_item(tables, put))
        case UpdateItem(update):
            return SdkCall.on_table("UpdateItem", _update(tables, update))
        case ExtendTtl():
            return SdkCall.on_table("UpdateItem", _extend_ttl(tables, request))
        case DeleteItem():
            return SdkCall.on_table("DeleteItem", _delete_item(tables, request))
        case DeleteIfOld():
            return SdkCall.on_table("DeleteItem", _delete_if_old(tables, request))
        case DeleteUnchanged():
            return SdkCall.on_table("DeleteItem", _delete_unchanged(tables, request))
        case TransactPut(changes):
            transaction = _transaction(tables, changes)
            return SdkCall("TransactWriteItems", transaction, _only_table(tables, changes))
        case BatchWrite(changes):
            return SdkCall("BatchWriteItem", _batch(tables, changes), _only_table(tables, changes))


def _only_table(tables: TableNames, changes: Sequence[Put | Update | Delete]) -> str:
    """The name of the table of all changes, empty if there are several tables."""
    concerned = {tables[change.table] for change in changes}
    return concerned.pop() if len(concerned) == 1 else ""


def _put_item(tables: TableNames, put: Put) -> PutItemInputTypeDef:
    # Returning the replaced or the conflicting item consumes no capacity.
    arguments = {**cast("PutItemInputTypeDef", _put(tables, put)), "ReturnValues": "ALL_OLD"}
    if put.unless_exists:
        arguments["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return cast("PutItemInputTypeDef", arguments)


def _put(tables: TableNames, put: Put) -> PutTypeDef:
    """Arguments of PutItem, and of a Put within a transaction, which are the same."""
    arguments: PutTypeDef = {"TableName": tables[put.table], "Item": put.item}
    if put.unless_exists:
        # DynamoDB deletes expired items late: until then they count as absent.
        condition = "attribute_not_exists(#s) OR #t <= :now"
        names: dict[str, str] = {"#s": SPECS[put.table].sort_key, "#t": Attribute.TTL}
        values: dict[str, AttributeValueTypeDef] = {":now": {"N": str(put.now)}}
        if put.over_channels:
            over = [f":c{at}" for at in range(len(put.over_channels))]
            condition += f" OR #c IN ({', '.join(over)})"
            names["#c"] = Attribute.CHANNEL
            for name, channel in zip(over, put.over_channels, strict=True):
                values[name] = {"S": channel}
        arguments["ConditionExpression"] = condition
        arguments["ExpressionAttributeNames"] = names
        arguments["ExpressionAttributeValues"] = values
    return arguments


def _update(tables: TableNames, update: Update) -> UpdateItemInputTypeDef:
    """Arguments of UpdateItem, and of an Update within a transaction, which are the same."""
    expression = Expression()
    update_expression = _update_expression(update, expression)
    conditions = [
        f"attribute_type({expression.name(name)}, {expression.value({'S': 'M'})})"
        for name in dict.fromkeys(name for name, _, _ in update.entries)
    ]
    if update.expected is not None:
        conditions.append(_expectation(update.expected, expression))
    arguments: dict[str, Any] = {
        "TableName": tables[update.table],
        "Key": typed_key(update.table, update.key),
        "UpdateExpression": update_expression,
        "ExpressionAttributeNames": expression.names,
    }
    if expression.values:
        arguments["ExpressionAttributeValues"] = expression.values
    if conditions:
        arguments["ConditionExpression"] = " AND ".join(conditions)
    return cast("UpdateItemInputTypeDef", arguments)


def _update_expression(update: Update, expression: Expression) -> str:
    sets = [
        f"{expression.name(name)} = {expression.value(value)}"
        for name, value in update.values.items()
    ]
    for name, value in update.unless_set.items():
        alias = expression.name(name)
        sets.append(f"{alias} = if_not_exists({alias}, {expression.value(value)})")
    removed = [expression.name(name) for name in update.removed]
    for name, entry, value in update.entries:
        path = f"{expression.name(name)}.{expression.name(entry)}"
        if value is None:
            removed.append(path)
        else:
            sets.append(f"{path} = {expression.value(value)}")
    clauses = (("SET", sets), ("REMOVE", removed))
    return " ".join(f"{word} {', '.join(actions)}" for word, actions in clauses if actions)


def _expectation(expected: Expected, expression: Expression) -> str:
    name = expression.name(expected.attribute)
    found = [f"{name} = {expression.value(value)}" for value in expected.values]
    if expected.missing:
        found.append(f"attribute_not_exists({name})")
    return f"({' OR '.join(found)})"


def _extend_ttl(tables: TableNames, request: ExtendTtl) -> UpdateItemInputTypeDef:
    return {
        "TableName": tables[request.table],
        "Key": typed_key(request.table, request.key),
        "UpdateExpression": "SET #t = :t",
        # An item without an expiry has none to extend; a tombstone must expire on time.
        "ConditionExpression": "#t < :t AND attribute_not_exists(#d)",
        "ExpressionAttributeNames": {"#t": Attribute.TTL, "#d": Attribute.DELETED},
        "ExpressionAttributeValues": {":t": {"N": str(request.ttl)}},
    }


def _delete_item(tables: TableNames, request: DeleteItem) -> DeleteItemInputTypeDef:
    return {
        "TableName": tables[request.table],
        "Key": typed_key(request.table, request.key),
        "ReturnValues": "ALL_OLD",
    }


def _delete_if_old(tables: TableNames, request: DeleteIfOld) -> DeleteItemInputTypeDef:
    names = {"#c": Attribute.CREATED}
    condition = "attribute_not_exists(#c) OR #c <= :b"
    if request.table is Table.CHECKPOINTS and not is_auxiliary_key(request.key.sort):
        names["#d"] = Attribute.DELETED
        condition = "attribute_exists(#d) AND #c <= :b"
    return {
        "TableName": tables[request.table],
        "Key": typed_key(request.table, request.key),
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {":b": {"N": str(request.before)}},
    }


def _delete_unchanged(tables: TableNames, request: DeleteUnchanged) -> DeleteItemInputTypeDef:
    return {
        "TableName": tables[request.table],
        "Key": typed_key(request.table, request.key),
        "ConditionExpression": "#a = :v",
        "ExpressionAttributeNames": {"#a": request.attribute},
        "ExpressionAttributeValues": {":v": request.value},
    }


def _transaction(
    tables: TableNames, changes: Sequence[Put | Update]
) -> TransactWriteItemsInputTypeDef:
    return {
        "TransactItems": [
            {"Put": _put(tables, change)}
            if isinstance(change, Put)
            else {"Update": cast("UpdateTypeDef", _update(tables, change))}
            for change in changes
        ]
    }


def _batch(tables: TableNames, changes: Sequence[Put | Delete]) -> BatchWriteItemInputTypeDef:
    by_table: dict[str, list[WriteRequestTypeDef]] = {}
    for change in changes:
        by_table.setdefault(tables[change.table], []).append(
            {"DeleteRequest": {"Key": typed_key(change.table, change.key)}}
            if isinstance(change, Delete)
            else {"PutRequest": {"Item": change.item}}
        )
    return {"RequestItems": by_table}
