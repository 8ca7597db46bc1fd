"""Moves threads between savers, and to and from JSON lines.

It uses the methods that every LangGraph saver has, so it works between any two. The functions are
for savers of other packages; those of this package have them as methods. The classes read tables of
other packages directly, since those packages' own savers do not return everything.
"""

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.moving.any_saver import (
    aexport_threads,
    afill_saver,
    export_threads,
    fill_saver,
)

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.moving.foreign import (
        AmazonDynamodbTable,
        CheckpointAwsTable,
        DynamodbCheckpointTable,
    )

_FOREIGN = ("AmazonDynamodbTable", "CheckpointAwsTable", "DynamodbCheckpointTable")

__all__ = [
    "AmazonDynamodbTable",
    "CheckpointAwsTable",
    "DynamodbCheckpointTable",
    "aexport_threads",
    "afill_saver",
    "export_threads",
    "fill_saver",
]


def __getattr__(name: str) -> object:
    # Imported on first use: every saver imports this package, few read another package's table.
    if name in _FOREIGN:
        from langgraph_checkpoint_dynamodb.moving import foreign

        return getattr(foreign, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
