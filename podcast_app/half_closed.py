"""A sender that has closed its own side still listens, and is answered.

uvicorn closes such a connection at once, so that a script or proxy whose upload was cut never learns what became of it.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 that keeps our side open for the answer."""

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio's: uvicorn's says None, which means False
        """Whether our side stays open (asyncio). Who has gone for good is met by the next write."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return False
        cycle.keep_alive = False
        if cycle.more_body:
            cycle.scope["state"]["is_cut"] = True
            cycle.message_event.set()
        return True


def told(app: ASGIApp) -> ASGIApp:
    """The application, for which a body that ended early is one whose sender went away."""

    async def around(scope: Scope, receive: Receive, send: Send) -> None:
        async def received() -> Message:
            message = await receive()
            return {"type": "http.disconnect"} if scope["state"].get("is_cut") else message

        await app(scope, received if "state" in scope else receive, send)

    return around
