"""What `export` and `import` share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.cli.terminal.output import counted

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.moving.transfer import MoveReport

STANDARD_STREAM = "-"
"""The file name that stands for standard input or output."""


def report_text(report: MoveReport) -> str:
    """Return the numbers of a report in words."""
    return (
        f"{counted(report.checkpoints, 'checkpoint')} of {counted(report.threads, 'thread')}, "
        f"with {counted(report.writes, 'pending write')}"
    )
