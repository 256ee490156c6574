"""FLAC: what its first block promises, and whether the last frame in the file keeps it."""

import re
from dataclasses import dataclass
from typing import Final

from media.probe.comments import Comments, TypedPicture, comments, picture
from media.probe.facts import Sound
from media.source import BLOCK_BYTES, Damaged, Reader

_SYNC = re.compile(rb"\xff(?=[\xf8\xf9])")
_TOLERANCE: Final = 0.02
_MOST_BLOCKS: Final = 128
_MOST_PICTURES: Final = 16
_MOST_SYNCS: Final = 1000  # looked at; in noise there are two in a block
_COMMENTS: Final = 4  # kinds of blocks (RFC 9639, 8.1)
_PICTURE: Final = 6


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """The first block of metadata (RFC 9639, 8.2)."""

    block_samples: int  # in each frame but the last, where that is fixed
    sample_rate_hz: int
    channels: int
    samples: int  # 0: not known to the encoder


def stream_info(data: bytes) -> StreamInfo:
    """From the block's content. Raises Damaged."""
    packed = int.from_bytes(data[10:18], "big")
    info = StreamInfo(
        block_samples=int.from_bytes(data[2:4], "big"),
        sample_rate_hz=packed >> 44,
        channels=(packed >> 41 & 0b111) + 1,
        samples=packed & (1 << 36) - 1,
    )
    if len(data) < 34 or not info.sample_rate_hz:
        raise Damaged("has no stream information")
    return info


@dataclass(frozen=True, slots=True)
class Block:
    """A block of metadata."""

    kind: int
    start: int  # of its content
    end: int


def blocks(reader: Reader, start: int) -> list[Block]:
    """The metadata of the FLAC file that begins at `start`, as far as it is there."""
    found: list[Block] = []
    at, is_last = start + 4, False
    while not is_last and len(found) < _MOST_BLOCKS and len(header := reader.read(at, at + 4)) == 4:
        is_last = bool(header[0] & 0x80)
        found.append(Block(header[0] & 0x7F, at + 4, at + 4 + int.from_bytes(header[1:], "big")))
        at = found[-1].end
    return found


def metadata(reader: Reader, start: int) -> tuple[Comments, list[TypedPicture]]:
    """What the file says of itself, and its pictures. Raises Damaged when that costs too much."""
    said: Comments = {}
    shown: list[TypedPicture] = []
    for block in blocks(reader, start):
        if block.kind == _COMMENTS:
            said = said or comments(reader.read(block.start, block.end))
        elif block.kind == _PICTURE and len(shown) < _MOST_PICTURES:
            shown.append(picture(reader.read(block.start, block.end)))
    return said, shown


def sound(reader: Reader, start: int) -> Sound:
    """The sound of the FLAC file that begins at `start`. Raises Damaged."""
    info = stream_info(reader.exactly(start + 8, 34))
    described = blocks(reader, start)
    samples_there = _last_sample(reader, info)
    is_exact = info.samples > 0 and abs(samples_there - info.samples) <= _TOLERANCE * info.samples
    samples = info.samples if is_exact else samples_there or info.samples
    seconds = samples / info.sample_rate_hz
    return Sound(
        codec="flac",
        seconds=seconds or None,
        is_exact=is_exact,
        bitrate_bps=max(reader.size - described[-1].end, 0) * 8 / seconds if seconds and described else None,
        sample_rate_hz=info.sample_rate_hz,
        channels=info.channels,
    )


def _last_sample(reader: Reader, info: StreamInfo) -> int:
    """Samples up to the end of the last frame that begins in the last block of the file; 0 when none is found."""
    tail = reader.read(reader.size - BLOCK_BYTES, reader.size)
    for sync in reversed(list(_SYNC.finditer(tail))[-_MOST_SYNCS:]):
        if end := _frame_end(tail[sync.start() : sync.start() + 20], info):
            return end
    return 0


def _frame_end(header: bytes, info: StreamInfo) -> int | None:
    """The sample after the frame with this header (RFC 9639, 9.1); None when it is not one."""
    if len(header) < 6 or header[3] & 1:
        return None
    number_bytes = _coded_bytes(header[4])
    size_code = header[2] >> 4
    at = 4 + number_bytes
    size_bytes = {6: 1, 7: 2}.get(size_code, 0)
    rate_bytes = {12: 1, 13: 2, 14: 2}.get(header[2] & 0b1111, 0)
    checked = at + size_bytes + rate_bytes
    if not number_bytes or not size_code or header[checked : checked + 1] != bytes([_crc8(header[:checked])]):
        return None
    samples = _block_samples(size_code, int.from_bytes(header[at : at + size_bytes], "big"))
    number = _coded(header[4 : 4 + number_bytes])
    return (number if header[1] & 1 else number * info.block_samples) + samples


def _block_samples(code: int, extra: int) -> int:
    if code in (6, 7):
        return extra + 1
    if code == 1:
        return 192
    return 576 << (code - 2) if code < 6 else 256 << (code - 8)


def _coded_bytes(first: int) -> int:
    """The length of a number that is coded as UTF-8 codes characters, by its first byte; 0 when it cannot be one."""
    ones = 8 - (first ^ 0xFF).bit_length()
    return {0: 1, 1: 0, 8: 0}.get(ones, ones)


def _coded(data: bytes) -> int:
    number = data[0] if len(data) == 1 else data[0] & (0x7F >> len(data))
    for byte in data[1:]:
        number = number << 6 | byte & 0x3F
    return number


def _crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return crc
