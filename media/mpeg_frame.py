"""What the bytes of one MP3 frame say: its header, and the header frame that describes a whole stream.

Sources: ISO/IEC 11172-3 and 13818-3 for headers; the Xing, LAME and VBRI frames as encoders write them.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

BITRATES_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)  # MPEG 1
LOW_BITRATES_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)  # MPEG 2 and 2.5
SAMPLE_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # by version bits


class Header(NamedTuple):
    """What the four bytes in front of a frame say."""

    length: int  # bytes, of the whole frame
    sample_rate_hz: int
    samples: int  # that the frame plays, in each channel
    bitrate_kbps: int
    channels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderFrame:
    """A first frame that describes the stream and does not sound (Xing, Info or VBRI)."""

    start: int  # bytes into the file
    stop: int
    frames: int | None  # that follow, it says
    audio_bytes: int | None  # of the frames; most encoders count this one in
    trimmed_samples: int  # the encoder's delay and padding, which players leave out


def header(four: bytes) -> Header | None:
    """What a frame header says; None when these bytes are none of layer III, or leave the bitrate open."""
    if len(four) < 4 or four[0] != 0xFF or four[1] & 0xE6 != 0xE2:
        return None
    version = four[1] >> 3 & 3
    rates = SAMPLE_RATES_HZ.get(version)
    bitrate_index, rate_index = four[2] >> 4, four[2] >> 2 & 3
    if rates is None or rate_index == 3 or bitrate_index in (0, 15):
        return None
    bitrate_kbps = (BITRATES_KBPS if version == 3 else LOW_BITRATES_KBPS)[bitrate_index]
    samples = 1152 if version == 3 else 576
    length = samples // 8 * bitrate_kbps * 1000 // rates[rate_index] + (four[2] >> 1 & 1)
    return Header(length, rates[rate_index], samples, bitrate_kbps, 1 if four[3] >> 6 == 3 else 2)


def known(four: bytes) -> Header:
    """A header that was read before."""
    found = header(four)
    assert found is not None
    return found


def header_frame(opening: bytes, start: int) -> HeaderFrame | None:
    """The Xing, Info or VBRI frame that begins with these bytes."""
    found = header(opening[:4])
    if found is None or len(opening) < found.length:
        return None
    content = opening[_side_information(found) + 4 : found.length]
    frames = audio_bytes = None
    trimmed = 0
    if content[:4] in (b"Xing", b"Info"):
        frames, audio_bytes, trimmed = _xing(content)
    elif opening[36:40] == b"VBRI":
        audio_bytes, frames = int.from_bytes(opening[46:50], "big"), int.from_bytes(opening[50:54], "big")
    else:
        return None
    return HeaderFrame(
        start=start, stop=start + found.length, frames=frames, audio_bytes=audio_bytes, trimmed_samples=trimmed
    )


def xing_frame(opening: bytes, *, frames: int, audio_bytes: int, sizes: Sequence[float]) -> bytes:
    """A header frame for `frames` frames like the one that opens so, which take `audio_bytes`.

    `sizes` are the bytes of the frames before each of the 100 percents of the time.
    """
    start = _side_information(known(opening)) + 4
    frame = _silent_frame(opening, at_least=start + 116)
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
    trimmed = (delays >> 12) + (delays & 0xFFF) if encoder in (b"LAME", b"Lavf", b"Lavc") else 0
    return frames, audio_bytes, trimmed


def _side_information(found: Header) -> int:
    """Bytes between a frame's header and its sound, where a Xing frame puts its name."""
    if found.samples == 1152:
        return 17 if found.channels == 1 else 32
    return 9 if found.channels == 1 else 17


def _silent_frame(opening: bytes, *, at_least: int) -> bytearray:
    """An empty frame of the same kind as the one that opens so; the smallest that has this many bytes."""
    for bitrate_index in range(1, 15):
        four = bytes((0xFF, opening[1] | 1, bitrate_index << 4 | opening[2] & 0b1100, opening[3]))
        if (length := known(four).length) >= at_least:
            return bytearray(four.ljust(length, b"\0"))
    raise AssertionError("every layer III frame can hold a Xing header")
