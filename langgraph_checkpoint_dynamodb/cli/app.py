"""Which commands there are, and what becomes of their errors."""

from __future__ import annotations

import os
import sys
import traceback
from dataclasses import dataclass
from functools import cache, wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from langgraph_checkpoint_dynamodb.cli.commands.delete import delete, prune
from langgraph_checkpoint_dynamodb.cli.commands.diff import diff
from langgraph_checkpoint_dynamodb.cli.commands.doctor import doctor
from langgraph_checkpoint_dynamodb.cli.commands.explore import explore
from langgraph_checkpoint_dynamodb.cli.commands.history import history
from langgraph_checkpoint_dynamodb.cli.commands.setup import setup
from langgraph_checkpoint_dynamodb.cli.commands.show import show
from langgraph_checkpoint_dynamodb.cli.commands.stats import stats
from langgraph_checkpoint_dynamodb.cli.commands.sweep import sweep
from langgraph_checkpoint_dynamodb.cli.commands.threads import threads
from langgraph_checkpoint_dynamodb.cli.commands.transfer import copy, export, import_
from langgraph_checkpoint_dynamodb.cli.doctor.environment import installed_version
from langgraph_checkpoint_dynamodb.cli.errors import EXPECTED, StoppedError, explain
from langgraph_checkpoint_dynamodb.cli.options import Options, with_options
from langgraph_checkpoint_dynamodb.cli.terminal.output import say, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PROGRAM = "langgraph-dynamodb"
_NOTHING_CHANGED = "Nothing was changed."
_GOES_ON = "The same command goes on from there."

_ERROR = 1
_INTERRUPTED = 130
_BROKEN_PIPE = 141


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        function: What it does. Its name is the command's (`import_` is `import`), its docstring the
            help, and its parameters but the first, which takes `Options`, are the options.
        stopped: What to say after Ctrl-C.
    """

    function: Callable[..., None]
    stopped: str = _NOTHING_CHANGED

    @property
    def name(self) -> str:
        """What it is called."""
        return self.function.__name__.rstrip("_")


COMMANDS = (
    Command(threads),
    Command(history),
    Command(show),
    Command(diff),
    Command(explore),
    Command(stats),
    Command(doctor),
    Command(delete, _GOES_ON),
    Command(prune, _GOES_ON),
    Command(sweep, _GOES_ON),
    Command(copy, _GOES_ON),
    Command(export, _GOES_ON),
    Command(import_, _GOES_ON),
    Command(setup, _GOES_ON),
)
"""Every command, in the order of `--help`."""


@cache
def build(commands: tuple[Command, ...]) -> Any:
    """The command line that has these commands."""
    app = typer.Typer(
        help="Look after LangGraph checkpoints on Amazon DynamoDB.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_program)
    for command in commands:
        app.command(command.name)(with_options(_guarded(command)))
    return typer.main.get_command(app)


def run(arguments: Sequence[str]) -> int:
    """Run a command; its exit code."""
    try:
        build(COMMANDS).main(args=list(arguments), prog_name=_PROGRAM)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    return 0


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"{_PROGRAM} {installed_version('langgraph-checkpoint-dynamodb') or 'unknown'}")
        raise typer.Exit


def _program(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Say which it is."),
    ] = False,
) -> None:
    pass


def _guarded(command: Command) -> Callable[..., None]:
    """A command whose errors are told in a line, and which says how to go on after Ctrl-C."""

    @wraps(command.function)
    def guarded(options: Options, **given: Any) -> None:
        try:
            command.function(options, **given)
            sys.stdout.flush()
        except (KeyboardInterrupt, StoppedError) as stopped:
            how = stopped.how if isinstance(stopped, StoppedError) else command.stopped
            tell(f"Stopped. {how}", whole=True)
            raise typer.Exit(_INTERRUPTED) from None
        except BrokenPipeError:
            # Whoever read this has enough. What is left in the buffer must not be an error at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(_BROKEN_PIPE) from None
        except EXPECTED as error:
            if options.debug:
                sys.stderr.write(traceback.format_exc())
            tell(f"Error: {explain(error)}", "red")
            raise typer.Exit(_ERROR) from None

    return guarded
