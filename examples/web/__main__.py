"""Run the application: `python -m examples.web`."""

from __future__ import annotations

import sys

from examples import terminal
from examples.web.engines import EngineError, engine_for
from examples.web.settings import read_arguments
from examples.web.supervisor import PortError, supervise


def main() -> int:
    """Serve until Ctrl-C.

    Returns:
        Exit code: 0 after Ctrl-C, 1 for an error.
    """
    settings, port, aws = read_arguments()
    try:
        with engine_for(settings, aws=aws) as chosen:
            terminal.title("A chat on LangGraph and DynamoDB (Ctrl-C ends it)")
            terminal.line("data", chosen.engine)
            terminal.line("model", chosen.model or "a script, without a key")
            return supervise(chosen, port, lambda text: terminal.line("server", text))
    except (EngineError, PortError) as error:
        terminal.fail(str(error))
    except ModuleNotFoundError as error:
        terminal.fail(f"{error}; install this package with its extra [web]")
    except KeyboardInterrupt:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
