"""DynamoDB and S3 in this process, on loopback: moto's server. Needs the extra `[testing]`."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@contextmanager
def embedded_engine(port: int = 0) -> Iterator[str]:
    """Run DynamoDB and S3 for as long as the context lasts. What is stored ends with it.

    It takes any credentials, checks no rights and does not count capacity as AWS does. All engines
    of a process share their tables and buckets.

    Args:
        port: Port of 127.0.0.1 to listen on; 0 for one that is free.

    Yields:
        Its endpoint, for example `http://127.0.0.1:8000`.

    Raises:
        ModuleNotFoundError: `moto[server]` is not installed.
        OSError: Something else listens on the port.
        OverflowError: It is no port.
    """
    # Of the extra.
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, *_: object) -> None:
            """Say nothing of every request."""

    _require_free(port)
    application = _in_turn(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", port, application, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _require_free(port: int) -> None:
    """Raise where werkzeug would end the process."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def _in_turn(application: WSGIApplication) -> WSGIApplication:
    """The application, answering one request at a time.

    moto rolls a failed transaction back by putting an older copy of the whole table in place, which
    loses what other threads have written in between.
    """
    turn = threading.Lock()

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with turn:
            return list(application(environ, start_response))

    return answer
