"""Draw the pictures: press keys as a user would, and save the screen."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.worker import WorkerCancelled, WorkerState

from examples.pictures.table import ASSISTANT
from langgraph_checkpoint_dynamodb.cli.explore import Explorer

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from langgraph_checkpoint_dynamodb import DynamoDBSaver

FOLDER = Path(__file__).parent
_UNDER_WAY = (WorkerState.PENDING, WorkerState.RUNNING)
_QUIET = 12
"""Consecutive rounds without pending messages or running workers after which the screen is final.
A key was seen to take up to seven rounds: it is dispatched, handled, and waits for the next
refresh.
"""


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes:
        name: Name of its file, without `.svg`.
        size: Columns and rows of the terminal.
        keys: Keys to press before the picture is taken.
    """

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Path of its file."""
        return FOLDER / f"{self.name}.svg"


PICTURES = (
    Picture("explore", (120, 40), ("enter",)),
    Picture("explore-subgraph", (120, 40), ("enter", "end", "up", "enter", "down")),
    Picture("explore-diff", (120, 40), ("t", "enter", *["down"] * 4, "d")),
    Picture("explore-threads-80", (80, 24), ()),
    Picture("explore-history-80", (80, 24), ("enter",)),
    Picture("explore-state-80", (80, 24), ("enter", "enter")),
)


async def draw(saver: DynamoDBSaver, picture: Picture) -> str:
    """Draw a picture; return the SVG text."""
    app = Explorer(saver, owner=ASSISTANT)
    app.sub_title = "checkpoints"
    async with app.run_test(size=picture.size) as pilot:
        await settle(pilot)
        for key in picture.keys:
            await press(pilot, key)
        return app.export_screenshot(title=app.title) + "\n"


async def press(pilot: Pilot[None], key: str) -> None:
    """Press a key, and wait until the screen is up to date."""
    pilot.app.simulate_key(key)
    await settle(pilot)


async def settle(pilot: Pilot[None]) -> None:
    """Wait until no worker runs and no message is pending.

    Textual's own wait is slow, and it mistakes a process without CPU time for an idle one: on a
    busy machine it returns too early.
    """
    quiet = 0
    while quiet < _QUIET:
        await pilot.pause(0)
        running = [one for one in pilot.app.workers if one.state in _UNDER_WAY]
        quiet = 0 if running else quiet + 1
        if running:
            with suppress(WorkerCancelled):  # The user selected another thread.
                await pilot.app.workers.wait_for_complete(running)
