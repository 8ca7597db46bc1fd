r"""The format of exported threads: JSON lines, version 1.

The first line names the format, the last one counts the checkpoints. Each line between them is a
checkpoint. Namespaces of a thread come from the innermost to the root, parents before children::

    {"format": "langgraph-checkpoints", "version": 1}
    {"thread_id": "1", "checkpoint_ns": "", "checkpoint_id": "1f0...", "parent_checkpoint_id": null,
     "checkpoint": ["msgpack", "g6F2..."], "metadata": ["msgpack", "gqZz..."],
     "tasks": [{"task_id": "6a1...", "task_path": "~__pregel_pull, ask",
                "writes": [["__interrupt__", "msgpack", "kYKl..."]]}]}
    {"checkpoints": 1}

A value is serialized by the saver's serializer: the name of its type, and its bytes in Base64. If
the serializer encrypts, a reader needs the key. Task paths may be empty. Tasks are in the order in
which a saver returns them; a task's special channels come first.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, cast

from langgraph_checkpoint_dynamodb.errors import ExportFormatError
from langgraph_checkpoint_dynamodb.moving.source import CheckpointEntry, StoredCheckpoint
from langgraph_checkpoint_dynamodb.moving.writes import TaskWrites

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata
    from langgraph.checkpoint.serde.base import SerializerProtocol

FORMAT = "langgraph-checkpoints"
VERSION = 1


def header() -> str:
    """The first line."""
    return _line({"format": FORMAT, "version": VERSION})


def trailer(checkpoints: int) -> str:
    """The last line."""
    return _line({"checkpoints": checkpoints})


def encode(serde: SerializerProtocol, found: StoredCheckpoint) -> str:
    """The line of a checkpoint."""
    entry = found.entry
    return _line(
        {
            "thread_id": entry.thread_id,
            "checkpoint_ns": entry.checkpoint_ns,
            "checkpoint_id": entry.checkpoint_id,
            "parent_checkpoint_id": entry.parent_id,
            "checkpoint": _dump(serde, found.checkpoint),
            "metadata": _dump(serde, found.metadata),
            "tasks": [
                {
                    "task_id": task.task_id,
                    "task_path": task.task_path,
                    "writes": [[channel, *_dump(serde, value)] for channel, value in task.writes],
                }
                for task in found.tasks
            ],
        }
    )


class LineReader:
    """Reads lines one by one and checks their order.

    Args:
        serde: The serializer to load values with.
    """

    def __init__(self, serde: SerializerProtocol) -> None:
        self._serde = serde
        self._line_number = 0
        self._checkpoints = 0
        self._ended = False

    def read(self, line: str | bytes | None) -> StoredCheckpoint | None:
        """The checkpoint of the next line, `None` for the first and the last one.

        Args:
            line: The line, `None` after the last one.

        Raises:
            ExportFormatError: The line is damaged, or not expected here.
        """
        self._line_number += 1
        if line is None:
            if not self._ended:
                raise self._error("is missing: the stream was cut off before its last line")
            return None
        if self._ended:
            raise self._error("comes after the last one")
        record = self._parse(line)
        if self._line_number == 1:
            require_header(record)
            return None
        if "checkpoints" in record:
            self._check_trailer(record)
            return None
        found = self._read_checkpoint(record)
        self._checkpoints += 1
        return found

    def _check_trailer(self, record: dict[str, Any]) -> None:
        if record["checkpoints"] != self._checkpoints:
            raise self._error(
                f"says that {record['checkpoints']!r} checkpoints come before it, there are "
                f"{self._checkpoints}"
            )
        self._ended = True

    def _read_checkpoint(self, record: dict[str, Any]) -> StoredCheckpoint:
        parent_id = record.get("parent_checkpoint_id")
        entry = CheckpointEntry(
            thread_id=self._text(record, "thread_id"),
            checkpoint_ns=self._text(record, "checkpoint_ns"),
            checkpoint_id=self._text(record, "checkpoint_id"),
            parent_id=None if parent_id is None else self._text(record, "parent_checkpoint_id"),
        )
        checkpoint = self._mapping(record, "checkpoint")
        if checkpoint.get("id") != entry.checkpoint_id:
            raise self._error("field 'checkpoint_id' differs from the id of its checkpoint")
        return StoredCheckpoint(
            entry=entry,
            checkpoint=cast("Checkpoint", checkpoint),
            metadata=cast("CheckpointMetadata", self._mapping(record, "metadata")),
            tasks=tuple(map(self._task, self._list(record, "tasks"))),
        )

    def _task(self, task: Any) -> TaskWrites:
        writes = []
        for write in self._list(task, "writes"):
            if not isinstance(write, list) or len(write) != 3 or not isinstance(write[0], str):
                raise self._error("field 'writes' must hold channel, type and Base64")
            writes.append((write[0], self._load("writes", write[1:])))
        return TaskWrites(self._text(task, "task_id"), self._text(task, "task_path"), tuple(writes))

    def _parse(self, line: str | bytes) -> dict[str, Any]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            # Without the cause: it quotes the line, which may hold user data.
            raise self._error("is not JSON; was the stream cut off?") from None
        if not isinstance(record, dict):
            raise self._error("is not a JSON object")
        return record

    def _text(self, record: Any, field: str) -> str:
        value = record.get(field) if isinstance(record, dict) else None
        if not isinstance(value, str):
            raise self._error(f"field {field!r} must be a string")
        return value

    def _list(self, record: Any, field: str) -> list[Any]:
        value = record.get(field) if isinstance(record, dict) else None
        if not isinstance(value, list):
            raise self._error(f"field {field!r} must be a list")
        return value

    def _mapping(self, record: dict[str, Any], field: str) -> dict[str, Any]:
        value = self._load(field, record.get(field))
        if not isinstance(value, dict):
            raise self._error(f"field {field!r} must hold a mapping")
        return value

    def _load(self, field: str, value: Any) -> Any:
        if not isinstance(value, list) or [type(part) for part in value] != [str, str]:
            raise self._error(f"field {field!r} must be a type and Base64")
        try:
            return self._serde.loads_typed((value[0], base64.b64decode(value[1], validate=True)))
        except Exception as error:
            raise self._error(
                f"field {field!r}, of type {value[0]!r}, cannot be loaded by "
                f"{type(self._serde).__name__} ({type(error).__name__})"
            ) from error

    def _error(self, problem: str) -> ExportFormatError:
        return ExportFormatError(self._line_number, problem)


def require_header(record: Mapping[str, Any]) -> None:
    """Check the first line.

    Raises:
        ExportFormatError: It is another format, or another version.
    """
    version = record.get("version")
    if record.get("format") != FORMAT or not isinstance(version, int):
        raise ExportFormatError(1, f'must be {{"format": "{FORMAT}", "version": {VERSION}}}')
    if version != VERSION:
        raise ExportFormatError(
            1,
            f"says version {version}, this release reads version {VERSION}; read it with the "
            "release that wrote it, or with a later one",
        )


def _dump(serde: SerializerProtocol, value: object) -> list[str]:
    tag, data = serde.dumps_typed(value)
    return [tag, base64.b64encode(data).decode()]


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, separators=(",", ":")) + "\n"
