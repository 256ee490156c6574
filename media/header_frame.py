"""The first frame of many MP3 files, which describes the stream and does not sound: Xing, Info or VBRI.

Source: these frames as encoders write them; no standard has them.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from media.mpeg_frame import Header, known, layered

_TELLS_DELAYS: Final = (b"LAME", b"Lavf", b"Lavc")  # encoders that say how much silence they added
_CONTENT_BYTES: Final = 116  # of a Xing frame with frames, bytes and a table of contents


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderFrame:
    """What it says, and where it is."""

    start: int  # bytes into the file
    stop: int
    frames: int | None  # that follow, it says
    audio_bytes: int | None  # of the frames; most encoders count this one in
    trimmed_samples: int  # the encoder's delay and padding, which players leave out


def header_frame(opening: bytes, start: int) -> HeaderFrame | None:
    """The header frame that begins with these bytes, at `start` in its file; None when it is an ordinary frame."""
    found = layered(opening[:4])
    if found is None or found.kind.codec != "mp3" or len(opening) < found.size_bytes:
        return None
    content = opening[_content_at(found) : found.size_bytes]
    frames = audio_bytes = None
    trimmed = 0
    if content[:4] in (b"Xing", b"Info"):
        frames, audio_bytes, trimmed = _xing(content)
    elif opening[36:40] == b"VBRI":
        audio_bytes, frames = int.from_bytes(opening[46:50], "big"), int.from_bytes(opening[50:54], "big")
    else:
        return None
    return HeaderFrame(
        start=start, stop=start + found.size_bytes, frames=frames, audio_bytes=audio_bytes, trimmed_samples=trimmed
    )


def xing_frame(opening: bytes, *, frames: int, audio_bytes: int, sizes: Sequence[float]) -> bytes:
    """A header frame for `frames` frames like the one that opens so, which take `audio_bytes`.

    `sizes` are the bytes of the frames before each of the 100 percents of the time.
    """
    start = _content_at(known(opening))
    frame = _silent_frame(opening, at_least=start + _CONTENT_BYTES)
    total = len(frame) + audio_bytes
    contents = bytes(min(255, int(256 * (len(frame) + size) / total)) for size in sizes)  # 256ths of the file
    content = b"Xing" + struct.pack(">III", 0b111, frames, total) + contents
    frame[start : start + len(content)] = content
    return bytes(frame)


def _xing(content: bytes) -> tuple[int | None, int | None, int]:
    """Frames, bytes and trimmed samples as a Xing frame tells them; its flags say which fields are there."""
    flags = int.from_bytes(content[4:8], "big")
    position = 8
    fields: list[bytes] = []
    for bit, size in enumerate((4, 4, 100, 4)):  # frames, bytes, table of contents, quality
        present = size if flags >> bit & 1 else 0
        fields.append(content[position : position + present])
        position += present
    frames, audio_bytes = (int.from_bytes(field, "big") if field else None for field in fields[:2])
    encoder, delays = content[position : position + 4], int.from_bytes(content[position + 21 : position + 24], "big")
    trimmed = (delays >> 12) + (delays & 0xFFF) if encoder in _TELLS_DELAYS else 0
    return frames, audio_bytes, trimmed


def _content_at(found: Header) -> int:
    """Where a Xing frame has its name: behind the header, and side information that depends on the kind of frame."""
    if found.samples == 1152:
        return 4 + (17 if found.channels == 1 else 32)
    return 4 + (9 if found.channels == 1 else 17)


def _silent_frame(opening: bytes, *, at_least: int) -> bytearray:
    """An empty frame of the same kind as the one that opens so; the smallest that has this many bytes."""
    for bitrate_index in range(1, 15):
        four = bytes((0xFF, opening[1] | 1, bitrate_index << 4 | opening[2] & 0b1100, opening[3]))
        if (size_bytes := known(four).size_bytes) >= at_least:
            return bytearray(four.ljust(size_bytes, b"\0"))
    raise AssertionError("every layer III frame can hold a Xing header")
