"""Asking for confirmation."""

from __future__ import annotations

import sys

import typer

from langgraph_checkpoint_dynamodb.cli.errors import NOTHING_CHANGED, StoppedError, UsageError
from langgraph_checkpoint_dynamodb.cli.terminal.output import escape_line, print_notice, stderr


def confirm(question: str, *, yes: bool) -> bool:
    """Ask a question and return whether the answer is yes.

    Args:
        question: The question.
        yes: The answer, if it is known without asking.

    Raises:
        UsageError: Standard input or standard error is not a terminal.
        StoppedError: The answer was Ctrl-C.
    """
    if yes:
        return True
    if not (sys.stdin.isatty() and stderr().is_terminal):
        raise UsageError("there is no terminal to ask in; pass --yes, or look first with --dry-run")
    try:
        return typer.confirm(escape_line(question), err=True)
    except typer.Abort:
        print_notice("")  # The cursor is still on the line of the question.
        raise StoppedError(NOTHING_CHANGED) from None
