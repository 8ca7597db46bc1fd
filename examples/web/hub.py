"""The open pages, and the events that are sent to them."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Event:
    """An event for a page.

    Attributes:
        name: Kind of event.
        data: Its data, as JSON values.
    """

    name: str
    data: Mapping[str, Any]

    def encode(self) -> str:
        """The event as a server-sent event."""
        return f"event: {self.name}\ndata: {json.dumps(self.data)}\n\n"


@dataclass(frozen=True)
class Place:
    """A conversation of a user.

    Attributes:
        user: The user.
        conversation: Id of the conversation, unique for the user.
    """

    user: str
    conversation: str

    @property
    def thread_id(self) -> str:
        """Id of the thread; no user can name a thread of another user."""
        return f"{self.user}/{self.conversation}"


class Listener:
    """An open page.

    Args:
        user: The user of the page.
        place: The conversation that the page shows, if any.
    """

    def __init__(self, user: str, place: Place | None) -> None:
        self.user = user
        self.place = place
        self._queue: asyncio.Queue[Event] = asyncio.Queue()

    def tell(self, event: Event) -> None:
        """Queue an event for the page."""
        self._queue.put_nowait(event)

    def drain(self) -> list[Event]:
        """Take all queued events."""
        events = []
        while not self._queue.empty():
            events.append(self._queue.get_nowait())
        return events

    async def next(self, seconds: float) -> Event | None:
        """The next event; `None` after a timeout."""
        try:
            return await asyncio.wait_for(self._queue.get(), seconds)
        except asyncio.TimeoutError:
            return None


class Hub:
    """All open pages of this server."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    @contextmanager
    def listening(self, user: str, place: Place | None) -> Iterator[Listener]:
        """A listener within the context."""
        listener = Listener(user, place)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def tell(self, place: Place, event: Event) -> None:
        """Send an event to the pages that show a conversation."""
        for listener in self._listeners:
            if listener.place == place:
                listener.tell(event)

    def list_changed(self, user: str) -> None:
        """Notify all pages of a user that the list of conversations has changed."""
        for listener in self._listeners:
            if listener.user == user:
                listener.tell(Event("list", {}))
