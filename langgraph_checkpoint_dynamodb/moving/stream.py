"""Threads to a stream of lines, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from langgraph_checkpoint_dynamodb.moving.records import Lines, encode, header, trailer
from langgraph_checkpoint_dynamodb.moving.source import for_each_thread, places, read_with_paths
from langgraph_checkpoint_dynamodb.moving.steps import blocking, next_of, take
from langgraph_checkpoint_dynamodb.moving.transfer import MoveReport, Tally, require_stored, store

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
) -> Moving[MoveReport]:
    """Write threads, all or those named, to a stream."""
    tally = Tally(on_progress)
    yield from take(blocking(lambda: stream.write(header())))

    def export(thread_id: str) -> Moving[None]:
        for place in (yield from places(source, thread_id)):
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
    yield from take(blocking(lambda: stream.write(trailer(tally.report.checkpoints))))
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
