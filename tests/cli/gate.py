"""A proxy to an engine that can be shut, to stop a command at a known request."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlparse

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 60


class Gate:
    """Forwards requests to an engine, until it is shut.

    Attributes:
        url: Its endpoint.
        shut: Set when a request waits at the shut gate.
    """

    def __init__(self, engine_url: str) -> None:
        self._engine = urlparse(engine_url)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.shut = threading.Event()
        self._lock = threading.Lock()
        self._operations: tuple[str, ...] = ()
        self._left = 0
        self._open = threading.Event()
        self._open.set()

    def shut_after(self, count: int, *operations: str) -> None:
        """Forward this many more requests of these operations. Later ones wait and are dropped."""
        with self._lock:
            self._operations, self._left = operations, count
            self._open.clear()
            self.shut.clear()

    def open(self) -> None:
        """Forward everything again. Waiting requests are dropped."""
        with self._lock:
            self._operations = ()
            self._open.set()

    def _passes(self, operation: str) -> bool:
        with self._lock:
            if operation not in self._operations:
                return True
            self._left -= 1
            if self._left >= 0:
                return True
        self.shut.set()
        self._open.wait(_SECONDS)
        return False

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if not gate._passes(self.headers["X-Amz-Target"].rpartition(".")[2]):
                    self.close_connection = True
                    return
                engine = HTTPConnection(gate._engine.hostname or "", gate._engine.port)
                engine.request("POST", self.path, body, dict(self.headers))
                answer = engine.getresponse()
                data = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                engine.close()

            def log_message(self, *_: object) -> None:
                """Do not log requests."""

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, OSError):
                    # The command was stopped: its connection is closed.
                    self.close_connection = True

        return Handler

    @contextmanager
    def running(self) -> Iterator[Gate]:
        """Run the proxy for as long as the context lasts."""
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.open()
            self._server.shutdown()
            self._server.server_close()
            thread.join()
