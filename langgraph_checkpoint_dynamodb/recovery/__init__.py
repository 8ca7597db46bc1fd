r"""Restores the tables to one moment, under new names.

::

    python -m langgraph_checkpoint_dynamodb.recovery \
        --checkpoints-table langgraph-checkpoints --writes-table langgraph-writes \
        --moment 2026-03-01T12:00:00Z

A checkpoint is in both tables, so both must be restored to the same second, and best the table of a
store with them (`--store-table`). DynamoDB restores one table at a time, to a new name, and does
not restore its time to live, point-in-time recovery, deletion protection, tags and resource policy
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/pointintimerecovery_howitworks.html):
this command copies them from the source tables. It can be repeated, and continues where it stopped.
The source tables are not changed.

With a bucket, objects that were deleted since that moment are restored too, if their versions still
exist: the restored checkpoints and store items refer to them.

`docs/how-to/restoring.md` describes the steps before and after it, and the permissions it needs.
"""

from langgraph_checkpoint_dynamodb.recovery.command import main
from langgraph_checkpoint_dynamodb.recovery.errors import RecoveryError
from langgraph_checkpoint_dynamodb.recovery.names import Tables
from langgraph_checkpoint_dynamodb.recovery.objects import bring_back_objects
from langgraph_checkpoint_dynamodb.recovery.progress import Say
from langgraph_checkpoint_dynamodb.recovery.tables import restore_tables
from langgraph_checkpoint_dynamodb.recovery.window import LATEST, Window, common_window

__all__ = [
    "LATEST",
    "RecoveryError",
    "Say",
    "Tables",
    "Window",
    "bring_back_objects",
    "common_window",
    "main",
    "restore_tables",
]
