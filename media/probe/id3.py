"""ID3 tags, decoded by mutagen from those frames only that are wanted and harmless.

mutagen unpacks a compressed frame whatever it grows to, and takes seconds for a tag of a million frames; so frames are
chosen here, before it sees them.
"""

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import islice
from typing import Final, NamedTuple, Protocol

from mutagen.id3 import ID3

from media.source import Reader

_MOST_TAG_BYTES: Final = 24 << 20
_MOST_TEXT_BYTES: Final = 256 << 10
_MOST_PICTURE_BYTES: Final = 10 << 20
_MOST_FRAMES: Final = 4000
_MOST_KEPT: Final = 1000
_MOST_INSIDE: Final = 50  # of a chapter
_TEXTS: Final = (
    b"TIT2 TIT3 TPE1 TPE2 TALB TRCK TPOS TDRC TDRL TYER TDAT TIME TLAN TDES COMM TXXX WXXX "
    b"TT2 TP1 TP2 TAL TRK TPA TYE TDA TIM TLA COM TXX"  # of version 2.2
).split()
_PICTURES: Final = (b"APIC", b"PIC")
_UNPACKED: Final = {2: 0, 3: 0xC0, 4: 0x0C}  # flags of compressed and encrypted frames, by version
_NAME: Final = re.compile(rb"[A-Z0-9]{3,4}")


class Frames(Protocol):
    """Frames by mutagen's keys ("TIT2", "COMM:name:eng"); their attributes depend on the kind."""

    def items(self) -> list[tuple[str, object]]: ...


class _Raw(NamedTuple):
    name: bytes
    flags: bytes
    content: bytes


_DECODE: Final[Callable[[BytesIO], Frames]] = ID3


def frames(reader: Reader, starts: tuple[int, ...]) -> dict[str, object]:
    """The frames of the tags that begin there, and of the ID3v1 tag at the end; what comes first wins."""
    old_tag = reader.read(reader.size - 128, reader.size)
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
    """The tag that begins there, with the chosen frames only; empty when its version is unknown."""
    header = reader.read(start, start + 10)
    version, flags = header[3], header[5]
    if version not in _UNPACKED:
        return b""
    content = reader.read(start + 10, start + 10 + min(syncsafe(header[6:10]), _MOST_TAG_BYTES))
    if flags & 0x80 and version < 4:  # unsynchronised as a whole; version 2.4 does it frame by frame
        content = content.replace(b"\xff\0", b"\xff")
        flags &= ~0x80
    if flags & 0x40 and version > 2:
        content = _after_extended_header(content, version)
    kept = _joined(_chosen(content, version), version)
    return b"ID3" + bytes((version, 0, flags & 0x80)) + _as_syncsafe(len(kept)) + kept


def syncsafe(data: bytes) -> int:
    """A number of four times seven bits (ID3v2.4, 6.2)."""
    return sum((byte & 0x7F) << shift for byte, shift in zip(data, (21, 14, 7, 0), strict=True))


def _as_syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _after_extended_header(content: bytes, version: int) -> bytes:
    if len(content) < 4 or content[0] >= 0x41:  # the flag is set, but a frame follows: seen in real files
        return content
    return content[syncsafe(content[:4]) if version == 4 else 4 + int.from_bytes(content[:4], "big") :]


def _chosen(content: bytes, version: int) -> Iterator[_Raw]:
    """The frames that are wanted and may be decoded; a chapter's without its pictures."""
    kept = 0
    for number, frame in enumerate(_walked(content, version)):
        if kept == _MOST_KEPT or number == _MOST_FRAMES:
            return
        if frame.flags[1] & _UNPACKED[version]:
            continue
        if frame.name == b"CHAP":
            frame = frame._replace(content=_harmless_chapter(frame.content, version))
        elif not _is_wanted(frame):
            continue
        kept += 1
        yield frame


def _is_wanted(frame: _Raw) -> bool:
    most_bytes = _MOST_PICTURE_BYTES if frame.name in _PICTURES else _MOST_TEXT_BYTES if frame.name in _TEXTS else 0
    return len(frame.content) <= most_bytes


def _harmless_chapter(content: bytes, version: int) -> bytes:
    """A chapter's own fields, and of the frames inside only its words (ID3v2 Chapter Frame Addendum, 3.1)."""
    inner = content.find(b"\0") + 1 + 16
    frames = islice(_walked(content[inner:], version), _MOST_INSIDE)
    words = (each for each in frames if each.name in _TEXTS and not each.flags[1] & _UNPACKED[version])
    return content[:inner] + _joined(words, version)[:_MOST_TEXT_BYTES]


def _walked(content: bytes, version: int) -> Iterator[_Raw]:
    name_bytes, header_bytes = (3, 6) if version == 2 else (4, 10)
    at = 0
    while at + header_bytes < len(content):
        name = content[at : at + name_bytes]
        if not _NAME.fullmatch(name):
            return  # padding
        size = _frame_bytes(content, at, version)
        flags = content[at + 8 : at + 10] if version > 2 else b"\0\0"
        at += header_bytes
        yield _Raw(name, flags, content[at : at + size])
        at += size


def _frame_bytes(content: bytes, at: int, version: int) -> int:
    if version == 2:
        return int.from_bytes(content[at + 3 : at + 6], "big")
    size = content[at + 4 : at + 8]
    plain = int.from_bytes(size, "big")
    if version == 3:
        return plain
    following = content[at + 10 + plain : at + 14 + plain]
    # iTunes wrote plain sizes into version 2.4: larger than 127, the two ways differ, and one leads to a frame.
    is_plain = max(size) > 0x7F or (plain > 0x7F and _NAME.fullmatch(following) and not _leads_on(content, at, size))
    return plain if is_plain else syncsafe(size)


def _leads_on(content: bytes, at: int, size: bytes) -> bool:
    end = at + 10 + syncsafe(size)
    following = content[end : end + 4]
    return not following.strip(b"\0") or bool(_NAME.fullmatch(following))


def _joined(frames: Iterator[_Raw], version: int) -> bytes:
    return b"".join(_written(frame, version) for frame in frames)


def _written(frame: _Raw, version: int) -> bytes:
    size = len(frame.content)
    if version == 2:
        return frame.name + size.to_bytes(3, "big") + frame.content
    return frame.name + (_as_syncsafe(size) if version == 4 else size.to_bytes(4, "big")) + frame.flags + frame.content
