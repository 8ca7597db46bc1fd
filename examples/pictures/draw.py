"""Drawing the pictures: keys are pressed as a user would, and the screen is saved."""

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
"""Rounds in which every widget has handled what it was told, and none was told to read more. What
a key leads to was seen to take seven: it is handed down, handled, waits for the next refresh.
"""


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes:
        name: Its file, without `.svg`.
        size: Columns and rows of the terminal.
        keys: What is pressed before it is taken.
    """

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Where it lies."""
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
    """The picture, as the text of an SVG file."""
    app = Explorer(saver, owner=ASSISTANT)
    app.sub_title = "checkpoints"
    async with app.run_test(size=picture.size) as pilot:
        await settle(pilot)
        for key in picture.keys:
            await press(pilot, key)
        return app.export_screenshot(title=app.title) + "\n"


async def press(pilot: Pilot[None], key: str) -> None:
    """Press a key, and wait until all it leads to is on the screen."""
    pilot.app.simulate_key(key)
    await settle(pilot)


async def settle(pilot: Pilot[None]) -> None:
    """Wait until nothing is under way any more.

    Textual's own wait takes a process for idle that gets no processor: on a busy machine it is
    over too early, and on any it lasts long.
    """
    quiet = 0
    while quiet < _QUIET:
        await pilot.pause(0)
        running = [one for one in pilot.app.workers if one.state in _UNDER_WAY]
        quiet = 0 if running else quiet + 1
        if running:
            with suppress(WorkerCancelled):  # Another thread was chosen meanwhile.
                await pilot.app.workers.wait_for_complete(running)
