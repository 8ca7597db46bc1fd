"""What an export that was stopped has written, so that it can go on behind that."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import ExportFormatError
from langgraph_checkpoint_dynamodb.moving.records import require_header

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langgraph_checkpoint_dynamodb.moving.source import Place

_PLACE = ("thread_id", "checkpoint_ns", "checkpoint_id")


@dataclass
class Written:
    """What is in a stream. An export writes one thread after the other, so one may be incomplete.

    Attributes:
        size: Bytes of its whole lines.
        checkpoints: How many checkpoints they hold.
        begun: Whether the first line is there.
        ended: Whether the last one is.
    """

    size: int = 0
    checkpoints: int = 0
    begun: bool = False
    ended: bool = False
    _threads: set[str] = field(default_factory=set)
    _last: str | None = None
    _of_last: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def read(cls, lines: Iterable[bytes]) -> Written:
        """What is in these lines, the last of which may be cut off.

        Raises:
            ExportFormatError: They are not those of an export.
        """
        written = cls()
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                break
            written._add(line, number)
            written.size += len(line)
        return written

    def has_thread(self, thread_id: str) -> bool:
        """Whether a thread is there whole."""
        return thread_id in self._threads

    def has(self, place: Place) -> bool:
        """Whether a checkpoint is there, of the thread that may be incomplete."""
        of_last = place.thread_id == self._last
        return of_last and (place.checkpoint_ns, place.checkpoint_id) in self._of_last

    def _add(self, line: bytes, number: int) -> None:
        try:
            record: Any = json.loads(line)
        except ValueError:
            raise ExportFormatError(number, "is not JSON: this is no export") from None
        if not isinstance(record, dict):
            raise ExportFormatError(number, "is no JSON object: this is no export")
        if number == 1:
            require_header(record)
            self.begun = True
            return
        if "checkpoints" in record:
            self.ended = True
            return
        match [record.get(name) for name in _PLACE]:
            case [str(thread_id), str(checkpoint_ns), str(checkpoint_id)]:
                self._add_checkpoint(thread_id, checkpoint_ns, checkpoint_id)
            case _:
                raise ExportFormatError(number, "names no checkpoint: this is no export")

    def _add_checkpoint(self, thread_id: str, checkpoint_ns: str, checkpoint_id: str) -> None:
        if thread_id != self._last:
            if self._last is not None:
                self._threads.add(self._last)
            self._last, self._of_last = thread_id, set()
        self._of_last.add((checkpoint_ns, checkpoint_id))
        self.checkpoints += 1
