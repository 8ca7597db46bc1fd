"""Translates the SDK's responses to replies, and checks that they belong to their requests.

A connection shared by mistake, a proxy or a cache may return the response to another request. The
keys in a response must be those requested: otherwise a thread would continue with the state of
another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb import errors
from langgraph_checkpoint_dynamodb.format.tables import (
    RUN_ID_INDEX_KEY,
    SPECS,
    THREAD_INDEX_KEYS,
    Attribute,
    Key,
    Table,
)
from langgraph_checkpoint_dynamodb.requests.items import (
    BatchGet,
    BatchWrite,
    Delete,
    DeleteIfOld,
    DeleteItem,
    DeleteUnchanged,
    ExtendTtl,
    Found,
    GetItem,
    Page,
    Put,
    PutItem,
    Query,
    QueryRunIndex,
    QueryThreadIndex,
    Scan,
    ScanThreadIndex,
    SearchVectors,
)
from langgraph_checkpoint_dynamodb.requests.objects import (
    CopyObject,
    DeleteObjects,
    GetObject,
    ObjectRequest,
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
from langgraph_checkpoint_dynamodb.runners.bodies import BODY, PROBLEM, is_json_object

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Request

    Response = Mapping[str, Any]


_EMPTY = 2
"""Entries of a response that has only its body and `ResponseMetadata`."""


class WrongReplyError(Exception):
    """A response is no reply to its request. The message says why."""


class Replies:
    """Reads the responses about the tables of one saver, store or cache."""

    def __init__(self, table_names: Mapping[Table, str]) -> None:
        self._names = table_names
        self._tables = {name: table for table, name in table_names.items()}

    def read(self, request: Request[Any], response: Response) -> object:
        """The reply to a request.

        Raises:
            WrongReplyError: The response does not belong to the request.
        """
        _require_dynamodb_response(request, response)
        if isinstance(request, ObjectRequest):
            return _object_reply(request, response)
        match request:
            case GetItem(table, key):
                return require_key(table, key, response.get("Item"))
            case PutItem(put):
                return require_key(put.table, put.key, response.get("Attributes"))
            case DeleteItem(table, key):
                return require_key(table, key, response.get("Attributes"))
            case BatchGet():
                return self._found(request, response)
            case Query():
                return _require_partition(request, _page(response))
            case QueryRunIndex(run_id=run_id):
                return _require_run(run_id, _page(response))
            case QueryThreadIndex(owner=owner):
                page = _page(response)
                _require_all(page.items, THREAD_INDEX_KEYS[0], {"S": owner})
                return page
            case SearchVectors(labels=labels):
                return _similar(labels[0], _required(response, "SearchResults"))
            case Scan() | ScanThreadIndex():
                return _page(response)
            case BatchWrite(changes):
                return self._leftover(changes, _required(response, "UnprocessedItems"))
            case ExtendTtl() | DeleteIfOld() | DeleteUnchanged():
                return True
            case DescribeTable(table):
                return self._described(table, _required(response, "Table"))
            case DescribeTimeToLive():
                return _required(response, "TimeToLiveDescription")
            case CreateTable() | CreateIndex() | CreateVectorIndex():
                _required(response, "TableDescription")
            case EnableTimeToLive():
                _required(response, "TimeToLiveSpecification")
        return None

    def _found(self, request: BatchGet, response: Response) -> Found:
        name, asked = self._names[request.table], set(request.keys)
        items = _required(response, "Responses").get(name, [])
        left = response.get("UnprocessedKeys", {}).get(name, {}).get("Keys", [])
        try:
            found = [_own_key(request.table, item) for item in (*items, *left)]
        except LookupError as error:
            raise WrongReplyError("it has items without their keys") from error
        if not set(found) <= asked or len(found) > len(set(found)):
            raise WrongReplyError("its items have other keys than those asked for")
        return Found(tuple(items), tuple(found[len(items) :]))

    def _leftover(
        self, changes: Sequence[Put | Delete], unprocessed: Mapping[str, Any]
    ) -> tuple[Put | Delete, ...]:
        if not unprocessed:
            return ()
        try:
            left = {
                (self._tables[name], _key_of(self._tables[name], one))
                for name, some in unprocessed.items()
                for one in some
            }
        except LookupError as error:
            raise WrongReplyError("it hands back changes of unknown tables or keys") from error
        if not left <= {(change.table, change.key) for change in changes}:
            raise WrongReplyError("it hands back changes that were not sent")
        return tuple(change for change in changes if (change.table, change.key) in left)

    def _described(self, table: Table, description: Mapping[str, Any]) -> Mapping[str, Any]:
        asked = self._names[table]
        if asked not in (description.get("TableName"), description.get("TableArn")):
            raise WrongReplyError(f"it describes table {description.get('TableName')!r}")
        return description


def _require_dynamodb_response(request: Request[Any], response: Response) -> None:
    """Check what does not depend on the request."""
    problem = response.get(PROBLEM)
    if problem is not None:
        raise WrongReplyError(problem)
    if isinstance(request, ObjectRequest):
        return  # S3 responses may have any content type.
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    if headers.get("content-type", "").startswith("text/html"):
        raise WrongReplyError("it is a page of HTML")
    # The SDK treats an unreadable body as empty.
    body = response.get(BODY)
    if body is not None and len(response) == _EMPTY and not is_json_object(body):
        raise WrongReplyError("its body is no JSON object")


def _required(response: Response, name: str) -> Any:
    found = response.get(name)
    if found is None:
        raise WrongReplyError(f"it has no {name}")
    return found


def _page(response: Response) -> Page:
    return Page(_required(response, "Items"), response.get("LastEvaluatedKey"))


def require_key(table: Table, key: Key, item: StoredItem | None) -> StoredItem | None:
    """An item of a response, if it has the requested key.

    Raises:
        WrongReplyError: It has another key.
    """
    if item is None:
        return None
    spec = SPECS[table]
    if item.get(spec.partition_key) != {"S": key.partition} or item.get(spec.sort_key) != {
        "S": key.sort
    }:
        raise WrongReplyError("its item has another key than the one asked for")
    return item


def _require_partition(request: Query, page: Page) -> Page:
    name = SPECS[request.table].partition_key
    wanted = {"S": request.partition}
    if not request.attributes or name in request.attributes:
        _require_all(page.items, name, wanted)
    if page.next is not None:
        _require_all([page.next], name, wanted)
    return page


def _require_run(run_id: str, page: Page) -> Page:
    _require_all(page.items, RUN_ID_INDEX_KEY, {"S": run_id})
    return page


def _similar(root: str, results: Sequence[Mapping[str, Any]]) -> tuple[tuple[Key, float], ...]:
    """Keys of the items found, each with its similarity: 1 minus the distance."""
    try:
        _require_all([one["Item"] for one in results], Attribute.VECTOR_ROOT, {"S": root})
        return tuple((_own_key(Table.STORE, one["Item"]), 1 - one["Score"]) for one in results)
    except (LookupError, TypeError) as error:
        raise WrongReplyError("it has results without their keys or scores") from error


def _require_all(items: Sequence[StoredItem], name: str, wanted: Mapping[str, str]) -> None:
    for item in items:
        if item.get(name) != wanted:
            raise WrongReplyError(f"an item's {name} is another one than the one asked for")


def _object_reply(request: ObjectRequest, response: Response) -> object:
    match request:
        case GetObject():
            return _required(response, "Body")
        case PutObject():
            _required(response, "ETag")
        case CopyObject():
            _required(_required(response, "CopyObjectResult"), "ETag")
            return True
        case DeleteObjects(bucket):
            _require_deleted(bucket, response.get("Errors", []))
    return None


def _require_deleted(bucket: str, failed: Sequence[Mapping[str, str]]) -> None:
    if failed:
        raise errors.ObjectsNotDeletedError(
            bucket=bucket,
            keys=[error.get("Key", "?") for error in failed],
            code=failed[0].get("Code", "InternalError"),
        )


def _own_key(table: Table, item: Mapping[str, Any]) -> Key:
    spec = SPECS[table]
    return Key(item[spec.partition_key]["S"], item[spec.sort_key]["S"])


def _key_of(table: Table, request: Mapping[str, Any]) -> Key:
    item = (
        request["PutRequest"]["Item"]
        if "PutRequest" in request
        else request["DeleteRequest"]["Key"]
    )
    return _own_key(table, item)
