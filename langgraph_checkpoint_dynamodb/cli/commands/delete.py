"""`delete`: deletes threads, or the checkpoints of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from langgraph_checkpoint_dynamodb.cli.commands.deletion import Deletion, threads_text
from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.durations import parse_duration
from langgraph_checkpoint_dynamodb.cli.errors import UsageError
from langgraph_checkpoint_dynamodb.cli.options import Options
from langgraph_checkpoint_dynamodb.cli.parameters import DryRun, Owner, Threads, Yes
from langgraph_checkpoint_dynamodb.cli.terminal.output import counted, print_line, print_notice
from langgraph_checkpoint_dynamodb.cli.terminal.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Sequence


def delete(
    options: Options,
    threads: Threads = None,
    *,
    owner: Owner = None,
    idle_for: Annotated[
        int | None,
        typer.Option(
            "--idle-for",
            metavar="TIME",
            parser=parse_duration,
            help="Only threads that were not active for so long: 30d, 12h, 90m.",
        ),
    ] = None,
    run_id: Annotated[
        list[str] | None,
        typer.Option(
            "--run-id", metavar="RUN", help="Only the checkpoints of this run; can be repeated."
        ),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Delete threads, or the checkpoints of runs.

    Name the threads, or an --owner, or how long they were idle (--idle-for), both of which need an
    index of threads; or the runs. Ctrl-C leaves a state that the same command finishes.
    """
    ways = [bool(threads), owner is not None or idle_for is not None, bool(run_id)]
    if sum(ways) != 1:
        raise UsageError("name threads, or --owner and --idle-for, or --run-id: one of the three")
    with connect(options).with_discovered_indexes() as connection:
        deletion = Deletion.start(connection, dry_run=dry_run, yes=yes)
        if threads:
            _delete_named(deletion, threads)
        elif run_id:
            _delete_runs(deletion, run_id)
        else:
            connection.require_thread_index("--owner and --idle-for")
            _delete_listed(deletion, owner, idle_for)


def _delete_named(deletion: Deletion, threads: Sequence[str]) -> None:
    if not deletion.confirm(f"Delete {threads_text(threads)}"):
        return
    ids = [*dict.fromkeys(threads)]
    with progress_bar("Deleting", "threads", len(ids)) as bar:
        done = deletion.run_for_each(ids, deletion.connection.saver._delete_thread, bar.advance)
    deletion.report(counted(done, "thread"), "deleted")


def _delete_runs(deletion: Deletion, run_ids: Sequence[str]) -> None:
    runs = counted(len(run_ids), "run")
    if not deletion.confirm(f"Delete the checkpoints of {runs}"):
        return
    connection, counter = deletion.connection, deletion.counter
    if connection.saver._settings.run_id_index is None:
        print_notice("There is no index on run ids: the whole table is read to find them.", "dim")
    with progress_bar("Deleting", "items") as bar:
        counter.on_change(
            lambda changes: bar.set_done(changes.checkpoints_deleted + changes.writes_deleted)
        )
        connection.run(counter.counted(connection.saver._delete_for_runs(run_ids)))
    deletion.report(runs, "deleted")


def _delete_listed(deletion: Deletion, owner: str | None, idle_for: int | None) -> None:
    """Delete the threads of an owner, or those that were idle for so many seconds."""
    saver = deletion.connection.saver
    found = saver.delete_threads(owner=owner, idle_for=idle_for, dry_run=True)
    if not found:
        print_line("No threads to delete.")
        return
    if not deletion.confirm(f"Delete {counted(found, 'thread')}"):
        return
    done = 0
    with progress_bar("Deleting", "threads", found) as bar:
        stream = saver._delete_threads(owner, idle_for, dry_run=False)
        for page in deletion.connection.pages(deletion.counter.counted(stream)):
            done += len(page)
            bar.advance(len(page))
    deletion.report(counted(done, "thread"), "deleted")
