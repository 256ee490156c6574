"""How the sound of an MP4 track is coded, by its sample entry (ISO/IEC 14496-12, 12.2.3)."""

import re
import struct
from dataclasses import dataclass
from typing import Final

from media.probe.boxes import Box
from media.source import Reader
from media.text import clean_line

_ENTRY_BYTES: Final = 512
_PROTECTED: Final = (b"drms", b"enca", b"p608")
_CODECS: Final = {
    b"mp4a": "aac", b"alac": "alac", b"Opus": "opus", b"fLaC": "flac", b".mp3": "mp3", b"ac-3": "ac3", b"ec-3": "eac3",
    **dict.fromkeys((b"sowt", b"twos", b"lpcm", b"raw ", b"in24", b"in32", b"fl32", b"fl64", b"ipcm", b"fpcm"), "pcm"),
    b"ima4": "adpcm", b"ulaw": "mulaw", b"alaw": "alaw", b"samr": "amr",
}  # fmt: skip
# The object type, twelve bytes of rates, and maybe AAC's own configuration: descriptors 4 and 5, inside descriptor 3;
# the length of each has up to four bytes (ISO/IEC 14496-1, 7.2.6).
_DESCRIPTORS: Final = re.compile(
    rb"esds.{4}\x03[\x80-\xff]*.{4}\x04[\x80-\xff]*.(.).{12}(?:\x05[\x80-\xff]*.(.{2,6}))?", re.DOTALL
)
_MP3: Final = (0x69, 0x6B)
_PARAMETRIC_STEREO: Final = 29  # one channel is coded, two are heard (ISO/IEC 14496-3, 1.6.2.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """What a sample entry says."""

    codec: str
    channels: int | None = None
    sample_rate_hz: int | None = None
    is_protected: bool = False


def coding(reader: Reader, entry: Box | None) -> Coding:
    """The entry's coding; "unknown" when there is none."""
    if entry is None:
        return Coding(codec="unknown")
    data = reader.read(entry.start, min(entry.end, entry.start + _ENTRY_BYTES))
    channels, rate_hz = struct.unpack_from(">16xH6xH2x", data.ljust(28, b"\0"))
    descriptors = _DESCRIPTORS.search(data) if entry.name == b"mp4a" else None
    if descriptors and descriptors[2]:
        channels = _aac_channels(descriptors[2]) or channels
    return Coding(
        codec="mp3" if descriptors and descriptors[1][0] in _MP3 else _name(entry),
        channels=channels or None,
        sample_rate_hz=rate_hz or None,
        is_protected=entry.name in _PROTECTED,
    )


def _aac_channels(configuration: bytes) -> int | None:
    """By AAC's own configuration: many writers put 2 into the entry, whatever it is (ISO/IEC 14496-3, 1.6.2.1)."""
    bits = int.from_bytes(configuration.ljust(6, b"\0"), "big")
    object_type = bits >> 43
    has_own_rate = bits >> 39 & 0b1111 == 0b1111
    channels = bits >> (11 if has_own_rate else 35) & 0b1111
    if object_type == _PARAMETRIC_STEREO and channels == 1:
        return 2
    return {0: None, 7: 8}.get(channels, channels)


def _name(entry: Box) -> str:
    return _CODECS.get(entry.name) or clean_line(entry.name.decode("latin-1")).strip(".").lower() or "unknown"
