"""Threads to a stream of lines, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from langgraph_checkpoint_dynamodb.moving.records import Lines, encode, header, trailer
from langgraph_checkpoint_dynamodb.moving.source import for_each_thread, places, read_with_paths
from langgraph_checkpoint_dynamodb.moving.steps import blocking, next_of, take
from langgraph_checkpoint_dynamodb.moving.transfer import MoveReport, Tally, require_stored, store
from langgraph_checkpoint_dynamodb.moving.written import Written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from langgraph_checkpoint_dynamodb.moving.source import Source
    from langgraph_checkpoint_dynamodb.moving.steps import Moving


class Writable(Protocol):
    """What takes text: a file opened with `"w"`, `sys.stdout`, an `io.StringIO`."""

    def write(self, text: str, /) -> object:
        """Take some text."""


def export_threads(
    source: Source,
    stream: Writable,
    thread_ids: Sequence[str] | None,
    on_progress: Callable[[MoveReport], object] | None,
    written: Written | None = None,
) -> Moving[MoveReport]:
    """Write threads, all or those named, to a stream.

    Args:
        source: The saver.
        stream: Where to.
        thread_ids: The threads; `None` for all.
        on_progress: What is told after each checkpoint.
        written: What an export that was stopped has written to the stream; `None` for nothing.
    """
    tally = Tally(on_progress)
    before = written or Written()
    if not before.begun:
        yield from take(blocking(lambda: stream.write(header())))

    def export(thread_id: str) -> Moving[None]:
        if before.has_thread(thread_id):
            return
        for place in (yield from places(source, thread_id)):
            if before.has(place):
                continue
            found = yield from read_with_paths(source, place)
            if found is None:
                continue  # Deleted meanwhile.
            line = encode(source.serde, found)
            yield from take(blocking(lambda line=line: stream.write(line)))  # type: ignore[misc]  # bound now
            tally.count(found)

    if thread_ids is None:
        yield from for_each_thread(source, export)
    else:
        for thread_id in thread_ids:
            yield from export(thread_id)
    count = before.checkpoints + tally.report.checkpoints
    yield from take(blocking(lambda: stream.write(trailer(count))))
    return tally.report


def import_threads(
    target: Source,
    lines: Iterable[str | bytes],
    on_progress: Callable[[MoveReport], object] | None,
) -> Moving[MoveReport]:
    """Store what was exported, each checkpoint as it comes, and look at it again."""
    tally = Tally(on_progress)
    reading = Lines(target.serde)
    coming = iter(lines)
    while True:
        line = yield from take(next_of(coming))
        found = reading.read(line)
        if line is None:
            return tally.report
        if found is not None:
            yield from store(target, found)
            yield from require_stored(target, found)
            tally.count(found)
