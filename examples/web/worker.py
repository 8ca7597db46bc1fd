"""One server process. It holds nothing that is not in DynamoDB, but for the runs it is in."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

import uvicorn

from examples import terminal
from examples.web.agent import build_agent
from examples.web.model import ModelError, make_model
from examples.web.server import make_app
from examples.web.settings import Settings
from examples.web.supervisor import READY
from examples.web.tables import open_tables
from langgraph_checkpoint_dynamodb import DynamoDBSaverError, TableError

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable


def main() -> int:
    """Serve on the socket of the supervisor until told to stop.

    Returns:
        Exit code: 1 if the tables or the model cannot be used.
    """
    # uvicorn raises the signal once more when it has stopped; tables are still to be closed then.
    signal.signal(signal.SIGTERM, lambda *_: None)
    threading.Thread(target=_end_with_supervisor, daemon=True).start()
    settings = Settings.from_environment()
    try:
        model = make_model(settings.model, settings.word_seconds)
        with socket.socket(fileno=int(sys.argv[1])) as listener:
            asyncio.run(_serve(settings, model, listener))
    except ModelError as error:
        terminal.fail(str(error))
        return 1
    except TableError as error:
        terminal.fail(f"{error}; --set-up makes the tables")
        return 1
    except DynamoDBSaverError as error:
        terminal.fail(str(error))
        return 1
    return 0


async def _serve(settings: Settings, model: Runnable[Any, Any], listener: socket.socket) -> None:
    async with open_tables(settings) as tables:
        agent = build_agent(tables.saver, model)
        config = uvicorn.Config(
            make_app(tables, agent, settings),
            access_log=False,
            log_level="warning",
            # Pages listen for as long as they are open; they come back to the next server.
            timeout_graceful_shutdown=1,
        )
        _say_ready()
        await uvicorn.Server(config).serve(sockets=[listener])


def _say_ready() -> None:
    sys.stdout.buffer.write(READY)
    sys.stdout.flush()


def _end_with_supervisor() -> None:
    # The supervisor never writes: this returns when it is gone.
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
