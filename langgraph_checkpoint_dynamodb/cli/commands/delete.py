"""`delete` and `prune`: threads and histories that go for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from langgraph_checkpoint_dynamodb.cli.changes import ChangeCounter
from langgraph_checkpoint_dynamodb.cli.commands.threads import Owner
from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.durations import parse_duration
from langgraph_checkpoint_dynamodb.cli.errors import UsageError
from langgraph_checkpoint_dynamodb.cli.options import DryRun, Options, Yes
from langgraph_checkpoint_dynamodb.cli.terminal.output import count, say, tell
from langgraph_checkpoint_dynamodb.cli.terminal.progress import bar
from langgraph_checkpoint_dynamodb.cli.terminal.prompt import confirm
from langgraph_checkpoint_dynamodb.cli.threads.bulk import changed, for_each, of_owner, of_table
from langgraph_checkpoint_dynamodb.format.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langgraph_checkpoint_dynamodb.cli.connection import Connection
    from langgraph_checkpoint_dynamodb.cli.terminal.progress import Bar

Threads = Annotated[
    list[str] | None, typer.Argument(metavar="[THREAD]...", help="The threads.", show_default=False)
]
Idle = Annotated[
    int | None,
    typer.Option(
        "--idle-for",
        metavar="TIME",
        parser=parse_duration,
        help="Only threads that were not active for so long: 30d, 12h, 90m.",
    ),
]


def delete(
    options: Options,
    threads: Threads = None,
    *,
    owner: Owner = None,
    idle_for: Idle = None,
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
    watch = ChangeCounter(dry=dry_run)
    with connect(options).with_found_indexes() as connection:
        if threads:
            _delete_named(connection, watch, threads, dry=dry_run, yes=yes)
        elif run_id:
            _delete_runs(connection, watch, run_id, dry=dry_run, yes=yes)
        else:
            _delete_idle(connection, watch, owner, idle_for, dry=dry_run, yes=yes)


def prune(
    options: Options,
    threads: Threads = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every thread of the table.")] = False,
    owner: Owner = None,
    strategy: Annotated[
        Literal["keep_latest", "delete"],
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
    watch = ChangeCounter(dry=dry_run)
    with connect(options).with_found_indexes() as connection:
        question = f"Prune {_whose(threads, owner)} {_where(connection)}, for good?"
        if not (dry_run or confirm(question, yes=yes)):
            return
        with bar("Pruning", "items" if every else "threads", len(threads or ()) or None) as drawn:
            ids = _chosen(connection, threads, owner, drawn)
            done = for_each(
                connection,
                watch,
                ids,
                lambda thread_id: connection.saver._prune([thread_id], strategy, keep_last),
                lambda: None if every else drawn.advance(),
            )
    _report(watch, count(done, "thread"), dry=dry_run, did="pruned")


def _whose(threads: Sequence[str] | None, owner: str | None) -> str:
    if threads:
        return f"thread {threads[0]!r}" if len(threads) == 1 else count(len(threads), "thread")
    return "every thread" if owner is None else f"every thread of owner {owner!r}"


def _where(connection: Connection) -> str:
    return f"in {connection.name(Table.CHECKPOINTS)}"


def _chosen(
    connection: Connection, threads: Sequence[str] | None, owner: str | None, drawn: Bar
) -> Iterator[str]:
    if threads:
        return iter(dict.fromkeys(threads))
    return of_table(connection, drawn) if owner is None else of_owner(connection, owner)


def _delete_named(
    connection: Connection, watch: ChangeCounter, threads: Sequence[str], *, dry: bool, yes: bool
) -> None:
    question = f"Delete {_whose(threads, None)} {_where(connection)}, for good?"
    if not (dry or confirm(question, yes=yes)):
        return
    ids = [*dict.fromkeys(threads)]
    with bar("Deleting", "threads", len(ids)) as drawn:
        done = for_each(connection, watch, ids, connection.saver._delete_thread, drawn.advance)
    _report(watch, count(done, "thread"), dry=dry, did="deleted")


def _delete_runs(
    connection: Connection, watch: ChangeCounter, runs: Sequence[str], *, dry: bool, yes: bool
) -> None:
    what = f"the checkpoints of {count(len(runs), 'run')} {_where(connection)}"
    if not (dry or confirm(f"Delete {what}, for good?", yes=yes)):
        return
    if connection.saver._settings.run_id_index is None:
        tell("There is no index on run ids: the whole table is read to find them.", "dim")
    with bar("Deleting", "items") as drawn:
        watch.tell(lambda changes: drawn.reach(changes.checkpoints + changes.beside))
        connection.run(watch.over(connection.saver._delete_for_runs(runs)))
    _report(watch, count(len(runs), "run"), dry=dry, did="deleted")


def _delete_idle(
    connection: Connection,
    watch: ChangeCounter,
    owner: str | None,
    idle_for: int | None,
    *,
    dry: bool,
    yes: bool,
) -> None:
    if not connection.lists_threads:
        raise UsageError(
            "--owner and --idle-for need an index of threads, and this table has none; "
            "`langgraph-dynamodb setup --owner-key KEY --reindex` makes one"
        )
    saver = connection.saver
    found = saver.delete_threads(owner=owner, idle_for=idle_for, dry_run=True)
    if not found:
        say("No threads to delete.")
        return
    question = f"Delete {count(found, 'thread')} {_where(connection)}, for good?"
    if not (dry or confirm(question, yes=yes)):
        return
    done = 0
    with bar("Deleting", "threads", found) as drawn:
        stream = saver._delete_threads(owner, idle_for, dry_run=False)
        for page in connection.pages(watch.over(stream)):
            done += len(page)
            drawn.advance(len(page))
    _report(watch, count(done, "thread"), dry=dry, did="deleted")


def _report(watch: ChangeCounter, what: str, *, dry: bool, did: str) -> None:
    if dry:
        say(f"{what} would be {did}: {changed(watch)}. Nothing was changed.")
    else:
        say(f"{what} {did}: {changed(watch)}.")
