"""The methods of a saver that import and export threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.connected import Connected
from langgraph_checkpoint_dynamodb.format.key_text import require_thread_id
from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
from langgraph_checkpoint_dynamodb.moving.any_saver import checked_export, checked_import
from langgraph_checkpoint_dynamodb.moving.own_tables import (
    read_with_paths,
    thread_entries,
    thread_page,
)
from langgraph_checkpoint_dynamodb.moving.source import TableSource, require_saver
from langgraph_checkpoint_dynamodb.moving.steps import arun_steps, run_steps
from langgraph_checkpoint_dynamodb.moving.transfer import MoveReport, import_thread
from langgraph_checkpoint_dynamodb.moving.watched import watched
from langgraph_checkpoint_dynamodb.savers.base import SaverBase
from langgraph_checkpoint_dynamodb.settings.arguments import require_strings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from langgraph.checkpoint.base import BaseCheckpointSaver

    from langgraph_checkpoint_dynamodb.moving.source import (
        CheckpointEntry,
        ThreadIdPage,
        TupleWithPaths,
    )
    from langgraph_checkpoint_dynamodb.moving.steps import Steps
    from langgraph_checkpoint_dynamodb.moving.stream import Writable
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


class MovingMethods(SaverBase, Connected, TableSource):
    """Imports and exports threads with the other methods of the saver."""

    def import_thread(
        self,
        source: BaseCheckpointSaver[Any],
        thread_id: str,
        *,
        namespaces: Sequence[str] | None = None,
        on_progress: Callable[[MoveReport], object] | None = None,
    ) -> MoveReport:
        """Copy a thread from another saver, then compare both.

        Copies every checkpoint of every namespace with its parent, versions, metadata and pending
        writes, in the order in which the source returns them. One checkpoint is in memory at a
        time. Nested namespaces come first, the root last, and parents before children: if it is
        stopped, every copied checkpoint has its ancestors and the subgraphs it waits for, but the
        newest copied one may not be the newest of the source. No run may use the thread during the
        import. Can be repeated: checkpoints that exist here already, or only here, are not changed.

        Args:
            source: The saver to read, with its sync methods.
            thread_id: The thread.
            namespaces: The namespaces to copy, for a source that lists only the root if none is
                named. By default all that the source lists.
            on_progress: Called after each checkpoint with what has been moved so far.

        Returns:
            What was moved. A thread without checkpoints is not counted.

        Raises:
            ThreadMismatchError: The copy differs from the source: one of the two was written to
                during the import, or before.
            InvalidInputError: The thread id cannot be stored, or the source is not a saver.
        """
        steps = self._import_thread(source, thread_id, namespaces, on_progress)
        return run_steps(watched(self._watcher, steps, "import_thread"))

    async def aimport_thread(
        self,
        source: BaseCheckpointSaver[Any],
        thread_id: str,
        *,
        namespaces: Sequence[str] | None = None,
        on_progress: Callable[[MoveReport], object] | None = None,
    ) -> MoveReport:
        """Asynchronous version of `import_thread`. Reads the source with its `a*` methods."""
        steps = self._import_thread(source, thread_id, namespaces, on_progress)
        return await arun_steps(watched(self._watcher, steps, "import_thread"))

    def export_threads(
        self,
        stream: Writable,
        thread_ids: Sequence[str] | None = None,
        *,
        on_progress: Callable[[MoveReport], object] | None = None,
    ) -> MoveReport:
        """Write threads to a stream of JSON lines, from which any saver can be filled.

        `langgraph_checkpoint_dynamodb.moving.records` describes the lines. Values are serialized
        by the saver's serde, and encrypted if it encrypts. One checkpoint is in memory at a time.

        Args:
            stream: A text stream, for example a file opened with `"w"`.
            thread_ids: The threads. By default all of the table, found by a Scan.
            on_progress: Called after each checkpoint with what has been written so far.

        Returns:
            What was written.

        Raises:
            InvalidInputError: A thread id is invalid.
            UnreadableItemError: A checkpoint exists but cannot be read.
        """
        steps = checked_export(self, stream, thread_ids, on_progress)
        return run_steps(watched(self._watcher, steps, "export_threads"))

    async def aexport_threads(
        self,
        stream: Writable,
        thread_ids: Sequence[str] | None = None,
        *,
        on_progress: Callable[[MoveReport], object] | None = None,
    ) -> MoveReport:
        """Asynchronous version of `export_threads`. The stream is written on another OS thread."""
        steps = checked_export(self, stream, thread_ids, on_progress)
        return await arun_steps(watched(self._watcher, steps, "export_threads"))

    def import_threads(
        self,
        lines: Iterable[str | bytes],
        *,
        on_progress: Callable[[MoveReport], object] | None = None,
    ) -> MoveReport:
        """Store threads that `export_threads` has written, each checkpoint as it is read.

        Each checkpoint is compared after it is stored. The order is that of `import_thread`, so the
        import can be interrupted and repeated: checkpoints that exist already are not changed.

        Args:
            lines: The lines, for example a file that is open for reading.
            on_progress: Called after each checkpoint with what has been stored so far.

        Returns:
            What was stored, including what existed already.

        Raises:
            ExportFormatError: A line cannot be read. The lines before it are stored.
            ThreadMismatchError: The thread has been continued here.
        """
        steps = checked_import(self, lines, on_progress)
        return run_steps(watched(self._watcher, steps, "import_threads"))

    async def aimport_threads(
        self,
        lines: Iterable[str | bytes],
        *,
        on_progress: Callable[[MoveReport], object] | None = None,
    ) -> MoveReport:
        """Asynchronous version of `import_threads`. The lines are read on another OS thread."""
        steps = checked_import(self, lines, on_progress)
        return await arun_steps(watched(self._watcher, steps, "import_threads"))

    def _thread_page(self, start: Any) -> Operation[ThreadIdPage]:
        return thread_page(self._context(), start)

    def _entries(self, thread_id: str) -> Operation[Sequence[CheckpointEntry]]:
        return thread_entries(self._context(), thread_id)

    def _read_with_paths(self, entry: CheckpointEntry) -> Operation[TupleWithPaths | None]:
        return read_with_paths(self._context(), CheckpointRef(*entry[:3]))

    def _import_thread(
        self,
        source: BaseCheckpointSaver[Any],
        thread_id: str,
        namespaces: Sequence[str] | None,
        on_progress: Callable[[MoveReport], object] | None,
    ) -> Steps[MoveReport]:
        return import_thread(
            require_saver("source", source),
            self,
            require_thread_id(thread_id),
            None if namespaces is None else require_strings("namespaces", namespaces),
            on_progress,
        )
