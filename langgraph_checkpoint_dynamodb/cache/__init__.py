"""LangGraph's cache on Amazon DynamoDB: results of nodes, shared by all processes."""

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.cache.sync import DynamoDBCache

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.cache.aio import AsyncDynamoDBCache as AsyncDynamoDBCache

__all__ = ["DynamoDBCache"]


def __getattr__(name: str) -> object:
    # Not in __all__: aiobotocore is an optional extra, and slow to import.
    if name == "AsyncDynamoDBCache":
        from langgraph_checkpoint_dynamodb.cache.aio import AsyncDynamoDBCache

        return AsyncDynamoDBCache
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
