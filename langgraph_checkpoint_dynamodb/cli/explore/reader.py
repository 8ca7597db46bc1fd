"""Reading threads, histories and states page by page, by the async methods of a saver."""

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
_CACHED = 2 * HISTORY_PAGE
"""Checkpoints of a history that are cached, so that showing one sends no request."""
_MAX_EMPTY_PAGES = 20
"""Maximum number of consecutive pages of a Scan without a new thread in one page of the list."""


@dataclass(frozen=True)
class Thread:
    """A thread in the list.

    Attributes:
        thread_id: Its id.
        info: Its entry in the thread index; `None` if there is no index.
    """

    thread_id: str
    info: ThreadInfo | None = None


@dataclass(frozen=True)
class Threads:
    """A page of threads.

    Attributes:
        threads: The threads.
        next: The cursor of the next page; `None` after the last.
    """

    threads: tuple[Thread, ...]
    next: Any


@dataclass(frozen=True)
class History:
    """A page of a history.

    Attributes:
        steps: Its checkpoints, newest first.
        last: The id to continue before; `None` after the last page.
    """

    steps: tuple[Step, ...]
    last: str | None


class Reader:
    """Reads threads, histories and states.

    A call whose result is no longer needed is not cancelled but runs to its end, because the calls
    after a cancelled one wait for its end.

    Args:
        saver: The saver. The reader uses a copy with a `LenientSerde` that shares its clients.
    """

    def __init__(self, saver: DynamoDBSaver) -> None:
        reading = copy.copy(saver)
        reading.serde = LenientSerde(saver.serde)
        # Values that were loaded leniently must not get into the memory of the original saver.
        reading._memories = PerProcess(lambda _: Memory(saver._settings.memory_bytes))
        self._saver = reading
        self._cache: OrderedDict[tuple[str, str, str], CheckpointTuple] = OrderedDict()
        self._tasks: set[asyncio.Future[Any]] = set()
        self.lists_threads = saver._settings.thread_index is not None
        self.table = saver._settings.checkpoints_table_name
        self.clock = saver._settings.clock

    async def threads(self, owner: str | None, status: Status | None, start: Any) -> Threads:
        """Read a page of threads.

        Args:
            owner: Only those of this owner; `None` for all. Needs a thread index.
            status: Only those of this status; `None` for all. Needs a thread index.
            start: `next` of the page before; `None` for the first.
        """
        if self.lists_threads:
            page = await self._uncancelled(
                self._saver.alist_threads(
                    owner=owner, status=status, limit=THREADS_PAGE, cursor=start
                )
            )
            found = tuple(Thread(info.thread_id, info) for info in page.threads)
            return Threads(found, page.cursor)
        last = None if start is None else start[1]
        start = None if start is None else start[0]
        for _ in range(_MAX_EMPTY_PAGES):
            step = self._saver._step(self._saver._thread_page(start))
            scanned = await self._uncancelled(step.acall())
            fresh = [name for name in scanned.thread_ids if name != last]
            start = scanned.next
            if fresh or start is None:
                break
        last = fresh[-1] if fresh else last
        return Threads(tuple(map(Thread, fresh)), None if start is None else (start, last))

    async def history(self, thread_id: str, checkpoint_ns: str, before: str | None) -> History:
        """Read a page of a history, before a checkpoint or from the newest one."""
        return await self._uncancelled(self._history(thread_id, checkpoint_ns, before))

    async def calls(self, thread_id: str, after: str | None) -> Calls:
        """Read a page of the namespaces of a thread, without the root."""
        saver = self._saver
        return await self._uncancelled(
            saver._await(find_calls(saver._context(), thread_id, after, CALLS_PAGE), "explore")
        )

    async def state(
        self, thread_id: str, checkpoint_ns: str, checkpoint_id: str
    ) -> CheckpointTuple | None:
        """Read a checkpoint; `None` if it does not exist."""
        cached = self._cache.get((thread_id, checkpoint_ns, checkpoint_id))
        if cached is not None:
            return cached
        config = to_config(thread_id, checkpoint_ns, checkpoint_id)
        found = await self._uncancelled(self._saver.aget_tuple(config))
        if found is not None:
            self._add_to_cache(thread_id, found)
        return found

    def forget(self) -> None:
        """Clear the cache."""
        self._cache.clear()

    async def _history(self, thread_id: str, checkpoint_ns: str, before: str | None) -> History:
        config = to_config(thread_id, checkpoint_ns, "")
        del config["configurable"]["checkpoint_id"]
        below = None if before is None else to_config(thread_id, checkpoint_ns, before)
        steps: list[Step] = []
        try:
            async for found in self._saver.alist(config, before=below, limit=HISTORY_PAGE):
                self._add_to_cache(thread_id, found)
                steps.append(step_of(found))
        except UnreadableItemError:
            steps = await self._one_by_one(thread_id, checkpoint_ns, before)
        last = steps[-1].checkpoint_id if len(steps) == HISTORY_PAGE else None
        return History(tuple(steps), last)

    async def _one_by_one(
        self, thread_id: str, checkpoint_ns: str, before: str | None
    ) -> list[Step]:
        """Read the checkpoints of a page separately, because one of them cannot be read."""
        saver = self._saver
        ids = await saver._await(
            checkpoint_ids(saver._context(), thread_id, checkpoint_ns, before, HISTORY_PAGE),
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
        self._add_to_cache(thread_id, found)
        return step_of(found)

    def _add_to_cache(self, thread_id: str, found: CheckpointTuple) -> None:
        named = found.config["configurable"]
        place = (thread_id, named.get("checkpoint_ns") or "", named["checkpoint_id"])
        self._cache[place] = found
        self._cache.move_to_end(place)
        while len(self._cache) > _CACHED:
            self._cache.popitem(last=False)

    async def _uncancelled(self, answer: Awaitable[T]) -> T:
        """Await a call in a task of its own, which runs to its end if the caller is cancelled."""
        task = asyncio.ensure_future(answer)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # Retrieved, so that asyncio does not log it if the caller is gone.
