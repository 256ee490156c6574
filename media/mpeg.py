"""The frames of a whole MP3 file: where they are, how long they play, whether the header frame tells the truth.

Everything else in the file (tags of any kind, in front, between and behind; junk) simply is in no run of frames.
"""

import os
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import BinaryIO, Final, NamedTuple

from media import tag_lengths
from media.header_frame import HeaderFrame, header_frame, xing_frame
from media.mpeg_frame import IN_A_ROW, begin_at, known, layered

BLOCK: Final = 64 * 1024  # bytes read at a time; a mark is kept for each
LARGEST_FRAME: Final = 1441  # bytes: 320 kbit/s at 32 kHz, padded
MOST_PIECES: Final = 10_000  # a file with more runs, tags and junk than this is noise, or made to waste our time
MOST_LANDMARKS: Final = 1000  # looked at in a block; in noise there are six

# Where a layer III frame may begin, or a tag: its pictures, even sounds, must not be taken for the stream.
LANDMARK: Final = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]|ID3[\x02-\x04]|APETAGEX")


class Mark(NamedTuple):
    """So many frames of the sound take so many bytes."""

    frames: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Whole frames of one sample rate, one behind the other, from `start` to `stop` (bytes into the file)."""

    start: int
    stop: int
    frames: int
    opening: bytes  # the header of its first frame
    bitrates_kbps: frozenset[int]
    marks: tuple[Mark, ...]  # inside the run, one for each block that was read

    @property
    def seconds(self) -> float:
        return self.frames * known(self.opening).seconds


@dataclass(frozen=True, kw_only=True)
class Stream:
    """All the sound of a file: at least one run."""

    runs: tuple[Run, ...]
    header_frame: HeaderFrame | None  # None too when it says what is not so

    @cached_property
    def frames(self) -> int:
        return sum(run.frames for run in self.runs)

    @cached_property
    def audio_bytes(self) -> int:
        """The frames alone, without the header frame."""
        return sum(run.stop - run.start for run in self.runs)

    @property
    def sample_rates_hz(self) -> frozenset[int]:
        return frozenset(known(run.opening).kind.sample_rate_hz for run in self.runs)

    @property
    def channels(self) -> int:
        return known(self.runs[0].opening).channels

    @property
    def is_variable(self) -> bool:
        """Frames of more than one bitrate: the length does not follow from the size."""
        return len({bitrate for run in self.runs for bitrate in run.bitrates_kbps}) > 1

    @property
    def bitrate_bps(self) -> int:
        """The average."""
        return round(self.audio_bytes * 8 / sum(run.seconds for run in self.runs))

    @property
    def duration_ms(self) -> int:
        """How long it plays, without the encoder's delay and padding; with them when there is nothing else."""
        seconds = sum(run.seconds for run in self.runs)
        trimmed_samples = self.header_frame.trimmed_samples if self.header_frame else 0
        trimmed = trimmed_samples / known(self.runs[0].opening).kind.sample_rate_hz
        return round((seconds - trimmed if trimmed < seconds else seconds) * 1000)


def read(file: BinaryIO) -> Stream | None:
    """The file's sound, read once in small blocks; None when there is no stream of MPEG layer III in it."""
    size = file.seek(0, os.SEEK_END)
    # a last frame that was cut must not swallow the tags behind it
    end = tag_lengths.end_of_sound(lambda start, stop: _at(file, start, stop - start), size)
    pieces = list(islice(_pieces(file, end), MOST_PIECES + 1))
    runs = tuple(piece for piece in pieces if isinstance(piece, Run))
    if not runs or len(pieces) > MOST_PIECES:
        return None
    stream = Stream(runs=runs, header_frame=None)
    first = next(piece for piece in pieces if piece is not None)
    if isinstance(first, HeaderFrame) and _is_true(first, stream):
        return replace(stream, header_frame=first)
    return stream


def new_header_frame(stream: Stream) -> bytes:
    """A Xing frame for a stream of variable bitrate that has no true one.

    Without it players guess the length from the first frame, and seek to the wrong place.
    """
    marks = _marks(stream)
    sizes = [_size_before(marks, stream.frames * percent / 100) for percent in range(100)]
    opening = stream.runs[0].opening
    return xing_frame(opening, frames=stream.frames, audio_bytes=stream.audio_bytes, sizes=sizes)


def _pieces(file: BinaryIO, end: int) -> Iterator[HeaderFrame | Run | None]:
    """Header frames and runs in the order of the file; None for what is none of them, but takes time to step over."""
    position = _landmark(file, 0, end)
    while position < end:
        opening = _at(file, position, LARGEST_FRAME)
        if length := _tag_length(opening, end - position):
            yield None
            position = _landmark(file, position + length, end)
        elif described := header_frame(opening, position):
            yield described
            position = _landmark(file, described.stop, end)
        else:
            run, position = _run(file, position, end)
            yield run if run.frames else None


def _landmark(file: BinaryIO, position: int, end: int) -> int:
    """The first place from `position` on where frames or a tag begin; `end` when there is none.

    What comes after too many that only look so is not searched up to the next block: no sound is so dense.
    """
    while position < end:
        block = _at(file, position, min(BLOCK + IN_A_ROW * LARGEST_FRAME, end - position))
        for found in islice(LANDMARK.finditer(block, 0, BLOCK + 8), MOST_LANDMARKS):
            if _is_landmark(block, found.start(), end - position):
                return position + found.start()
        position += BLOCK
    return end


def _is_landmark(block: bytes, offset: int, room: int) -> bool:
    """Whether a tag, or frames that agree with each other, begin here; `room` bytes are left from the block's start."""
    if block[offset] == 0xFF:
        return begin_at(block, offset, room)
    return _tag_length(block[offset : offset + 32], room - offset) > 0


def _run(file: BinaryIO, start: int, end: int) -> tuple[Run, int]:
    """The run of frames that begins at `start`, and where to go on; it has no frame when the only one is cut."""
    lengths = _Lengths(_at(file, start, 4))
    frames, position, last, unbroken = 0, start, start, True
    marks: list[Mark] = []
    while unbroken and position + 4 <= end:
        marks.append(Mark(frames, position - start))
        more, offset, last_offset, unbroken = _walk(_at(file, position, min(BLOCK, end - position)), lengths)
        if more:
            frames, position, last = frames + more, position + offset, position + last_offset
    following = _landmark(file, last + 1, end)
    if position > end or following < position:  # something begins inside the last frame: it was cut
        frames, position = frames - 1, last
    run = Run(
        start=start,
        stop=position,
        frames=frames,
        opening=_at(file, start, 4),
        bitrates_kbps=lengths.bitrates_kbps(),
        marks=tuple(marks),
    )
    return run, following


def _walk(block: bytes, lengths: "_Lengths") -> tuple[int, int, int, bool]:
    """Frames in this block, where the next one begins and the last one began, and whether they go on unbroken.

    A frame costs a slice and a look-up; this loop is the whole cost of reading an MP3 file.
    """
    frames = offset = last = 0
    limit = len(block) - 4
    try:
        while offset <= limit:
            last, offset = offset, offset + lengths[block[offset : offset + 4]]
            frames += 1
    except KeyError:
        return frames, offset, last, False
    return frames, offset, last, True


class _Lengths(dict[bytes, int]):
    """The length of a frame by its header. Only frames of one kind belong together: others are KeyErrors."""

    def __init__(self, opening: bytes) -> None:
        super().__init__()
        self._kind = known(opening).kind

    def __missing__(self, four: bytes) -> int:
        found = layered(four)
        if found is None or found.kind != self._kind:
            raise KeyError(four)
        self[four] = found.size_bytes
        return found.size_bytes

    def bitrates_kbps(self) -> frozenset[int]:
        return frozenset(known(four).bitrate_kbps for four in self)


def _tag_length(head: bytes, room: int) -> int:
    """The length of the tag that begins with these bytes; 0 when none does, or it has not that room."""
    length = tag_lengths.in_front(head)
    return length if length <= room else 0


def _is_true(header_frame: HeaderFrame, stream: Stream) -> bool:
    """Whether it counts what is there; encoders differ on counting their header frame in."""
    own = header_frame.stop - header_frame.start
    frames_agree = header_frame.frames in (stream.frames, stream.frames + 1)
    return frames_agree and header_frame.audio_bytes in (None, stream.audio_bytes, stream.audio_bytes + own)


def _marks(stream: Stream) -> list[Mark]:
    """The marks of all runs, as if they stood one behind the other; the last is the end."""
    marks: list[Mark] = []
    frames = size = 0
    for run in stream.runs:
        marks += [Mark(frames + mark.frames, size + mark.size) for mark in run.marks if mark.frames < run.frames]
        frames, size = frames + run.frames, size + run.stop - run.start
    return [*marks, Mark(frames, size)]


def _size_before(marks: list[Mark], frames: float) -> float:
    """Between two marks, frames are taken to be of one size."""
    following = bisect_right(marks, frames, key=lambda mark: mark.frames)
    before, after = marks[following - 1], marks[following]
    share = (frames - before.frames) / (after.frames - before.frames)
    return before.size + share * (after.size - before.size)


def _at(file: BinaryIO, position: int, size: int) -> bytes:
    file.seek(position)
    return file.read(size)
