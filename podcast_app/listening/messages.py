"""Answers as ASGI messages, made beforehand: a listener's request should cost a look-up, not a construction."""

from collections.abc import Iterable
from typing import NamedTuple

from starlette.types import Message, Scope, Send

Headers = list[tuple[bytes, bytes]]  # names in lower case (ASGI)


class Answer(NamedTuple):
    """A whole answer that can be sent again and again."""

    start: Message
    body: Message

    async def send(self, scope: Scope, send: Send) -> None:
        """To HEAD, without the body."""
        await send(self.start)
        await send(END if scope["method"] == "HEAD" else self.body)


def answer(status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"") -> Answer:
    return Answer(start(status, headers), piece(body, is_last=True))


def start(status: int, headers: Iterable[tuple[bytes, bytes]]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def piece(body: bytes | bytearray, *, is_last: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": not is_last}


END = piece(b"", is_last=True)
NOTHING_YET = piece(b"", is_last=False)
