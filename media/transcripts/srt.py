"""SubRip, which no standard describes: a number, times with a comma, words. Tools write it in many ways."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final, NamedTuple

from media.transcripts import layout, refusals
from media.transcripts.cues import Cue, Part, excerpt, named, segments, shares, times, unescaped, without_markup
from media.transcripts.transcript import Segment, Transcript, Unreadable

_WIDTH: Final = 32  # characters of a line, and two lines, as the Podcasting 2.0 namespace asks
_LINES: Final = 2
_LONG: Final = 1000  # characters: beyond, a short last cue is hardly noticed
_TIMES: Final = re.compile(r"\s*\d+:\s?\d.*[-–—]>", re.ASCII)  # that is what it must be, whether well written or not
_NUMBER: Final = re.compile(r"\s*(\d{1,9})\s*", re.ASCII)


class _Beginning(NamedTuple):
    """Of a cue: the indexes of its first line and of its times, and its number (counted on where none is written)."""

    first: int
    times: int
    number: int


def is_one(text: str) -> bool:
    return any(times(line) for line in text.split("\n"))


def read(text: str) -> Transcript:
    """Raises Unreadable at the first words that have no times.

    Numbers may be missing, and so may the empty lines between cues; words after an empty line belong to what precedes.
    """
    lines = text.split("\n")
    beginnings = list(_beginnings(lines))
    _make_sure_of_times(lines, beginnings)
    ends = [beginning.first for beginning in beginnings[1:]]
    cues = [_cue(lines, one, end) for one, end in zip(beginnings, [*ends, len(lines)], strict=True)]
    return Transcript(segments=segments(named(cues)))


def write(transcript: Transcript, _language: str) -> bytes:
    """The speaker's name stands before the words where the speaker changes."""
    blocks = chain.from_iterable(_blocks(name, segment) for name, segment in layout.with_changes(transcript))
    return "\n".join(f"{number}\n{block}" for number, block in enumerate(blocks, 1)).encode()


def _beginnings(lines: Sequence[str]) -> Iterator[_Beginning]:
    number = 0
    for index, line in enumerate(lines):
        if _TIMES.match(line):
            start, number = _start(lines, index, number + 1)
            yield _Beginning(start, index, number)


def _start(lines: Sequence[str], times_at: int, expected: int) -> tuple[int, int]:
    """Where the number above these times stands, and the number. A line of digits may also be said before."""
    above = times_at - 1
    while above > 0 and not lines[above].strip():
        above -= 1
    if above < 0 or not (number := _NUMBER.fullmatch(lines[above])):
        return times_at, expected
    is_apart = above == 0 or not lines[above - 1].strip()
    return (above, int(number[1])) if is_apart or int(number[1]) == expected else (times_at, expected)


def _make_sure_of_times(lines: Sequence[str], beginnings: Sequence[_Beginning]) -> None:
    """Raises Unreadable for a file without any, and for words before the first ones."""
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if not beginnings:
        raise Unreadable(refusals.NO_TIMES, line=first + 1, text=excerpt(lines[first]))
    if first < beginnings[0].first:
        raise Unreadable(refusals.TEXT_WITHOUT_TIME, line=first + 1, text=excerpt(lines[first]))


def _cue(lines: Sequence[str], beginning: _Beginning, end: int) -> Cue:
    if not (found := times(lines[beginning.times])):
        raise Unreadable(refusals.BAD_TIMES, line=beginning.times + 1, text=excerpt(lines[beginning.times]))
    for index in range(beginning.times + 2, end):
        if not lines[index - 1].strip() and _is(
            beginning.number + 1, lines[index]
        ):  # the next cue, whose times are lost
            raise Unreadable(refusals.TEXT_WITHOUT_TIME, line=index + 1, text=excerpt(lines[index]))
    return Cue(*found, tuple(_part(line) for line in lines[beginning.times + 1 : end] if line.strip()))


def _is(number: int, line: str) -> bool:
    found = _NUMBER.fullmatch(line)
    return found is not None and int(found[1]) == number


def _part(line: str) -> Part:
    return Part(None, unescaped(without_markup(line)).strip(" "))


def _blocks(name: str, segment: Segment) -> Iterator[str]:
    """The segment's cues: as many as its lines need."""
    lines = _lines(f"{name}: " if name else "", segment.text)
    screens = ["\n".join(lines[index : index + _LINES]) for index in range(0, len(lines), _LINES)]
    for (start_ms, end_ms), screen in zip(shares(segment.start_ms, segment.end_ms, screens), screens, strict=True):
        yield f"{layout.clock(start_ms, ',')} --> {layout.clock(end_ms, ',')}\n{screen}\n"


def _lines(name: str, text: str) -> list[str]:
    """As few as can be; where those make several cues, as even as can be: no word is left for a cue of its own."""
    lines = layout.lines(text, _WIDTH, after=name)
    if len(lines) > _LINES and len(text) < _LONG:
        most = len(lines) + len(lines) % _LINES
        evener = (layout.lines(text, width, after=name) for width in range(_WIDTH // 2, _WIDTH))
        return next((lines for lines in evener if len(lines) <= most), lines)
    return lines
