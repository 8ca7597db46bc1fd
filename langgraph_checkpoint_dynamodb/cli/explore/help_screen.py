"""What the keys do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.table import Table
from rich.text import Text
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from langgraph_checkpoint_dynamodb.cli.explore.rendering import Palette

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

_KEYS = (
    ("enter", "open a thread, a checkpoint, a subgraph"),
    ("escape", "go back"),
    ("1 2 3, tab", "threads, history, state"),
    ("↑ ↓, pgup pgdn", "move; more is read at the end"),
    ("/", "filter the threads that were read;\nenter opens the thread of exactly that id"),
    ("o", "threads of one owner"),
    ("s", "threads that wait, have failed, are idle"),
    ("→ ←, space", "open and close a subgraph"),
    ("d", "what is new since the parent, or all"),
    ("w", "whole values, or as much as one can read"),
    ("y", "copy the id"),
    ("r", "read anew"),
    ("t", "dark or light"),
    ("q", "quit"),
)
_SIGNS = (
    ("●", "a checkpoint; a fork joins where it left"),
    ("→", "the nodes that run next"),
    ("◆", "waits for an answer"),
    ("✖", "has failed, or cannot be read"),
)


class HelpScreen(ModalScreen[None]):
    """A list of keys and signs above what is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,enter", "dismiss", "Close"),
        Binding("q", "app.quit", "Quit"),
    ]

    def compose(self) -> ComposeResult:
        """The list."""
        with VerticalScroll(id="help") as box:
            box.border_title = "Keys"
            box.border_subtitle = "nothing is ever written"
            yield Static(self._table())

    def _table(self) -> Table:
        palette = Palette.of(self.app.theme_variables)
        table = Table.grid(padding=(0, 2, 0, 0))
        for keys, does in (*_KEYS, ("", ""), *_SIGNS):
            table.add_row(Text(keys, f"bold {palette.accent}"), Text(does, palette.plain))
        return table
