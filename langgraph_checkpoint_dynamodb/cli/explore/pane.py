"""The base of the panes: a list of lines that loads as it scrolls, background work, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from langgraph_checkpoint_dynamodb.cli.explore.rendering import Palette, one_line
from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from rich.console import RenderableType
    from textual.app import ComposeResult
    from textual.widget import Widget

_LINES_BEFORE_END = 2
"""The next page is read when at most so many lines are below the visible ones."""


class Lines(OptionList):
    """Selectable lines. Posts a message when the last ones become visible."""

    class EndSeen(Message):
        """The last lines are visible, or nearly."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(markup=False, **arguments)
        self._keys: list[str | None] = []

    def show(self, lines: Sequence[tuple[str | None, RenderableType]]) -> None:
        """Replace the lines. The highlighted line keeps its highlight and position if it is kept.

        Args:
            lines: The key and the content of each line. The key `None` is for a placeholder that
                other lines replace. If it was highlighted, the line that replaces it is, because
                the end would otherwise be visible again and again.
        """
        before, key = self._highlighted()
        place = self.scroll_y
        self._keys = [each for each, _ in lines]
        with self.prevent(OptionList.OptionHighlighted):
            self.set_options([Option(content) for _, content in lines])
        if key is not None and key in self._keys:
            with self.prevent(OptionList.OptionHighlighted):
                self.highlighted = self._keys.index(key)
            self.scroll_to(y=place, animate=False, immediate=True)
        elif key is None and before < len(lines):
            self.highlighted = before
            self.scroll_to(y=place, animate=False, immediate=True)
        elif lines:
            self.highlighted = 0
        self.call_after_refresh(self.look_for_end)

    @property
    def end_seen(self) -> bool:
        """Whether the last lines are visible, or nearly."""
        last_seen = self.scroll_offset.y + self.size.height
        return self.size.height > 0 and last_seen + _LINES_BEFORE_END >= self.virtual_size.height

    def look_for_end(self) -> None:
        """Post `EndSeen` if the last lines are visible."""
        if self.end_seen:
            self.post_message(self.EndSeen())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Look for the end after scrolling."""
        super().watch_scroll_y(old_value, new_value)
        self.look_for_end()

    def on_resize(self) -> None:
        """Look for the end in the new size."""
        self.call_after_refresh(self.look_for_end)

    def _highlighted(self) -> tuple[int, str | None]:
        """Return the position and the key of the highlighted line."""
        place = self.highlighted
        if place is None or place >= len(self._keys):
            return 0, None
        return place, self._keys[place]


class Pane(Vertical):
    """A part of the screen with a title, background work of its own, and a line for errors."""

    TITLE = ""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.border_title = self.TITLE
        self._reading = 0

    def compose(self) -> ComposeResult:
        """Compose the content, and a line for errors below it."""
        yield from self.content()
        yield Static(classes="problem", markup=False)

    def content(self) -> ComposeResult:
        """Compose the content."""
        yield from ()

    @property
    def target(self) -> Widget:
        """The widget that takes the focus."""
        return self.query_one(Lines)

    @property
    def palette(self) -> Palette:
        """The colours of the current theme."""
        return Palette.of(self.app.theme_variables)

    def restyle(self) -> None:
        """Render the content again after a change of the theme."""

    def work(self, reading: Coroutine[Any, Any, None], group: str) -> None:
        """Run a coroutine in the background. It replaces the one of the same group.

        Args:
            reading: Reads something and shows it.
            group: Name of the group.
        """
        self.run_worker(
            self._guarded(reading),
            group=group,
            exclusive=True,
            exit_on_error=False,
            # Without a description Textual would log the arguments, which hold stored values.
            description=group,
        )

    def problem(self, text: str) -> None:
        """Show an error; an empty text hides the line."""
        line = self.query_one(".problem", Static)
        line.update(Text(one_line(text)))
        line.display = bool(text)

    async def _guarded(self, reading: Coroutine[Any, Any, None]) -> None:
        self._busy(1)
        try:
            await reading
        except Exception as error:
            known = isinstance(error, DynamoDBSaverError)
            self.problem(str(error) if known else f"{type(error).__name__}: {error}")
        finally:
            self._busy(-1)

    def _busy(self, change: int) -> None:
        self._reading += change
        self.border_subtitle = "reading ..." if self._reading else ""
