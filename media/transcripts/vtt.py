"""WebVTT (W3C): what browsers, Apple and most tools know. Read kindly, and without losing words."""

import html
import re
from collections.abc import Iterator
from itertools import dropwhile, groupby, pairwise
from typing import Final, NamedTuple

from media.text import clean_line
from media.transcripts import layout, refusals
from media.transcripts.cues import Cue, Part, excerpt, lasting, named, segments, times, unescaped, without_markup
from media.transcripts.transcript import Segment, Transcript, Unreadable

_WIDTH: Final = 65  # characters of a line, as Apple asks
_HEADER: Final = re.compile(r"WEBVTT(?:\s|$)")
_NOT_SPOKEN: Final = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")
_VOICE: Final = re.compile(r"<(/?)v(?:\.[^\s<>]*)?(?:\s([^<>]*))?>", re.IGNORECASE)


class _Line(NamedTuple):
    number: int
    text: str

    @property
    def begins_a_cue(self) -> bool:
        return "-->" in self.text


def is_one(text: str) -> bool:
    return _HEADER.match(text) is not None


def read(text: str) -> Transcript:
    """Raises Unreadable at the first words that have no times."""
    if not is_one(text):
        raise Unreadable(refusals.NO_HEADER, line=1)
    header, *blocks = _blocks(text)
    first = list(dropwhile(lambda line: not line.begins_a_cue, header))  # where no empty line follows the header
    cues = [cue for block in (first, *blocks) for cue in _cues(block)]
    return Transcript(segments=segments(_spoken(cues)))


def write(transcript: Transcript, _language: str) -> bytes:
    """Every cue names its voice, so that a player that begins in the middle knows it too."""
    return "\n".join(["WEBVTT\n", *map(_written, transcript.segments)]).encode()


def _blocks(text: str) -> Iterator[list[_Line]]:
    """What stands between empty lines. A line of spaces is not empty: YouTube has such in its cues."""
    numbered = (_Line(number, line) for number, line in enumerate(text.split("\n"), 1))
    for is_empty, block in groupby(numbered, key=lambda line: not line.text):
        if not is_empty:
            yield list(block)


def _cues(block: list[_Line]) -> Iterator[Cue]:
    """Mostly one: a line with an arrow begins a cue wherever it stands. The first may have a name above it."""
    words = list(dropwhile(lambda line: not line.text.strip(), block))
    if not words or _NOT_SPOKEN.match(words[0].text):
        return
    beginnings = [index for index, line in enumerate(words) if line.begins_a_cue]
    if not beginnings or beginnings[0] > 1:
        raise Unreadable(refusals.TEXT_WITHOUT_TIME, line=words[0].number, text=excerpt(words[0].text))
    for start, stop in pairwise([*beginnings, len(words)]):
        yield _cue(words[start], "\n".join(line.text for line in words[start + 1 : stop]))


def _cue(beginning: _Line, said: str) -> Cue:
    if not (found := times(beginning.text)):
        raise Unreadable(refusals.BAD_TIMES, line=beginning.number, text=excerpt(beginning.text))
    return Cue(*found, tuple(_parts(said)))


def _spoken(cues: list[Cue]) -> list[Cue]:
    """The cues with their speakers. A voice lasts until the next one, unless the file names it in cue after cue."""
    voices = [[part.speaker for part in cue.parts if part.text] for cue in cues]
    if not any(map(any, voices)):
        return named(cues)
    names_each = any(one and other and one[-1] and one[-1] == other[0] for one, other in pairwise(voices))
    return cues if names_each else lasting(cues)


def _parts(said: str) -> Iterator[Part]:
    """Line by line, with the voice that speaks."""
    speaker, stop = None, 0
    for tag in _VOICE.finditer(said):
        yield from _lines(speaker, said[stop : tag.start()])
        speaker, stop = clean_line(unescaped(tag[2] or "")) or None, tag.end()
    yield from _lines(speaker, said[stop:])


def _lines(speaker: str | None, said: str) -> Iterator[Part]:
    for line in said.split("\n"):
        yield Part(speaker, unescaped(without_markup(line)).strip(" "))


def _written(segment: Segment) -> str:
    voice = f"<v {html.escape(segment.speaker, quote=False)}>" if segment.speaker else ""
    words = layout.lines(html.escape(segment.text, quote=False), _WIDTH, after=voice)
    return "\n".join([f"{layout.clock(segment.start_ms, '.')} --> {layout.clock(segment.end_ms, '.')}", *words, ""])
