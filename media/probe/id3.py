"""ID3 tags, decoded by mutagen from those frames only that are wanted and harmless.

mutagen unpacks a compressed frame whatever it grows to, and takes seconds for a tag of a million frames; so frames are
chosen here, before it sees them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from itertools import islice
from typing import Final, NamedTuple, Protocol

from mutagen.id3 import ID3

from media.source import BytesSource, Reader, Source
from media.tag_lengths import OLD_TAG_BYTES, as_syncsafe, syncsafe

_MOST_TAG_BYTES: Final = 24 << 20
_MOST_TEXT_BYTES: Final = 256 << 10
_MOST_PICTURE_BYTES: Final = 10 << 20
_MOST_FRAMES: Final = 4000
_MOST_KEPT: Final = 1000
_MOST_INSIDE: Final = 50  # of a chapter
_MOST_CHAPTER_PICTURE_BYTES: Final = 2 << 20
_MOST_CHAPTER_PICTURES_BYTES: Final = 12 << 20  # of all chapters together
_TEXTS: Final = (
    b"TIT2 TIT3 TPE1 TPE2 TRCK TPOS TDES COMM TXXX WXXX TT2 TP1 TP2 TRK TPA COM TXX"  # of version 2.2
).split()
_LINKS: Final = (b"WXXX", b"WOAS", b"WOAF", b"WOAR", b"WORS", b"WPUB")  # a chapter's; programs disagree
_PICTURES: Final = (b"APIC", b"PIC")
_UNPACKED: Final = {2: 0, 3: 0xC0, 4: 0x0C}  # flags of compressed and encrypted frames, by version
_UNSYNCHRONISED: Final = 0x02  # flag of a frame of version 2.4, and the one that says that its length stands in front
_WITH_LENGTH: Final = 0x01
_NAME: Final = re.compile(rb"[A-Z0-9]{3,4}")
_SYNC: Final = re.compile(rb"\xff[\xe0-\xff]")  # what unsynchronising takes away


class Frames(Protocol):
    """Frames by mutagen's keys ("TIT2", "COMM:name:eng"); their attributes depend on the kind."""

    def items(self) -> list[tuple[str, object]]: ...


class _Place(NamedTuple):
    """Where a frame is, by its header."""

    name: bytes
    flags: bytes
    start: int  # of its content
    stop: int


class _Raw(NamedTuple):
    """A frame as it is written."""

    name: bytes
    flags: bytes
    content: bytes


_DECODE: Final[Callable[[BytesIO], Frames]] = ID3


def frames(reader: Reader, starts: tuple[int, ...]) -> dict[str, object]:
    """The frames of the tags that begin there, and of the ID3v1 tag at the end; what comes first wins."""
    old_tag = reader.read(reader.size - OLD_TAG_BYTES, reader.size)
    tags = [_harmless(reader, start) for start in starts]
    if old_tag[:3] == b"TAG":
        tags.append(old_tag)
    found: dict[str, object] = {}
    for tag in tags:
        found = {**_decoded(tag), **found}
    return found


def _decoded(tag: bytes) -> dict[str, object]:
    try:
        return dict(_DECODE(BytesIO(tag)).items())
    except Exception:  # noqa: BLE001  mutagen raises whatever a damaged tag leads it into, and no list of it exists
        return {}


def _harmless(reader: Reader, start: int) -> bytes:
    """The tag that begins there, with the chosen frames only; empty when its version is unknown.

    Other frames, and the padding that some programs leave by the megabyte, are not read.
    """
    header = reader.read(start, start + 10)
    version, flags = header[3], header[5]
    if version not in _UNPACKED:
        return b""
    source: Source = reader
    at, end = start + 10, min(start + 10 + min(syncsafe(header[6:10]), _MOST_TAG_BYTES), reader.size)
    is_unsynchronised = bool(flags & 0x80)
    if is_unsynchronised and version < 4:  # as a whole; version 2.4 does it frame by frame
        source = BytesSource(reader.read(at, end).replace(b"\xff\0", b"\xff"))
        at, end = 0, source.size
    if flags & 0x40 and version > 2:
        at += _extended_header_bytes(source.read(at, at + 4), version)
    chosen: Iterable[_Raw] = _chosen(source, _places(source, at, end, version), version)
    if version == 4:
        chosen = (_plain(frame, is_unsynchronised) for frame in chosen)
    kept = _joined(_with_harmless_chapters(chosen, version), version)
    return b"ID3" + bytes((version, 0, 0)) + as_syncsafe(len(kept)) + kept


def _extended_header_bytes(size: bytes, version: int) -> int:
    if len(size) < 4 or size[0] >= 0x41:  # the flag is set, but a frame follows: seen in real files
        return 0
    return syncsafe(size) if version == 4 else 4 + int.from_bytes(size, "big")


def _chosen(source: Source, places: Iterator[_Place], version: int) -> Iterator[_Raw]:
    """The frames that are wanted and may be decoded."""
    kept = 0
    for place in islice(places, _MOST_FRAMES):
        if kept == _MOST_KEPT:
            return
        if place.flags[1] & _UNPACKED[version] or place.stop - place.start > _most_bytes(place.name):
            continue
        kept += 1
        yield _Raw(place.name, place.flags, source.read(place.start, place.stop))


def _most_bytes(name: bytes) -> int:
    """The largest content that is wanted of a frame of this name; -1 when none is."""
    if name in _PICTURES or name == b"CHAP":
        return _MOST_PICTURE_BYTES
    return _MOST_TEXT_BYTES if name in _TEXTS else -1


def _plain(frame: _Raw, is_tag_unsynchronised: bool) -> _Raw:
    """A frame of version 2.4 as it was before it was unsynchronised: sizes inside a chapter were counted then."""
    flags, content = frame.flags[1], frame.content
    if flags & _WITH_LENGTH:
        content = content[4:]
    if (flags & _UNSYNCHRONISED or is_tag_unsynchronised) and not _SYNC.search(content):  # some only say so
        content = content.replace(b"\xff\0", b"\xff")
    return _Raw(frame.name, bytes((frame.flags[0], flags & ~(_WITH_LENGTH | _UNSYNCHRONISED))), content)


def _with_harmless_chapters(frames: Iterable[_Raw], version: int) -> Iterator[_Raw]:
    """The frames; chapters with their pictures as long as all of them are not too large."""
    left = _MOST_CHAPTER_PICTURES_BYTES
    for frame in frames:
        if frame.name == b"CHAP":
            content = _harmless_chapter(frame.content, version, min(left, _MOST_CHAPTER_PICTURE_BYTES))
            left = max(left - len(content), 0)
            yield frame._replace(content=content)
        else:
            yield frame


def _harmless_chapter(content: bytes, version: int, most_picture_bytes: int) -> bytes:
    """A chapter's own fields, and of the frames inside its words, links and picture (Chapter Frame Addendum, 3.1)."""
    inner = content.find(b"\0") + 1 + 16
    places = islice(_places(BytesSource(content), inner, len(content), version), _MOST_INSIDE)
    frames = [
        _Raw(place.name, place.flags, content[place.start : place.stop])
        for place in places
        if not place.flags[1] & _UNPACKED[version]
    ]
    words = _within(_MOST_TEXT_BYTES, (frame for frame in frames if frame.name in (*_TEXTS, *_LINKS)))
    pictures = _within(most_picture_bytes, (frame for frame in frames if frame.name in _PICTURES))
    return content[:inner] + _joined([*words, *pictures], version)


def _within(most_bytes: int, frames: Iterable[_Raw]) -> Iterator[_Raw]:
    """Those that fit, one after the other."""
    for frame in frames:
        if len(frame.content) <= most_bytes:
            most_bytes -= len(frame.content)
            yield frame


def _places(source: Source, at: int, end: int, version: int) -> Iterator[_Place]:
    """The frames from `at` on, up to the padding or the end of the tag; only headers are read."""
    name_bytes, header_bytes = (3, 6) if version == 2 else (4, 10)
    while at + header_bytes < end:
        header = source.read(at, at + header_bytes)
        name = header[:name_bytes]
        if not _NAME.fullmatch(name):
            return  # padding
        start = at + header_bytes
        at = start + _frame_bytes(source, header, start, end, version)
        yield _Place(name, header[8:10] if version > 2 else b"\0\0", start, min(at, end))


def _frame_bytes(source: Source, header: bytes, start: int, end: int, version: int) -> int:
    """The length of the content that begins at `start` behind this header."""
    if version == 2:
        return int.from_bytes(header[3:6], "big")
    size = header[4:8]
    plain = int.from_bytes(size, "big")
    if version == 3 or max(size) > 0x7F:
        return plain
    # iTunes wrote plain sizes into version 2.4: larger than 127, the two ways differ, and one leads to a frame.
    proper = syncsafe(size)
    if plain == proper or _leads_on(source.read(start + proper, min(start + proper + 4, end))):
        return proper
    return plain if _NAME.fullmatch(source.read(start + plain, min(start + plain + 4, end))) else proper


def _leads_on(following: bytes) -> bool:
    """Whether a frame, padding or the end of the tag follows."""
    return not following.strip(b"\0") or bool(_NAME.fullmatch(following))


def _joined(frames: Iterable[_Raw], version: int) -> bytes:
    return b"".join(_written(frame, version) for frame in frames)


def _written(frame: _Raw, version: int) -> bytes:
    size = len(frame.content)
    if version == 2:
        return frame.name + size.to_bytes(3, "big") + frame.content
    return frame.name + (as_syncsafe(size) if version == 4 else size.to_bytes(4, "big")) + frame.flags + frame.content
