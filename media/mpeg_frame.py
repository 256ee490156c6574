"""What the header of one frame of MPEG audio says: MP1, MP2 and MP3, and raw AAC (ADTS).

Sources: ISO/IEC 11172-3, 2.4.1.3, its low sample rates in 13818-3 and 2.5, and ISO/IEC 13818-7, 6.2.
A bitrate that is left open ("free format"), which hardly any player reads, makes no header.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

IN_A_ROW: Final = 3  # headers that are believed: noise forms them once in some hundred gigabytes

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
    """What frames that belong together have in common."""

    codec: str  # "mp1", "mp2", "mp3", "aac"
    sample_rate_hz: int


class Header(NamedTuple):
    """What the bytes in front of a frame say."""

    kind: Kind
    size_bytes: int  # of the whole frame
    samples: int  # that the frame plays, in each channel
    channels: int  # 0: AAC that says it elsewhere
    bitrate_kbps: int = 0  # 0: AAC, which does not say

    @property
    def seconds(self) -> float:
        """How long the frame plays."""
        return self.samples / self.kind.sample_rate_hz


def header(data: bytes, at: int = 0) -> Header | None:
    """The header that starts there, of four bytes (seven for AAC); None when none does."""
    four = data[at : at + 4]
    if len(four) < 4 or four[0] != 0xFF:
        return None
    return _adts(data[at : at + 7]) if four[1] & 0xF6 == 0xF0 else layered(four)


@lru_cache(4096)  # the few headers of a file come again and again
def layered(four: bytes) -> Header | None:
    """What these four bytes say as a header of MP1, MP2 or MP3; None when they are none."""
    if len(four) < 4 or four[0] != 0xFF or four[1] < 0xE0:
        return None
    version, layer = four[1] >> 3 & 0b11, 4 - (four[1] >> 1 & 0b11)
    bitrate, rate, padding = four[2] >> 4, four[2] >> 2 & 0b11, four[2] >> 1 & 1
    if version not in _HALVINGS or layer == 4 or rate == 0b11 or bitrate in (0, 15):
        return None
    is_mpeg_1 = version == 0b11
    kbps, rate_hz = _KBPS[is_mpeg_1, layer][bitrate], _MPEG_1_HZ[rate] >> _HALVINGS[version]
    samples = {1: 384, 2: 1152, 3: 1152 if is_mpeg_1 else 576}[layer]
    slot_bytes = 4 if layer == 1 else 1
    return Header(
        kind=Kind(f"mp{layer}", rate_hz),
        size_bytes=(samples // 8 * kbps * 1000 // slot_bytes // rate_hz + padding) * slot_bytes,
        samples=samples,
        channels=1 if four[3] >> 6 == 0b11 else 2,
        bitrate_kbps=kbps,
    )


def known(four: bytes) -> Header:
    """A header of MP1, MP2 or MP3 that was read before."""
    found = layered(four)
    assert found is not None
    return found


def frames(data: bytes, at: int = 0) -> Iterator[Header]:
    """The frames of one kind that follow each other from there on; the last one may be cut."""
    following = header(data, at)
    kind = following.kind if following else None
    read, width = (_adts, 7) if kind and kind.codec == "aac" else (layered, 4)
    while following and following.kind == kind:
        yield following
        at += following.size_bytes
        following = read(data[at : at + width])


def begin_at(data: bytes, at: int, room: int) -> bool:
    """Whether frames begin there: some in a row, or fewer up to where the sound ends, `room` bytes into the data.

    A frame that is alone must fill the room exactly; the last of several may be cut.
    """
    row = list(islice(frames(data, at), IN_A_ROW))
    stop = at + sum(each.size_bytes for each in row)
    return len(row) == IN_A_ROW or (len(row) > 1 and stop >= room) or (len(row) == 1 and stop == room)


def _adts(seven: bytes) -> Header | None:
    if len(seven) < 7:
        return None
    _, _, third, fourth, fifth, sixth, seventh = seven
    rate, channels = third >> 2 & 0b1111, (third & 1) << 2 | fourth >> 6
    size_bytes = (fourth & 0b11) << 11 | fifth << 3 | sixth >> 5
    if rate >= len(_ADTS_HZ) or size_bytes <= 7:
        return None
    return Header(
        kind=Kind("aac", _ADTS_HZ[rate]),
        size_bytes=size_bytes,
        samples=1024 * ((seventh & 0b11) + 1),
        channels=8 if channels == 7 else channels,
    )
