"""`copy`, `export` and `import`: threads that move."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from langgraph_checkpoint_dynamodb.cli.changes import ChangeCounter
from langgraph_checkpoint_dynamodb.cli.commands.history import nothing_of
from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.errors import UsageError
from langgraph_checkpoint_dynamodb.cli.options import Options
from langgraph_checkpoint_dynamodb.cli.terminal.output import count, say, tell
from langgraph_checkpoint_dynamodb.cli.terminal.progress import bar
from langgraph_checkpoint_dynamodb.cli.threads.bulk import checkpoints_of
from langgraph_checkpoint_dynamodb.format.key_text import require_thread_id
from langgraph_checkpoint_dynamodb.format.keys import is_auxiliary_key
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.moving.steps import perform
from langgraph_checkpoint_dynamodb.moving.stream import export_threads
from langgraph_checkpoint_dynamodb.moving.written import Written
from langgraph_checkpoint_dynamodb.requests.calls import query_all
from langgraph_checkpoint_dynamodb.requests.items import Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langgraph_checkpoint_dynamodb.cli.connection import Connection
    from langgraph_checkpoint_dynamodb.cli.terminal.progress import Bar
    from langgraph_checkpoint_dynamodb.moving.stream import Writable
    from langgraph_checkpoint_dynamodb.moving.transfer import MoveReport

_STREAM = "-"
_KILOBYTE = 1000

File = Annotated[str, typer.Argument(metavar="FILE", help="The file; - is a standard stream.")]


def copy(
    options: Options,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The thread to copy.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The thread to copy it to.")],
) -> None:
    """Copy a thread to another id, in the same tables.

    What the target has beside the copied checkpoints stays. Ctrl-C leaves a state that the same
    command finishes.
    """
    watch = ChangeCounter()
    with connect(options, moving=True) as connection:
        checkpoints = _checkpoints_of(connection, source)
        if not checkpoints:
            raise UsageError(nothing_of(source, None))
        with bar("Copying", "checkpoints", checkpoints) as drawn:
            watch.tell(lambda changes: drawn.reach(min(changes.stored, checkpoints)))
            connection.run(watch.over(connection.saver._copy_thread(source, target)))
    say(f"{count(checkpoints, 'checkpoint')} of thread {source!r} copied to {target!r}.")


def export(
    options: Options,
    file: File,
    threads: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[THREAD]...", help="The threads; all if none is named.", show_default=False
        ),
    ] = None,
) -> None:
    """Write threads to a file of JSON lines.

    Any saver can be filled from it, by import here or fill_saver() in Python. Values keep the bytes
    they have, whatever class they are of; encrypted ones need --serde. After Ctrl-C the same
    command goes on behind what the file has.
    """
    with connect(options, moving=True) as connection, _appended(file) as (stream, written):
        if written.ended:
            whole = count(written.checkpoints, "checkpoint")
            say(f"{file} is complete, with {whole}. To export anew, name another file.")
            return
        if written.begun:
            tell(f"{file} has {count(written.checkpoints, 'checkpoint')}: going on.", "dim")
        with _export_bar(connection, threads) as drawn:
            report = perform(
                export_threads(
                    connection.saver,
                    stream,
                    threads,
                    lambda so_far: _draw(drawn, so_far, written, by_thread=bool(threads)),
                    written,
                )
            )
    _say_beside(file, f"{_told(report)} exported{' now' if written.begun else ''}.")


def import_(options: Options, file: File) -> None:
    """Store the threads of a file that export has written.

    What is there already is left alone, so after Ctrl-C the same command finishes it. With
    --owner-key the threads are listed by owner, with --ttl-seconds they expire.
    """
    if file == _STREAM and options.settings == _STREAM:
        raise UsageError("--settings and FILE cannot both be standard input")
    with connect(options, moving=True) as connection:
        total = None if file == _STREAM else max(1, Path(file).stat().st_size // _KILOBYTE)
        with bar("Importing", "KB", total) as drawn, _opened(file) as stream:
            report = connection.saver.import_threads(
                _counted(stream, drawn), on_progress=lambda so_far: drawn.note(_short(so_far))
            )
    say(f"{_told(report)} imported.")


def _checkpoints_of(connection: Connection, thread: str) -> int:
    spec = SPECS[Table.CHECKPOINTS]
    query = Query(
        Table.CHECKPOINTS,
        require_thread_id(thread, "source_thread_id"),
        consistent=False,
        attributes=(spec.partition_key, spec.sort_key),
    )
    found = connection.run(query_all(query))
    keys = (read_key(item, Table.CHECKPOINTS) for item in found)
    return sum(not is_auxiliary_key(key.sort) for key in keys)


@contextmanager
def _appended(file: str) -> Iterator[tuple[Writable, Written]]:
    """A stream to write to, behind what an export that was stopped has written."""
    if file == _STREAM:
        yield sys.stdout, Written()
        return
    path = Path(file)
    written = Written()
    if path.exists():
        with path.open("rb") as there:
            written = Written.read(there)
        if not written.ended:
            with path.open("rb+") as cut_off:
                cut_off.truncate(written.size)
    if written.ended:
        yield sys.stdout, written  # Nothing is written to it.
        return
    with path.open("a", encoding="utf-8", newline="\n") as stream:
        yield stream, written


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    if file == _STREAM:
        yield sys.stdin.buffer
        return
    with Path(file).open("rb") as stream:
        yield stream


def _counted(lines: IO[bytes], drawn: Bar) -> Iterator[bytes]:
    read = 0
    for line in lines:
        yield line
        read += len(line)
        drawn.reach(read // _KILOBYTE)


@contextmanager
def _export_bar(connection: Connection, threads: Sequence[str] | None) -> Iterator[Bar]:
    unit = "threads" if threads else "checkpoints"
    total = len(threads) if threads else checkpoints_of(connection.with_found_indexes())
    with bar("Exporting", unit, total) as drawn:
        yield drawn


def _draw(drawn: Bar, so_far: MoveReport, written: Written, *, by_thread: bool) -> None:
    if by_thread:
        drawn.reach(so_far.threads - 1)
        drawn.note(count(so_far.checkpoints, "checkpoint"))
    else:
        drawn.reach(written.checkpoints + so_far.checkpoints)


def _told(report: MoveReport) -> str:
    return (
        f"{count(report.checkpoints, 'checkpoint')} of {count(report.threads, 'thread')}, "
        f"with {count(report.writes, 'pending write')}"
    )


def _short(report: MoveReport) -> str:
    return count(report.checkpoints, "checkpoint")


def _say_beside(file: str, text: str) -> None:
    """Say something where it does not come between the lines of the export."""
    (tell if file == _STREAM else say)(text)
