"""LangGraph checkpoints on Amazon DynamoDB, in two plain tables."""

from langgraph_checkpoint_dynamodb.errors import (
    ConditionFailedError,
    DeltaHistoryError,
    DynamoDBSaverError,
    InvalidInputError,
    InvalidInputTypeError,
    ItemTooLargeError,
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
from langgraph_checkpoint_dynamodb.saver import DynamoDBSaver

__all__ = [
    "ConditionFailedError",
    "DeltaHistoryError",
    "DynamoDBSaver",
    "DynamoDBSaverError",
    "InvalidInputError",
    "InvalidInputTypeError",
    "ItemTooLargeError",
    "SaverClosedError",
    "ServiceError",
    "TableError",
    "TableInUseError",
    "TableMismatchError",
    "TableNotFoundError",
    "TransactionCanceledError",
    "TransportError",
    "UnprocessedItemsError",
    "UnreadableItemError",
]
