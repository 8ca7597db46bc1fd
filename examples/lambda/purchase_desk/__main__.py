"""Run the server: `python -m purchase_desk`."""

from __future__ import annotations

import uvicorn

from purchase_desk.agent import build_agent
from purchase_desk.saver import make_saver
from purchase_desk.server import make_app
from purchase_desk.settings import Settings


def main() -> None:
    """Serve until Lambda ends this environment."""
    settings = Settings.from_environment()
    saver = make_saver(settings.saver)
    uvicorn.run(
        make_app(saver, build_agent(saver, settings.model)),
        host="127.0.0.1",
        port=settings.port,
        access_log=False,
        log_level="warning",
        # The adapter keeps an idle connection for 4 seconds. uvicorn's own 5 are too close: it
        # could close one that a request is just sent on, and the adapter does not try again.
        timeout_keep_alive=65,
    )


main()
