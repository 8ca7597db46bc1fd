"""Progress bars: what is done, how fast, and what is left. Without a terminal there are none."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from langgraph_checkpoint_dynamodb.cli.terminal.output import err

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Task

_PER_SECOND = 10
"""Times a second that a bar is drawn anew."""


class Bar:
    """How far something is.

    Args:
        progress: What draws it.
        task: Which one of its bars.
    """

    def __init__(self, progress: Progress, task: Task) -> None:
        self._progress = progress
        self._task = task

    def advance(self, by: int = 1) -> None:
        """Say that so many more are done."""
        self._progress.advance(self._task.id, by)

    def reach(self, done: int) -> None:
        """Say that so many are done in all."""
        self._progress.update(self._task.id, completed=done)

    def expect(self, total: int | None) -> None:
        """Say how many there are; `None` where nobody knows."""
        self._progress.update(self._task.id, total=total)

    def note(self, text: str) -> None:
        """Say something beside it."""
        self._progress.update(self._task.id, note=text)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        """So many a second."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")


class _Done(ProgressColumn):
    def render(self, task: Task) -> Text:
        """So many, of so many where that is known."""
        of = "" if task.total is None else f"/{task.total:,.0f}"
        return Text(f"{task.completed:,.0f}{of}")


@contextmanager
def bar(name: str, unit: str, total: int | None = None) -> Iterator[Bar]:
    """Draw a bar on standard error for as long as the context lasts.

    Args:
        name: What is going on.
        unit: What is counted.
        total: How many there are; `None` where nobody knows.
    """
    console = err()
    columns = [
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        _Done(),
        TextColumn(unit, markup=False),
        _Rate(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}", markup=False),
    ]
    progress = Progress(
        *columns,
        console=console,
        refresh_per_second=_PER_SECOND,
        transient=True,
        expand=True,
    )
    # One that is disabled prints an empty line in the end, by rich before 14.
    with progress if console.is_terminal else nullcontext():
        progress.add_task(name, total=total, note="")
        yield Bar(progress, progress.tasks[0])
