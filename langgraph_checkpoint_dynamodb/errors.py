"""Everything this package raises.

::

    DynamoDBSaverError
    ├── InvalidInputError (ValueError)       you passed something that cannot be stored
    │   ├── InvalidInputTypeError (TypeError)
    │   ├── ItemTooLargeError                over DynamoDB's item limit
    │   └── PayloadTooLargeError             over the saver's own ceiling
    ├── UnreadableItemError                  stored, but damaged or not ours
    │   ├── MissingPartError                 a chunk, an S3 object or a base of it is gone
    │   └── DeletedBaseError                 stored by a run whose thread was deleted meanwhile
    ├── DeltaHistoryError                    the call would cut a DeltaChannel's history
    ├── ThreadConflictError                  another run has moved the thread on
    ├── ThreadNotFoundError                  nothing is known of the thread as a whole
    ├── ThreadMismatchError                  a thread that was moved is not what it was
    ├── ExportFormatError                    a line of exported threads that cannot be read
    ├── TableError
    │   ├── TableNotFoundError
    │   └── TableMismatchError               wrong keys, wrong index
    ├── UnprocessedItemsError                DynamoDB kept handing a batch back
    ├── SaverClosedError
    ├── EventLoopError (InvalidStateError)   a plain method, called where an event loop runs
    └── ServiceError                         DynamoDB or the network said no
        ├── ConditionFailedError
        ├── TransactionCanceledError
        ├── TableInUseError
        ├── ObjectsNotDeletedError           S3 kept some of the objects
        ├── ReplyError                       an answer that is none to the request
        └── TransportError                   no answer at all

A store raises two more for what you pass, which are in `store.errors`. No message holds a stored
value: keys, sizes and attribute names only.
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
        field: Name of the offending field, for example `thread_id`.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class InvalidInputTypeError(InvalidInputError, TypeError):
    """An argument has the wrong type."""


class ItemTooLargeError(InvalidInputError):
    """An item is over DynamoDB's limit even without its values. Nothing was written.

    Values of any size go elsewhere by themselves; what is left are keys, names and paths.

    Attributes:
        size: Size of the item in bytes, as DynamoDB counts it.
        limit: The largest size allowed, in bytes.
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
    """A value is over the saver's ceiling (`max_value_bytes`). Nothing was written.

    Attributes:
        place: What was being stored: thread, namespace, checkpoint id, channel.
        attribute: The value's attribute: `checkpoint`, `metadata` or `value`.
        size: Its size in bytes, serialized.
        limit: The ceiling in bytes.
    """

    def __init__(self, *, place: str, attribute: str, size: int, limit: int) -> None:
        super().__init__(
            attribute,
            f"of {place} takes {size} bytes, over the ceiling of {limit}. Nothing was written. "
            "Raise max_value_bytes, or keep a reference to large values in the state.",
        )
        self.place = place
        self.attribute = attribute
        self.size = size
        self.limit = limit


class UnreadableItemError(DynamoDBSaverError):
    """An item is there but cannot be read.

    Raised instead of returning `None` or an older checkpoint: a conversation must never roll
    back in silence.

    Attributes:
        place: Which item: table, thread, namespace, checkpoint id and, for writes, task and idx.
        attribute: The attribute that is missing, of the wrong type or undecodable.
    """

    def __init__(self, *, place: str, attribute: str, problem: str) -> None:
        super().__init__(f"cannot read {place}: attribute {attribute!r} {problem}")
        self.place = place
        self.attribute = attribute


class MissingPartError(UnreadableItemError):
    """A value is stored outside its item, and part of it is not there.

    Raised after a second, consistent look: another process may have replaced the value meanwhile.

    Attributes:
        part: Which part: its address beside the checkpoint.
    """

    def __init__(self, *, place: str, attribute: str, problem: str, part: str) -> None:
        super().__init__(place=place, attribute=attribute, problem=problem)
        self.part = part


class DeletedBaseError(UnreadableItemError):
    """A checkpoint was stored by a run whose thread was deleted meanwhile: it counts as absent.

    It is the difference from a base that was deleted with the thread.
    """

    def __init__(self, *, place: str, attribute: str, base: str) -> None:
        super().__init__(
            place=place,
            attribute=attribute,
            problem=f"is the difference from {base}, which was deleted with its thread while a run "
            "went on: the checkpoint counts as deleted too",
        )


class DeltaHistoryError(DynamoDBSaverError):
    """A call would remove checkpoints that a surviving DeltaChannel state is rebuilt from.

    Attributes:
        thread_ids: The threads concerned. Nothing was deleted.
    """

    def __init__(self, thread_ids: Sequence[str]) -> None:
        super().__init__(
            f"threads {sorted(thread_ids)!r} have later checkpoints whose DeltaChannel state is "
            "rebuilt from these runs; deleting them would empty that state silently. "
            "Nothing was deleted. Delete the whole thread, or the later runs too."
        )
        self.thread_ids = tuple(sorted(thread_ids))


class ThreadConflictError(DynamoDBSaverError):
    """A run would have forked a thread that another run has moved on meanwhile.

    What it would have stored was not stored. Read the thread again, and run again from there.

    Attributes:
        thread_id: The thread.
        expected: Id of the root checkpoint that the run went on from; `None` for none.
        found: Id of the one that the thread has come to.
    """

    def __init__(self, *, thread_id: str, expected: str | None, found: str | None) -> None:
        super().__init__(
            f"thread {thread_id!r} has come to checkpoint {found!r} while a run was going on from "
            f"{expected!r}: another run has moved it on. Nothing was stored. Read the thread "
            "again and run from there, or pass on_conflict='fork' to let both go on"
        )
        self.thread_id = thread_id
        self.expected = expected
        self.found = found


class ThreadNotFoundError(DynamoDBSaverError):
    """Nothing is known of a thread as a whole.

    Attributes:
        thread_id: The thread.
    """

    def __init__(self, thread_id: str) -> None:
        super().__init__(
            f"thread {thread_id!r} is not in the thread index; it is once a run has stored a "
            "checkpoint with thread_index=, or reindex_threads() has found one"
        )
        self.thread_id = thread_id


class ThreadMismatchError(DynamoDBSaverError):
    """A checkpoint that was moved is not what it was.

    Somebody has written to the thread, here or there, before or meanwhile. Or one of the savers
    does not give back what it was given.

    Attributes:
        thread_id: The thread.
        checkpoint_ns: The namespace, empty for the root.
        checkpoint_id: The checkpoint.
        field: What differs, for example `checkpoint.channel_values.messages`, `metadata.step`,
            `parent_config`, `pending_writes`, or `checkpoint` where there is none.
    """

    def __init__(self, thread_id: str, checkpoint_ns: str, checkpoint_id: str, field: str) -> None:
        super().__init__(
            f"thread {thread_id!r}, namespace {checkpoint_ns!r}, checkpoint {checkpoint_id!r} "
            f"differs in {field} from what was moved there. Let no run use the thread on "
            "either side, delete the thread that was moved, and move it again."
        )
        self.thread_id = thread_id
        self.checkpoint_ns = checkpoint_ns
        self.checkpoint_id = checkpoint_id
        self.field = field


class ExportFormatError(DynamoDBSaverError):
    """A line of exported threads is not what comes next: cut off, damaged, or of a later version.

    What came before it is stored. The import can be repeated with the whole stream.

    Attributes:
        line: Number of the line, from 1.
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
    """DynamoDB handed back part of a batch at every attempt.

    The call can be repeated: what was done stays done.

    Attributes:
        keys: `(table, partition key, sort key)` of each request that was not carried out.
    """

    def __init__(self, keys: Sequence[tuple[str, str, str]], attempts: int) -> None:
        super().__init__(
            f"{len(keys)} requests of a batch were still unprocessed after {attempts} attempts "
            "without progress: the table is throttled. Raise its capacity and repeat the call."
        )
        self.keys = tuple(keys)


class SaverClosedError(DynamoDBSaverError):
    """The saver, the store or the cache was closed."""

    def __init__(self) -> None:
        super().__init__("this saver, store or cache is closed; make a new one")


class EventLoopError(DynamoDBSaverError, asyncio.InvalidStateError):
    """A plain method of `AsyncDynamoDBSaver` was called in a thread that runs an event loop.

    Nothing else could run on that loop until the call is done. Also an
    `asyncio.InvalidStateError`, as LangGraph's own asynchronous savers raise.

    Attributes:
        method: The method that was called.
        instead: Its asynchronous version.
    """

    def __init__(self, method: str, instead: str) -> None:
        super().__init__(
            f"{method}() would block the event loop of this thread; "
            f"use {instead}() here, or call {method}() in another thread (asyncio.to_thread)"
        )
        self.method = method
        self.instead = instead


class ServiceError(DynamoDBSaverError):
    """DynamoDB refused a request. The SDK's error is the `__cause__`.

    Attributes:
        code: The service's error code, for example `AccessDeniedException`, or the name of the
            SDK's exception where no answer arrived.
        operation: The API action, for example `PutItem`.
        table_name: The table concerned, empty where there are several.
    """

    def __init__(self, *, code: str, operation: str, table_name: str, message: str) -> None:
        where = f" on table {table_name!r}" if table_name else ""
        super().__init__(f"{operation}{where} failed with {code}: {message}")
        self.code = code
        self.operation = operation
        self.table_name = table_name


class ConditionFailedError(ServiceError):
    """A conditional write found the item already there.

    Attributes:
        item: The item, where the service tells.
    """

    def __init__(self, *, item: StoredItem | None = None, **said: str) -> None:
        super().__init__(**said)
        self.item = item


class TransactionCanceledError(ServiceError):
    """A transaction was cancelled; none of its writes happened.

    Attributes:
        reasons: One code per item of the transaction, in order; `None` (the word) for an item
            that was not at fault.
    """

    def __init__(self, *, reasons: Sequence[str], **said: str) -> None:
        super().__init__(**said)
        self.reasons = tuple(reasons)


class TableInUseError(ServiceError):
    """A table is being created or changed by somebody else."""


class ObjectsNotDeletedError(ServiceError):
    """S3 answered, but kept some of the objects that were to be deleted. Repeat the call.

    Attributes:
        keys: Keys of the objects that are still there.
    """

    def __init__(self, *, bucket: str, keys: Sequence[str], code: str) -> None:
        super().__init__(
            code=code,
            operation="DeleteObjects",
            table_name="",
            message=f"{len(keys)} objects of bucket {bucket!r} are still there",
        )
        self.keys = tuple(keys)


class ReplyError(ServiceError):
    """An answer arrived that cannot be one to the request. The request may have taken effect.

    Something between this process and the service has damaged it, mixed it up with another one or
    answered itself. The call can be repeated.

    Attributes:
        problem: What is wrong with the answer.
    """

    def __init__(self, *, code: str, operation: str, table_name: str, problem: str) -> None:
        super().__init__(
            code=code,
            operation=operation,
            table_name=table_name,
            message=f"an answer arrived that is none to this request: {problem}. The request may "
            "have taken effect; repeat the call. If this lasts, look at endpoint and proxies.",
        )
        self.problem = problem


class TransportError(ServiceError):
    """No answer arrived: connection, credentials or time-out. The write may have happened."""
