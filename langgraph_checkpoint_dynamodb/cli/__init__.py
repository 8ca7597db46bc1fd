"""The command line `langgraph-dynamodb`. It needs the extra `[cli]`: typer, rich and textual.

Nothing outside this folder imports it. `app` says which commands there are.
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
        arguments: What follows the program's name; by default what the process was called with.

    Returns:
        The exit code: 0 where all went well, 1 for an error or for something that is wrong, 2 for
        arguments that cannot be used, 130 after Ctrl-C.
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
        return 130  # Nothing has begun yet.
    return run(sys.argv[1:] if arguments is None else arguments)
