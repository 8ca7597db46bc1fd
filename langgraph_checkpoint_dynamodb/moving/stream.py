"""Writes threads to a stream of JSON lines, and stores them from one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from langgraph_checkpoint_dynamodb.moving.partial_export import PartialExport
from langgraph_checkpoint_dynamodb.moving.records import LineReader, encode, header, trailer
from langgraph_checkpoint_dynamodb.moving.source import (
    for_each_thread,
    list_entries,
    read_checkpoint_with_paths,
)
from langgraph_checkpoint_dynamodb.moving.steps import blocking, next_of, take
from langgraph_checkpoint_dynamodb.moving.transfer import (
    MoveCounter,
    MoveReport,
    require_stored,
    store,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from langgraph_checkpoint_dynamodb.moving.source import Saver
    from langgraph_checkpoint_dynamodb.moving.steps import Steps


class Writable(Protocol):
    """A text stream: a file opened with `"w"`, `sys.stdout`, an `io.StringIO`."""

    def write(self, text: str, /) -> object:
        """Write text."""


def write_threads(
    source: Saver,
    stream: Writable,
    thread_ids: Sequence[str] | None,
    on_progress: Callable[[MoveReport], object] | None,
    written: PartialExport | None = None,
) -> Steps[MoveReport]:
    """Write threads to a stream.

    Args:
        source: The saver.
        stream: The stream.
        thread_ids: The threads; `None` for all.
        on_progress: Called after each checkpoint with what has been written so far.
        written: What an interrupted export has written to the stream; `None` for nothing.
    """
    counter = MoveCounter(on_progress)
    before = written or PartialExport()
    if not before.has_header:
        yield from _write(stream, header())

    def write_thread(thread_id: str) -> Steps[None]:
        if before.has_thread(thread_id):
            return
        for entry in (yield from list_entries(source, thread_id)):
            if before.has_checkpoint(entry):
                continue
            found = yield from read_checkpoint_with_paths(source, entry)
            if found is None:
                continue  # Deleted meanwhile.
            yield from _write(stream, encode(source.serde, found))
            counter.count(found)

    if thread_ids is None:
        yield from for_each_thread(source, write_thread)
    else:
        for thread_id in thread_ids:
            yield from write_thread(thread_id)
    yield from _write(stream, trailer(before.checkpoints + counter.report.checkpoints))
    return counter.report


def store_lines(
    target: Saver,
    lines: Iterable[str | bytes],
    on_progress: Callable[[MoveReport], object] | None,
) -> Steps[MoveReport]:
    """Store exported threads, and compare each checkpoint once it is stored."""
    counter = MoveCounter(on_progress)
    reader = LineReader(target.serde)
    remaining = iter(lines)
    while True:
        line = yield from take(next_of(remaining))
        found = reader.read(line)
        if line is None:
            return counter.report
        if found is not None:
            yield from store(target, found)
            yield from require_stored(target, found)
            counter.count(found)


def _write(stream: Writable, text: str) -> Steps[object]:
    return take(blocking(partial(stream.write, text)))
