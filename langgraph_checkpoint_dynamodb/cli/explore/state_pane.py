"""The pane of a checkpoint's state."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import Static

from langgraph_checkpoint_dynamodb.cli.explore.diff_document import difference_document
from langgraph_checkpoint_dynamodb.cli.explore.pane import Pane
from langgraph_checkpoint_dynamodb.cli.explore.rendering import one_line
from langgraph_checkpoint_dynamodb.cli.explore.state_document import Style, state_document
from langgraph_checkpoint_dynamodb.cli.explore.values import Bounds

if TYPE_CHECKING:
    from langgraph.checkpoint.base import CheckpointTuple
    from rich.console import RenderableType
    from textual.app import ComposeResult
    from textual.widget import Widget

    from langgraph_checkpoint_dynamodb.cli.explore.reader import Reader
    from langgraph_checkpoint_dynamodb.cli.explore.step import Step

_BESIDE = 25
"""Columns that are not for values: names, borders, the scrollbar."""
_LEAST = 30


class StatePane(Pane):
    """What a checkpoint holds, or what is new in it since its parent.

    Args:
        reader: What reads it.
    """

    TITLE = "State"

    def __init__(self, reader: Reader) -> None:
        super().__init__(id="state")
        self._reader = reader
        self._at: tuple[str, Step] | None = None
        self.differing = False
        self.whole = False

    def content(self) -> ComposeResult:
        """The document."""
        with VerticalScroll(id="document"):
            yield Static(markup=False, id="text")

    @property
    def target(self) -> Widget:
        """What is scrolled."""
        return self.query_one(VerticalScroll)

    @property
    def checkpoint_id(self) -> str | None:
        """The checkpoint that is shown."""
        return None if self._at is None else self._at[1].checkpoint_id

    def choose(self, thread_id: str, step: Step | None) -> None:
        """Show another checkpoint, or none."""
        at = None if step is None else (thread_id, step)
        if at != self._at:
            self._at = at
            self.query_one(VerticalScroll).scroll_home(animate=False)
            self.refill()

    def toggle_difference(self) -> None:
        """Show what is new since the parent, or all."""
        self.differing = not self.differing
        self.refill()

    def toggle_whole(self) -> None:
        """Show whole values, or as much of them as one can read."""
        self.whole = not self.whole
        self.refill()

    def restyle(self) -> None:
        """Show the same in other colours."""
        self.refill()

    def on_resize(self) -> None:
        """Lay the values out for the new width."""
        self.refill()

    def refill(self) -> None:
        """Read what is to be shown, where it is not known, and show it."""
        self.problem("")
        self.border_title = self._title()
        self.work(self._fill(), "state")

    def _title(self) -> str:
        if self._at is None:
            return "State"
        step = self._at[1]
        words = ["Since its parent" if self.differing else "State"]
        words += [f"step {step.number}"] if step.number else []
        words += ["whole values"] if self.whole else []
        return one_line(" · ".join(words))

    async def _fill(self) -> None:
        at = self._at
        if at is None:
            self._show(Text("Enter opens a thread.", self.palette.muted))
            return
        thread_id, step = at
        found = await self._reader.state(thread_id, *step.place)
        parent: CheckpointTuple | None = None
        if self.differing and step.parent_id is not None:
            parent = await self._reader.state(thread_id, step.checkpoint_ns, step.parent_id)
        if found is None:
            self._show(Text("It is not there any more; r reads anew.", self.palette.muted))
            return
        width = max(_LEAST, self.size.width - _BESIDE)
        style = Style(self.palette, Bounds.whole(width) if self.whole else Bounds(width))
        make = _differences if self.differing else _state
        # A large value takes its time to be laid out.
        self._show(await asyncio.to_thread(make, parent, found, style))

    def _show(self, content: RenderableType) -> None:
        self.query_one("#text", Static).update(content)


def _differences(
    parent: CheckpointTuple | None, found: CheckpointTuple, style: Style
) -> RenderableType:
    return difference_document(parent, found, style)


def _state(_: CheckpointTuple | None, found: CheckpointTuple, style: Style) -> RenderableType:
    return state_document(found, style)
