"""Real DynamoDB engines to test on, each bound to loopback.

`TEST_ENGINE` selects one: `dynoxide`, `moto`, or `endpoint` for the server at
`DYNAMODB_ENDPOINT_URL` (such as DynamoDB Local). The default is dynoxide if installed, else moto.
If the selected engine is missing, tests fail rather than skip.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore

from langgraph_checkpoint_dynamodb.testing import embedded_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DYNOXIDE = Path(
    os.environ.get("DYNOXIDE_BIN", ".engines/node_modules/@dynoxide/linux-x64/dynoxide")
)
_READY_SECONDS = 20


@dataclass(frozen=True)
class Engine:
    """A running engine.

    Attributes:
        name: Name of the engine.
        url: Its endpoint.
        faithful: Whether it counts capacity, limits items and serves transactions as AWS documents.
    """

    name: str
    url: str
    faithful: bool

    @property
    def searches_vectors(self) -> bool:
        """Whether both the engine and the SDK (from 1.43.64 on) support vector indexes."""
        release = tuple(int(part) for part in botocore.__version__.split(".")[:3])
        return self.name == "dynoxide" and release >= (1, 43, 64)


def engine_name() -> str:
    """The engine to use: the selected one, else the best one available."""
    asked = os.environ.get("TEST_ENGINE", "")
    if asked:
        return asked
    if os.environ.get("DYNAMODB_ENDPOINT_URL"):
        return "endpoint"
    return "dynoxide" if DYNOXIDE.exists() else "moto"


@contextmanager
def running_engine() -> Iterator[Engine]:
    """Run the engine while the context is open."""
    name = engine_name()
    starters: dict[str, Callable[[], Any]] = {
        "dynoxide": _dynoxide,
        "moto": _moto,
        "endpoint": _endpoint,
    }
    if name not in starters:
        raise RuntimeError(f"TEST_ENGINE={name!r} is unknown; known are {sorted(starters)}")
    with starters[name]() as engine:
        yield engine


@contextmanager
def _endpoint() -> Iterator[Engine]:
    url = os.environ.get("DYNAMODB_ENDPOINT_URL")
    if not url:
        raise RuntimeError("TEST_ENGINE=endpoint needs DYNAMODB_ENDPOINT_URL")
    yield Engine("endpoint", url, faithful=True)


@contextmanager
def _dynoxide() -> Iterator[Engine]:
    if not DYNOXIDE.exists():
        raise RuntimeError(f"dynoxide was asked for and is not at {DYNOXIDE}; see make help")
    port = free_port()
    process = subprocess.Popen(  # noqa: S603 - the binary that the Makefile installed
        [str(DYNOXIDE), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    try:
        wait_until_open("dynoxide", port, process)
        yield Engine("dynoxide", f"http://127.0.0.1:{port}", faithful=True)
    finally:
        process.terminate()
        process.wait(_READY_SECONDS)


@contextmanager
def _moto() -> Iterator[Engine]:
    with embedded_engine() as url:
        yield Engine("moto", url, faithful=False)


def free_port() -> int:
    """A free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_open(name: str, port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until an engine listens on its port."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended at once with code {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"{name} did not open its port in time")
