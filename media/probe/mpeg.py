"""How long MP3 and raw AAC files last, and how far that can be trusted.

Such a file states its length nowhere, or in a promise that its first frame makes and that a cut or joined file breaks.
mutagen believes the promise, or else the first frame's bitrate; here the promise is held against the size, and frames
are compared at three places.
"""

from typing import Final

from media.mpeg_frame import HeaderFrame, header_frame
from media.probe.facts import Sound
from media.probe.frames import Frame, block_at, frame, frames, synced
from media.source import Reader

_TOLERANCE: Final = 0.02
_LIKELY_BPS: Final = range(7_000, 460_000)  # a little beyond what layers I to III can have
_LAST_BYTES: Final = 8192


def sound(reader: Reader, at: int, first: Frame) -> Sound:
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
        channels=first.channels,
    )


def _length(reader: Reader, at: int, first: Frame, end: int) -> tuple[float, bool]:
    """Samples, and whether they are exact."""
    promise = header_frame(reader.read(at, at + first.size_bytes), at)
    if promise is None:
        return _measured(reader, at, first, end)
    samples = (promise.frames or 0) * first.samples - promise.trimmed_samples
    if _is_kept(promise, samples / first.kind.sample_rate_hz, end - at):
        return samples, True
    following = frame(reader.read(promise.stop, promise.stop + 7))
    return (_measured(reader, promise.stop, following, end)[0], False) if following else (max(samples, 0), False)


def _is_kept(promise: HeaderFrame, seconds: float, size_bytes: int) -> bool:
    """Whether the file has the bytes that its first frame promises, and they can last that long."""
    is_likely = seconds > 0 and int(size_bytes * 8 / seconds) in _LIKELY_BPS
    return is_likely and abs((promise.audio_bytes or 0) - size_bytes) <= _TOLERANCE * size_bytes


def _measured(reader: Reader, at: int, first: Frame, end: int) -> tuple[float, bool]:
    """Samples by the frames at the start, in the middle and at the end; exact when their bitrate is one."""
    last, last_end = _run(reader, max(at, end - _LAST_BYTES), end, first)
    end = last_end if last else end  # what follows the last frame, tags of any kind, does not sound
    start, start_end = _run(reader, at, end, first)
    if start_end >= end and first.kbps:
        return sum(each.samples for each in start), True  # seen them all
    middle, _ = _run(reader, (at + end) // 2, end, first)
    seen = [first, *start, *middle, *last]
    if middle and last and first.kbps and all(each.kbps == first.kbps for each in seen):
        return (end - at) / (first.kbps * 125) * first.kind.sample_rate_hz, True
    return (end - at) * sum(each.samples for each in seen) / sum(each.size_bytes for each in seen), False


def _run(reader: Reader, start: int, end: int, first: Frame) -> tuple[list[Frame], int]:
    """Frames of the first one's kind in the block at `start`, from the first that can be recognised, and their end."""
    data = block_at(reader, start)[: end - start]
    at = synced(data, is_end=start + len(data) == end)
    found = [] if at is None else [each for each in frames(data, at) if each.kind == first.kind]
    return found, min(start + (at or 0) + sum(each.size_bytes for each in found), end)


def _end(reader: Reader, at: int) -> int:
    """Where the frames end: before an ID3v1 tag and an APE tag."""
    end = reader.size
    if reader.read(end - 128, end - 125) == b"TAG":
        end -= 128
    footer = reader.read(end - 32, end)
    if footer[:8] == b"APETAGEX" and len(footer) == 32:
        has_header = footer[23] >> 7
        end -= int.from_bytes(footer[12:16], "little") + 32 * has_header
    return end if end > at else reader.size
