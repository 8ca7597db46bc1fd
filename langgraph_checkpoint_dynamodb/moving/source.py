"""Reads any saver: lists its threads and checkpoints, and reads each checkpoint with its writes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from langgraph.checkpoint.base import BaseCheckpointSaver

from langgraph_checkpoint_dynamodb.errors import InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.addressing import to_config
from langgraph_checkpoint_dynamodb.moving.steps import Step, take
from langgraph_checkpoint_dynamodb.moving.writes import (
    TaskWrites,
    as_pending_writes,
    group_by_task,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import (
        Checkpoint,
        CheckpointMetadata,
        CheckpointTuple,
        PendingWrite,
    )

    from langgraph_checkpoint_dynamodb.moving.steps import Steps
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

T = TypeVar("T")


class CheckpointEntry(NamedTuple):
    """A checkpoint in a listing: its ids and its parent's, without its contents.

    Attributes:
        thread_id: The thread.
        checkpoint_ns: The namespace.
        checkpoint_id: The checkpoint.
        parent_id: Its parent, which may not exist; `None` if it has none.
    """

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str
    parent_id: str | None

    @property
    def config(self) -> RunnableConfig:
        """The config that names the checkpoint."""
        return to_config(self.thread_id, self.checkpoint_ns, self.checkpoint_id)

    @property
    def parent_config(self) -> RunnableConfig | None:
        """The config that names the parent, `None` if it has none."""
        if self.parent_id is None:
            return None
        return to_config(self.thread_id, self.checkpoint_ns, self.parent_id)

    @property
    def put_config(self) -> RunnableConfig:
        """The config for `put`: its checkpoint id is the parent's."""
        if (parent := self.parent_config) is not None:
            return parent
        config = self.config
        del config["configurable"]["checkpoint_id"]
        return config


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint with its metadata and pending writes.

    Attributes:
        entry: Its ids.
        checkpoint: The checkpoint.
        metadata: Its metadata.
        tasks: Its pending writes by task.
    """

    entry: CheckpointEntry
    checkpoint: Checkpoint
    metadata: CheckpointMetadata
    tasks: Sequence[TaskWrites]

    @property
    def pending_writes(self) -> list[PendingWrite]:
        """Its pending writes as a saver returns them."""
        return as_pending_writes(self.tasks)


class ThreadIdPage(NamedTuple):
    """A page of the threads of a table.

    Attributes:
        thread_ids: Their ids. The first may be the last of the page before.
        next: Where the next page begins, `None` after the last.
        items: How many items were read to find them.
    """

    thread_ids: Sequence[str]
    next: Any
    items: int = 0


class TupleWithPaths(NamedTuple):
    """A checkpoint tuple, and the task paths that LangGraph's tuples leave out.

    Attributes:
        found: The tuple.
        paths: The path of each task that has written to it, by task id.
    """

    found: CheckpointTuple
    paths: Mapping[str, str]


class TableSource(ABC):
    """A saver whose table is read itself, for what LangGraph's methods do not return.

    It lists its threads, lists checkpoints without reading their contents, and knows task paths.
    """

    @abstractmethod
    def _run(self, operation: Operation[T], method: str) -> T:
        """Perform an operation in sync code."""

    @abstractmethod
    async def _await(self, operation: Operation[T], method: str) -> T:
        """Perform an operation on an event loop."""

    @abstractmethod
    def _thread_page(self, start: Any) -> Operation[ThreadIdPage]:
        """A page of its threads, from `next` of the page before or `None`."""

    @abstractmethod
    def _entries(self, thread_id: str) -> Operation[Sequence[CheckpointEntry]]:
        """The checkpoints of a thread in all namespaces, in any order."""

    @abstractmethod
    def _read_with_paths(self, entry: CheckpointEntry) -> Operation[TupleWithPaths | None]:
        """A checkpoint, `None` if it does not exist."""

    def _step(self, operation: Operation[T]) -> Step[T]:
        """A step that performs one of the operations above."""
        return Step(
            lambda: self._run(operation, "export_threads"),
            lambda: self._await(operation, "export_threads"),
        )


Saver = BaseCheckpointSaver[Any]


def require_saver(field: str, saver: object) -> Saver:
    """Check that a value is a saver.

    Raises:
        InvalidInputTypeError: It is not.
    """
    if not isinstance(saver, BaseCheckpointSaver):
        raise InvalidInputTypeError(
            field, f"must be a LangGraph checkpoint saver, got {type(saver).__name__}"
        )
    return saver


def list_entries(
    source: Saver, thread_id: str, namespaces: Sequence[str] | None = None
) -> Steps[list[CheckpointEntry]]:
    """The checkpoints of a thread, in the order in which they are to be copied.

    Nested namespaces come before those around them, the root last; parents before children. So a
    copy that was stopped has, for each of its checkpoints, the ancestors and the subgraphs that it
    waits for. Only the entries are held in memory, not the contents.

    Args:
        source: The saver.
        thread_id: The thread.
        namespaces: The namespaces, for a saver that lists only the root if none is named.
    """
    by_namespace: dict[str, dict[str, CheckpointEntry]] = defaultdict(dict)
    for entry in (yield from _list_unsorted(source, thread_id, namespaces)):
        by_namespace[entry.checkpoint_ns][entry.checkpoint_id] = entry
    nested_first = sorted(by_namespace, key=_depth, reverse=True)
    return [entry for name in nested_first for entry in _parents_first(by_namespace[name])]


def read_checkpoint(source: Saver, entry: CheckpointEntry) -> Steps[StoredCheckpoint | None]:
    """A checkpoint with its writes, `None` if it does not exist."""
    config = entry.config
    found = yield from take(
        Step(lambda: source.get_tuple(config), lambda: source.aget_tuple(config))
    )
    return None if found is None else _stored_checkpoint(entry.thread_id, found, {})


def read_checkpoint_with_paths(
    source: Saver, entry: CheckpointEntry
) -> Steps[StoredCheckpoint | None]:
    """The same, with the paths of its tasks if the source knows them."""
    if not isinstance(source, TableSource):
        return (yield from read_checkpoint(source, entry))
    read = yield from take(source._step(source._read_with_paths(entry)))
    return None if read is None else _stored_checkpoint(entry.thread_id, read.found, read.paths)


def for_each_thread(source: Saver, visit: Callable[[str], Steps[None]]) -> Steps[None]:
    """Visit every thread of a saver, as they are found."""
    if not isinstance(source, TableSource):
        for thread_id in (yield from take(_list_thread_ids(source))):
            yield from visit(thread_id)
        return
    start: Any = None
    last: str | None = None
    while True:
        page = yield from take(source._step(source._thread_page(start)))
        for thread_id in page.thread_ids:
            if thread_id != last:
                yield from visit(thread_id)
            last = thread_id
        if page.next is None:
            return
        start = page.next


def _list_unsorted(
    source: Saver, thread_id: str, namespaces: Sequence[str] | None
) -> Steps[Sequence[CheckpointEntry]]:
    if isinstance(source, TableSource):
        listed = yield from take(source._step(source._entries(thread_id)))
        return [each for each in listed if namespaces is None or each.checkpoint_ns in namespaces]
    configs: list[RunnableConfig] = [{"configurable": {"thread_id": thread_id}}]
    if namespaces is not None:
        configs = [
            {"configurable": {"thread_id": thread_id, "checkpoint_ns": name}} for name in namespaces
        ]
    entries: list[CheckpointEntry] = []
    for config in configs:
        entries += yield from take(_list_namespace(source, config, thread_id))
    return entries


def _list_namespace(
    source: Saver, config: RunnableConfig, thread_id: str
) -> Step[list[CheckpointEntry]]:
    def call() -> list[CheckpointEntry]:
        return [_entry_of(found, thread_id) for found in source.list(config)]

    async def acall() -> list[CheckpointEntry]:
        return [_entry_of(found, thread_id) async for found in source.alist(config)]

    return Step(call, acall)


def _list_thread_ids(source: Saver) -> Step[list[str]]:
    def call() -> list[str]:
        return list(dict.fromkeys(_thread_id_of(found) for found in source.list(None)))

    async def acall() -> list[str]:
        return list({_thread_id_of(found): None async for found in source.alist(None)})

    return Step(call, acall)


def _thread_id_of(found: CheckpointTuple) -> str:
    return str(found.config["configurable"]["thread_id"])


def _entry_of(found: CheckpointTuple, thread_id: str) -> CheckpointEntry:
    configurable = found.config["configurable"]
    parent = (found.parent_config or {}).get("configurable", {})
    return CheckpointEntry(
        thread_id,
        configurable.get("checkpoint_ns") or "",
        configurable["checkpoint_id"],
        parent.get("checkpoint_id") or None,
    )


def _stored_checkpoint(
    thread_id: str, found: CheckpointTuple, known_paths: Mapping[str, str]
) -> StoredCheckpoint:
    return StoredCheckpoint(
        entry=_entry_of(found, thread_id),
        checkpoint=found.checkpoint,
        metadata=found.metadata,
        tasks=tuple(group_by_task(found.pending_writes or (), known_paths)),
    )


def _depth(checkpoint_ns: str) -> tuple[int, str]:
    return (checkpoint_ns.count("|") + 1 if checkpoint_ns else 0, checkpoint_ns)


def _parents_first(entries: Mapping[str, CheckpointEntry]) -> Iterator[CheckpointEntry]:
    """The entries of a namespace by id, except that each comes after its parent."""
    done: set[str] = set()
    for checkpoint_id in sorted(entries):
        ancestors: list[CheckpointEntry] = []
        entry = entries.get(checkpoint_id)
        while entry is not None and entry.checkpoint_id not in done:
            done.add(entry.checkpoint_id)
            ancestors.append(entry)
            entry = None if entry.parent_id is None else entries.get(entry.parent_id)
        yield from reversed(ancestors)
