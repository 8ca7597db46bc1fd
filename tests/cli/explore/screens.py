"""The browser in interactive use: keys, and the contents of the screen."""

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
        """Press keys, waiting for the effect of each; returns the contents of the screen."""
        for key in keys:
            await press(self.pilot, key)
        return self.text

    async def until(self, happened: Callable[[], bool], rounds: int = 2_000) -> None:
        """Run until the condition is true, up to a limit; other tasks may still be running."""
        for _ in range(rounds):
            await self.pilot.pause(0)
            if happened():
                return

    async def write(self, text: str) -> str:
        """Type into the focused input."""
        return await self.press(*("minus" if one == "-" else one for one in text))

    @property
    def text(self) -> str:
        """The contents of the screen."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text for strip in strips)

    @property
    def here(self) -> str | None:
        """The focused pane."""
        return self.app.pane.id

    def line(self, part: str) -> str:
        """The only line that contains this text."""
        (found,) = (line for line in self.text.split("\n") if part in line)
        return found


@asynccontextmanager
async def opened(
    saver: DynamoDBSaver, size: tuple[int, int] = WIDE, owner: str | None = None
) -> AsyncIterator[Screen]:
    """The browser, after its first page is loaded."""
    app = Explorer(saver, owner=owner)
    async with app.run_test(size=size) as pilot:
        screen = Screen(app, pilot)
        await settle(pilot)
        yield screen
