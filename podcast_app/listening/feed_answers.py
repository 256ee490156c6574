"""Everything that can be answered about one generation of a feed, made when the generation comes."""

import datetime as dt
import zlib
from dataclasses import dataclass

from anyio import to_thread
from starlette.types import Scope, Send

from podcast_app.listening import conditions, readers
from podcast_app.listening.encodings import takes_gzip
from podcast_app.listening.messages import Answer, Headers, answer
from podcast_app.models import ShowId
from podcast_app.settings import Settings
from podcast_app.times import http_date

LONGEST_NAME = 64  # bytes of a reader's name for itself that tell who it is
GZIP_WINDOW = zlib.MAX_WBITS | 16  # zlib's way to say: in a gzip file


@dataclass(frozen=True, slots=True)
class Generation:
    """A feed as published."""

    show_id: ShowId
    view: str
    number: int
    path: str
    gzip: bytes
    etag: str
    size_bytes: int  # unpacked
    modified_at: dt.datetime


class FeedAnswers:
    """The answers to all requests for a feed's address, as long as this generation is the current one."""

    def __init__(self, generation: Generation, settings: Settings, notes: readers.Notes) -> None:
        self.generation = generation
        self._notes = notes
        self._came: set[str] = set()  # the readers that are noted already
        # a server spends a microsecond on each header, and 304 is what is answered most: it says what it must
        shared: Headers = [
            (b"cache-control", b"public, max-age=300"),
            (b"vary", b"Accept-Encoding"),
            (b"access-control-allow-origin", b"*"),
        ]
        whole: Headers = [
            *shared,
            (b"last-modified", http_date(generation.modified_at).encode()),
            (b"content-type", b"application/rss+xml; charset=utf-8"),
            (b"link", _links(generation, settings)),
            (b"x-content-type-options", b"nosniff"),
        ]
        plain_etag, gzip_etag = f'"{generation.etag}"'.encode(), f'"{generation.etag}-gzip"'.encode()
        self._plain_headers: Headers = [
            *whole,
            (b"etag", plain_etag),
            (b"content-length", b"%d" % generation.size_bytes),
        ]
        gzip_headers: Headers = [
            *whole,
            (b"etag", gzip_etag),
            (b"content-length", b"%d" % len(generation.gzip)),
            (b"content-encoding", b"gzip"),
        ]
        self._gzip = answer(200, gzip_headers, generation.gzip)
        self._plain: Answer | None = None  # not before somebody asks: most apps take gzip, and it is so much larger
        self._etags = (gzip_etag, plain_etag)
        self._unchanged = {etag: answer(304, [*shared, (b"etag", etag)]) for etag in self._etags}

    async def send(self, scope: Scope, send: Send) -> None:
        """Neither Host, cookies, User-Agent nor a query string changes anything in the answer."""
        headers = dict(scope["headers"])
        found = self._found(headers) if scope["method"] in ("GET", "HEAD") else NOT_ALLOWED
        if (reader := readers.reader(headers.get(b"user-agent", b"")[:LONGEST_NAME])) and scope["method"] == "GET":
            self._note(reader)
        await (found or await self._unpack()).send(scope, send)

    def _found(self, headers: dict[bytes, bytes]) -> Answer | None:
        """None for the feed as it is, before somebody asked for it so."""
        if (etags := headers.get(b"if-none-match")) is not None:
            if etag := conditions.named(etags, self._etags):
                return self._unchanged[etag]
        elif conditions.changed_after(headers.get(b"if-modified-since"), self.generation.modified_at) is False:
            return self._unchanged[self._etags[0 if _takes_gzip(headers) else 1]]
        return self._gzip if _takes_gzip(headers) else self._plain

    def _note(self, reader: str) -> None:
        if reader not in self._came:
            self._came.add(reader)
            self._notes.add(self.generation.show_id, self.generation.view, self.generation.number, reader)

    async def _unpack(self) -> Answer:
        unpacked = await to_thread.run_sync(
            zlib.decompress, self.generation.gzip, GZIP_WINDOW, self.generation.size_bytes
        )
        self._plain = answer(200, self._plain_headers, unpacked)
        return self._plain


NOT_ALLOWED = answer(405, [(b"allow", b"GET, HEAD"), (b"content-length", b"0"), (b"access-control-allow-origin", b"*")])


def _takes_gzip(headers: dict[bytes, bytes]) -> bool:
    return takes_gzip(headers.get(b"accept-encoding", b""))


def _links(generation: Generation, settings: Settings) -> bytes:
    """Where the feed is, and who tells of its changes (WebSub 4)."""
    hubs = (f'<{hub}>; rel="hub"' for hub in settings.websub_hubs)
    return ", ".join((f'<{settings.origin}{generation.path}>; rel="self"', *hubs)).encode()
