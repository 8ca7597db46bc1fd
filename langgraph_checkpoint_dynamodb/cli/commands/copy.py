"""`copy`: copies a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from langgraph_checkpoint_dynamodb.cli.changes import ChangeCounter
from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.options import Options
from langgraph_checkpoint_dynamodb.cli.terminal.output import counted, print_line
from langgraph_checkpoint_dynamodb.cli.terminal.progress import progress_bar
from langgraph_checkpoint_dynamodb.cli.threads.checkpoints import no_checkpoints_error
from langgraph_checkpoint_dynamodb.format.key_text import require_thread_id
from langgraph_checkpoint_dynamodb.format.keys import is_auxiliary_key
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.requests.calls import query_all
from langgraph_checkpoint_dynamodb.requests.items import Query

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.cli.connection import Connection


def copy(
    options: Options,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The thread to copy.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The thread to copy it to.")],
) -> None:
    """Copy a thread to another id, in the same tables.

    What the target has beside the copied checkpoints stays. Ctrl-C leaves a state that the same
    command finishes.
    """
    counter = ChangeCounter()
    with connect(options, raw_values=True) as connection:
        checkpoints = _count_checkpoints(connection, source)
        if not checkpoints:
            raise no_checkpoints_error(source)
        with progress_bar("Copying", "checkpoints", checkpoints) as bar:
            counter.on_change(
                lambda changes: bar.set_done(min(changes.checkpoints_stored, checkpoints))
            )
            connection.run(counter.counted(connection.saver._copy_thread(source, target)))
    print_line(f"{counted(checkpoints, 'checkpoint')} of thread {source!r} copied to {target!r}.")


def _count_checkpoints(connection: Connection, thread_id: str) -> int:
    spec = SPECS[Table.CHECKPOINTS]
    query = Query(
        Table.CHECKPOINTS,
        require_thread_id(thread_id, "source_thread_id"),
        consistent=False,
        attributes=(spec.partition_key, spec.sort_key),
    )
    items = connection.run(query_all(query))
    keys = (read_key(item, Table.CHECKPOINTS) for item in items)
    return sum(not is_auxiliary_key(key.sort) for key in keys)
