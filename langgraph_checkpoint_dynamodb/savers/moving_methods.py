"""The methods of a saver that move threads to it and from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from langgraph_checkpoint_dynamodb.connected import Connected
from langgraph_checkpoint_dynamodb.format.key_text import require_thread_id
from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
from langgraph_checkpoint_dynamodb.moving.functions import exporting, filling
from langgraph_checkpoint_dynamodb.moving.ours import detailed, thread_page, thread_places
from langgraph_checkpoint_dynamodb.moving.source import DetailedSource, require_saver
from langgraph_checkpoint_dynamodb.moving.steps import Step, aperform, perform
from langgraph_checkpoint_dynamodb.moving.transfer import MoveReport, import_thread
from langgraph_checkpoint_dynamodb.moving.watched import watched
from langgraph_checkpoint_dynamodb.savers.base import SaverBase
from langgraph_checkpoint_dynamodb.settings.arguments import require_strings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from langgraph.checkpoint.base import BaseCheckpointSaver

    from langgraph_checkpoint_dynamodb.moving.source import Detailed, Place, ThreadIds
    from langgraph_checkpoint_dynamodb.moving.steps import Moving
    from langgraph_checkpoint_dynamodb.moving.stream import Writable
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


T = TypeVar("T")


class MovingMethods(SaverBase, Connected, DetailedSource):
    """What moves threads, over the other methods of the saver."""

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
        writes, those in the order in which the source returns them. One checkpoint is in memory at
        a time. Nested namespaces come first, the root last, and parents before children: stopped
        halfway, every checkpoint here has its ancestors and the subgraphs it waits for, but the
        newest may be an older one. No run may use the thread meanwhile. Can be repeated: what is
        there already is left alone, and so is what the source does not have.

        Args:
            source: The saver to read, by its plain methods.
            thread_id: The thread.
            namespaces: The namespaces to copy, for a source that lists the root alone where none
                is named. By default all that the source lists.
            on_progress: Called after each checkpoint with what has been moved so far.

        Returns:
            What was moved. A thread without checkpoints is none.

        Raises:
            ThreadMismatchError: What is here now differs from the source: one of them was written
                to meanwhile, or before.
            InvalidInputError: The thread id cannot be stored, or the source is no saver.
        """
        moving = self._import_thread(source, thread_id, namespaces, on_progress)
        return perform(watched(self._watcher, moving, "import_thread"))

    async def aimport_thread(
        self,
        source: BaseCheckpointSaver[Any],
        thread_id: str,
        *,
        namespaces: Sequence[str] | None = None,
        on_progress: Callable[[MoveReport], object] | None = None,
    ) -> MoveReport:
        """Asynchronous version of `import_thread`. Reads the source by its `a*` methods."""
        moving = self._import_thread(source, thread_id, namespaces, on_progress)
        return await aperform(watched(self._watcher, moving, "import_thread"))

    def export_threads(
        self,
        stream: Writable,
        thread_ids: Sequence[str] | None = None,
        *,
        on_progress: Callable[[MoveReport], object] | None = None,
    ) -> MoveReport:
        """Write threads to a stream of JSON lines, from which any saver can be filled.

        `langgraph_checkpoint_dynamodb.moving.records` says what the lines are. Values are as the
        saver's serde makes them: encrypted, if it encrypts. One checkpoint is in memory at a time.

        Args:
            stream: Takes text, for example a file opened with `"w"`.
            thread_ids: The threads. By default all of the table, found by a Scan.
            on_progress: Called after each checkpoint with what has been written so far.

        Returns:
            What was written.

        Raises:
            InvalidInputError: A thread id is none.
            UnreadableItemError: A checkpoint is there but cannot be read.
        """
        moving = exporting(self, stream, thread_ids, on_progress)
        return perform(watched(self._watcher, moving, "export_threads"))

    async def aexport_threads(
        self,
        stream: Writable,
        thread_ids: Sequence[str] | None = None,
        *,
        on_progress: Callable[[MoveReport], object] | None = None,
    ) -> MoveReport:
        """Asynchronous version of `export_threads`. The stream is written to by another thread."""
        moving = exporting(self, stream, thread_ids, on_progress)
        return await aperform(watched(self._watcher, moving, "export_threads"))

    def import_threads(
        self,
        lines: Iterable[str | bytes],
        *,
        on_progress: Callable[[MoveReport], object] | None = None,
    ) -> MoveReport:
        """Store threads that `export_threads` has written, each checkpoint as it is read.

        Each is compared once it is stored. In the same order as `import_thread`, so it can be
        stopped anywhere and repeated: what is there already is left alone.

        Args:
            lines: The lines, for example a file that is open for reading.
            on_progress: Called after each checkpoint with what has been stored so far.

        Returns:
            What was stored, with what was there already.

        Raises:
            ExportFormatError: A line cannot be read. What came before it is stored.
            ThreadMismatchError: The thread has gone on here.
        """
        return perform(watched(self._watcher, filling(self, lines, on_progress), "import_threads"))

    async def aimport_threads(
        self,
        lines: Iterable[str | bytes],
        *,
        on_progress: Callable[[MoveReport], object] | None = None,
    ) -> MoveReport:
        """Asynchronous version of `import_threads`. The lines are read by another thread."""
        moving = filling(self, lines, on_progress)
        return await aperform(watched(self._watcher, moving, "import_threads"))

    def _step(self, operation: Operation[T]) -> Step[T]:
        return Step(
            lambda: self._run(operation, "export_threads"),
            lambda: self._await(operation, "export_threads"),
        )

    def _thread_page(self, start: Any) -> Operation[ThreadIds]:
        return thread_page(self._store(), start)

    def _places(self, thread_id: str) -> Operation[Sequence[Place]]:
        return thread_places(self._store(), thread_id)

    def _detailed(self, place: Place) -> Operation[Detailed | None]:
        return detailed(self._store(), CheckpointRef(*place[:3]))

    def _import_thread(
        self,
        source: BaseCheckpointSaver[Any],
        thread_id: str,
        namespaces: Sequence[str] | None,
        on_progress: Callable[[MoveReport], object] | None,
    ) -> Moving[MoveReport]:
        return import_thread(
            require_saver("source", source),
            self,
            require_thread_id(thread_id),
            None if namespaces is None else require_strings("namespaces", namespaces),
            on_progress,
        )
