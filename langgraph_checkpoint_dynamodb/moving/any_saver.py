"""Exports threads from any saver, and stores exported threads in any saver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.moving.source import require_saver
from langgraph_checkpoint_dynamodb.moving.steps import arun_steps, run_steps
from langgraph_checkpoint_dynamodb.moving.stream import store_lines, write_threads
from langgraph_checkpoint_dynamodb.settings.arguments import require_thread_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from langgraph.checkpoint.base import BaseCheckpointSaver

    from langgraph_checkpoint_dynamodb.moving.steps import Steps
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
        saver: The saver, read by its sync methods. It must list every namespace of a thread if
            none is named, as LangGraph's own savers do.
        stream: A text stream, for example a file opened with `"w"`.
        thread_ids: The threads. By default all that the saver lists.
        on_progress: Called after each checkpoint with what has been written so far.

    Returns:
        What was written.

    Raises:
        InvalidInputError: A thread id is invalid, or `saver` is not a saver.
    """
    return run_steps(checked_export(saver, stream, thread_ids, on_progress))


async def aexport_threads(
    saver: BaseCheckpointSaver[Any],
    stream: Writable,
    thread_ids: Sequence[str] | None = None,
    *,
    on_progress: Callable[[MoveReport], object] | None = None,
) -> MoveReport:
    """Asynchronous version of `export_threads`. The stream is written on another OS thread."""
    return await arun_steps(checked_export(saver, stream, thread_ids, on_progress))


def fill_saver(
    saver: BaseCheckpointSaver[Any],
    lines: Iterable[str | bytes],
    *,
    on_progress: Callable[[MoveReport], object] | None = None,
) -> MoveReport:
    """Store exported threads in any saver. Each checkpoint is compared once it is stored.

    Checkpoints that the saver has already are not changed, so this can be stopped and repeated.

    Args:
        saver: The saver, used by its sync methods.
        lines: The lines, for example a file that is open for reading.
        on_progress: Called after each checkpoint with what has been stored so far.

    Returns:
        What was stored, including what the saver had already.

    Raises:
        ExportFormatError: A line cannot be read. What came before it is stored.
        ThreadMismatchError: The saver does not return what was stored, or the thread has been
            continued in it.
        InvalidInputError: `saver` is not a saver.
    """
    return run_steps(checked_import(saver, lines, on_progress))


async def afill_saver(
    saver: BaseCheckpointSaver[Any],
    lines: Iterable[str | bytes],
    *,
    on_progress: Callable[[MoveReport], object] | None = None,
) -> MoveReport:
    """Asynchronous version of `fill_saver`. The lines are read on another OS thread."""
    return await arun_steps(checked_import(saver, lines, on_progress))


def checked_export(
    saver: BaseCheckpointSaver[Any],
    stream: Writable,
    thread_ids: Sequence[str] | None,
    on_progress: Callable[[MoveReport], object] | None,
) -> Steps[MoveReport]:
    """Check the arguments of `export_threads` and return its steps."""
    named = None if thread_ids is None else require_thread_ids("thread_ids", thread_ids)
    return write_threads(require_saver("saver", saver), stream, named, on_progress)


def checked_import(
    saver: BaseCheckpointSaver[Any],
    lines: Iterable[str | bytes],
    on_progress: Callable[[MoveReport], object] | None,
) -> Steps[MoveReport]:
    """Check the arguments of `fill_saver` and return its steps."""
    return store_lines(require_saver("saver", saver), lines, on_progress)
