"""Reading any saver: which checkpoints it has, oldest first, and each with its writes by task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from langgraph.checkpoint.base import BaseCheckpointSaver

from langgraph_checkpoint_dynamodb.errors import InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.addressing import to_config
from langgraph_checkpoint_dynamodb.moving.steps import Step, take
from langgraph_checkpoint_dynamodb.moving.writes import TaskWrites, by_task, in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import (
        Checkpoint,
        CheckpointMetadata,
        CheckpointTuple,
        PendingWrite,
    )

    from langgraph_checkpoint_dynamodb.moving.steps import Moving
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

T = TypeVar("T")


class Place(NamedTuple):
    """Where a checkpoint is.

    Attributes:
        thread_id: The thread.
        checkpoint_ns: The namespace.
        checkpoint_id: The checkpoint.
        parent_id: Its parent, which need not be there; `None` for none.
    """

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str
    parent_id: str | None

    @property
    def config(self) -> RunnableConfig:
        """The config that names it."""
        return to_config(self.thread_id, self.checkpoint_ns, self.checkpoint_id)

    @property
    def put_config(self) -> RunnableConfig:
        """The config that it is put with: its checkpoint id is the parent's."""
        config = to_config(self.thread_id, self.checkpoint_ns, self.parent_id or "")
        if self.parent_id is None:
            del config["configurable"]["checkpoint_id"]
        return config


@dataclass(frozen=True, slots=True)
class Found:
    """A checkpoint with all that belongs to it.

    Attributes:
        place: Where it is.
        checkpoint: The checkpoint.
        metadata: Its metadata.
        tasks: Its pending writes.
    """

    place: Place
    checkpoint: Checkpoint
    metadata: CheckpointMetadata
    tasks: Sequence[TaskWrites]

    @property
    def pending_writes(self) -> list[PendingWrite]:
        """Its pending writes as a saver returns them."""
        return in_order(self.tasks)


class ThreadIds(NamedTuple):
    """Some of the threads that there are.

    Attributes:
        thread_ids: Their ids. The first may be the last of the page before.
        next: Where the next page begins, `None` after the last.
        items: How many items were read to find them.
    """

    thread_ids: Sequence[str]
    next: Any
    items: int = 0


class Detailed(NamedTuple):
    """A checkpoint, and what LangGraph's tuple of it does not tell.

    Attributes:
        found: The tuple.
        paths: The path of each task that has written to it.
    """

    found: CheckpointTuple
    paths: Mapping[str, str]


class DetailedSource(ABC):
    """A saver that tells what others do not: its threads, their checkpoints unread, task paths."""

    @abstractmethod
    def _step(self, operation: Operation[T]) -> Step[T]:
        """Perform one of the operations below, by either family."""

    @abstractmethod
    def _thread_page(self, start: Any) -> Operation[ThreadIds]:
        """Some of its threads, from `next` of the page before or `None`."""

    @abstractmethod
    def _places(self, thread_id: str) -> Operation[Sequence[Place]]:
        """The checkpoints of a thread in all namespaces, in any order, without what they hold."""

    @abstractmethod
    def _detailed(self, place: Place) -> Operation[Detailed | None]:
        """A checkpoint, `None` where it is not there."""


Source = BaseCheckpointSaver[Any]


def require_saver(field: str, saver: object) -> Source:
    """A value that must be a saver.

    Raises:
        InvalidInputTypeError: It is none.
    """
    if not isinstance(saver, BaseCheckpointSaver):
        raise InvalidInputTypeError(
            field, f"must be a LangGraph checkpoint saver, got {type(saver).__name__}"
        )
    return saver


def places(
    source: Source, thread_id: str, namespaces: Sequence[str] | None = None
) -> Moving[list[Place]]:
    """The checkpoints of a thread in the order in which they are stored elsewhere.

    Nested namespaces come before those around them, the root last; parents before children. So
    whatever part of it is there, each checkpoint has its ancestors, and the subgraphs it waits for.
    Places alone are held in memory, never what is there.

    Args:
        source: The saver.
        thread_id: The thread.
        namespaces: The namespaces, for a saver that lists the root alone where none is named.
    """
    found: dict[str, dict[str, Place]] = defaultdict(dict)
    for place in (yield from _listed(source, thread_id, namespaces)):
        found[place.checkpoint_ns][place.checkpoint_id] = place
    nested_first = sorted(found, key=_depth, reverse=True)
    return [place for name in nested_first for place in _parents_first(found[name])]


def read(source: Source, place: Place) -> Moving[Found | None]:
    """A checkpoint with its writes, `None` where it is not there."""
    config = place.config
    one = yield from take(Step(lambda: source.get_tuple(config), lambda: source.aget_tuple(config)))
    return None if one is None else _found(place.thread_id, one, {})


def read_with_paths(source: Source, place: Place) -> Moving[Found | None]:
    """The same, with the paths of its tasks from a saver that tells them."""
    if not isinstance(source, DetailedSource):
        return (yield from read(source, place))
    detailed = yield from take(source._step(source._detailed(place)))
    return None if detailed is None else _found(place.thread_id, *detailed)


def for_each_thread(source: Source, visit: Callable[[str], Moving[None]]) -> Moving[None]:
    """Visit every thread of a saver, as they are found."""
    if not isinstance(source, DetailedSource):
        for thread_id in (yield from take(_thread_listing(source))):
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


def _listed(
    source: Source, thread_id: str, namespaces: Sequence[str] | None
) -> Moving[Sequence[Place]]:
    """The places of a thread, in any order; those of some namespaces alone."""
    if isinstance(source, DetailedSource):
        listed = yield from take(source._step(source._places(thread_id)))
        return [one for one in listed if namespaces is None or one.checkpoint_ns in namespaces]
    configs: list[RunnableConfig] = [{"configurable": {"thread_id": thread_id}}]
    if namespaces is not None:
        configs = [
            {"configurable": {"thread_id": thread_id, "checkpoint_ns": name}} for name in namespaces
        ]
    found: list[Place] = []
    for config in configs:
        found += yield from take(_listing(source, config, thread_id))
    return found


def _listing(source: Source, config: RunnableConfig, thread_id: str) -> Step[list[Place]]:
    def plain() -> list[Place]:
        return [_place_of(one, thread_id) for one in source.list(config)]

    async def awaited() -> list[Place]:
        return [_place_of(one, thread_id) async for one in source.alist(config)]

    return Step(plain, awaited)


def _thread_listing(source: Source) -> Step[list[str]]:
    def plain() -> list[str]:
        return list(dict.fromkeys(_thread_of(one) for one in source.list(None)))

    async def awaited() -> list[str]:
        return list({_thread_of(one): None async for one in source.alist(None)})

    return Step(plain, awaited)


def _thread_of(one: CheckpointTuple) -> str:
    return str(one.config["configurable"]["thread_id"])


def _place_of(one: CheckpointTuple, thread_id: str) -> Place:
    named = one.config["configurable"]
    parent = (one.parent_config or {}).get("configurable", {})
    return Place(
        thread_id,
        named.get("checkpoint_ns") or "",
        named["checkpoint_id"],
        parent.get("checkpoint_id") or None,
    )


def _found(thread_id: str, one: CheckpointTuple, paths: Mapping[str, str]) -> Found:
    return Found(
        place=_place_of(one, thread_id),
        checkpoint=one.checkpoint,
        metadata=one.metadata,
        tasks=tuple(by_task(one.pending_writes or (), paths)),
    )


def _depth(checkpoint_ns: str) -> tuple[int, str]:
    return (checkpoint_ns.count("|") + 1 if checkpoint_ns else 0, checkpoint_ns)


def _parents_first(found: Mapping[str, Place]) -> Iterator[Place]:
    """Places of one namespace, by id, but none before its parent."""
    done: set[str] = set()
    for checkpoint_id in sorted(found):
        line: list[Place] = []
        place = found.get(checkpoint_id)
        while place is not None and place.checkpoint_id not in done:
            done.add(place.checkpoint_id)
            line.append(place)
            place = None if place.parent_id is None else found.get(place.parent_id)
        yield from reversed(line)
