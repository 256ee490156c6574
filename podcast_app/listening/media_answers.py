"""What can be answered about one recording, as far as it can be made beforehand."""

from starlette.types import Message

from media.storage.download_name import content_disposition
from podcast_app.addresses import LANGUAGES
from podcast_app.listening import conditions, ranges
from podcast_app.listening.messages import END, Answer, Headers, answer, start
from podcast_app.listening.recordings import Recording
from podcast_app.times import http_date
from podcast_app.words import plain

CORS: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Accept-Ranges, Content-Range, Content-Length, ETag"),
]
EMPTY = (b"content-length", b"0")


class MediaAnswers:
    """The answers about a recording; of those with bytes, the beginnings."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._etag = f'"{recording.sha256[:32]}"'.encode()
        # the dates of HTTP have whole seconds
        self._modified_at = recording.modified_at and recording.modified_at.replace(microsecond=0)
        kept: Headers = [*CORS, (b"etag", self._etag), (b"cache-control", b"public, max-age=3600")]
        dated: Headers = [(b"last-modified", http_date(self._modified_at).encode())] if self._modified_at else []
        self._described: Headers = [
            *kept,
            *dated,
            (b"accept-ranges", b"bytes"),
            (b"content-type", recording.media_type.encode()),
            (b"x-content-type-options", b"nosniff"),
        ]
        self._disposition = (b"content-disposition", content_disposition(recording.file_name).encode())
        self._unchanged = answer(304, kept)
        self._head = answer(200, [*self._described, (b"content-length", b"%d" % recording.size_bytes)])
        self._beyond = answer(416, [*CORS, (b"content-range", b"bytes */%d" % recording.size_bytes), EMPTY])

    def changed(self, headers: dict[bytes, bytes]) -> Answer | None:
        """412 for whoever wants only what it once was. To be asked before `unchanged` (RFC 9110, 13.2.2)."""
        if (etags := headers.get(b"if-match")) is not None:
            return None if conditions.is_matched(etags, self._etag) else CHANGED
        return CHANGED if conditions.changed_after(headers.get(b"if-unmodified-since"), self._modified_at) else None

    def unchanged(self, headers: dict[bytes, bytes]) -> Answer | None:
        """304 for whoever has it already."""
        if (etags := headers.get(b"if-none-match")) is not None:
            return self._unchanged if conditions.named(etags, (self._etag,)) else None
        is_changed = conditions.changed_after(headers.get(b"if-modified-since"), self._modified_at)
        return self._unchanged if is_changed is False else None

    def head(self, *, is_download: bool) -> Answer:
        return Answer(self._start(200, self._all, is_download=True), END) if is_download else self._head

    def beginning(self, headers: dict[bytes, bytes], *, is_download: bool) -> tuple[Message, range] | Answer:
        """How the answer to a GET begins, and which bytes follow; 416 when we have none of those asked for."""
        part = self._part(headers)
        if part is None:
            return self._start(200, self._all, is_download=is_download), self._all
        if not part:
            return self._beyond
        place = (b"content-range", b"bytes %d-%d/%d" % (part.start, part.stop - 1, len(self._all)))
        return self._start(206, part, place, is_download=is_download), part

    @property
    def _all(self) -> range:
        return range(self.recording.size_bytes)

    def _part(self, headers: dict[bytes, bytes]) -> range | None:
        """The bytes that are asked for; None for all of them."""
        field, if_range = headers.get(b"range"), headers.get(b"if-range")
        if field is None:
            return None
        if if_range is not None and not conditions.is_same(if_range, self._etag, self._modified_at):
            return None
        return ranges.asked(field, self.recording.size_bytes)

    def _start(self, status: int, part: range, *more: tuple[bytes, bytes], is_download: bool) -> Message:
        headers = [*self._described, *more, (b"content-length", b"%d" % len(part))]
        return start(status, [*headers, self._disposition] if is_download else headers)


def redirect(address: str) -> Answer:
    """To where the bucket gives the bytes out. Not to be stored: the address ends, and players keep what they got."""
    return answer(302, [*CORS, (b"location", address.encode()), (b"cache-control", b"no-store"), EMPTY])


def _said(status: int, sentence: str, *headers: tuple[bytes, bytes]) -> Answer:
    """In all our languages, because what is said at a media address depends on nothing that a browser sends."""
    body = "".join(f"{plain(language, sentence)}\n" for language in LANGUAGES).encode()
    described = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    return answer(status, [*CORS, *described, *headers], body)


NO_SUCH_AUDIO = "There is no such audio here. Look for the episode on the show's page."
WAS_WITHDRAWN = "This episode was withdrawn by those who made it. The show's page has the others."
NOT_NOW = "The audio cannot be read at the moment. Try again in a minute."

UNKNOWN = _said(404, NO_SUCH_AUDIO)
WITHDRAWN = _said(410, WAS_WITHDRAWN)
UNAVAILABLE = _said(503, NOT_NOW, (b"retry-after", b"60"), (b"cache-control", b"no-store"))
CHANGED = answer(412, [*CORS, EMPTY])
NOT_ALLOWED = answer(405, [*CORS, (b"allow", b"GET, HEAD, OPTIONS"), EMPTY])
PREFLIGHT = answer(
    204,
    [
        (b"access-control-allow-origin", b"*"),
        (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
        (b"access-control-allow-headers", b"Range, If-Range, If-Match, If-None-Match, If-Modified-Since"),
        (b"access-control-max-age", b"86400"),
    ],
)
