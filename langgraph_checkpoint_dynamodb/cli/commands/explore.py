"""`explore`: opens the browser of threads, histories and states."""

from __future__ import annotations

from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.options import Options
from langgraph_checkpoint_dynamodb.cli.parameters import Owner


def explore(options: Options, *, owner: Owner = None) -> None:
    """Browse threads, histories and states, by keys, without writing.

    `?` shows the keys, and `q` ends it.
    """
    # Textual takes long to import, and no other command needs it.
    from langgraph_checkpoint_dynamodb.cli.explore import explore as open_browser

    with connect(options).with_discovered_indexes() as connection:
        if owner is not None:
            connection.require_thread_index("--owner")
        open_browser(connection.saver, owner=owner)
