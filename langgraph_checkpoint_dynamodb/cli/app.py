"""The list of commands, and how their errors end the process."""

from __future__ import annotations

import os
import sys
import traceback
from dataclasses import dataclass
from functools import cache, wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from langgraph_checkpoint_dynamodb.cli.commands.copy import copy
from langgraph_checkpoint_dynamodb.cli.commands.delete import delete
from langgraph_checkpoint_dynamodb.cli.commands.diff import diff
from langgraph_checkpoint_dynamodb.cli.commands.doctor import doctor
from langgraph_checkpoint_dynamodb.cli.commands.explore import explore
from langgraph_checkpoint_dynamodb.cli.commands.export import export
from langgraph_checkpoint_dynamodb.cli.commands.history import history
from langgraph_checkpoint_dynamodb.cli.commands.import_ import import_
from langgraph_checkpoint_dynamodb.cli.commands.prune import prune
from langgraph_checkpoint_dynamodb.cli.commands.setup import setup
from langgraph_checkpoint_dynamodb.cli.commands.show import show
from langgraph_checkpoint_dynamodb.cli.commands.stats import stats
from langgraph_checkpoint_dynamodb.cli.commands.sweep import sweep
from langgraph_checkpoint_dynamodb.cli.commands.threads import threads
from langgraph_checkpoint_dynamodb.cli.doctor.environment import installed_version
from langgraph_checkpoint_dynamodb.cli.errors import (
    EXPECTED,
    NOTHING_CHANGED,
    RERUN_TO_CONTINUE,
    StoppedError,
    explain,
)
from langgraph_checkpoint_dynamodb.cli.options import Options, with_options
from langgraph_checkpoint_dynamodb.cli.terminal.output import print_line, print_notice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PROGRAM = "langgraph-dynamodb"

_ERROR = 1
_INTERRUPTED = 130
_BROKEN_PIPE = 141


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        function: Runs the command. Its name is the command's (`import_` is `import`), its docstring
            the help. Its first parameter takes the `Options`, the others are its own options.
        after_ctrl_c: The sentence that is printed after Ctrl-C.
    """

    function: Callable[..., None]
    after_ctrl_c: str = NOTHING_CHANGED

    @property
    def name(self) -> str:
        """The name that users type."""
        return self.function.__name__.rstrip("_")


COMMANDS = (
    Command(threads),
    Command(history),
    Command(show),
    Command(diff),
    Command(explore),
    Command(stats),
    Command(doctor),
    Command(delete, RERUN_TO_CONTINUE),
    Command(prune, RERUN_TO_CONTINUE),
    Command(sweep, RERUN_TO_CONTINUE),
    Command(copy, RERUN_TO_CONTINUE),
    Command(export, RERUN_TO_CONTINUE),
    Command(import_, RERUN_TO_CONTINUE),
    Command(setup, RERUN_TO_CONTINUE),
)
"""Every command, in the order of `--help`."""


@cache
def build(commands: tuple[Command, ...]) -> Any:
    """Return the click program with these commands."""
    app = typer.Typer(
        help="Look after LangGraph checkpoints on Amazon DynamoDB.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_program)
    for command in commands:
        app.command(command.name)(with_options(_with_error_handling(command)))
    return typer.main.get_command(app)


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code."""
    try:
        build(COMMANDS).main(args=list(arguments), prog_name=_PROGRAM)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    return 0


def _print_version(requested: bool) -> None:
    if requested:
        print_line(f"{_PROGRAM} {installed_version('langgraph-checkpoint-dynamodb') or 'unknown'}")
        raise typer.Exit


def _program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


def _with_error_handling(command: Command) -> Callable[..., None]:
    """Wrap a command: print expected errors in one line, and how to continue after Ctrl-C."""

    @wraps(command.function)
    def handled(options: Options, **given: Any) -> None:
        try:
            command.function(options, **given)
            sys.stdout.flush()
        except (KeyboardInterrupt, StoppedError) as stopped:
            next_step = command.after_ctrl_c
            if isinstance(stopped, StoppedError):
                next_step = stopped.next_step
            print_notice(f"Stopped. {next_step}", no_wrap=True)
            raise typer.Exit(_INTERRUPTED) from None
        except BrokenPipeError:
            # The reader closed the pipe. Flushing the buffer at exit must not fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(_BROKEN_PIPE) from None
        except EXPECTED as error:
            if options.debug:
                sys.stderr.write(traceback.format_exc())
            print_notice(f"Error: {explain(error)}", "red")
            raise typer.Exit(_ERROR) from None

    return handled
