"""Vorbis comments, which FLAC and Ogg have in common: NAME=value, some of them chapters or pictures.

Read here rather than by mutagen, whose time grows with the square of their number.
"""

import base64
import binascii
import re
from typing import Final, Literal

from media.probe.facts import Chapter

_MOST: Final = 4000
_MOST_VALUE_BYTES: Final = 14 << 20  # a picture of 10 MiB in base64
_CHAPTER: Final = re.compile(r"chapter[0-9]{2,3}")  # two digits: as for OGM and Matroska
_CLOCK: Final = re.compile(r"\s*([0-9]{1,4}):([0-9]{1,2}):([0-9]{1,2})(?:[.,]([0-9]{1,9}))?\s*")

Comments = dict[str, list[str]]  # by name, in lower case
TypedPicture = tuple[int, bytes]  # its type (ID3v2.4, 4.14), its bytes


def comments(data: bytes) -> Comments:
    """Those of a block or packet, as far as it is whole."""
    found: Comments = {}
    vendor_bytes = _length(data, 0)
    at = 8 + vendor_bytes
    for _ in range(min(_length(data, 4 + vendor_bytes), _MOST)):
        size = _length(data, at)
        at += 4
        if at + size > len(data):
            break
        if size <= _MOST_VALUE_BYTES:
            name, _, value = data[at : at + size].decode("utf-8", "replace").partition("=")
            found.setdefault(name.lower(), []).append(value)
        at += size
    return found


def chapters(said: Comments) -> tuple[Chapter, ...]:
    """CHAPTER001=00:00:00.000, CHAPTER001NAME=..., CHAPTER001URL=... (Xiph wiki, "Chapter Extension")."""
    starts = ((name, _milliseconds(values[0])) for name, values in said.items() if _CHAPTER.fullmatch(name))
    return tuple(
        Chapter(
            start_ms=start_ms,
            title=" / ".join(said.get(f"{name}name", [])),
            url=next(iter(said.get(f"{name}url", [])), None),
        )
        for name, start_ms in starts
        if start_ms is not None
    )


def pictures(said: Comments) -> list[TypedPicture]:
    """FLAC's pictures inside comments, where Ogg has them."""
    return [picture(_unpacked(value)) for value in said.get("metadata_block_picture", [])]


def picture(block: bytes) -> TypedPicture:
    """The content of a FLAC block of type 6 (RFC 9639, 8.8), as far as it is whole."""
    at = 4
    for _ in ("media type", "description"):
        at += 4 + _length(block, at, "big")
    at += 16  # width, height, depth, colours
    size = _length(block, at, "big")
    return _length(block, 0, "big"), block[at + 4 : at + 4 + size]


def _milliseconds(clock: str) -> int | None:
    found = _CLOCK.fullmatch(clock)
    if found is None:
        return None
    hours, minutes, seconds = (int(part) for part in found.groups()[:3])
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int((found[4] or "0").ljust(3, "0")[:3])


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""


def _length(data: bytes, at: int, order: Literal["little", "big"] = "little") -> int:
    return int.from_bytes(data[at : at + 4], order)
