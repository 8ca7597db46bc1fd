"""Everything this package raises.

::

    DynamoDBSaverError
    ├── InvalidInputError (ValueError)       an argument cannot be stored
    │   ├── InvalidInputTypeError (TypeError)
    │   ├── ItemTooLargeError                over DynamoDB's item limit
    │   └── PayloadTooLargeError             over the saver's limit
    ├── UnreadableItemError                  stored, but damaged or of another application
    │   ├── MissingPartError                 a chunk, an S3 object or a base is missing
    │   └── DeletedBaseError                 stored by a run while its thread was deleted
    ├── DeltaHistoryError                    the call would delete part of a DeltaChannel's history
    ├── ThreadConflictError                  another run has stored a checkpoint meanwhile
    ├── ThreadNotFoundError                  the thread is not in the thread index
    ├── ThreadMismatchError                  a moved thread differs from its source
    ├── ExportFormatError                    a line of an export that cannot be read
    ├── TableError
    │   ├── TableNotFoundError
    │   └── TableMismatchError               wrong keys, wrong index
    ├── UnprocessedItemsError                DynamoDB left part of a batch unprocessed
    ├── SaverClosedError
    ├── EventLoopError (InvalidStateError)   a sync method was called in an event loop
    └── ServiceError                         DynamoDB, S3 or the network rejected a request
        ├── ConditionFailedError
        ├── TransactionCanceledError
        ├── TableInUseError
        ├── ObjectsNotDeletedError           S3 did not delete some objects
        ├── ReplyError                       a response that does not match the request
        └── TransportError                   no response

A store raises two more errors for invalid arguments, in `store.errors`. Messages contain keys,
sizes and attribute names, never stored values.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langgraph_checkpoint_dynamodb.requests.items import StoredItem


class DynamoDBSaverError(Exception):
    """Base class of every error of this package."""


class InvalidInputError(DynamoDBSaverError, ValueError):
    """An argument cannot be used.

    Attributes:
        field: Name of the invalid field, for example `thread_id`.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class InvalidInputTypeError(InvalidInputError, TypeError):
    """An argument has the wrong type."""


class ItemTooLargeError(InvalidInputError):
    """An item is over DynamoDB's limit even without its values. Nothing was written.

    Large values are stored outside the item; what is left are keys, names and paths.

    Attributes:
        size: Size of the item in bytes, as DynamoDB counts it.
        limit: Maximum size in bytes.
        place: What was being stored: thread, namespace, checkpoint id, channel.
    """

    def __init__(self, *, place: str, size: int, limit: int) -> None:
        super().__init__(
            "item size",
            f"{place} takes {size} bytes without its values, DynamoDB allows {limit} bytes in one "
            "item. Nothing was written. Use shorter namespaces, channel names or task paths.",
        )
        self.place = place
        self.size = size
        self.limit = limit


class PayloadTooLargeError(InvalidInputError):
    """A value is over the saver's limit (`max_value_bytes`). Nothing was written.

    Attributes:
        place: What was being stored: thread, namespace, checkpoint id, channel.
        attribute: The value's attribute: `checkpoint`, `metadata` or `value`.
        size: Serialized size in bytes.
        limit: Maximum size in bytes.
    """

    def __init__(self, *, place: str, attribute: str, size: int, limit: int) -> None:
        super().__init__(
            attribute,
            f"of {place} takes {size} bytes, the limit is {limit} bytes. Nothing was written. "
            "Raise max_value_bytes, or keep a reference to large values in the state.",
        )
        self.place = place
        self.attribute = attribute
        self.size = size
        self.limit = limit


class UnreadableItemError(DynamoDBSaverError):
    """An item exists but cannot be read.

    Raised instead of returning `None` or an older checkpoint, so that a conversation is never
    silently rolled back.

    Attributes:
        place: The item: table, thread, namespace, checkpoint id and, for writes, task and index.
        attribute: The attribute that is missing, of the wrong type or undecodable.
    """

    def __init__(self, *, place: str, attribute: str, problem: str) -> None:
        super().__init__(f"cannot read {place}: attribute {attribute!r} {problem}")
        self.place = place
        self.attribute = attribute


class MissingPartError(UnreadableItemError):
    """A value is stored outside its item, and part of it is missing.

    Raised after a second, strongly consistent read, because another process may have replaced the
    value meanwhile.

    Attributes:
        part: The address of the part.
    """

    def __init__(self, *, place: str, attribute: str, problem: str, part: str) -> None:
        super().__init__(place=place, attribute=attribute, problem=problem)
        self.part = part


class DeletedBaseError(UnreadableItemError):
    """A run stored a checkpoint while its thread was deleted. The checkpoint counts as deleted.

    It is the difference from a base that was deleted with the thread.
    """

    def __init__(self, *, place: str, attribute: str, base: str) -> None:
        super().__init__(
            place=place,
            attribute=attribute,
            problem=f"is the difference from {base}, which was deleted with its thread during a "
            "run; the checkpoint counts as deleted too",
        )


class DeltaHistoryError(DynamoDBSaverError):
    """A call would delete checkpoints that later checkpoints' DeltaChannels are rebuilt from.

    Nothing was deleted.

    Attributes:
        thread_ids: The threads of those checkpoints.
    """

    def __init__(self, thread_ids: Sequence[str]) -> None:
        super().__init__(
            f"threads {sorted(thread_ids)!r} have later checkpoints whose DeltaChannel state is "
            "rebuilt from these runs; deleting them would silently empty that state. "
            "Nothing was deleted. Delete the whole thread, or the later runs too."
        )
        self.thread_ids = tuple(sorted(thread_ids))


class ThreadConflictError(DynamoDBSaverError):
    """Another run has stored a checkpoint of the thread since this run started.

    The checkpoint of this run was not stored, because it would have forked the thread. Read the
    thread again and run from there.

    Attributes:
        thread_id: The thread.
        expected: Id of the root checkpoint that this run started from; `None` for none.
        found: Id of the thread's newest root checkpoint.
    """

    def __init__(self, *, thread_id: str, expected: str | None, found: str | None) -> None:
        super().__init__(
            f"thread {thread_id!r} is at checkpoint {found!r}, expected {expected!r}: another run "
            "has stored a checkpoint meanwhile. Nothing was stored. Read the thread again and run "
            "from there, or pass on_conflict='fork' to let both runs continue"
        )
        self.thread_id = thread_id
        self.expected = expected
        self.found = found


class ThreadNotFoundError(DynamoDBSaverError):
    """A thread is not in the thread index.

    Attributes:
        thread_id: The thread.
    """

    def __init__(self, thread_id: str) -> None:
        super().__init__(
            f"thread {thread_id!r} is not in the thread index; run it with a saver that has "
            "thread_index=, or call reindex_threads() if it has checkpoints"
        )
        self.thread_id = thread_id


class ThreadMismatchError(DynamoDBSaverError):
    """A checkpoint that was moved differs from its source.

    Something has written to the thread at the source or the target, before or during the move, or
    one of the savers does not return what was stored.

    Attributes:
        thread_id: The thread.
        checkpoint_ns: The namespace, empty for the root.
        checkpoint_id: The checkpoint.
        field: The field that differs, for example `checkpoint.channel_values.messages`,
            `metadata.step`, `parent_config`, `pending_writes`, or `checkpoint` if the whole
            checkpoint is missing.
    """

    def __init__(self, thread_id: str, checkpoint_ns: str, checkpoint_id: str, field: str) -> None:
        super().__init__(
            f"thread {thread_id!r}, namespace {checkpoint_ns!r}, checkpoint {checkpoint_id!r} "
            f"differs in {field} from what was moved there. Stop all runs of the thread at the "
            "source and the target, delete the thread at the target, and move it again."
        )
        self.thread_id = thread_id
        self.checkpoint_ns = checkpoint_ns
        self.checkpoint_id = checkpoint_id
        self.field = field


class ExportFormatError(DynamoDBSaverError):
    """A line of an export cannot be read: cut off, damaged, out of order, or of a later version.

    The lines before it were imported. The import can be repeated with the whole export.

    Attributes:
        line: Line number, starting at 1.
    """

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line} {problem}")
        self.line = line


class TableError(DynamoDBSaverError):
    """A table cannot be used.

    Attributes:
        table_name: Name of the table.
    """

    def __init__(self, table_name: str, problem: str) -> None:
        super().__init__(f"table {table_name!r}: {problem}")
        self.table_name = table_name


class TableNotFoundError(TableError):
    """A table does not exist in this account, region and endpoint."""


class TableMismatchError(TableError):
    """A table exists but its keys or index differ from what the saver needs."""


class UnprocessedItemsError(DynamoDBSaverError):
    """DynamoDB left part of a batch unprocessed at every attempt.

    The call can be repeated: requests that were processed are not lost.

    Attributes:
        keys: `(table, partition key, sort key)` of each unprocessed request.
    """

    def __init__(self, keys: Sequence[tuple[str, str, str]], attempts: int) -> None:
        super().__init__(
            f"{len(keys)} requests of a batch are unprocessed after {attempts} attempts without "
            "progress: the table is throttled. Raise its capacity and repeat the call."
        )
        self.keys = tuple(keys)


class SaverClosedError(DynamoDBSaverError):
    """The saver, the store or the cache was closed."""

    def __init__(self) -> None:
        super().__init__("this saver, store or cache is closed; create a new one")


class EventLoopError(DynamoDBSaverError, asyncio.InvalidStateError):
    """A sync method of `AsyncDynamoDBSaver` was called in a thread that runs an event loop.

    The call would block the loop. Also an `asyncio.InvalidStateError`, as LangGraph's own async
    savers raise.

    Attributes:
        method: The method that was called.
        instead: The async method to call instead.
    """

    def __init__(self, method: str, instead: str) -> None:
        super().__init__(
            f"{method}() would block the event loop of this thread; "
            f"use {instead}() here, or call {method}() in another thread (asyncio.to_thread)"
        )
        self.method = method
        self.instead = instead


class ServiceError(DynamoDBSaverError):
    """DynamoDB or S3 rejected a request. The SDK's error is the `__cause__`.

    Attributes:
        code: The service's error code, for example `AccessDeniedException`, or the name of the
            SDK's exception if no response arrived.
        operation: The API action, for example `PutItem`.
        table_name: The table; empty for several tables.
    """

    def __init__(self, *, code: str, operation: str, table_name: str, message: str) -> None:
        where = f" on table {table_name!r}" if table_name else ""
        super().__init__(f"{operation}{where} failed with {code}: {message}")
        self.code = code
        self.operation = operation
        self.table_name = table_name


class ConditionFailedError(ServiceError):
    """The condition of a write was not met.

    Attributes:
        item: The existing item, if the service returned it.
    """

    def __init__(self, *, item: StoredItem | None = None, **said: str) -> None:
        super().__init__(**said)
        self.item = item


class TransactionCanceledError(ServiceError):
    """A transaction was cancelled; none of its items was written.

    Attributes:
        reasons: The cancellation reason code of each item of the transaction, in order; the text
            `None` for an item that did not cause the cancellation.
    """

    def __init__(self, *, reasons: Sequence[str], **said: str) -> None:
        super().__init__(**said)
        self.reasons = tuple(reasons)


class TableInUseError(ServiceError):
    """Another process is creating or changing the table."""


class ObjectsNotDeletedError(ServiceError):
    """S3 did not delete some of the objects. Repeat the call.

    Attributes:
        keys: Keys of the objects that were not deleted.
    """

    def __init__(self, *, bucket: str, keys: Sequence[str], code: str) -> None:
        super().__init__(
            code=code,
            operation="DeleteObjects",
            table_name="",
            message=f"{len(keys)} objects of bucket {bucket!r} were not deleted; repeat the call",
        )
        self.keys = tuple(keys)


class ReplyError(ServiceError):
    """The response does not match the request. The request may have taken effect.

    Something between this process and the service, such as a proxy, has damaged the response, mixed
    it up with another one or made it. The call can be repeated.

    Attributes:
        problem: What is wrong with the response.
    """

    def __init__(self, *, code: str, operation: str, table_name: str, problem: str) -> None:
        super().__init__(
            code=code,
            operation=operation,
            table_name=table_name,
            message=f"the response does not match the request: {problem}. The request may have "
            "taken effect; repeat the call. If this persists, check the endpoint and proxies.",
        )
        self.problem = problem


class TransportError(ServiceError):
    """No response arrived: connection, credentials or timeout. A write may have taken effect."""
