"""Conversations of users: list, read, continue, rename and delete them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.messages import HumanMessage
from langgraph.types import Command

from examples.web import views
from examples.web.costs import Ledger, counting, total
from examples.web.hub import Event, Hub, Place
from examples.web.runs import BusyError, Run, Runs
from examples.web.tables import OWNER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from langchain_core.runnables import RunnableConfig
    from langgraph.types import StateSnapshot

    from examples.web.agent import Agent
    from examples.web.costs import Tally
    from examples.web.shop import Verdict
    from examples.web.tables import Tables

HISTORY_PAGE = 40
"""Checkpoints per page of a conversation's history."""
_TITLE = 60
"""Maximum length of a title made from the first message."""


class RefusedError(Exception):
    """The request does not fit the state of the conversation; the message says why."""


class UnknownError(Exception):
    """The conversation or checkpoint does not exist."""


@dataclass(frozen=True)
class Beginning:
    """Where a run begins.

    Attributes:
        place: The conversation.
        checkpoint: The checkpoint to continue from; `None` for the newest.
        state: The state at that checkpoint.
    """

    place: Place
    checkpoint: str | None
    state: StateSnapshot


class Conversations:
    """The conversations of all users.

    Args:
        tables: The saver and the store.
        agent: The agent on the saver of these tables.
        hub: The open pages, which are notified of events.
    """

    def __init__(self, tables: Tables, agent: Agent, hub: Hub) -> None:
        self.runs = Runs(agent, hub)
        self._saver = tables.saver
        self._ledger = Ledger(tables.store)
        self._agent = agent
        self._hub = hub

    async def page(self, user: str, status: Any, limit: int, cursor: str | None) -> dict[str, Any]:
        """A page of the conversations of a user, the most recently active first."""
        page = await self._saver.alist_threads(
            owner=user, status=status, limit=limit, cursor=cursor
        )
        found = [(info, Place(user, info.thread_id.partition("/")[2])) for info in page.threads]
        return {
            "conversations": [
                views.thread_view(info, place.conversation, running=self._runs(place))
                for info, place in found
            ],
            "cursor": page.cursor,
        }

    async def read(self, place: Place, checkpoint: str | None = None) -> dict[str, Any]:
        """The current state of a conversation, or its state at a checkpoint.

        Raises:
            UnknownError: The checkpoint does not exist.
        """
        return await self._view(place, await self._state(place, checkpoint))

    async def history(self, place: Place, before: str | None) -> dict[str, Any]:
        """Checkpoints of all branches of a conversation, newest first."""
        past = None if before is None else _config(place, checkpoint=before)
        states = self._agent.aget_state_history(_config(place), before=past, limit=HISTORY_PAGE + 1)
        found = [views.history_view(state) async for state in states]
        shown = found[:HISTORY_PAGE]
        return {
            "checkpoints": shown,
            "before": shown[-1]["checkpoint"] if len(found) > HISTORY_PAGE else None,
        }

    async def say(self, place: Place, id_: str, text: str, checkpoint: str | None) -> None:
        """Begin the turn of a message; a repeated message is ignored.

        Raises:
            BusyError: A run is in progress.
            RefusedError: The previous turn has not ended.
        """
        with counting() as tally:
            begun = await self._begin(place, checkpoint)
            if any(message.id == id_ for message in views.messages_of(begun.state)):
                return
            if begun.state.tasks:
                raise RefusedError("The turn before has not ended: finish it first.")
            message = HumanMessage(text, id=id_)
            self._start(begun, {"messages": [message]}, tally, said=views.message_view(message))

    async def answer(self, place: Place, question: str, verdict: Verdict) -> None:
        """Answer a pending question.

        Raises:
            BusyError: A run is in progress.
            RefusedError: The question is no longer pending.
        """
        with counting() as tally:
            begun = await self._begin(place, None)
            if question not in {found.id for found in begun.state.interrupts}:
                raise RefusedError(
                    "This question was answered in the meantime, in another window or on another "
                    "server. Nothing was changed. This is how the conversation stands."
                )
            self._start(begun, Command(resume={question: verdict}), tally, answers=True)

    async def go_on(self, place: Place, checkpoint: str | None) -> None:
        """Run the next step: after an error or an interruption, or again from a checkpoint.

        Raises:
            BusyError: A run is in progress.
            RefusedError: There is no next step, or a question is pending there.
        """
        with counting() as tally:
            begun = await self._begin(place, checkpoint)
            if not begun.state.tasks:
                raise RefusedError("Nothing is left to do there: write a message.")
            if checkpoint is None and begun.state.interrupts:
                raise RefusedError("A question waits for your answer.")
            self._start(begun, None, tally)

    async def rename(self, place: Place, title: str) -> None:
        """Give a conversation a title.

        Raises:
            ThreadNotFoundError: The conversation does not exist.
        """
        await self._saver.aupdate_thread(place.thread_id, title=title)
        self._hub.list_changed(place.user)

    async def delete(self, place: Place) -> None:
        """Delete a conversation and its costs.

        Raises:
            BusyError: A run is in progress.
        """
        if self._runs(place):
            raise BusyError
        await self._saver.adelete_thread(place.thread_id)
        await self._ledger.forget(place.user, place.conversation)
        self._hub.tell(place, Event("deleted", {}))
        self._hub.list_changed(place.user)

    async def events(self, user: str, place: Place | None, pause: float) -> AsyncIterator[Event]:
        """The event stream of a page: the state of its conversation, then events as they happen.

        Args:
            user: The user of the page.
            place: The conversation that the page shows.
            pause: Idle seconds after which a keep-alive event is sent.
        """
        with self._hub.listening(user, place) as listener:
            if place is not None:
                for event in await self._so_far(place, listener.drain):
                    yield event
            while True:
                yield await listener.next(pause) or Event("silence", {})

    async def _so_far(self, place: Place, drain: Callable[[], list[Event]]) -> list[Event]:
        while True:
            drain()
            if run := self.runs.under_way(place):
                return list(run.told)
            state = await self.read(place)
            # Otherwise a run has begun or ended during the read: read again.
            if not any(event.name != "list" for event in drain()):
                return [Event("state", state)]

    async def _begin(self, place: Place, checkpoint: str | None) -> Beginning:
        if self._runs(place):
            raise BusyError
        return Beginning(place, checkpoint, await self._state(place, checkpoint))

    def _start(
        self,
        begun: Beginning,
        given: Any,
        tally: Tally,
        said: dict[str, Any] | None = None,
        *,
        answers: bool = False,
    ) -> None:
        place = begun.place
        run = Run(given, {}, answers)
        run.config = _config(place, run=run.id, checkpoint=begun.checkpoint)
        begin = Event("begin", {"run": run.id, "base": views.state_view(begun.state), "said": said})

        async def finish(run: Run) -> Event:
            state = await self._state(place, None)
            # The requests for the title count as cost of the first turn.
            await self._entitle(place, state)
            after = views.last_id(views.messages_of(state))
            await self._ledger.note(place.user, place.conversation, run.id, after, tally)
            return Event("state", await self._view(place, state))

        self.runs.start(place, run, begin, finish)

    async def _entitle(self, place: Place, state: StateSnapshot) -> None:
        info = await self._saver.aget_thread(place.thread_id)
        messages = views.messages_of(state)
        if info is not None and info.title is None and messages:
            line = " ".join(messages[0].text.split())
            title = line if len(line) <= _TITLE else f"{line[: _TITLE - 1]}…"
            await self._saver.aupdate_thread(place.thread_id, title=title)

    async def _state(self, place: Place, checkpoint: str | None) -> StateSnapshot:
        state = await self._agent.aget_state(_config(place, checkpoint=checkpoint))
        if checkpoint is not None and state.metadata is None:
            raise UnknownError
        return state

    async def _view(self, place: Place, state: StateSnapshot) -> dict[str, Any]:
        costs = await self._ledger.read(place.user, place.conversation)
        return {
            **views.state_view(state),
            "costs": [cost.view() for cost in costs],
            "total": total(costs),
        }

    def _runs(self, place: Place) -> bool:
        return self.runs.under_way(place) is not None


def _config(place: Place, run: str | None = None, checkpoint: str | None = None) -> RunnableConfig:
    named = {"thread_id": place.thread_id, OWNER: place.user}
    if run is not None:
        named["run"] = run
    if checkpoint is not None:
        named["checkpoint_id"] = checkpoint
    return {"configurable": named}
