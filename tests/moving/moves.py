"""The methods that import and export threads, sync and async behind the same calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from io import StringIO

    from langgraph.checkpoint.base import BaseCheckpointSaver

    from langgraph_checkpoint_dynamodb import MoveReport
    from tests.support.calls import LoopThread
    from tests.support.savers import Saver


class PlainMoves:
    """Uses the sync methods."""

    def __init__(self, saver: Saver) -> None:
        self.saver = saver

    def import_thread(
        self, source: BaseCheckpointSaver[Any], thread_id: str, **how: Any
    ) -> MoveReport:
        return self.saver.import_thread(source, thread_id, **how)

    def export_threads(
        self, stream: StringIO, thread_ids: Sequence[str] | None = None, **how: Any
    ) -> MoveReport:
        return self.saver.export_threads(stream, thread_ids, **how)

    def import_threads(self, lines: Iterable[str | bytes], **how: Any) -> MoveReport:
        return self.saver.import_threads(lines, **how)


class AwaitedMoves(PlainMoves):
    """Uses the async methods, awaited on an event loop."""

    def __init__(self, saver: Saver, loop: LoopThread) -> None:
        super().__init__(saver)
        self._loop = loop

    def import_thread(
        self, source: BaseCheckpointSaver[Any], thread_id: str, **how: Any
    ) -> MoveReport:
        return self._loop.run(self.saver.aimport_thread(source, thread_id, **how))

    def export_threads(
        self, stream: StringIO, thread_ids: Sequence[str] | None = None, **how: Any
    ) -> MoveReport:
        return self._loop.run(self.saver.aexport_threads(stream, thread_ids, **how))

    def import_threads(self, lines: Iterable[str | bytes], **how: Any) -> MoveReport:
        return self._loop.run(self.saver.aimport_threads(lines, **how))
