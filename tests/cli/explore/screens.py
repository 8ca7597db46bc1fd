"""The browser as a user has it: keys, and what is on the screen."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from examples.pictures.draw import press, settle
from langgraph_checkpoint_dynamodb.cli.explore import Explorer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from textual.pilot import Pilot

    from langgraph_checkpoint_dynamodb import DynamoDBSaver

WIDE, NARROW = (120, 40), (80, 24)


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine."""
    asyncio.run(test)


class Screen:
    """A running browser."""

    def __init__(self, app: Explorer, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> str:
        """Press keys, one after the other has had its effect; what is on the screen then."""
        for key in keys:
            await press(self.pilot, key)
        return self.text

    async def until(self, happened: Callable[[], bool], rounds: int = 2_000) -> None:
        """Go on until something has happened, but not for ever; what is under way may stay so."""
        for _ in range(rounds):
            await self.pilot.pause(0)
            if happened():
                return

    async def write(self, text: str) -> str:
        """Write into the box that has the focus."""
        return await self.press(*("minus" if one == "-" else one for one in text))

    @property
    def text(self) -> str:
        """What is on the screen."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text for strip in strips)

    @property
    def here(self) -> str | None:
        """The pane with the focus."""
        return self.app.pane.id

    def line(self, part: str) -> str:
        """The only line with that text in it."""
        (found,) = (line for line in self.text.split("\n") if part in line)
        return found


@asynccontextmanager
async def opened(
    saver: DynamoDBSaver, size: tuple[int, int] = WIDE, owner: str | None = None
) -> AsyncIterator[Screen]:
    """The browser, once its first page is there."""
    app = Explorer(saver, owner=owner)
    async with app.run_test(size=size) as pilot:
        screen = Screen(app, pilot)
        await settle(pilot)
        yield screen
