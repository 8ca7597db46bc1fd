"""Run the server: `python -m purchase_desk`."""

from __future__ import annotations

import uvicorn

from purchase_desk.agent import build_agent
from purchase_desk.saver import make_saver
from purchase_desk.server import make_app
from purchase_desk.settings import Settings


def main() -> None:
    """Serve until Lambda shuts this environment down."""
    settings = Settings.from_environment()
    saver = make_saver(settings.saver)
    uvicorn.run(
        make_app(saver, build_agent(saver, settings.model)),
        host="127.0.0.1",
        port=settings.port,
        access_log=False,
        log_level="warning",
        # The adapter keeps idle connections for 4 seconds. uvicorn's default of 5 is too close: it
        # could close a connection while a request is being sent, and the adapter does not retry.
        timeout_keep_alive=65,
    )


main()
