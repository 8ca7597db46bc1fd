"""Reads what an interrupted export has written, so that it can be continued."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import ExportFormatError
from langgraph_checkpoint_dynamodb.moving.records import require_header

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langgraph_checkpoint_dynamodb.moving.source import CheckpointEntry

_ID_FIELDS = ("thread_id", "checkpoint_ns", "checkpoint_id")


@dataclass
class PartialExport:
    """The contents of a stream. Threads are exported in turn, so only the last may be incomplete.

    Attributes:
        size: Bytes of its complete lines.
        checkpoints: How many checkpoints they hold.
        has_header: Whether the first line is there.
        complete: Whether the last line is there.
    """

    size: int = 0
    checkpoints: int = 0
    has_header: bool = False
    complete: bool = False
    _complete_threads: set[str] = field(default_factory=set)
    _last_thread: str | None = None
    _last_thread_checkpoints: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def read(cls, lines: Iterable[bytes]) -> PartialExport:
        """Read the lines of an export, the last of which may be cut off.

        Raises:
            ExportFormatError: They are not those of an export.
        """
        export = cls()
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                break
            export._add(line, number)
            export.size += len(line)
        return export

    def has_thread(self, thread_id: str) -> bool:
        """Whether it has all of a thread."""
        return thread_id in self._complete_threads

    def has_checkpoint(self, entry: CheckpointEntry) -> bool:
        """Whether it has a checkpoint of the last thread, which may be incomplete."""
        key = (entry.checkpoint_ns, entry.checkpoint_id)
        return entry.thread_id == self._last_thread and key in self._last_thread_checkpoints

    def _add(self, line: bytes, number: int) -> None:
        try:
            record: Any = json.loads(line)
        except ValueError:
            raise ExportFormatError(number, "is not JSON: this is not an export") from None
        if not isinstance(record, dict):
            raise ExportFormatError(number, "is not a JSON object: this is not an export")
        if number == 1:
            require_header(record)
            self.has_header = True
            return
        if "checkpoints" in record:
            self.complete = True
            return
        match [record.get(name) for name in _ID_FIELDS]:
            case [str(thread_id), str(checkpoint_ns), str(checkpoint_id)]:
                self._add_checkpoint(thread_id, checkpoint_ns, checkpoint_id)
            case _:
                raise ExportFormatError(number, "names no checkpoint: this is not an export")

    def _add_checkpoint(self, thread_id: str, checkpoint_ns: str, checkpoint_id: str) -> None:
        if thread_id != self._last_thread:
            if self._last_thread is not None:
                self._complete_threads.add(self._last_thread)
            self._last_thread, self._last_thread_checkpoints = thread_id, set()
        self._last_thread_checkpoints.add((checkpoint_ns, checkpoint_id))
        self.checkpoints += 1
