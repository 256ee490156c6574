"""Answers that browsers and proxies may keep: a validator over the bytes, 304, Brotli and gzip for whoever takes them.

What a page says changes with its show's generation, so until then it is also kept here: see listening/pages.py.
"""

import gzip
import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import brotli
from anyio import to_thread
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from podcast_app.http import services
from podcast_app.listening import conditions, encodings
from podcast_app.models import ShowId

SHORTLY = "public, max-age=60"  # what changes when somebody publishes
FOREVER = "public, max-age=31536000, immutable"  # what gets another address when it changes

WORTH_PACKING = 500  # bytes; below, an encoding's own head eats what it saves
ENCODINGS = ("br", "gzip")
ONCE, EACH_TIME = 11, 5  # Brotli's quality: of 20 kB the best takes 45 ms and leaves a tenth less than what takes 2 ms


class Until(NamedTuple):
    """What an answer holds until: the show leaves this generation. Without a show, the sum of all shows' does."""

    show_id: ShowId | None
    generation: int


class Kept(Response):
    """A text as an answer, in whichever encoding: made once, sent as often as one likes.

    One ETag for each encoding; either one matches, and then the answer is 304.
    """

    def __init__(self, body: bytes, media_type: str, headers: Mapping[str, str], quality: int = ONCE) -> None:
        super().__init__(body, 200, {"Vary": "Accept-Encoding", **headers}, media_type)
        self._quality = quality
        self._digest = hashlib.sha256(body).hexdigest()[:24]
        self._packed: dict[str, bytes] = {"identity": body}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Headers(scope=scope)
        wanted = encodings.best(_field(asked, "accept-encoding"), *ENCODINGS) if self._is_worth_packing else "identity"
        etags = [self._etag(name).encode() for name in ("identity", *ENCODINGS)]
        if conditions.named(_field(asked, "if-none-match"), etags) is not None:
            await self._unchanged(wanted)(scope, receive, send)
        else:
            await self._answer(wanted, await self._body(wanted))(scope, receive, send)

    @property
    def _is_worth_packing(self) -> bool:
        return len(self._packed["identity"]) >= WORTH_PACKING

    async def _body(self, encoding: str) -> bytes:
        """Packed off the event loop, when somebody first asks for it."""
        if encoding not in self._packed:
            self._packed[encoding] = await to_thread.run_sync(self._pack, encoding)
        return self._packed[encoding]

    def _pack(self, encoding: str) -> bytes:
        plain = self._packed["identity"]
        if encoding == "gzip":
            return gzip.compress(plain, mtime=0)
        return bytes(brotli.compress(plain, mode=brotli.MODE_TEXT, quality=self._quality))

    def _answer(self, encoding: str, body: bytes) -> Response:
        headers = self._said(encoding) | {"Content-Type": self.headers["Content-Type"]}
        if encoding != "identity":
            headers["Content-Encoding"] = encoding
        return Response(body, headers=headers)

    def _unchanged(self, encoding: str) -> Response:
        return Response(status_code=304, headers=self._said(encoding))

    def _said(self, encoding: str) -> dict[str, str]:
        of_the_body = ("content-length", "content-type")
        shared = {name: value for name, value in self.headers.items() if name not in of_the_body}
        return shared | {"ETag": self._etag(encoding)}

    def _etag(self, encoding: str) -> str:
        return f'"{self._digest}"' if encoding == "identity" else f'"{self._digest}-{encoding}"'


def kept(
    request: Request,
    body: bytes,
    media_type: str,
    *,
    cache_control: str = SHORTLY,
    headers: Mapping[str, str] | None = None,
    until: Until | None = None,
) -> Kept:
    """The answer with this text. `until`: the same to everybody who asks at this address, until then."""
    quality = EACH_TIME if until is None else ONCE
    made = Kept(body, media_type, {"Cache-Control": cache_control, **(headers or {})}, quality)
    if until is not None:
        services(request).pages.keep(request.scope, made, 2 * len(body), *until)
    return made


def has_any(request: Request, *etags: str) -> bool:
    """Whether the client has one of these already (If-None-Match)."""
    return conditions.named(_field(request.headers, "if-none-match"), [etag.encode() for etag in etags]) is not None


def _field(headers: Headers, name: str) -> bytes:
    return headers.get(name, "").encode("latin-1")
