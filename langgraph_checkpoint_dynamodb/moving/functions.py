"""Exporting and filling any saver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.moving import stream as streams
from langgraph_checkpoint_dynamodb.moving.source import require_saver
from langgraph_checkpoint_dynamodb.moving.steps import aperform, perform
from langgraph_checkpoint_dynamodb.settings.arguments import require_thread_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from langgraph.checkpoint.base import BaseCheckpointSaver

    from langgraph_checkpoint_dynamodb.moving.steps import Moving
    from langgraph_checkpoint_dynamodb.moving.stream import Writable
    from langgraph_checkpoint_dynamodb.moving.transfer import MoveReport


def export_threads(
    saver: BaseCheckpointSaver[Any],
    stream: Writable,
    thread_ids: Sequence[str] | None = None,
    *,
    on_progress: Callable[[MoveReport], object] | None = None,
) -> MoveReport:
    """Write threads of any saver to a stream of JSON lines; see `moving.records`.

    Args:
        saver: The saver, read by its plain methods. It lists every namespace of a thread where
            none is named, as LangGraph's own savers do.
        stream: Takes text, for example a file opened with `"w"`.
        thread_ids: The threads. By default all that the saver lists.
        on_progress: Called after each checkpoint with what has been written so far.

    Returns:
        What was written.

    Raises:
        InvalidInputError: A thread id is none, or the saver is none.
    """
    return perform(exporting(saver, stream, thread_ids, on_progress))


async def aexport_threads(
    saver: BaseCheckpointSaver[Any],
    stream: Writable,
    thread_ids: Sequence[str] | None = None,
    *,
    on_progress: Callable[[MoveReport], object] | None = None,
) -> MoveReport:
    """Asynchronous version of `export_threads`. The stream is written to by another thread."""
    return await aperform(exporting(saver, stream, thread_ids, on_progress))


def fill_saver(
    saver: BaseCheckpointSaver[Any],
    lines: Iterable[str | bytes],
    *,
    on_progress: Callable[[MoveReport], object] | None = None,
) -> MoveReport:
    """Store exported threads in any saver. Each checkpoint is compared once it is stored.

    What is there already is left alone, so this can be stopped and repeated.

    Args:
        saver: The saver, by its plain methods.
        lines: The lines, for example a file that is open for reading.
        on_progress: Called after each checkpoint with what has been stored so far.

    Returns:
        What was stored, with what was there already.

    Raises:
        ExportFormatError: A line cannot be read. What came before it is stored.
        ThreadMismatchError: The saver does not give back what it was given, or the thread has
            gone on in it.
        InvalidInputError: The saver is none.
    """
    return perform(filling(saver, lines, on_progress))


async def afill_saver(
    saver: BaseCheckpointSaver[Any],
    lines: Iterable[str | bytes],
    *,
    on_progress: Callable[[MoveReport], object] | None = None,
) -> MoveReport:
    """Asynchronous version of `fill_saver`. The lines are read by another thread."""
    return await aperform(filling(saver, lines, on_progress))


def exporting(
    saver: BaseCheckpointSaver[Any],
    stream: Writable,
    thread_ids: Sequence[str] | None,
    on_progress: Callable[[MoveReport], object] | None,
) -> Moving[MoveReport]:
    """What `export_threads` does, its arguments checked."""
    named = None if thread_ids is None else require_thread_ids("thread_ids", thread_ids)
    return streams.export_threads(require_saver("saver", saver), stream, named, on_progress)


def filling(
    saver: BaseCheckpointSaver[Any],
    lines: Iterable[str | bytes],
    on_progress: Callable[[MoveReport], object] | None,
) -> Moving[MoveReport]:
    """What `fill_saver` does, its arguments checked."""
    return streams.import_threads(require_saver("saver", saver), lines, on_progress)
