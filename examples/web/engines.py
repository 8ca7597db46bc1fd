"""The application's DynamoDB: a local engine outside the server process, which it outlives."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from examples.engine import ENDPOINT, isolate, running_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from examples.web.settings import Settings

DYNOXIDE = Path(
    os.environ.get("DYNOXIDE_BIN", ".engines/node_modules/@dynoxide/linux-x64/dynoxide")
)
"""Installed by `make engine`. It counts capacity units as DynamoDB does; moto does not."""
_READY_SECONDS = 20


class EngineError(Exception):
    """An engine does not start; the message says which."""


@contextmanager
def engine_for(settings: Settings, *, aws: bool) -> Iterator[Settings]:
    """Run the engine that the settings select, within the context.

    Without `aws`, variables that could select an AWS account are removed from the environment.

    Args:
        settings: Settings from the command line.
        aws: Whether to use AWS.

    Yields:
        The settings with an endpoint.

    Raises:
        EngineError: The engine does not start.
    """
    if aws:
        yield settings
        return
    isolate()
    if settings.endpoint_url is not None:
        yield settings.on(settings.endpoint_url, settings.endpoint_url, counts_units=True)
    elif DYNOXIDE.exists():
        with _dynoxide() as url:
            yield settings.on(url, "dynoxide, in the memory of this machine", counts_units=True)
    else:
        os.environ.pop(ENDPOINT, None)
        with running_engine():
            engine = "moto, in the memory of this machine"
            yield settings.on(os.environ[ENDPOINT], engine, counts_units=False)


@contextmanager
def _dynoxide() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(  # noqa: S603 - the binary that the Makefile installed
        [str(DYNOXIDE), "--port", str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Ctrl-C must only reach the supervisor: a server that shuts down still needs the engine.
        start_new_session=True,
    )
    try:
        _wait_until_open(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(_READY_SECONDS)


def _wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EngineError(f"{DYNOXIDE} ended at once with code {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise EngineError(f"{DYNOXIDE} does not listen on port {port} after {_READY_SECONDS} s")
