"""MP3 and raw AAC by parts: where the first frame is, how long such files last, and how far that can be trusted.

They state their length nowhere, or in a promise that the first frame makes and that a cut or joined file breaks.
mutagen believes the promise, or else the first frame's bitrate; here the promise is held against the size, and frames
at the start are compared with those at the end, and in the middle when these two leave a doubt.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from media import tag_lengths
from media.header_frame import HeaderFrame, header_frame
from media.mpeg_frame import Header, begin_at, frames, header
from media.probe.facts import Sound
from media.source import BLOCK_BYTES, Reader

_SYNC: Final = re.compile(rb"\xff(?=[\xe2-\xff][\0-\xef])")
_MOST_SYNCS: Final = 1000  # looked at in one place: in noise there are some ten
_JUNK_BYTES: Final = 2 * BLOCK_BYTES  # tolerated before the first frame: padding, remains of a tag with a wrong size
_SOME_FRAMES: Final = 8192  # bytes: three of the largest fit
_TAIL_BYTES: Final = _SOME_FRAMES + 1024  # the last frames, and the tags behind them that are small
_TOLERANCE: Final = 0.02
_LIKELY_BPS: Final = range(7_000, 460_000)  # a little beyond what layers I to III can have
_OPEN_BITRATE: Final = re.compile(rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff][\0-\x0b]")  # a header that leaves it open
_SLOT_BYTES: Final = 4  # by which padding may lengthen a frame


@dataclass(frozen=True, slots=True)
class _Run:
    """Frames of one kind, one behind the other."""

    start: int  # in the file
    stop: int
    frames: list[Header]


def first_frame(reader: Reader, start: int) -> tuple[int, Header] | None:
    """Where the first frame begins, at `start` or after some junk, and its header; None when there is none."""
    room = reader.size - start
    for read in (_block_at, _junk_at):  # the second is hardly ever needed
        data = read(reader, start)
        at = _synced(data, room)
        if at is not None and (found := header(data, at)):
            return start + at, found
    return None


def has_open_bitrate(reader: Reader, start: int) -> bool:
    """Whether frames of "free format" begin near `start`: headers that leave the bitrate open, equally far apart."""
    data = reader.read(start, start + 2 * _SOME_FRAMES)
    places: defaultdict[bytes, list[int]] = defaultdict(list)
    for found in islice(_OPEN_BITRATE.finditer(data), _MOST_SYNCS):
        places[found[0][:2]].append(found.start())
    return any(
        abs((third - second) - (second - first)) <= _SLOT_BYTES < second - first
        for alike in places.values()
        for first, second, third in zip(alike, alike[1:], alike[2:], strict=False)
    )


def sound(reader: Reader, at: int, first: Header) -> Sound:
    """The sound of the frames that begin at `at` with `first`. Raises Damaged."""
    end = _end(reader, at)
    samples, is_exact = _length(reader, at, first, end)
    seconds = samples / first.kind.sample_rate_hz
    return Sound(
        codec=first.kind.codec,
        seconds=seconds,
        is_exact=is_exact,
        bitrate_bps=(end - at) * 8 / seconds if seconds > 0 else None,
        sample_rate_hz=first.kind.sample_rate_hz,
        channels=first.channels or None,
    )


def _end(reader: Reader, at: int) -> int:
    """Where the frames end: before the tags."""
    reader.read(reader.size - _TAIL_BYTES, reader.size)  # in one request, whatever of it is looked at
    end = tag_lengths.end_of_sound(reader.read, reader.size)
    return end if end > at else reader.size


def _length(reader: Reader, at: int, first: Header, end: int) -> tuple[float, bool]:
    """Samples, and whether they are exact."""
    promise = header_frame(reader.read(at, at + first.size_bytes), at)
    if promise is None:
        return _measured(reader, at, first, end)
    samples = (promise.frames or 0) * first.samples - promise.trimmed_samples
    if _is_kept(promise, samples / first.kind.sample_rate_hz, end - at):
        return samples, True
    following = header(reader.read(promise.stop, promise.stop + 7))
    return (_measured(reader, promise.stop, following, end)[0], False) if following else (max(samples, 0), False)


def _is_kept(promise: HeaderFrame, seconds: float, size_bytes: int) -> bool:
    """Whether the file has the bytes that its first frame promises, and they can last that long."""
    is_likely = seconds > 0 and int(size_bytes * 8 / seconds) in _LIKELY_BPS
    return is_likely and abs((promise.audio_bytes or 0) - size_bytes) <= _TOLERANCE * size_bytes


def _measured(reader: Reader, at: int, first: Header, end: int) -> tuple[float, bool]:
    """Samples by the frames at some places; exact when all were seen, or their bitrate is one."""
    last = _run(reader, max(at, end - _SOME_FRAMES), end, first)
    end = last.stop if last.frames else end  # what follows the last frame, tags of any kind, does not sound
    start = _run(reader, at, end, first)
    if start.stop >= end and first.bitrate_kbps:
        return sum(each.samples for each in start.frames), True
    seen = [first, *start.frames, *last.frames]
    bitrate_kbps, size = _typical(seen)
    is_exact = bool(last.frames and bitrate_kbps) and _fill(last.start - at, size)
    if not is_exact:
        middle = _run(reader, max(at, (at + end) // 2 // BLOCK_BYTES * BLOCK_BYTES), end, first)  # a whole block
        bitrate_kbps, size = _typical([*seen, *middle.frames])
        is_exact = bool(last.frames and middle.frames and bitrate_kbps)
    return (end - at) * first.samples / size, is_exact


def _typical(seen: Sequence[Header]) -> tuple[int, float]:
    """The bitrate that all have (0: they differ, or do not say), and the bytes of a frame.

    These are what the bitrate asks for where frames are padded to reach it, else the mean of what was seen.
    """
    bitrates_kbps, sizes = {each.bitrate_kbps for each in seen}, [each.size_bytes for each in seen]
    bitrate_kbps = bitrates_kbps.pop() if len(bitrates_kbps) == 1 else 0
    is_padded = bitrate_kbps and len(set(sizes)) > 1
    return bitrate_kbps, bitrate_kbps * 125 * seen[0].seconds if is_padded else sum(sizes) / len(sizes)


def _fill(distance: int, size: float) -> bool:
    """Whether frames of this one size can have filled so many bytes.

    Those of a bitrate that varies end anywhere, so that they pass once in a hundred times; then the frames that were
    seen must also be of one bitrate by chance.
    """
    return abs(distance - round(distance / size) * size) < 1.5  # a frame is padded as soon as a byte is missing


def _run(reader: Reader, start: int, end: int, first: Header) -> _Run:
    """Frames of the first one's kind in the block at `start`, from the first that can be recognised."""
    data = _block_at(reader, start)[: end - start]
    at = _synced(data, end - start)
    found = [] if at is None else list(frames(data, at))
    if found and found[0].kind != first.kind:
        found = []
    begin = start + (at or 0)
    return _Run(begin, min(begin + sum(each.size_bytes for each in found), end), found)


def _synced(data: bytes, room: int) -> int | None:
    """Where frames begin in these bytes, or None; the sound ends `room` bytes after their start."""
    syncs = (sync.start() for sync in islice(_SYNC.finditer(data), _MOST_SYNCS))
    return next((at for at in syncs if begin_at(data, at, room)), None)


def _block_at(reader: Reader, start: int) -> bytes:
    """From start to the end of its block, and further if that is too little to recognise frames."""
    stop = (start // BLOCK_BYTES + 1) * BLOCK_BYTES
    return reader.read(start, max(stop, start + _SOME_FRAMES))


def _junk_at(reader: Reader, start: int) -> bytes:
    return reader.read(start, start + _JUNK_BYTES)
