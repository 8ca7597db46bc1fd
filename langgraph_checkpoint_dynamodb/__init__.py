"""LangGraph checkpoints on Amazon DynamoDB, in two plain tables."""

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import (
    ConditionFailedError,
    DeletedBaseError,
    DeltaHistoryError,
    DynamoDBSaverError,
    EventLoopError,
    ExportFormatError,
    InvalidInputError,
    InvalidInputTypeError,
    ItemTooLargeError,
    MissingPartError,
    ObjectsNotDeletedError,
    PayloadTooLargeError,
    ReplyError,
    SaverClosedError,
    ServiceError,
    TableError,
    TableInUseError,
    TableMismatchError,
    TableNotFoundError,
    ThreadConflictError,
    ThreadMismatchError,
    ThreadNotFoundError,
    TransactionCanceledError,
    TransportError,
    UnprocessedItemsError,
    UnreadableItemError,
)
from langgraph_checkpoint_dynamodb.installed import warn_of_others
from langgraph_checkpoint_dynamodb.items.threads import ThreadInfo
from langgraph_checkpoint_dynamodb.moving.transfer import MoveReport
from langgraph_checkpoint_dynamodb.ops.sweep import SweepReport
from langgraph_checkpoint_dynamodb.ops.threads import ThreadPage
from langgraph_checkpoint_dynamodb.saver import DynamoDBSaver
from langgraph_checkpoint_dynamodb.settings.saver import ThreadIndex
from langgraph_checkpoint_dynamodb.settings.values import S3OffloadConfig
from langgraph_checkpoint_dynamodb.watching.observing import CallObserver, CallScope, RequestInfo

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver as AsyncDynamoDBSaver

__all__ = [
    "CallObserver",
    "CallScope",
    "ConditionFailedError",
    "DeletedBaseError",
    "DeltaHistoryError",
    "DynamoDBSaver",
    "DynamoDBSaverError",
    "EventLoopError",
    "ExportFormatError",
    "InvalidInputError",
    "InvalidInputTypeError",
    "ItemTooLargeError",
    "MissingPartError",
    "MoveReport",
    "ObjectsNotDeletedError",
    "PayloadTooLargeError",
    "ReplyError",
    "RequestInfo",
    "S3OffloadConfig",
    "SaverClosedError",
    "ServiceError",
    "SweepReport",
    "TableError",
    "TableInUseError",
    "TableMismatchError",
    "TableNotFoundError",
    "ThreadConflictError",
    "ThreadIndex",
    "ThreadInfo",
    "ThreadMismatchError",
    "ThreadNotFoundError",
    "ThreadPage",
    "TransactionCanceledError",
    "TransportError",
    "UnprocessedItemsError",
    "UnreadableItemError",
]


warn_of_others()


def __getattr__(name: str) -> object:
    # Not in __all__: aiobotocore is an extra, and slow to import.
    if name == "AsyncDynamoDBSaver":
        from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver

        return AsyncDynamoDBSaver
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
