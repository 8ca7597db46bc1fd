"""The command line `langgraph-dynamodb`. It needs the extra `[cli]`: typer, rich and textual.

`app` lists the commands, `commands/` has a module for each. No other part of the package imports
this one.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXTRA = ("rich", "textual", "typer")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: The arguments after the program's name; by default those of the process.

    Returns:
        The exit code: 0 for success, 1 for an error or a problem that `doctor` found, 2 for invalid
        arguments, 130 after Ctrl-C.
    """
    try:
        from langgraph_checkpoint_dynamodb.cli.app import run
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _EXTRA:
            raise
        sys.stderr.write(
            f"langgraph-dynamodb needs {error.name}, which is not installed: install this package "
            "with its extra [cli], or run: pip install rich textual typer\n"
        )
        return 1
    except KeyboardInterrupt:
        return 130  # Ctrl-C while the imports run.
    return run(sys.argv[1:] if arguments is None else arguments)
