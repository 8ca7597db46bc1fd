"""The application: three panes side by side, or one at a time where there is no room."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import App
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Footer, Static

from langgraph_checkpoint_dynamodb.cli.explore.help_screen import HelpScreen
from langgraph_checkpoint_dynamodb.cli.explore.history_pane import HistoryPane
from langgraph_checkpoint_dynamodb.cli.explore.pane import Pane
from langgraph_checkpoint_dynamodb.cli.explore.reader import Reader
from langgraph_checkpoint_dynamodb.cli.explore.rendering import Columns, Palette, one_line
from langgraph_checkpoint_dynamodb.cli.explore.state_pane import StatePane
from langgraph_checkpoint_dynamodb.cli.explore.threads_pane import ThreadsPane

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import DescendantFocus

    from langgraph_checkpoint_dynamodb.saver import DynamoDBSaver

_PANES = ("threads", "history", "state")
_DARK, _LIGHT = "textual-dark", "textual-light"


class Explorer(App[None]):
    """Looks at threads, their history and their state. Never writes.

    Args:
        saver: The saver whose tables are looked at. It is not closed.
        owner: Only threads of this owner; `None` for all. Needs a saver with a `thread_index`.
    """

    TITLE = "langgraph-dynamodb explore"
    CSS_PATH = "explore.tcss"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - as Textual types it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "ask('filter')", "Filter", key_display="/"),
        Binding("d", "differ", "Diff"),
        Binding("w", "whole", "Whole"),
        Binding("y", "copy", "Copy id"),
        Binding("r", "reload", "Reload"),
        Binding("t", "theme", "Theme"),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
        Binding("o", "ask('owner')", "Owner", show=False),
        Binding("s", "status", "Status", show=False),
        Binding("escape", "retreat", "Back", show=False),
        *(
            Binding(str(number), f"show('{name}')", name, show=False)
            for number, name in enumerate(_PANES, start=1)
        ),
    ]

    def __init__(self, saver: DynamoDBSaver, *, owner: str | None = None) -> None:
        super().__init__()
        self._reader = Reader(saver)
        self._owner = owner
        self.sub_title = self._reader.table
        self.theme = _DARK
        self.animation_level = "none"

    def compose(self) -> ComposeResult:
        """The panes between a line on top and the keys below."""
        yield Static(id="bar", markup=False)
        with Horizontal():
            yield ThreadsPane(self._reader, self._owner)
            with Vertical(id="thread"):
                yield HistoryPane(self._reader)
                yield StatePane(self._reader)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Begin with the threads."""
        self.theme_changed_signal.subscribe(self, lambda _: self.call_after_refresh(self._restyle))
        self.action_show("threads")

    @property
    def pane(self) -> Pane:
        """The pane that has the focus."""
        return self.query_one("Pane.-active", Pane)

    def action_show(self, name: str) -> None:
        """Give a pane the focus; where there is no room for others, show it alone."""
        self._activate(name)
        self.call_after_refresh(lambda: self.pane.target.focus())

    def action_retreat(self) -> None:
        """Close a box, else go to the pane before."""
        if not self.query_one(ThreadsPane).leave():
            place = _PANES.index(self.pane.id or _PANES[0])
            self.action_show(_PANES[max(0, place - 1)])

    def action_ask(self, name: str) -> None:
        """Show the box to filter threads by, or that for their owner."""
        self.action_show("threads")
        self.call_after_refresh(self.query_one(ThreadsPane).ask, name)

    def action_status(self) -> None:
        """Show the threads of the next status alone."""
        self.action_show("threads")
        self.query_one(ThreadsPane).next_status()

    def action_differ(self) -> None:
        """Show what is new since the parent, or all."""
        self.query_one(StatePane).toggle_difference()

    def action_whole(self) -> None:
        """Show whole values, or as much of them as one can read."""
        self.query_one(StatePane).toggle_whole()

    def action_reload(self) -> None:
        """Read anew what the pane shows: the threads, or the thread."""
        self._reader.forget()
        history = self.query_one(HistoryPane)
        if self.pane.id == "threads" or history.thread_id is None:
            self.query_one(ThreadsPane).reload()
        else:
            history.choose(history.thread_id)

    def action_copy(self) -> None:
        """Copy the id of the highlighted thread, or of the checkpoint."""
        pane = self.pane
        if isinstance(pane, ThreadsPane):
            found = pane.thread_id
        else:
            found = self.query_one(HistoryPane).checkpoint_id
        if found is not None:
            self.copy_to_clipboard(found)
            self.notify(one_line(found), title="Copied", markup=False, timeout=3)

    def action_theme(self) -> None:
        """Turn from dark to light, or back."""
        self.theme = _LIGHT if self.current_theme.dark else _DARK

    def action_help(self) -> None:
        """Show what the keys do."""
        self.push_screen(HelpScreen())

    @on(ThreadsPane.Chosen)
    def _thread_chosen(self, event: ThreadsPane.Chosen) -> None:
        self.query_one(HistoryPane).choose(event.thread_id)
        self.action_show("history")

    @on(HistoryPane.Shown)
    def _step_shown(self, event: HistoryPane.Shown) -> None:
        self.query_one(StatePane).choose(event.thread_id, event.step)

    @on(HistoryPane.Chosen)
    def _step_chosen(self) -> None:
        self.action_show("state")

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Follow the focus, wherever a key or a click has put it."""
        for pane in self.query(Pane):
            if pane in event.widget.ancestors:
                self._activate(pane.id)

    def on_resize(self) -> None:
        """Say on top what there is room for."""
        self._show_bar()

    def _activate(self, name: str | None) -> None:
        for pane in self.query(Pane):
            pane.set_class(pane.id == name, "-active")
        self.query_one("#thread").set_class(name != "threads", "-active")
        self._show_bar()

    def _restyle(self) -> None:
        for pane in self.query(Pane):
            pane.restyle()
        self._show_bar()

    def _show_bar(self) -> None:
        palette = Palette.of(self.theme_variables)
        table = Text(one_line(self.sub_title), palette.muted)
        left = Text(f" {self.TITLE}", f"bold {palette.accent}")
        if self.screen.has_class("-narrow"):
            left = Text()
            for number, name in enumerate(_PANES, start=1):
                here = bool(self.query(f"#{name}.-active"))
                look = f"bold reverse {palette.accent}" if here else palette.muted
                left.append(f" {number} {name.capitalize()} ", look)
        self.query_one("#bar", Static).update(Columns(left, table.append(" ")))
