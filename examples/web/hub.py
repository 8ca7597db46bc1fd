"""Who listens: the pages that are open, and what they are told."""

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
    """Something that a page is told.

    Attributes:
        name: What kind of thing.
        data: More of it, as JSON can say it.
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
        conversation: Its id, which is the user's own.
    """

    user: str
    conversation: str

    @property
    def thread_id(self) -> str:
        """The thread: no user can name one of another."""
        return f"{self.user}/{self.conversation}"


class Listener:
    """A page that is open.

    Args:
        user: Whose.
        place: The conversation that it shows, if any.
    """

    def __init__(self, user: str, place: Place | None) -> None:
        self.user = user
        self.place = place
        self._queue: asyncio.Queue[Event] = asyncio.Queue()

    def tell(self, event: Event) -> None:
        """Tell it."""
        self._queue.put_nowait(event)

    def drain(self) -> list[Event]:
        """What it was told and has not read yet."""
        events = []
        while not self._queue.empty():
            events.append(self._queue.get_nowait())
        return events

    async def next(self, seconds: float) -> Event | None:
        """What it is told next; `None` if that is nothing for so long."""
        try:
            return await asyncio.wait_for(self._queue.get(), seconds)
        except asyncio.TimeoutError:
            return None


class Hub:
    """All pages that are open at this server."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    @contextmanager
    def listening(self, user: str, place: Place | None) -> Iterator[Listener]:
        """A listener, for as long as the context lasts."""
        listener = Listener(user, place)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def tell(self, place: Place, event: Event) -> None:
        """Tell the pages that show a conversation."""
        for listener in self._listeners:
            if listener.place == place:
                listener.tell(event)

    def list_changed(self, user: str) -> None:
        """Tell all pages of a user that the list of conversations is another."""
        for listener in self._listeners:
            if listener.user == user:
                listener.tell(Event("list", {}))
