"""Asking before something is gone for good."""

from __future__ import annotations

import sys

import typer

from langgraph_checkpoint_dynamodb.cli.errors import StoppedError, UsageError
from langgraph_checkpoint_dynamodb.cli.terminal.output import clean_line, err, tell


def confirm(question: str, *, yes: bool) -> bool:
    """Ask, unless the user has said yes already; tells whether to go on.

    Raises:
        UsageError: Nobody is there to answer.
        StoppedError: The answer was Ctrl-C.
    """
    if yes:
        return True
    if not (sys.stdin.isatty() and err().is_terminal):
        raise UsageError("nobody can be asked here; pass --yes, or look first with --dry-run")
    try:
        return typer.confirm(clean_line(question), err=True)
    except typer.Abort:
        tell("")  # The question is on the line still.
        raise StoppedError("Nothing was changed.") from None
