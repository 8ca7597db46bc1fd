"""The history of a thread as lines: each namespace newest first, calls below their checkpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from langgraph_checkpoint_dynamodb.cli.explore.lanes import Lanes
from langgraph_checkpoint_dynamodb.format.keys import ROOT_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langgraph_checkpoint_dynamodb.cli.explore.lanes import Cell
    from langgraph_checkpoint_dynamodb.cli.explore.operations import Call
    from langgraph_checkpoint_dynamodb.cli.explore.reader import History
    from langgraph_checkpoint_dynamodb.cli.explore.step import Step

_INDENT: Cell = ("  ", 0)


@dataclass(frozen=True)
class StepLine:
    """A checkpoint.

    Attributes:
        step: It.
        cells: What is drawn in front of it.
    """

    step: Step
    cells: tuple[Cell, ...]

    @property
    def checkpoint_ns(self) -> str:
        """The namespace that it is in."""
        return self.step.checkpoint_ns

    @property
    def key(self) -> str:
        """What tells the line apart."""
        return f"step {self.step.checkpoint_id} {self.checkpoint_ns}"


@dataclass(frozen=True)
class CallLine:
    """A namespace whose history can be opened.

    Attributes:
        call: It.
        cells: What is drawn in front of it.
        is_open: Whether its history is shown.
    """

    call: Call
    cells: tuple[Cell, ...]
    is_open: bool

    @property
    def checkpoint_ns(self) -> str:
        """The namespace that it stands for."""
        return self.call.checkpoint_ns

    @property
    def key(self) -> str:
        """What tells the line apart."""
        return f"call {self.checkpoint_ns}"


@dataclass(frozen=True)
class MoreLine:
    """Stands for what has not been read yet.

    Attributes:
        checkpoint_ns: The namespace whose history goes on.
        cells: What is drawn in front of it.
    """

    checkpoint_ns: str
    cells: tuple[Cell, ...]

    @property
    def key(self) -> None:
        """Nothing tells it apart: others come in its place."""


Line: TypeAlias = StepLine | CallLine | MoreLine


@dataclass
class Branch:
    """What has been read of the history of a namespace.

    Attributes:
        drawn: Its checkpoints, with what is drawn in front of each and below it.
        last: Where to go on; `None` after the last.
        lanes: Draws the next ones.
    """

    drawn: list[tuple[Step, tuple[Cell, ...], tuple[Cell, ...]]] = field(default_factory=list)
    last: str | None = None
    lanes: Lanes = field(default_factory=Lanes)

    def add(self, page: History) -> None:
        """Take the next page."""
        self.last = page.last
        for step in page.steps:
            cells = tuple(self.lanes.draw(step.checkpoint_id, step.parent_id))
            self.drawn.append((step, cells, tuple(self.lanes.between())))


class HistoryTree:
    """What has been read of a thread."""

    def __init__(self) -> None:
        self.branches: dict[str, Branch] = {}
        self.calls: dict[str, Call] = {}
        self.calls_after: str | None = None

    def add(self, checkpoint_ns: str, page: History) -> None:
        """Take the next page of a namespace."""
        self.branches.setdefault(checkpoint_ns, Branch()).add(page)

    def add_call(self, call: Call) -> None:
        """Take a namespace that was found."""
        self.calls[call.checkpoint_ns] = call

    def close(self, checkpoint_ns: str) -> None:
        """Let go of the history of a namespace, and of those within it."""
        within = f"{checkpoint_ns}|"
        for name in [*self.branches]:
            if name == checkpoint_ns or name.startswith(within):
                del self.branches[name]

    def lines(self) -> list[Line]:
        """All lines from the top."""
        return list(self._lines(ROOT_NAMESPACE, ()))

    def _lines(self, checkpoint_ns: str, outer: tuple[Cell, ...]) -> Iterator[Line]:
        branch = self.branches.get(checkpoint_ns)
        if branch is None:
            return
        waiting = {call.checkpoint_ns: call for call in self._within(checkpoint_ns)}
        for step, cells, below in branch.drawn:
            yield StepLine(step, outer + cells)
            for call in [*waiting.values()]:
                if call.above.get(checkpoint_ns) == step.checkpoint_id:
                    del waiting[call.checkpoint_ns]
                    yield from self._call_lines(call, (*outer, *below, _INDENT))
        if branch.last is not None or (not checkpoint_ns and self.calls_after is not None):
            yield MoreLine(checkpoint_ns, outer)
        else:
            # What they were made under is gone.
            for call in waiting.values():
                yield from self._call_lines(call, (*outer, _INDENT))

    def _call_lines(self, call: Call, cells: tuple[Cell, ...]) -> Iterator[Line]:
        is_open = call.checkpoint_ns in self.branches
        yield CallLine(call, cells, is_open)
        yield from self._lines(call.checkpoint_ns, (*cells, _INDENT))

    def _within(self, checkpoint_ns: str) -> list[Call]:
        """The namespaces right within one."""
        return [call for call in self.calls.values() if self._around(call) == checkpoint_ns]

    def _around(self, call: Call) -> str:
        """The nearest namespace around one that has checkpoints itself."""
        outer = call.outer_ns
        while outer and outer not in self.calls:
            outer = outer.rpartition("|")[0]
        return outer
