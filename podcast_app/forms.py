"""A multipart form, read while it streams: the audio goes straight to storage, never whole through memory.

`Request.form()` would spool the file to disk first and make us copy it; and it takes a form that ends before its
last boundary for a whole one.
"""

import asyncio
import urllib.parse
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from anyio import CancelScope, to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from sqlalchemy.exc import SQLAlchemyError

from feeds.checks import Finding, error
from media.storage import Full, Unavailable
from podcast_app.uploads import Original, Received

PIECE = 1 << 20  # bytes handed to storage at once
LONGEST_FIELD = 600_000  # bytes kept of a text: more than any field may hold, so that the field's own check refuses it
LARGEST_PICTURE = 20_000_000  # bytes
LARGEST_TRANSCRIPT = 10_000_000  # bytes
MOST_PARTS = 200
FAILURES = (Full, Unavailable, SQLAlchemyError)  # of what keeps the audio


class BadForm(Exception):
    """The body is no whole form. Nothing of it stays."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.problem)
        self.finding = finding


@dataclass(frozen=True, slots=True)
class SmallFile:
    """A file that fits into memory."""

    name: str  # as the sender's machine calls it
    data: bytes


@dataclass(slots=True)
class Form:
    """What the form said."""

    fields: dict[str, str] = field(default_factory=dict)
    audio: Received | None = None  # whole in storage, announced
    failure: Exception | None = None  # one of FAILURES: why the audio that came is not there (`read_on`)
    files: dict[str, SmallFile] = field(default_factory=dict)  # those that were chosen, besides the audio

    @property
    def picture(self) -> bytes | None:
        return self.files["cover"].data if "cover" in self.files else None


@dataclass(frozen=True, slots=True)
class Room:
    """For a small file."""

    most_bytes: int
    refusal: Finding


async def read(
    body: AsyncIterator[bytes],
    content_type: str,
    open_original: Callable[[], Original],
    rooms: Mapping[str, Room] | None = None,
) -> Form:
    """Read the whole form. Parts may come in any order. `rooms`: the small files that it may hold; else a cover.

    Raises BadForm, uploads.TooLarge, media.storage.Full and Unavailable, and whatever the body raises when the
    sender goes away; in each case nothing of the audio stays.
    """
    return await _read(body, content_type, _Audio(open_original), rooms)


async def read_on(
    body: AsyncIterator[bytes],
    content_type: str,
    open_original: Callable[[], Original],
    rooms: Mapping[str, Room] | None = None,
) -> Form:
    """The same for a page's form, whose texts come behind its audio: when that cannot be kept they are read all the
    same, and the form says why (`failure`)."""
    audio = _AudioOrNot(open_original)
    form = await _read(body, content_type, audio, rooms)
    form.failure = audio.failure
    return form


async def read_texts(body: AsyncIterator[bytes], content_type: str, most_bytes: int) -> Form:
    """Only the texts, of which there may be so many bytes in all: files are left aside as they come, but for their
    names. Raises BadForm, and whatever the body raises."""
    parts = _TextParts(most_bytes)
    parser = parts.parser(content_type)
    try:
        async for chunk in body:
            parser.write(chunk)
    except FormParserError as cause:
        raise BadForm(CUT_SHORT) from cause
    parts.must_be_whole()
    return parts.form


async def _read(
    body: AsyncIterator[bytes], content_type: str, audio: "_Audio", rooms: Mapping[str, Room] | None
) -> Form:
    parts = _Parts(COVER if rooms is None else rooms)
    parser = parts.parser(content_type)
    try:
        async for chunk in body:
            parser.write(chunk)
            if parts.has_audio:
                await audio.take(parts.audio, at_least=PIECE)
        parts.must_be_whole()
        if parts.has_audio:
            await audio.take(parts.audio, at_least=0)
            parts.form.audio = await audio.finish(parts.audio_name)
    except BaseException as cause:
        await audio.abandon(cause)
        if isinstance(cause, FormParserError):
            raise BadForm(CUT_SHORT) from cause
        raise
    return parts.form


CUT_SHORT = error("body", "The form ended before it was whole.", "Send it again; nothing of it was kept.")
NO_FORM = error(
    "body", "This is not a multipart form.", "Send multipart/form-data with a boundary, or JSON with an upload_id."
)
TOO_MANY = error("body", "The form has too many parts.", "Send each field once.")
TOO_LONG = error("body", "The form holds too much text.", "Shorten it, and send it again.")
TWICE = error("audio", "The form holds two audio files.", "Send one audio file for each episode.")
PICTURE_TOO_LARGE = error(
    "cover", "The picture is larger than {limit}.", "Save it as JPEG, at most 3000 pixels wide.", limit="20 MB"
)
TRANSCRIPT_TOO_LARGE = error(
    "transcript", "The file is larger than {limit}, so it is no transcript.", "Choose a text file.", limit="10 MB"
)

COVER = {"cover": Room(LARGEST_PICTURE, PICTURE_TOO_LARGE)}
TRANSCRIPT = {"transcript": Room(LARGEST_TRANSCRIPT, TRANSCRIPT_TOO_LARGE)}


class _Audio:
    """The audio's way to storage: one piece is written while the next one is read."""

    def __init__(self, open_original: Callable[[], Original]) -> None:
        self._open = open_original
        self._original: Original | None = None
        self._writing: asyncio.Future[None] | None = None

    async def take(self, waiting: bytearray, *, at_least: int) -> None:
        """Empties `waiting` when it holds enough."""
        if self._original is None:
            self._original = await to_thread.run_sync(self._open)
        if len(waiting) >= at_least:
            await self._written()
            piece = bytes(waiting)
            waiting.clear()
            self._writing = asyncio.ensure_future(to_thread.run_sync(self._original.write, piece))

    async def finish(self, filename: str) -> Received | None:
        await self._written()
        assert self._original is not None
        return await to_thread.run_sync(self._original.finish, filename)

    async def abandon(self, cause: BaseException) -> None:
        with CancelScope(shield=True):
            if self._writing is not None:
                await asyncio.gather(self._writing, return_exceptions=True)  # `cause` came first
            if self._original is not None:
                await to_thread.run_sync(self._original.abandon, cause)

    async def _written(self) -> None:
        if self._writing is not None:
            await self._writing


class _AudioOrNot(_Audio):
    """What comes after a failure is dropped. Then nothing stays of what came before it either."""

    failure: Exception | None = None

    async def take(self, waiting: bytearray, *, at_least: int) -> None:
        try:
            if self.failure is None:
                await super().take(waiting, at_least=at_least)
        except FAILURES as failure:
            await self._fail(failure)
        if self.failure is not None:
            waiting.clear()

    async def finish(self, filename: str) -> Received | None:
        try:
            return await super().finish(filename) if self.failure is None else None
        except FAILURES as failure:
            await self._fail(failure)
            return None

    async def abandon(self, cause: BaseException) -> None:
        if self.failure is None:
            await super().abandon(cause)

    async def _fail(self, failure: Exception) -> None:
        with suppress(*FAILURES):  # what fails again here is left to the worker, as anything that nobody takes over
            await super().abandon(failure)
        self.failure = failure


class _Parts:
    """What the parser has met so far."""

    def __init__(self, rooms: Mapping[str, Room]) -> None:
        self.form = Form()
        self._rooms = rooms
        self.audio = bytearray()  # of the audio, what is not yet on its way to storage
        self.audio_name = ""
        self.has_audio = False  # a file field in which nothing was chosen has neither a name nor bytes
        self._is_audio_named = False
        self._count = 0
        self._name = ""
        self._filename = ""
        self._header_name = b""
        self._header_value = b""
        self._disposition = b""
        self._data = bytearray()  # of a part that is no audio
        self._is_whole = False

    def parser(self, content_type: str) -> MultipartParser:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise BadForm(NO_FORM)
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_header_name,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )

    def must_be_whole(self) -> None:
        if not self._is_whole:
            raise BadForm(CUT_SHORT)

    def _begin(self) -> None:
        self._count += 1
        if self._count > MOST_PARTS:
            raise BadForm(TOO_MANY)
        self._disposition = b""
        self._data.clear()

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value
        self._header_name = self._header_value = b""

    def _on_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = _text(options.get(b"name", b""))
        self._filename = _text(options.get(b"filename", b""))
        if self._name != "audio":
            return
        if self._is_audio_named:
            raise BadForm(TWICE)
        self._is_audio_named = True
        self.audio_name = self._filename
        self.has_audio = bool(self.audio_name)

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._name == "audio":
            self.has_audio = True
            self.audio += data[start:end]
        elif len(self._data) <= self._most_bytes():
            self._data += data[start:end]

    def _most_bytes(self) -> int:
        return self._rooms[self._name].most_bytes if self._name in self._rooms else LONGEST_FIELD

    def _on_part_end(self) -> None:
        if room := self._rooms.get(self._name):
            if len(self._data) > room.most_bytes:
                raise BadForm(room.refusal)
            if self._data:  # or nothing was chosen
                self.form.files[self._name] = SmallFile(self._filename, bytes(self._data))
        elif self._name != "audio":
            self.form.fields[self._name] = self._data.decode(errors="replace")

    def _on_end(self) -> None:
        self._is_whole = True


class _TextParts(_Parts):
    """Of files, only that they were chosen."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__({})
        self._bytes_left = most_bytes
        self._is_file = False

    def _on_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._is_file = b"filename" in options
        self._name, self._filename = _text(options.get(b"name", b"")), _text(options.get(b"filename", b""))

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            return
        self._bytes_left -= end - start
        if self._bytes_left < 0:
            raise BadForm(TOO_LONG)
        self._data += data[start:end]

    def _on_part_end(self) -> None:
        if not self._is_file:
            self.form.fields[self._name] = self._data.decode(errors="replace")
        elif self._filename:
            self.form.files[self._name] = SmallFile(self._filename, b"")


def _text(value: bytes) -> str:
    """A quoted word of a header; browsers write a quote and line ends in it as %22, %0D, %0A (HTML, "Multipart form
    data")."""
    decoded = value.decode(errors="replace")
    return urllib.parse.unquote(decoded) if any(code in decoded for code in ("%22", "%0D", "%0A")) else decoded
