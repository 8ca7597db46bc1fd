"""LangGraph's store on Amazon DynamoDB: memory across threads, in a table of its own."""

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.store.errors import NamespaceError, UnsupportedIndexError
from langgraph_checkpoint_dynamodb.store.ops.sweep import StoreSweepReport
from langgraph_checkpoint_dynamodb.store.sync import DynamoDBStore

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.store.aio import AsyncDynamoDBStore as AsyncDynamoDBStore

__all__ = ["DynamoDBStore", "NamespaceError", "StoreSweepReport", "UnsupportedIndexError"]


def __getattr__(name: str) -> object:
    # Not in __all__: aiobotocore is an optional extra, and slow to import.
    if name == "AsyncDynamoDBStore":
        from langgraph_checkpoint_dynamodb.store.aio import AsyncDynamoDBStore

        return AsyncDynamoDBStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
