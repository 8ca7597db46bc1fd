"""Child processes made by `os.fork`, and servers that record the connections of their clients."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import threading
import traceback
import warnings
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STUCK = 60
"""Timeout in seconds after which a child counts as stuck."""


class Child:
    """A fork of this process that calls a function and exits."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._reading, writing = os.pipe()
        with warnings.catch_warnings():
            # Python 3.12 and later warn that this process has threads. That is what is tested.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pid = os.fork()
        if self._pid == 0:
            # With `_exit`, or the child would run the rest of the tests.
            os._exit(_do(work, writing))
        os.close(writing)

    def join(self) -> None:
        """Wait for the child to exit; raise its error, or an error if it is stuck."""
        readable, _, _ = select.select([self._reading], [], [], STUCK)
        if not readable:
            os.kill(self._pid, signal.SIGKILL)
        said = b""
        while more := os.read(self._reading, 1 << 16):
            said += more
        os.close(self._reading)
        os.waitpid(self._pid, 0)
        assert readable, "the child is stuck"
        assert said == b"done", said.decode()


def _do(work: Callable[[], object], writing: int) -> int:
    try:
        work()
    except BaseException:
        os.write(writing, traceback.format_exc().encode()[-60_000:])
        return 1
    os.write(writing, b"done")
    return 0


class Server:
    """A server that answers every DynamoDB request as if the tables were empty.

    Attributes:
        url: Its endpoint.
        ports: Client ports of the connections, one for each request.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.ports: list[int] = []


@contextmanager
def answering_server() -> Iterator[Server]:
    """A server that keeps connections open."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            server.ports.append(self.client_address[1])
            body = b'{"Items": []}'
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        server = Server(f"http://127.0.0.1:{http.server_port}")
        thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


class Hanging:
    """A server that takes requests and never answers.

    Attributes:
        url: Its endpoint.
        asked: Set when a request has arrived.
    """

    def __init__(self, listening: socket.socket) -> None:
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.asked = threading.Event()
        self._listening = listening
        self._taken: list[socket.socket] = []
        threading.Thread(target=self._take, daemon=True).start()

    def end(self) -> None:
        """Close all connections."""
        for connection in (self._listening, *self._taken):
            with contextlib.suppress(OSError):  # Already closed.
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _take(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self._taken.append(connection)
                if connection.recv(1):
                    self.asked.set()


@contextmanager
def hanging_server() -> Iterator[Hanging]:
    """A server that takes requests and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Hanging(listening)
        try:
            yield server
        finally:
            server.end()
