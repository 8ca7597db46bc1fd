"""Runs of the agent, which continue in the background whether or not a page is connected."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from langchain_core.messages import AIMessageChunk

from examples.web.hub import Event
from examples.web.shop import CarrierError
from examples.web.views import message_view
from langgraph_checkpoint_dynamodb import DynamoDBSaverError, ThreadConflictError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from langchain_core.runnables import RunnableConfig

    from examples.web.agent import Agent
    from examples.web.hub import Hub, Place

CONFLICT = (
    "Somebody else has gone on with this conversation at the same moment, in another window or on "
    "another server. Theirs was first, so nothing of yours was stored. This is how it stands."
)
_log = logging.getLogger("uvicorn.error")


class BusyError(Exception):
    """A run of the conversation is in progress on this server."""


@dataclass
class Run:
    """A run in progress.

    Attributes:
        given: Input of the graph.
        config: Config of the run.
        answers: Whether it answers a question.
        id: Id of the run, stored in the metadata of its checkpoints.
        told: Events sent so far, for pages that connect later.
    """

    given: Any
    config: RunnableConfig
    answers: bool = False
    id: str = field(default_factory=lambda: uuid4().hex)
    told: list[Event] = field(default_factory=list)


class Runs:
    """The runs of this server, one at a time for each conversation.

    Args:
        agent: The agent.
        hub: The open pages.
    """

    def __init__(self, agent: Agent, hub: Hub) -> None:
        self._agent = agent
        self._hub = hub
        self._under_way: dict[Place, Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def under_way(self, place: Place) -> Run | None:
        """The current run of a conversation, if there is one."""
        return self._under_way.get(place)

    def start(
        self, place: Place, run: Run, begin: Event, finish: Callable[[Run], Awaitable[Event]]
    ) -> None:
        """Begin a run, in the context of the caller.

        Args:
            place: The conversation.
            run: The run.
            begin: The first event for pages.
            finish: Awaited when the run has ended; returns the last event for pages.

        Raises:
            BusyError: A run of the conversation is in progress.
        """
        if place in self._under_way:
            raise BusyError
        self._under_way[place] = run
        self._tell(place, run, begin)
        task = asyncio.create_task(self._run(place, run, finish))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Cancel all runs, as the end of this process would. They can be continued."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, place: Place, run: Run, finish: Callable[[Run], Awaitable[Event]]) -> None:
        self._hub.list_changed(place.user)
        try:
            try:
                happened = False
                async for event in self._events(run):
                    happened = True
                    self._tell(place, run, event)
                if run.answers and not happened:
                    # The question was answered before this run read it; LangGraph ignores that.
                    self._tell(place, run, Event("problem", {"kind": "conflict", "text": CONFLICT}))
            except Exception as error:
                self._tell(place, run, Event("problem", problem_of(error)))
            try:
                last = await finish(run)
            except Exception as error:
                last = Event("problem", problem_of(error))
        finally:
            del self._under_way[place]
        self._hub.tell(place, last)
        self._hub.list_changed(place.user)

    def _tell(self, place: Place, run: Run, event: Event) -> None:
        run.told.append(event)
        self._hub.tell(place, event)

    async def _events(self, run: Run) -> Any:
        # "sync" stores each step before the next one begins: if this process crashes, only the
        # current step runs again.
        stream = self._agent.astream(
            run.given, run.config, stream_mode=["messages", "updates"], durability="sync"
        )
        async for mode, content in stream:
            for event in _events_of(mode, content):
                yield event


def problem_of(error: Exception) -> dict[str, str]:
    """The error as shown to users."""
    if isinstance(error, ThreadConflictError):
        return {"kind": "conflict", "text": CONFLICT}
    if isinstance(error, (DynamoDBSaverError, CarrierError)):
        return {"kind": "failed", "text": f"{type(error).__name__}: {error}"}
    _log.error("a run has failed", exc_info=error)
    return {
        "kind": "failed",
        "text": f"The run ended with {type(error).__name__}; the log of the server says more.",
    }


def _events_of(mode: str, content: Any) -> Iterator[Event]:
    if mode == "messages":
        piece = content[0]
        if isinstance(piece, AIMessageChunk) and piece.text:
            yield Event("text", {"id": piece.id, "text": piece.text})
        return
    if content.get("__metadata__", {}).get("cached"):
        # When LangGraph resumes a step, it repeats the updates of tasks whose writes are stored.
        # The page already shows them.
        return
    for node, update in content.items():
        if node in ("model", "tools"):
            for message in update["messages"]:
                yield Event("message", message_view(message))
