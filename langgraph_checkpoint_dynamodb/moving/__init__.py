"""Moving threads: from another saver, to a stream of JSON lines, and back.

Everything here goes by the methods that every LangGraph saver has, so it works between any two. The
functions are for those that are not ours, which have them as methods. The classes read the tables
of other packages, of which those packages' own savers do not return everything.
"""

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.moving.functions import (
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
    # Savers import this package, and few of them ever read another package's table.
    if name in _FOREIGN:
        from langgraph_checkpoint_dynamodb.moving import foreign

        return getattr(foreign, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
