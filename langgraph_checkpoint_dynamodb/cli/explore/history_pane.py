"""The pane of a thread's history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.binding import Binding
from textual.message import Message

from langgraph_checkpoint_dynamodb.cli.explore.history_tree import (
    CallLine,
    HistoryTree,
    MoreLine,
    StepLine,
)
from langgraph_checkpoint_dynamodb.cli.explore.pane import Lines, Pane
from langgraph_checkpoint_dynamodb.cli.explore.rendering import Columns, age, one_line
from langgraph_checkpoint_dynamodb.cli.explore.values import brief
from langgraph_checkpoint_dynamodb.format.keys import ROOT_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import ClassVar

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from langgraph_checkpoint_dynamodb.cli.explore.history_tree import Line
    from langgraph_checkpoint_dynamodb.cli.explore.reader import Reader
    from langgraph_checkpoint_dynamodb.cli.explore.rendering import Palette
    from langgraph_checkpoint_dynamodb.cli.explore.step import Step

_SOURCE_WIDTH = 6
_ID_WIDTH = 8


class HistoryPane(Pane):
    """Checkpoints of a thread, newest first, with its forks and the calls of its subgraphs.

    Args:
        reader: What reads them.
    """

    TITLE = "History"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "flip", "Open subgraph", show=False),
        Binding("right", "open(True)", "Open subgraph", show=False),
        Binding("left", "open(False)", "Close subgraph", show=False),
    ]

    class Shown(Message):
        """A checkpoint is highlighted.

        Attributes:
            thread_id: Its thread.
            step: It; `None` where none is.
        """

        def __init__(self, thread_id: str, step: Step | None) -> None:
            super().__init__()
            self.thread_id = thread_id
            self.step = step

    class Chosen(Message):
        """The highlighted checkpoint was chosen."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(id="history")
        self._reader = reader
        self._tree = HistoryTree()
        self._lines: list[Line] = []
        self._loading: set[str] = set()
        self.thread_id: str | None = None

    def content(self) -> ComposeResult:
        """The lines."""
        yield Lines()

    @property
    def line(self) -> Line | None:
        """The highlighted line."""
        place = self.query_one(Lines).highlighted
        return None if place is None or place >= len(self._lines) else self._lines[place]

    @property
    def checkpoint_id(self) -> str | None:
        """The highlighted checkpoint, or the newest of the highlighted call."""
        match self.line:
            case StepLine(step=step):
                return step.checkpoint_id
            case CallLine(call=call):
                return call.newest_id
        return None

    def choose(self, thread_id: str) -> None:
        """Show the history of another thread, or anew that of the same."""
        self.thread_id = thread_id
        self.border_title = f"History · {one_line(thread_id)}"
        self._tree = HistoryTree()
        # Those under way have the other one.
        self._loading = set()
        self.problem("")
        self._show()
        self.workers.cancel_node(self)
        self._load(ROOT_NAMESPACE)
        self.work(self._read_calls(self._tree, thread_id), "calls")

    def restyle(self) -> None:
        """Show the same in other colours."""
        self._show()

    def action_flip(self) -> None:
        """Open or close the highlighted call."""
        match self.line:
            case CallLine(is_open=is_open):
                self.action_open(not is_open)

    def action_open(self, wanted: bool) -> None:
        """Open the highlighted call, or close it."""
        match self.line:
            case CallLine(call=call, is_open=is_open) if is_open != wanted:
                if wanted:
                    self._load(call.checkpoint_ns)
                else:
                    self._tree.close(call.checkpoint_ns)
                    self._show()

    @on(Lines.OptionHighlighted)
    def _highlighted(self) -> None:
        self._tell()
        match self.line:
            case MoreLine(checkpoint_ns=name):
                self._load_more(name)

    @on(Lines.OptionSelected)
    def _selected(self) -> None:
        match self.line:
            case CallLine():
                self.action_flip()
            case StepLine():
                self.post_message(self.Chosen())
            case MoreLine(checkpoint_ns=name):
                self._load_more(name)

    @on(Lines.EndSeen)
    def _end_seen(self) -> None:
        last = self._lines[-1] if self._lines else None
        # What was told before the last page came is not so any more.
        if isinstance(last, MoreLine) and self.query_one(Lines).end_seen:
            self._load_more(last.checkpoint_ns)

    def _load_more(self, checkpoint_ns: str) -> None:
        branch = self._tree.branches.get(checkpoint_ns)
        if checkpoint_ns in self._loading or branch is None or self.thread_id is None:
            return
        if branch.last is not None:
            self._load(checkpoint_ns)
        elif self._tree.calls_after is not None:
            self.work(self._read_calls(self._tree, self.thread_id), "calls")

    def _load(self, checkpoint_ns: str) -> None:
        if self.thread_id is not None:
            self._loading.add(checkpoint_ns)
            reading = self._read(self._tree, self.thread_id, checkpoint_ns)
            self.work(reading, f"history {checkpoint_ns}")

    async def _read(self, tree: HistoryTree, thread_id: str, checkpoint_ns: str) -> None:
        branch, loading = tree.branches.get(checkpoint_ns), self._loading
        before = None if branch is None else branch.last
        try:
            page = await self._reader.history(thread_id, checkpoint_ns, before)
        finally:
            loading.discard(checkpoint_ns)
        tree.add(checkpoint_ns, page)
        if not page.steps and before is None and not checkpoint_ns:
            self.problem("There is no checkpoint in the root namespace of this thread.")
        self._show()

    async def _read_calls(self, tree: HistoryTree, thread_id: str) -> None:
        found = await self._reader.calls(thread_id, tree.calls_after)
        tree.calls_after = found.last
        for call in found.calls:
            tree.add_call(call)
        if found.calls:
            self._show()

    def _show(self) -> None:
        palette, now = self.palette, self._reader.clock()
        self._lines = self._tree.lines()
        drawn = _widths(self._lines)
        shown: list[tuple[str | None, Columns]] = [
            (line.key, line_columns(line, palette, now, drawn.get(line.checkpoint_ns, 0)))
            for line in self._lines
        ]
        self.query_one(Lines).show(shown)
        if not shown:
            self._tell()

    def _tell(self) -> None:
        line = self.line
        if self.thread_id is not None and not isinstance(line, MoreLine):
            step = line.step if isinstance(line, StepLine) else None
            self.post_message(self.Shown(self.thread_id, step))


def _widths(lines: Sequence[Line]) -> dict[str, int]:
    """By namespace, how many cells are in front of its checkpoints."""
    widths: dict[str, int] = {}
    for line in lines:
        if isinstance(line, StepLine):
            name = line.checkpoint_ns
            widths[name] = max(widths.get(name, 0), len(line.cells))
    return widths


def line_columns(line: Line, palette: Palette, now: float, cells: int) -> Columns:
    """A line of the history.

    Args:
        line: What to show.
        palette: Colours.
        now: The time, in seconds since the epoch.
        cells: How many cells there are in front of the checkpoints of its namespace.
    """
    left = Text()
    for cell, colour in line.cells:
        left.append(cell, palette.lanes[colour % len(palette.lanes)])
    if isinstance(line, StepLine):
        left.append("  " * (cells - len(line.cells)))
    match line:
        case StepLine(step=step):
            return _step_columns(left, step, palette, now)
        case CallLine(call=call, is_open=is_open):
            name = call.checkpoint_ns.rpartition("|")[2]
            node, _, task = one_line(name).partition(":")
            left.append("▾ " if is_open else "▸ ", palette.accent).append(node, palette.accent)
            left.append(f" {task[:_ID_WIDTH]}", palette.muted)
            return Columns(left, Text("subgraph", palette.muted))
    return Columns(left.append("... more", palette.muted))


def _step_columns(left: Text, step: Step, palette: Palette, now: float) -> Columns:
    ago = "" if step.made is None else age(now - step.made)
    short_id = one_line(step.checkpoint_id)[-_ID_WIDTH:]
    right = Text(f"{ago:>4}  ..{short_id}", palette.muted)
    if step.problem is not None:
        return Columns(left.append(f"✖ {one_line(step.problem)}", palette.bad), right)
    left.append(f"{step.number:>3}  ", f"bold {palette.plain}")
    left.append(f"{one_line(step.source):<{_SOURCE_WIDTH}}  ", palette.muted)
    if step.next:
        left.append("→ ", palette.muted).append(one_line(", ".join(step.next)), palette.plain)
    else:
        left.append("end", palette.muted)
    for question in step.questions:
        left.append(f"  ◆ {brief(question)}", palette.warn)
    for error in step.errors:
        left.append(f"  ✖ {brief(error)}", palette.bad)
    return Columns(left, right)
