"""DynamoDB and S3 in this process, on 127.0.0.1: moto's server. Needs the extra `[testing]`."""

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
    """Run DynamoDB and S3 while the context is open. The data is lost when the process ends.

    It accepts any credentials, checks no permissions and does not count capacity as AWS does. All
    engines of a process share their tables and buckets.

    Args:
        port: Port of 127.0.0.1 to listen on; 0 for any free port.

    Yields:
        Its endpoint, for example `http://127.0.0.1:8000`.

    Raises:
        ModuleNotFoundError: `moto[server]` is not installed.
        OSError: The port is in use.
        OverflowError: The port is out of range.
    """
    # Imported here: they need the extra.
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, *_: object) -> None:
            """Do not log requests."""

    _require_free(port)
    application = _one_request_at_a_time(DomainDispatcherApplication(create_backend_app))
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
    """Raise an error if the port is in use, for which werkzeug would end the process."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def _one_request_at_a_time(application: WSGIApplication) -> WSGIApplication:
    """Serialize the requests to an application.

    moto rolls a failed transaction back by restoring an older copy of the whole table, which loses
    concurrent writes.
    """
    lock = threading.Lock()

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with lock:
            return list(application(environ, start_response))

    return answer
