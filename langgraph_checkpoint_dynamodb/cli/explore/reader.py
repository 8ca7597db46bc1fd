"""What is looked at, read page by page by the `a*` methods of a saver that never writes."""

from __future__ import annotations

import asyncio
import copy
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph_checkpoint_dynamodb.cli.explore.lenient_serde import LenientSerde
from langgraph_checkpoint_dynamodb.cli.explore.operations import Calls, checkpoint_ids, find_calls
from langgraph_checkpoint_dynamodb.cli.explore.step import Step, step_of
from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.addressing import to_config
from langgraph_checkpoint_dynamodb.ops.memory import Memory
from langgraph_checkpoint_dynamodb.runners.process import PerProcess

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from langgraph.checkpoint.base import CheckpointTuple

    from langgraph_checkpoint_dynamodb.items.threads import Status, ThreadInfo
    from langgraph_checkpoint_dynamodb.saver import DynamoDBSaver

T = TypeVar("T")

THREADS_PAGE = 50
HISTORY_PAGE = 20
CALLS_PAGE = 20
_KEPT = 2 * HISTORY_PAGE
"""Checkpoints that are kept as they were listed, so that looking at one asks for nothing more."""
_SCANS = 20
"""Pages of a Scan that bring no new thread, at most, before the user is asked to go on."""


@dataclass(frozen=True)
class Thread:
    """A thread in the list.

    Attributes:
        thread_id: Its id.
        info: What is known of it as a whole; `None` where threads are not listed.
    """

    thread_id: str
    info: ThreadInfo | None = None


@dataclass(frozen=True)
class Threads:
    """A page of threads.

    Attributes:
        threads: They.
        next: Where to go on; `None` after the last.
    """

    threads: tuple[Thread, ...]
    next: Any


@dataclass(frozen=True)
class History:
    """A page of a history.

    Attributes:
        steps: Its checkpoints, newest first.
        last: Where to go on; `None` after the last.
    """

    steps: tuple[Step, ...]
    last: str | None


class Reader:
    """Reads threads, histories and states.

    An answer that is not waited for any more is let come, and dropped: a call that is cancelled
    would have those after it wait for its end.

    Args:
        saver: The saver. A clone of it is used, which serializes nothing and whose serde gives
            something for every value; it shares the clients.
    """

    def __init__(self, saver: DynamoDBSaver) -> None:
        reading = copy.copy(saver)
        reading.serde = LenientSerde(saver.serde)
        # What is not loaded here must not be remembered by the saver that was passed.
        reading._memories = PerProcess(lambda _: Memory(saver._settings.memory_bytes))
        self._saver = reading
        self._kept: OrderedDict[tuple[str, str, str], CheckpointTuple] = OrderedDict()
        self._dropped: set[asyncio.Future[Any]] = set()
        self.lists_threads = saver._settings.thread_index is not None
        self.table = saver._settings.checkpoints_table_name
        self.clock = saver._settings.clock

    async def threads(self, owner: str | None, status: Status | None, start: Any) -> Threads:
        """A page of threads.

        Args:
            owner: Only those of this owner; `None` for all. Needs a thread index.
            status: Only those of this status; `None` for all. Needs a thread index.
            start: `next` of the page before; `None` for the first.
        """
        if self.lists_threads:
            page = await self._apart(
                self._saver.alist_threads(
                    owner=owner, status=status, limit=THREADS_PAGE, cursor=start
                )
            )
            found = tuple(Thread(info.thread_id, info) for info in page.threads)
            return Threads(found, page.cursor)
        last = None if start is None else start[1]
        start = None if start is None else start[0]
        for _ in range(_SCANS):
            step = self._saver._step(self._saver._thread_page(start))
            scanned = await self._apart(step.awaited())
            fresh = [name for name in scanned.thread_ids if name != last]
            start = scanned.next
            if fresh or start is None:
                break
        last = fresh[-1] if fresh else last
        return Threads(tuple(map(Thread, fresh)), None if start is None else (start, last))

    async def history(self, thread_id: str, checkpoint_ns: str, before: str | None) -> History:
        """A page of the history of a namespace, before a checkpoint or from the newest one on."""
        return await self._apart(self._history(thread_id, checkpoint_ns, before))

    async def calls(self, thread_id: str, after: str | None) -> Calls:
        """Some namespaces of a thread besides the root."""
        saver = self._saver
        return await self._apart(
            saver._await(find_calls(saver._store(), thread_id, after, CALLS_PAGE), "explore")
        )

    async def state(
        self, thread_id: str, checkpoint_ns: str, checkpoint_id: str
    ) -> CheckpointTuple | None:
        """A checkpoint with all it holds; `None` if there is none."""
        kept = self._kept.get((thread_id, checkpoint_ns, checkpoint_id))
        if kept is not None:
            return kept
        config = to_config(thread_id, checkpoint_ns, checkpoint_id)
        found = await self._apart(self._saver.aget_tuple(config))
        if found is not None:
            self._keep(thread_id, found)
        return found

    def forget(self) -> None:
        """Let what is asked for next be read anew."""
        self._kept.clear()

    async def _history(self, thread_id: str, checkpoint_ns: str, before: str | None) -> History:
        config = to_config(thread_id, checkpoint_ns, "")
        del config["configurable"]["checkpoint_id"]
        below = None if before is None else to_config(thread_id, checkpoint_ns, before)
        steps: list[Step] = []
        try:
            async for found in self._saver.alist(config, before=below, limit=HISTORY_PAGE):
                self._keep(thread_id, found)
                steps.append(step_of(found))
        except UnreadableItemError:
            steps = await self._one_by_one(thread_id, checkpoint_ns, before)
        last = steps[-1].checkpoint_id if len(steps) == HISTORY_PAGE else None
        return History(tuple(steps), last)

    async def _one_by_one(
        self, thread_id: str, checkpoint_ns: str, before: str | None
    ) -> list[Step]:
        """A page on which some checkpoint cannot be read: it says so, and the others are there."""
        saver = self._saver
        ids = await saver._await(
            checkpoint_ids(saver._store(), thread_id, checkpoint_ns, before, HISTORY_PAGE),
            "explore",
        )
        steps = [Step(checkpoint_ns, each, parent_id) for each, parent_id in ids]
        return list(await asyncio.gather(*(self._one(thread_id, step) for step in steps)))

    async def _one(self, thread_id: str, step: Step) -> Step:
        try:
            found = await self._saver.aget_tuple(to_config(thread_id, *step.place))
        except UnreadableItemError as error:
            return replace(step, problem=str(error))
        if found is None:
            return replace(step, problem="It was deleted meanwhile.")
        self._keep(thread_id, found)
        return step_of(found)

    def _keep(self, thread_id: str, found: CheckpointTuple) -> None:
        named = found.config["configurable"]
        place = (thread_id, named.get("checkpoint_ns") or "", named["checkpoint_id"])
        self._kept[place] = found
        self._kept.move_to_end(place)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    async def _apart(self, answer: Awaitable[T]) -> T:
        """An answer, in a task of its own that goes on when nobody waits for it any more."""
        task = asyncio.ensure_future(answer)
        self._dropped.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Future[Any]) -> None:
        self._dropped.discard(task)
        if not task.cancelled():
            task.exception()  # Looked at, so that asyncio does not tell of it where nobody waits.
