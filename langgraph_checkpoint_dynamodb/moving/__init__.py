"""Moving threads: from another saver, to a stream of JSON lines, and back.

Everything here goes by the methods that every LangGraph saver has, so it works between any two. The
functions are for those that are not ours, which have them as methods. The classes read the tables
of other packages, of which those packages' own savers do not return everything.
"""

from langgraph_checkpoint_dynamodb.moving.foreign import (
    AmazonDynamodbTable,
    CheckpointAwsTable,
    DynamodbCheckpointTable,
)
from langgraph_checkpoint_dynamodb.moving.functions import (
    aexport_threads,
    afill_saver,
    export_threads,
    fill_saver,
)

__all__ = [
    "AmazonDynamodbTable",
    "CheckpointAwsTable",
    "DynamodbCheckpointTable",
    "aexport_threads",
    "afill_saver",
    "export_threads",
    "fill_saver",
]
