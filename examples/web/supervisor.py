"""Keeps a server running: when a server process ends, the next one continues from DynamoDB."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from examples.web.settings import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from examples.web.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
READY = b"ready\n"
"""A worker's output once it can serve."""
_PATIENCE = 10
"""Seconds that a worker has to shut down."""


class PortError(Exception):
    """The port is not usable; the message says what to do."""


def supervise(settings: Settings, port: int, tell: Callable[[str], None]) -> int:
    """Run one worker after the other until this process is stopped.

    This process owns the listening socket. Requests that arrive while no worker runs are queued for
    the next worker.

    Args:
        settings: The workers' settings.
        port: Port on loopback; 0 for any free port.
        tell: Called with the address and the process id of each worker.

    Returns:
        Exit code: 0 after Ctrl-C or SIGTERM, 1 if a worker could not start.

    Raises:
        PortError: The port is in use.
    """
    signal.signal(signal.SIGTERM, _stop)
    with _listening(port) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            while _run_worker(settings, listener, lambda pid: tell(f"{address}  (process {pid})")):
                tell("the server has ended; another one takes over")
        except KeyboardInterrupt:
            return 0
    return 1


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        raise PortError(f"port {port} cannot be used ({error}); name another: --port") from error
    with listener:
        yield listener


def _run_worker(
    settings: Settings, listener: socket.socket, on_ready: Callable[[int], None]
) -> bool:
    """Run a worker until it exits; return whether it was ready."""
    worker = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "examples.web.worker", str(listener.fileno())],
        cwd=ROOT,
        env={**os.environ, VARIABLE: settings.to_json()},
        pass_fds=[listener.fileno()],
        # Never written to: it closes when this process exits.
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C must only reach this process, which stops the worker.
        start_new_session=True,
    )
    with worker:
        try:
            ready = worker.stdout is not None and worker.stdout.readline() == READY
            if ready:
                on_ready(worker.pid)
            worker.wait()
            return ready
        finally:
            _end(worker)


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.terminate()
    try:
        worker.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        worker.kill()


def _stop(*_: object) -> None:
    raise KeyboardInterrupt
