"""`explore`: a browser of threads, history and state."""

from __future__ import annotations

from langgraph_checkpoint_dynamodb.cli.commands.threads import Owner
from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.errors import UsageError
from langgraph_checkpoint_dynamodb.cli.options import Options


def explore(
    options: Options,
    *,
    owner: Owner = None,
) -> None:
    """Browse threads, histories and states, by keys, without writing.

    `?` shows the keys, and `q` ends it.
    """
    # Textual takes its time to import, and no other command needs it.
    from langgraph_checkpoint_dynamodb.cli.explore import explore as browse

    with connect(options) as connection:
        connection = connection.with_found_indexes()
        if owner is not None and not connection.lists_threads:
            raise UsageError(
                "this table has no index of threads, so nothing tells their owner; "
                "`langgraph-dynamodb setup --owner-key KEY --reindex` makes one"
            )
        browse(connection.saver, owner=owner)
