"""SubViewer as YouTube writes it: a line with both times, then the words. It is read, and never written."""

import re
from itertools import groupby
from typing import Final

from media.transcripts import refusals
from media.transcripts.cues import Cue, Part, excerpt, milliseconds, named, segments, unescaped, without_markup
from media.transcripts.transcript import Transcript, Unreadable

_TIMES: Final = re.compile(r"\s*(\d+:[\d:.]+)\s*,\s*(\d+:[\d:.]+)\s*", re.ASCII)
_BREAK: Final = "[br]"  # YouTube's line end within a cue


def is_one(text: str) -> bool:
    return any(_times(line) for line in text.split("\n"))


def read(text: str) -> Transcript:
    """Raises Unreadable at the first block of lines that does not begin with times."""
    numbered = enumerate(text.split("\n"), 1)
    blocks = groupby(numbered, key=lambda line: not line[1].strip())
    cues = [_cue(*zip(*block, strict=True)) for is_empty, block in blocks if not is_empty]
    return Transcript(segments=segments(named(cues)))


def _times(line: str) -> tuple[int, int] | None:
    if not (found := _TIMES.fullmatch(line)):
        return None
    start_ms, end_ms = map(milliseconds, found.groups())
    return None if start_ms is None or end_ms is None else (start_ms, end_ms)


def _cue(numbers: tuple[int, ...], lines: tuple[str, ...]) -> Cue:
    if not (times := _times(lines[0])):
        raise Unreadable(refusals.NO_SBV_TIMES, line=numbers[0], text=excerpt(lines[0]))
    words = unescaped(without_markup("\n".join(lines[1:]).replace(_BREAK, "\n")))
    return Cue(*times, tuple(Part(None, line.strip(" ")) for line in words.split("\n")))
