"""LangGraph checkpoints on Amazon DynamoDB, in two plain tables."""

from langgraph_checkpoint_dynamodb.errors import (
    ConditionFailedError,
    DeltaHistoryError,
    DynamoDBSaverError,
    InvalidInputError,
    InvalidInputTypeError,
    ItemTooLargeError,
    MissingPartError,
    ObjectsNotDeletedError,
    PayloadTooLargeError,
    SaverClosedError,
    ServiceError,
    TableError,
    TableInUseError,
    TableMismatchError,
    TableNotFoundError,
    TransactionCanceledError,
    TransportError,
    UnprocessedItemsError,
    UnreadableItemError,
)
from langgraph_checkpoint_dynamodb.ops.sweep import SweepReport
from langgraph_checkpoint_dynamodb.saver import DynamoDBSaver
from langgraph_checkpoint_dynamodb.settings import S3OffloadConfig

__all__ = [
    "ConditionFailedError",
    "DeltaHistoryError",
    "DynamoDBSaver",
    "DynamoDBSaverError",
    "InvalidInputError",
    "InvalidInputTypeError",
    "ItemTooLargeError",
    "MissingPartError",
    "ObjectsNotDeletedError",
    "PayloadTooLargeError",
    "S3OffloadConfig",
    "SaverClosedError",
    "ServiceError",
    "SweepReport",
    "TableError",
    "TableInUseError",
    "TableMismatchError",
    "TableNotFoundError",
    "TransactionCanceledError",
    "TransportError",
    "UnprocessedItemsError",
    "UnreadableItemError",
]
