"""A short name for each request: in its answer, in every line of the log about it, and on the page when it fails.

So a producer who writes to us names it, and we find what happened.
"""

import logging
import secrets
import time
from contextvars import ContextVar

from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that is taken for something else when it is read aloud
LENGTH = 10

# Never set back: uvicorn tells of an exception after we have returned, in the context that each request has for itself.
_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """The name of the request that is being handled, also in the threads that work for it; "" for none."""
    return _current.get()


class RequestIds:
    """ASGI middleware: gives the name, and tells the log of a request that failed by our fault (5xx; to offer
    no more than we do, 501, is none)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()
        request_id = "".join(
            secrets.choice(ALPHABET) for _ in range(LENGTH)
        )  # what a client says of its own counts not
        _current.set(request_id)

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
                if message["status"] >= 500 and message["status"] != 501:
                    _tell(scope, message["status"], int((time.monotonic() - begun) * 1000))
            await send(message)

        await self._app(scope, receive, named)


def _tell(scope: Scope, status: int, duration_ms: int) -> None:
    """The route as it stands in our table: an address may hold a secret, and a query a signature."""
    route = scope.get("route")
    told = {
        "method": scope["method"],
        "route": route.path if isinstance(route, Route) else "",
        "status": status,
        "duration_ms": duration_ms,
    }
    log.error("%(method)s %(route)s was answered %(status)s after %(duration_ms)s ms.", told, extra=told)
