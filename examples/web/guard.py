"""Protection against other sites in the same browser, and the page's security headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_OURS = frozenset({"127.0.0.1", "localhost"})


class Guard:
    """Rejects cross-site requests and sets the headers of responses.

    The application has no authentication and listens on loopback only. Other sites in the same
    browser can also reach it, by its address or by a DNS name that resolves to loopback.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        if _is_ours(Headers(scope=scope)):
            await self._app(scope, receive, sent)
            return
        refusal = PlainTextResponse("this server answers its own page alone", 403)
        await refusal(scope, receive, sent)


def _is_ours(headers: Headers) -> bool:
    host = headers.get("host", "")
    origin: Any = headers.get("origin")
    if host.partition(":")[0] not in _OURS:
        return False
    return origin is None or origin == f"http://{host}"
