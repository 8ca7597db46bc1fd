"""Drawing the pictures: keys are pressed as a user would, and the screen is saved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from examples.pictures.table import ASSISTANT
from langgraph_checkpoint_dynamodb.cli.explore import Explorer

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb import DynamoDBSaver

FOLDER = Path(__file__).parent


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
        for key in ("", *picture.keys):
            if key:
                await pilot.press(key)
            await pilot.pause()
            await app.workers.wait_for_complete()
            await pilot.pause()
        return app.export_screenshot(title=app.title) + "\n"
