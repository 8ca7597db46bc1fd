"""The methods of a saver that move threads to it and from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.addressing import require_strings
from langgraph_checkpoint_dynamodb.base import SaverBase
from langgraph_checkpoint_dynamodb.keys import require_thread_id
from langgraph_checkpoint_dynamodb.moving.source import require_saver
from langgraph_checkpoint_dynamodb.moving.steps import aperform, perform
from langgraph_checkpoint_dynamodb.moving.transfer import MoveReport, import_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langgraph.checkpoint.base import BaseCheckpointSaver

    from langgraph_checkpoint_dynamodb.moving.steps import Moving


class MovingMethods(SaverBase):
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
        return perform(self._import_thread(source, thread_id, namespaces, on_progress))

    async def aimport_thread(
        self,
        source: BaseCheckpointSaver[Any],
        thread_id: str,
        *,
        namespaces: Sequence[str] | None = None,
        on_progress: Callable[[MoveReport], object] | None = None,
    ) -> MoveReport:
        """Asynchronous version of `import_thread`. Reads the source by its `a*` methods."""
        return await aperform(self._import_thread(source, thread_id, namespaces, on_progress))

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
