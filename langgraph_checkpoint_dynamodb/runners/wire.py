"""Requests to SDK calls, and responses and errors to replies. Shared by all runners.

Every attribute name in an expression is an alias (`#n`), every value a placeholder: some names are
reserved words, and nothing a user passes may become part of an expression.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from langgraph_checkpoint_dynamodb.format.keys import is_auxiliary_key
from langgraph_checkpoint_dynamodb.format.tables import (
    RUN_ID_INDEX_KEY,
    SPECS,
    THREAD_INDEX_KEYS,
    VECTOR_FILTERS,
    Attribute,
    IndexSpec,
    Key,
    Table,
    VectorIndexSpec,
)
from langgraph_checkpoint_dynamodb.items.attributes import as_numbers
from langgraph_checkpoint_dynamodb.requests.items import (
    BatchGet,
    BatchWrite,
    Delete,
    DeleteIfOld,
    DeleteItem,
    DeleteUnchanged,
    Expected,
    GetItem,
    Prolong,
    Put,
    PutItem,
    Query,
    QueryRunIndex,
    QueryThreadIndex,
    Scan,
    ScanThreadIndex,
    SearchVectors,
    TransactPut,
    Update,
    UpdateItem,
)
from langgraph_checkpoint_dynamodb.requests.objects import (
    CopyObject,
    DeleteObjects,
    GetObject,
    PutObject,
)
from langgraph_checkpoint_dynamodb.requests.tables import (
    CreateIndex,
    CreateTable,
    CreateVectorIndex,
    DescribeTable,
    DescribeTimeToLive,
    EnableTimeToLive,
)
from langgraph_checkpoint_dynamodb.runners.refusals import Refusals, wrong_reply
from langgraph_checkpoint_dynamodb.runners.replies import Replies, WrongReplyError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from botocore.client import ClientMeta
    from mypy_boto3_dynamodb.type_defs import (
        AttributeDefinitionTypeDef,
        AttributeValueTypeDef,
        BatchGetItemInputTypeDef,
        BatchWriteItemInputTypeDef,
        CreateTableInputTypeDef,
        DeleteItemInputTypeDef,
        GetItemInputTypeDef,
        GlobalSecondaryIndexTypeDef,
        KeySchemaElementTypeDef,
        PutItemInputTypeDef,
        PutTypeDef,
        QueryInputTypeDef,
        ScanInputTypeDef,
        SearchVectorsInputTypeDef,
        TransactWriteItemsInputTypeDef,
        UpdateItemInputTypeDef,
        UpdateTableInputTypeDef,
        UpdateTimeToLiveInputTypeDef,
        UpdateTypeDef,
        VectorIndexTypeDef,
        WriteRequestTypeDef,
    )

    from langgraph_checkpoint_dynamodb.requests.operations import Request
    from langgraph_checkpoint_dynamodb.runners.client import Service
    from langgraph_checkpoint_dynamodb.runners.observed import Sight


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an SDK client.

    Attributes:
        method: Name of the client's method.
        action: Name of the API action, for messages.
        arguments: Its keyword arguments, a `...InputTypeDef` of the stubs.
        table_name: The table concerned, empty where there are several or none.
        service: Which client.
        sight: Where the call is watched, what sees it.
    """

    method: str
    action: str
    arguments: Mapping[str, Any]
    table_name: str = ""
    service: Service = "dynamodb"
    sight: Sight | None = None


class Wire:
    """Translates for one pair of tables.

    Args:
        table_names: Names of the tables.
        transport_errors: What the SDK raises, beside its own errors, where no answer arrives.
    """

    def __init__(
        self, table_names: Mapping[Table, str], transport_errors: tuple[type[Exception], ...] = ()
    ) -> None:
        self._names = table_names
        self._replies = Replies(table_names)
        self._refusals = Refusals(table_names, transport_errors)

    def call(self, request: Request[Any]) -> Call:
        """The SDK call of a request."""
        match request:
            case GetItem():
                return self._single("get_item", "GetItem", request.table, self._get_item(request))
            case Query():
                return self._single("query", "Query", request.table, self._query(request))
            case PutItem(put):
                return self._single("put_item", "PutItem", put.table, self._put_item(put))
            case TransactPut(puts):
                transaction = self._transact(puts)
                return self._several(
                    "transact_write_items", "TransactWriteItems", puts, transaction
                )
            case BatchWrite(changes):
                batch = self._batch(changes)
                return self._several("batch_write_item", "BatchWriteItem", changes, batch)
            case Scan():
                return self._single("scan", "Scan", request.table, self._scan(request))
            case QueryRunIndex():
                arguments = self._query_index(request)
                return self._single("query", "Query", Table.CHECKPOINTS, arguments)
            case QueryThreadIndex():
                arguments = self._query_threads(request)
                return self._single("query", "Query", Table.CHECKPOINTS, arguments)
            case ScanThreadIndex():
                threads = self._scan_threads(request)
                return self._single("scan", "Scan", Table.CHECKPOINTS, threads)
            case SearchVectors():
                search = self._search_vectors(request)
                return self._single("search_vectors", "SearchVectors", Table.STORE, search)
            case BatchGet(table):
                wanted = self._batch_get(request)
                return self._single("batch_get_item", "BatchGetItem", table, wanted)
            case DeleteItem(table):
                deleted = self._delete_item(request)
                return self._single("delete_item", "DeleteItem", table, deleted)
            case UpdateItem(update):
                return self._single("update_item", "UpdateItem", update.table, self._update(update))
            case DeleteUnchanged():
                deletion = self._delete_unchanged(request)
                return self._single("delete_item", "DeleteItem", request.table, deletion)
            case Prolong():
                return self._single(
                    "update_item", "UpdateItem", request.table, self._prolong(request)
                )
            case DeleteIfOld():
                return self._single(
                    "delete_item", "DeleteItem", request.table, self._delete_if_old(request)
                )
            case PutObject() | GetObject() | CopyObject() | DeleteObjects():
                return _object_call(request)
            case DescribeTimeToLive(table):
                named = {"TableName": self._names[table]}
                return self._single("describe_time_to_live", "DescribeTimeToLive", table, named)
            case EnableTimeToLive(table):
                enabled = self._enable_time_to_live(table)
                return self._single("update_time_to_live", "UpdateTimeToLive", table, enabled)
            case DescribeTable(table):
                named = {"TableName": self._names[table]}
                return self._single("describe_table", "DescribeTable", table, named)
            case CreateTable(table):
                created = self._create_table(request)
                return self._single("create_table", "CreateTable", table, created)
            case CreateIndex():
                updated = self._create_index(request)
                return self._single("update_table", "UpdateTable", Table.CHECKPOINTS, updated)
            case CreateVectorIndex():
                updated = self._create_vector_index(request)
                return self._single("update_table", "UpdateTable", Table.STORE, updated)
        raise AssertionError(f"no call for {type(request).__name__}")

    def reply(self, request: Request[Any], call: Call, response: Mapping[str, Any]) -> object:
        """What the request's reply is, from the SDK's response.

        Raises:
            ReplyError: The response cannot be one to this request.
        """
        try:
            return self._replies.read(request, response)
        except WrongReplyError as error:
            raise wrong_reply(call, error) from error

    def error(
        self, request: Request[Any], call: Call, error: Exception, meta: ClientMeta
    ) -> object:
        """The reply that an SDK error amounts to, where it does.

        Args:
            request: The request.
            call: The call that it was made as.
            error: What the SDK raised.
            meta: What the client says of itself.

        Raises:
            ServiceError: In every other case; its cause is the SDK's error.
            Exception: The error itself, where it is not about the service's answer.
        """
        return self._refusals.read(request, call, error, meta)

    def _single(self, method: str, action: str, table: Table, arguments: Mapping[str, Any]) -> Call:
        return Call(method, action, arguments, self._names[table])

    def _several(
        self,
        method: str,
        action: str,
        changes: Sequence[Put | Update | Delete],
        arguments: Mapping[str, Any],
    ) -> Call:
        names = {self._names[change.table] for change in changes}
        return Call(method, action, arguments, names.pop() if len(names) == 1 else "")

    def _get_item(self, request: GetItem) -> GetItemInputTypeDef:
        return {
            "TableName": self._names[request.table],
            "Key": _typed_key(request.table, request.key),
            "ConsistentRead": request.consistent,
        }

    def _batch_get(self, request: BatchGet) -> BatchGetItemInputTypeDef:
        keys = [_typed_key(request.table, key) for key in request.keys]
        wanted = {"Keys": keys, "ConsistentRead": request.consistent}
        return cast(
            "BatchGetItemInputTypeDef", {"RequestItems": {self._names[request.table]: wanted}}
        )

    def _delete_item(self, request: DeleteItem) -> DeleteItemInputTypeDef:
        return {
            "TableName": self._names[request.table],
            "Key": _typed_key(request.table, request.key),
            "ReturnValues": "ALL_OLD",
        }

    def _put_item(self, put: Put) -> PutItemInputTypeDef:
        # What is replaced comes back for nothing, and so does what stands in the way.
        arguments = {**cast("PutItemInputTypeDef", self._put(put)), "ReturnValues": "ALL_OLD"}
        if put.unless_exists:
            arguments["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return cast("PutItemInputTypeDef", arguments)

    def _prolong(self, request: Prolong) -> UpdateItemInputTypeDef:
        return {
            "TableName": self._names[request.table],
            "Key": _typed_key(request.table, request.key),
            "UpdateExpression": "SET #t = :t",
            # An item without an expiry has none to prolong; a tombstone is on its way out.
            "ConditionExpression": "#t < :t AND attribute_not_exists(#d)",
            "ExpressionAttributeNames": {"#t": Attribute.TTL, "#d": Attribute.DELETED},
            "ExpressionAttributeValues": {":t": {"N": str(request.ttl)}},
        }

    def _delete_if_old(self, request: DeleteIfOld) -> DeleteItemInputTypeDef:
        names = {"#c": Attribute.CREATED}
        condition = "attribute_not_exists(#c) OR #c <= :b"
        if request.table is Table.CHECKPOINTS and not is_auxiliary_key(request.key.sort):
            names["#d"] = Attribute.DELETED
            condition = "attribute_exists(#d) AND #c <= :b"
        return {
            "TableName": self._names[request.table],
            "Key": _typed_key(request.table, request.key),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {":b": {"N": str(request.before)}},
        }

    def _enable_time_to_live(self, table: Table) -> UpdateTimeToLiveInputTypeDef:
        return {
            "TableName": self._names[table],
            "TimeToLiveSpecification": {"Enabled": True, "AttributeName": Attribute.TTL},
        }

    def _put(self, put: Put) -> PutTypeDef:
        """Arguments of PutItem, and of a Put within a transaction, which are the same."""
        arguments: PutTypeDef = {"TableName": self._names[put.table], "Item": put.item}
        if put.unless_exists:
            # DynamoDB deletes expired items late: until then they are there and do not count.
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

    def _update(self, update: Update) -> UpdateItemInputTypeDef:
        """Arguments of UpdateItem, and of an Update within a transaction, which are the same."""
        expression = _Expression()
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
        clauses = [
            f"{word} {', '.join(some)}"
            for word, some in (("SET", sets), ("REMOVE", removed))
            if some
        ]
        conditions = [
            f"attribute_type({expression.name(name)}, {expression.value({'S': 'M'})})"
            for name in dict.fromkeys(name for name, _, _ in update.entries)
        ]
        if update.expected is not None:
            conditions.append(_expectation(update.expected, expression))
        arguments: dict[str, Any] = {
            "TableName": self._names[update.table],
            "Key": _typed_key(update.table, update.key),
            "UpdateExpression": " ".join(clauses),
            "ExpressionAttributeNames": expression.names,
        }
        if expression.values:
            arguments["ExpressionAttributeValues"] = expression.values
        if conditions:
            arguments["ConditionExpression"] = " AND ".join(conditions)
        return cast("UpdateItemInputTypeDef", arguments)

    def _delete_unchanged(self, request: DeleteUnchanged) -> DeleteItemInputTypeDef:
        return {
            "TableName": self._names[request.table],
            "Key": _typed_key(request.table, request.key),
            "ConditionExpression": "#a = :v",
            "ExpressionAttributeNames": {"#a": request.attribute},
            "ExpressionAttributeValues": {":v": request.value},
        }

    def _query_threads(self, request: QueryThreadIndex) -> QueryInputTypeDef:
        arguments = self._of_index(request.index, THREAD_INDEX_KEYS[0], request.owner)
        arguments["ScanIndexForward"] = False
        if request.limit is not None:
            arguments["Limit"] = request.limit
        if request.start is not None:
            arguments["ExclusiveStartKey"] = request.start
        return arguments

    def _scan_threads(self, request: ScanThreadIndex) -> ScanInputTypeDef:
        arguments: ScanInputTypeDef = {
            "TableName": self._names[Table.CHECKPOINTS],
            "IndexName": request.index,
        }
        if request.limit is not None:
            arguments["Limit"] = request.limit
        if request.start is not None:
            arguments["ExclusiveStartKey"] = request.start
        return arguments

    def _transact(self, puts: Sequence[Put | Update]) -> TransactWriteItemsInputTypeDef:
        return {
            "TransactItems": [
                {"Put": self._put(put)}
                if isinstance(put, Put)
                else {"Update": cast("UpdateTypeDef", self._update(put))}
                for put in puts
            ]
        }

    def _batch(self, changes: Sequence[Put | Delete]) -> BatchWriteItemInputTypeDef:
        by_table: dict[str, list[WriteRequestTypeDef]] = {}
        for change in changes:
            by_table.setdefault(self._names[change.table], []).append(
                {"DeleteRequest": {"Key": _typed_key(change.table, change.key)}}
                if isinstance(change, Delete)
                else {"PutRequest": {"Item": change.item}}
            )
        return {"RequestItems": by_table}

    def _query(self, request: Query) -> QueryInputTypeDef:
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
            "TableName": self._names[request.table],
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ConsistentRead": request.consistent,
            "ScanIndexForward": request.forward,
        }
        if request.limit is not None:
            arguments["Limit"] = request.limit
        if request.start is not None:
            arguments["ExclusiveStartKey"] = request.start
        elif request.after is not None:
            after = Key(request.partition, request.after)
            arguments["ExclusiveStartKey"] = _typed_key(request.table, after)
        if request.attributes:
            names |= _aliases(request.attributes)
            arguments["ProjectionExpression"] = _projection(request.attributes)
        arguments["ExpressionAttributeNames"] = names
        return arguments

    def _query_index(self, request: QueryRunIndex) -> QueryInputTypeDef:
        arguments = self._of_index(request.index, RUN_ID_INDEX_KEY, request.run_id)
        if request.start is not None:
            arguments["ExclusiveStartKey"] = request.start
        return arguments

    def _of_index(self, index: str, key: str, partition: str) -> QueryInputTypeDef:
        """Arguments of a Query of a partition of an index on the checkpoints table."""
        return {
            "TableName": self._names[Table.CHECKPOINTS],
            "IndexName": index,
            "KeyConditionExpression": "#p = :p",
            "ExpressionAttributeNames": {"#p": key},
            "ExpressionAttributeValues": {":p": {"S": partition}},
        }

    def _search_vectors(self, request: SearchVectors) -> SearchVectorsInputTypeDef:
        labels = zip(VECTOR_FILTERS, request.labels, strict=False)
        expression = _Expression()
        conditions = [
            f"{expression.name(name)} = {expression.value({'S': label})}" for name, label in labels
        ]
        returned = [expression.name(name) for name in (Attribute.ROOT, Attribute.PATH)]
        returned.append(expression.name(Attribute.VECTOR_ROOT))
        return {
            "TableName": self._names[Table.STORE],
            "IndexName": request.index,
            "SearchVector": as_numbers(request.vector),
            "SearchConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeNames": expression.names,
            "ExpressionAttributeValues": expression.values,
            "ProjectionExpression": ", ".join(returned),
            "TopK": request.limit,
        }

    def _scan(self, request: Scan) -> ScanInputTypeDef:
        arguments: ScanInputTypeDef = {
            "TableName": self._names[request.table],
            "ConsistentRead": request.consistent,
        }
        if request.segments > 1:
            arguments["Segment"] = request.segment
            arguments["TotalSegments"] = request.segments
        if request.start is not None:
            arguments["ExclusiveStartKey"] = request.start
        if request.attributes:
            arguments["ProjectionExpression"] = _projection(request.attributes)
            arguments["ExpressionAttributeNames"] = _aliases(request.attributes)
        return arguments

    def _create_table(self, request: CreateTable) -> CreateTableInputTypeDef:
        spec = SPECS[request.table]
        definitions = [_string(spec.partition_key), _string(spec.sort_key)]
        arguments: CreateTableInputTypeDef = {
            "TableName": self._names[request.table],
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

    def _create_index(self, request: CreateIndex) -> UpdateTableInputTypeDef:
        # Those of the keys that are there too: some engines keep only what an update names.
        names = dict.fromkeys((*request.defined, *request.index.keys))
        return {
            "TableName": self._names[Table.CHECKPOINTS],
            "AttributeDefinitions": [_string(name) for name in names],
            "GlobalSecondaryIndexUpdates": [{"Create": _index(request.index)}],
        }

    def _create_vector_index(self, request: CreateVectorIndex) -> UpdateTableInputTypeDef:
        names = dict.fromkeys((*request.defined, *VECTOR_FILTERS))
        return {
            "TableName": self._names[Table.STORE],
            "AttributeDefinitions": [_string(name) for name in names],
            "VectorIndexUpdates": [{"Create": _vector_index(request.index)}],
        }


class _Expression:
    """Names and values of an expression, each by a placeholder."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def name(self, name: str) -> str:
        """The alias of an attribute."""
        for alias, known in self.names.items():
            if known == name:
                return alias
        alias = f"#{len(self.names)}"
        self.names[alias] = name
        return alias

    def value(self, value: Any) -> str:
        """The placeholder of a value."""
        placeholder = f":{len(self.values)}"
        self.values[placeholder] = value
        return placeholder


def _expectation(expected: Expected, expression: _Expression) -> str:
    name = expression.name(expected.attribute)
    found = [f"{name} = {expression.value(value)}" for value in expected.values]
    if expected.missing:
        found.append(f"attribute_not_exists({name})")
    return f"({' OR '.join(found)})"


def _object_call(request: PutObject | GetObject | CopyObject | DeleteObjects) -> Call:
    """The SDK call of a request to S3."""
    arguments: Mapping[str, Any]
    match request:
        case PutObject(bucket, key, data):
            method, action = "put_object", "PutObject"
            arguments = {"Bucket": bucket, "Key": key, "Body": data}
        case GetObject(bucket, key):
            method, action = "get_object", "GetObject"
            arguments = {"Bucket": bucket, "Key": key}
        case CopyObject(bucket, source, target):
            method, action = "copy_object", "CopyObject"
            # S3 copies an object onto itself only if something about it changes.
            arguments = {
                "Bucket": bucket,
                "Key": target,
                "CopySource": {"Bucket": bucket, "Key": source},
                "MetadataDirective": "REPLACE",
            }
        case DeleteObjects(bucket, keys):
            method, action = "delete_objects", "DeleteObjects"
            objects = [{"Key": key} for key in keys]
            arguments = {"Bucket": bucket, "Delete": {"Objects": objects, "Quiet": True}}
    return Call(method, action, arguments, service="s3")


def _typed_key(table: Table, key: Key) -> dict[str, AttributeValueTypeDef]:
    spec = SPECS[table]
    return {spec.partition_key: {"S": key.partition}, spec.sort_key: {"S": key.sort}}


def _aliases(attributes: Sequence[str]) -> dict[str, str]:
    return {f"#{position}": name for position, name in enumerate(attributes)}


def _projection(attributes: Sequence[str]) -> str:
    return ", ".join(f"#{position}" for position in range(len(attributes)))


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
