"""`import`: stores the threads of a file that `export` has written."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from langgraph_checkpoint_dynamodb.cli.commands.transfer import STANDARD_STREAM, report_text
from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.errors import UsageError
from langgraph_checkpoint_dynamodb.cli.options import Options
from langgraph_checkpoint_dynamodb.cli.parameters import File
from langgraph_checkpoint_dynamodb.cli.terminal.output import counted, print_line
from langgraph_checkpoint_dynamodb.cli.terminal.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langgraph_checkpoint_dynamodb.cli.terminal.progress import ProgressBar

_KILOBYTE = 1000


def import_(options: Options, file: File) -> None:
    """Store the threads of a file that export has written.

    What is there already is left alone, so after Ctrl-C the same command finishes it. With
    --owner-key the threads are listed by owner, with --ttl-seconds they expire.
    """
    if STANDARD_STREAM == file == options.settings:
        raise UsageError("--settings and FILE cannot both be standard input")
    with connect(options, raw_values=True) as connection:
        total = None if file == STANDARD_STREAM else max(1, Path(file).stat().st_size // _KILOBYTE)
        with progress_bar("Importing", "KB", total) as bar, _open(file) as stream:
            report = connection.saver.import_threads(
                _read_lines(stream, bar),
                on_progress=lambda so_far: bar.set_note(counted(so_far.checkpoints, "checkpoint")),
            )
    print_line(f"{report_text(report)} imported.")


@contextmanager
def _open(file: str) -> Iterator[IO[bytes]]:
    if file == STANDARD_STREAM:
        yield sys.stdin.buffer
        return
    with Path(file).open("rb") as stream:
        yield stream


def _read_lines(stream: IO[bytes], bar: ProgressBar) -> Iterator[bytes]:
    size = 0
    for line in stream:
        yield line
        size += len(line)
        bar.set_done(size // _KILOBYTE)
