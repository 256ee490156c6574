"""Frames of MPEG audio, which need no container: MP1, MP2, MP3 and raw AAC (ADTS)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from media.source import BLOCK_BYTES, Reader

_SYNC = re.compile(rb"\xff(?=[\xe2-\xff][\0-\xef])")
_JUNK_BYTES: Final = 2 * BLOCK_BYTES  # tolerated before the first frame: padding, remains of a tag with a wrong size
_IN_A_ROW: Final = 3  # one sync is chance, three frames that meet are not
_IN_A_ROW_BYTES: Final = 8192  # three of the largest frames fit

_KBPS: Final = {  # (is MPEG 1, layer): by index; index 0 means "free", 15 is forbidden
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MPEG_1_HZ: Final = (44100, 48000, 32000)
_HALVINGS: Final = {0b11: 0, 0b10: 1, 0b00: 2}  # of the sample rate in MPEG 1, 2 and 2.5
_ADTS_HZ: Final = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)


class Kind(NamedTuple):
    """What all frames of a file have in common."""

    codec: str  # "mp1", "mp2", "mp3", "aac"
    sample_rate_hz: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame as its header describes it."""

    kind: Kind
    size_bytes: int
    samples: int
    channels: int | None  # None: AAC that says it elsewhere
    kbps: int = 0  # 0: AAC, which does not say


def frame(data: bytes, at: int = 0) -> Frame | None:
    """The frame whose header starts there, or None when none does. Free-format bitrates are not understood."""
    if len(data) < at + 7 or data[at] != 0xFF:
        return None
    return _adts(data, at) if data[at + 1] & 0xF6 == 0xF0 else _layered(data, at)


def frames(data: bytes, at: int = 0) -> Iterator[Frame]:
    """The frames of one kind that follow each other from there on; the last one may be cut."""
    first = following = frame(data, at)
    while first and following and following.kind == first.kind:
        yield following
        at += following.size_bytes
        following = frame(data, at)


def synced(data: bytes, *, is_end: bool) -> int | None:
    """Where frames begin in these bytes, or None. At the end of a file two of them in a row will do."""
    for sync in _SYNC.finditer(data):
        row = list(islice(frames(data, sync.start()), _IN_A_ROW))
        reaches_end = is_end and sync.start() + sum(each.size_bytes for each in row) >= len(data)
        if len(row) == _IN_A_ROW or (len(row) > 1 and reaches_end):
            return sync.start()
    return None


def block_at(reader: Reader, start: int) -> bytes:
    """From start to the end of its block, and further if that is too little to recognise frames."""
    stop = (start // BLOCK_BYTES + 1) * BLOCK_BYTES
    return reader.read(start, max(stop, start + _IN_A_ROW_BYTES))


def first_frame(reader: Reader, start: int) -> tuple[int, Frame] | None:
    """Where the first frame begins, at `start` or after some junk, and its header; None when there is none."""
    for read in (block_at, _junk_at):  # the second is hardly ever needed
        data = read(reader, start)
        at = synced(data, is_end=start + len(data) == reader.size)
        if at is not None and (found := frame(data, at)):
            return start + at, found
    return None


def _junk_at(reader: Reader, start: int) -> bytes:
    return reader.read(start, start + _JUNK_BYTES)


def _layered(data: bytes, at: int) -> Frame | None:
    """ISO/IEC 11172-3, 2.4.1.3, and its extensions to low sample rates."""
    _, second, third, fourth = data[at : at + 4]
    version, layer = second >> 3 & 0b11, 4 - (second >> 1 & 0b11)
    bitrate, rate, padding = third >> 4, third >> 2 & 0b11, third >> 1 & 1
    is_forbidden = second < 0xE0 or layer == 4 or rate == 0b11 or fourth & 0b11 == 0b10
    if is_forbidden or version not in _HALVINGS or bitrate in (0, 15):
        return None
    is_mpeg_1 = version == 0b11
    kbps, rate_hz = _KBPS[is_mpeg_1, layer][bitrate], _MPEG_1_HZ[rate] >> _HALVINGS[version]
    samples = {1: 384, 2: 1152, 3: 1152 if is_mpeg_1 else 576}[layer]
    slot_bytes = 4 if layer == 1 else 1
    return Frame(
        kind=Kind(f"mp{layer}", rate_hz),
        size_bytes=(samples // 8 * kbps * 1000 // slot_bytes // rate_hz + padding) * slot_bytes,
        samples=samples,
        channels=1 if fourth >> 6 == 0b11 else 2,
        kbps=kbps,
    )


def _adts(data: bytes, at: int) -> Frame | None:
    """ISO/IEC 13818-7, 6.2."""
    third, fourth, fifth, sixth, seventh = data[at + 2 : at + 7]
    rate, channels = third >> 2 & 0b1111, (third & 1) << 2 | fourth >> 6
    size_bytes = (fourth & 0b11) << 11 | fifth << 3 | sixth >> 5
    if rate >= len(_ADTS_HZ) or size_bytes <= 7:
        return None
    return Frame(
        kind=Kind("aac", _ADTS_HZ[rate]),
        size_bytes=size_bytes,
        samples=1024 * ((seventh & 0b11) + 1),
        channels={0: None, 7: 8}.get(channels, channels),
    )
