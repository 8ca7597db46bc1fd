"""An HTTP server between a process and its engine that counts, holds and drops requests."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 300
"""Timeout in seconds after which a blocked request is dropped."""
_NOT_PASSED_ON = {"connection", "transfer-encoding", "content-length", "host"}


@dataclass(frozen=True)
class Asked:
    """A request to DynamoDB.

    Attributes:
        operation: The API action, such as `PutItem`.
        params: The parameters.
    """

    operation: str
    params: dict[str, Any]

    @property
    def writes_to(self) -> set[str]:
        """Names of the tables in which the request puts or updates items."""
        if self.operation == "PutItem":
            return {self.params["TableName"]}
        parts = self.params.get("TransactItems", [])
        return {part["TableName"] for one in parts for part in one.values()}


@dataclass
class Hold:
    """Holds a request and its retries.

    Attributes:
        wanted: Selects the request.
        reached: Set when the request is held.
    """

    wanted: Callable[[Asked], bool]
    _asked: Asked | None = None
    reached: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)
    _dropped: bool = False
    _given_up: bool = False

    def wait(self) -> None:
        """Wait until the request is held."""
        if not self.reached.wait(PATIENCE):
            raise RuntimeError("the request to hold has not come")

    def release(self) -> None:
        """Release the request.

        Raises:
            RuntimeError: The hold has already timed out.
        """
        if self._given_up:
            raise RuntimeError("what had to come while the request was held has not come")
        self._over.set()

    def drop(self) -> None:
        """Drop the request."""
        self._dropped = True
        self._over.set()

    def holds(self, asked: Asked) -> bool:
        """Whether to hold this request."""
        if self._asked is None and self.wanted(asked):
            self._asked = asked
        return self._asked == asked

    def passes(self) -> bool:
        """Hold the current request; returns whether to forward it afterwards."""
        self.reached.set()
        self._given_up = not self._over.wait(PATIENCE)
        return not self._given_up and not self._dropped


class Relay:
    """An endpoint that a process uses as DynamoDB.

    Args:
        url: Endpoint of the engine.

    Attributes:
        asked: Every request, in order of arrival.
        connections: Number of connections so far.
    """

    def __init__(self, url: str) -> None:
        self.asked: list[Asked] = []
        self.connections = 0
        self._engine = urlsplit(url)
        self._holds: list[Hold] = []
        self._open: set[socket.socket] = set()
        self._silent: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def hold(self, wanted: Callable[[Asked], bool]) -> Hold:
        """Hold the next request that matches."""
        hold = Hold(wanted)
        with self._lock:
            self._holds.append(hold)
        return hold

    def cut(self) -> None:
        """Close all connections, as a server does after an idle timeout."""
        for one in self._all_open():
            one.shutdown(socket.SHUT_RDWR)

    def go_silent(self) -> None:
        """Stop answering on open connections, as if a router had dropped them from its table."""
        self._silent |= self._all_open()

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _all_open(self) -> set[socket.socket]:
        with self._lock:
            return set(self._open)

    def _held(self, asked: Asked) -> Hold | None:
        with self._lock:
            self.asked.append(asked)
            return next((hold for hold in self._holds if hold.holds(asked)), None)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                self.engine = HTTPConnection(relay._engine.netloc, timeout=PATIENCE)
                with relay._lock:
                    relay.connections += 1
                    relay._open.add(self.connection)

            def finish(self) -> None:
                with relay._lock:
                    relay._open.discard(self.connection)
                self.engine.close()
                super().finish()

            def log_message(self, *_: object) -> None:
                """Log nothing."""

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                operation = self.headers["X-Amz-Target"].rpartition(".")[2]
                hold = relay._held(Asked(operation, json.loads(body)))
                if (hold and not hold.passes()) or self.connection in relay._silent:
                    self.close_connection = hold is not None
                    return
                headers = {k: v for k, v in self.headers.items() if k.lower() not in _NOT_PASSED_ON}
                self.engine.request("POST", self.path, body, headers)
                answer = self.engine.getresponse()
                content = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in _NOT_PASSED_ON:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        return Handler


@contextmanager
def running_relay(url: str) -> Iterator[Relay]:
    """A relay to the engine while the context is open."""
    relay = Relay(url)
    try:
        yield relay
    finally:
        relay.close()
