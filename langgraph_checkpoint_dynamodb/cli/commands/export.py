"""`export`: writes threads to a file of JSON lines."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.cli.commands.transfer import STANDARD_STREAM, report_text
from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.item_counts import checkpoint_count
from langgraph_checkpoint_dynamodb.cli.options import Options
from langgraph_checkpoint_dynamodb.cli.parameters import File, ThreadsOrAll
from langgraph_checkpoint_dynamodb.cli.terminal.output import counted, print_line, print_notice
from langgraph_checkpoint_dynamodb.cli.terminal.progress import progress_bar
from langgraph_checkpoint_dynamodb.moving.partial_export import PartialExport
from langgraph_checkpoint_dynamodb.moving.steps import run_steps
from langgraph_checkpoint_dynamodb.moving.stream import write_threads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langgraph_checkpoint_dynamodb.cli.connection import Connection
    from langgraph_checkpoint_dynamodb.cli.terminal.progress import ProgressBar
    from langgraph_checkpoint_dynamodb.moving.stream import Writable
    from langgraph_checkpoint_dynamodb.moving.transfer import MoveReport


def export(options: Options, file: File, threads: ThreadsOrAll = None) -> None:
    """Write threads to a file of JSON lines.

    Any saver can be filled from it, by import here or fill_saver() in Python. Values keep the bytes
    they have, whatever class they are of; encrypted ones need --serde. After Ctrl-C the same
    command goes on behind what the file has.
    """
    with connect(options, raw_values=True) as connection, _open_to_append(file) as opened:
        stream, written = opened
        if written.complete:
            checkpoints = counted(written.checkpoints, "checkpoint")
            print_line(
                f"{file} is complete, with {checkpoints}. To export anew, name another file."
            )
            return
        if written.has_header:
            print_notice(
                f"{file} has {counted(written.checkpoints, 'checkpoint')}: going on.", "dim"
            )
        with _export_bar(connection, threads) as bar:

            def show_progress(so_far: MoveReport) -> None:
                _update(bar, so_far, written, by_thread=bool(threads))

            report = run_steps(
                write_threads(connection.saver, stream, threads, show_progress, written)
            )
    # Standard output holds the export itself if that is where it was written.
    print_result = print_notice if file == STANDARD_STREAM else print_line
    print_result(f"{report_text(report)} exported{' now' if written.has_header else ''}.")


@contextmanager
def _open_to_append(file: str) -> Iterator[tuple[Writable, PartialExport]]:
    """Open a file at the end of the last complete line of an export that was stopped."""
    if file == STANDARD_STREAM:
        yield sys.stdout, PartialExport()
        return
    path = Path(file)
    written = PartialExport()
    if path.exists():
        with path.open("rb") as existing:
            written = PartialExport.read(existing)
        if not written.complete:
            with path.open("rb+") as cut_off:
                cut_off.truncate(written.size)
    if written.complete:
        yield sys.stdout, written  # The caller writes nothing.
        return
    with path.open("a", encoding="utf-8", newline="\n") as stream:
        yield stream, written


@contextmanager
def _export_bar(connection: Connection, threads: Sequence[str] | None) -> Iterator[ProgressBar]:
    unit = "threads" if threads else "checkpoints"
    total = len(threads) if threads else checkpoint_count(connection.with_discovered_indexes())
    with progress_bar("Exporting", unit, total) as bar:
        yield bar


def _update(
    bar: ProgressBar, so_far: MoveReport, written: PartialExport, *, by_thread: bool
) -> None:
    if by_thread:
        bar.set_done(so_far.threads - 1)
        bar.set_note(counted(so_far.checkpoints, "checkpoint"))
    else:
        bar.set_done(written.checkpoints + so_far.checkpoints)
