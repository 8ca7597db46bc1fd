"""`prune`: deletes the history of threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from langgraph_checkpoint_dynamodb.cli.commands.deletion import Deletion, threads_text
from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.errors import UsageError
from langgraph_checkpoint_dynamodb.cli.options import Options
from langgraph_checkpoint_dynamodb.cli.parameters import DryRun, Owner, Threads, Yes
from langgraph_checkpoint_dynamodb.cli.terminal.output import counted
from langgraph_checkpoint_dynamodb.cli.terminal.progress import progress_bar
from langgraph_checkpoint_dynamodb.cli.threads.bulk import threads_of_owner, threads_of_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langgraph_checkpoint_dynamodb.cli.connection import Connection
    from langgraph_checkpoint_dynamodb.cli.terminal.progress import ProgressBar

Strategy: TypeAlias = Literal["keep_latest", "delete"]


def prune(
    options: Options,
    threads: Threads = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every thread of the table.")] = False,
    owner: Owner = None,
    strategy: Annotated[
        Strategy,
        typer.Option("--strategy", help="Keep the newest checkpoints, or delete the threads."),
    ] = "keep_latest",
    keep_last: Annotated[
        int | None,
        typer.Option(
            "--keep-last", min=1, help="Checkpoints of each namespace to keep; 1 if not said."
        ),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Delete the history of threads, and keep what they go on from.

    The newest checkpoint of every namespace stays, with all it is rebuilt from. --all finds the
    threads by a Scan of the table. Ctrl-C leaves a state that the same command finishes.
    """
    if sum([bool(threads), every, owner is not None]) != 1:
        raise UsageError("name threads, or --owner, or --all: one of the three")
    with connect(options).with_discovered_indexes() as connection:
        deletion = Deletion.start(connection, dry_run=dry_run, yes=yes)
        if not deletion.confirm(f"Prune {_selection_text(threads, owner)}"):
            return
        # `--all` counts the items that the Scan reads, because the number of threads is not known.
        unit, total = ("items" if every else "threads"), len(threads or ()) or None
        with progress_bar("Pruning", unit, total) as bar:
            done = deletion.run_for_each(
                _selected(connection, threads, owner, bar),
                lambda thread_id: connection.saver._prune([thread_id], strategy, keep_last),
                lambda: None if every else bar.advance(),
            )
    deletion.report(counted(done, "thread"), "pruned")


def _selection_text(threads: Sequence[str] | None, owner: str | None) -> str:
    if threads:
        return threads_text(threads)
    return "every thread" if owner is None else f"every thread of owner {owner!r}"


def _selected(
    connection: Connection, threads: Sequence[str] | None, owner: str | None, bar: ProgressBar
) -> Iterator[str]:
    if threads:
        return iter(dict.fromkeys(threads))
    if owner is not None:
        return threads_of_owner(connection, owner)
    return threads_of_table(connection, bar)
