"""A server process. Its only state that is not in DynamoDB is that of its current runs."""

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
    """Serve on the socket of the supervisor until SIGTERM.

    Returns:
        Exit code: 1 if the tables or the model are not usable.
    """
    # uvicorn raises the signal again after it has stopped, before the tables are closed.
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
            # Event streams stay open as long as their pages, which reconnect to the next server.
            timeout_graceful_shutdown=1,
        )
        _say_ready()
        await uvicorn.Server(config).serve(sockets=[listener])


def _say_ready() -> None:
    sys.stdout.buffer.write(READY)
    sys.stdout.flush()


def _end_with_supervisor() -> None:
    # The supervisor never writes: this returns when the supervisor has exited.
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
