"""What the three panes share: a list of lines that is filled as one scrolls, work, and problems."""

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

_NEAR = 2
"""Lines below the last one that is seen, from which on more are read."""


class Lines(OptionList):
    """Lines to choose from. Tells when the last ones come into sight."""

    class EndSeen(Message):
        """The last lines are in sight, or nearly."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(markup=False, **arguments)
        self._keys: list[str | None] = []

    def show(self, lines: Sequence[tuple[str | None, RenderableType]]) -> None:
        """Show other lines. The highlighted one stays so, and in its place, if it is among them.

        Args:
            lines: What tells each line apart, and what it shows. `None` is for a line in whose
                place others come: what is there then is highlighted, for else the end would be
                seen again and again.
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
        """Whether the last lines are in sight, or nearly."""
        last_seen = self.scroll_offset.y + self.size.height
        return self.size.height > 0 and last_seen + _NEAR >= self.virtual_size.height

    def look_for_end(self) -> None:
        """Tell if the last lines are in sight."""
        if self.end_seen:
            self.post_message(self.EndSeen())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Look where one has scrolled to."""
        super().watch_scroll_y(old_value, new_value)
        self.look_for_end()

    def on_resize(self) -> None:
        """Look when there is more room."""
        self.call_after_refresh(self.look_for_end)

    def _highlighted(self) -> tuple[int, str | None]:
        """The place of the highlighted line, and what tells it apart."""
        place = self.highlighted
        if place is None or place >= len(self._keys):
            return 0, None
        return place, self._keys[place]


class Pane(Vertical):
    """A part of the screen with a title, which reads by itself and shows what went wrong there."""

    TITLE = ""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.border_title = self.TITLE
        self._reading = 0

    def compose(self) -> ComposeResult:
        """What is in it, and below it a line for what went wrong."""
        yield from self.content()
        yield Static(classes="problem", markup=False)

    def content(self) -> ComposeResult:
        """What is in it."""
        yield from ()

    @property
    def target(self) -> Widget:
        """What has the focus in it."""
        return self.query_one(Lines)

    @property
    def palette(self) -> Palette:
        """The colours to use now."""
        return Palette.of(self.app.theme_variables)

    def restyle(self) -> None:
        """Show the same in other colours."""

    def work(self, reading: Coroutine[Any, Any, None], group: str) -> None:
        """Read beside everything else.

        What is read for the same group already is let go of, and its answer with it.

        Args:
            reading: What to do. It awaits answers and shows them.
            group: What it is for.
        """
        self.run_worker(
            self._guarded(reading),
            group=group,
            exclusive=True,
            exit_on_error=False,
            # Else Textual tells its log of the arguments of a failure: what is stored.
            description=group,
        )

    def problem(self, text: str) -> None:
        """Show what went wrong, or nothing."""
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
