"""Progress bars on standard error. If that is not a terminal, nothing is drawn."""

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

from langgraph_checkpoint_dynamodb.cli.terminal.output import stderr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Task

_REFRESHES_PER_SECOND = 10


class ProgressBar:
    """A progress bar.

    Args:
        progress: Draws the bar.
        task: The task of `progress` that the bar belongs to.
    """

    def __init__(self, progress: Progress, task: Task) -> None:
        self._progress = progress
        self._task = task

    def advance(self, by: int = 1) -> None:
        """Add to the number of units that are done."""
        self._progress.advance(self._task.id, by)

    def set_done(self, done: int) -> None:
        """Set the number of units that are done."""
        self._progress.update(self._task.id, completed=done)

    def set_total(self, total: int | None) -> None:
        """Set the total; `None` if it is not known."""
        self._progress.update(self._task.id, total=total)

    def set_note(self, text: str) -> None:
        """Set the text next to the bar."""
        self._progress.update(self._task.id, note=text)


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Return the units per second."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")


class _DoneColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Return the units that are done, with the total if it is known."""
        of = "" if task.total is None else f"/{task.total:,.0f}"
        return Text(f"{task.completed:,.0f}{of}")


@contextmanager
def progress_bar(name: str, unit: str, total: int | None = None) -> Iterator[ProgressBar]:
    """Draw a bar for as long as the context lasts.

    Args:
        name: What the command does, such as `Deleting`.
        unit: The plural of what is counted.
        total: Units in total; `None` if it is not known.
    """
    console = stderr()
    columns = [
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        _DoneColumn(),
        TextColumn(unit, markup=False),
        _RateColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}", markup=False),
    ]
    progress = Progress(
        *columns,
        console=console,
        refresh_per_second=_REFRESHES_PER_SECOND,
        transient=True,
        expand=True,
    )
    # A disabled `Progress` prints an empty line at its end, with rich before 14.
    with progress if console.is_terminal else nullcontext():
        progress.add_task(name, total=total, note="")
        yield ProgressBar(progress, progress.tasks[0])
