"""Cues, as files of subtitles have them, and the segments that they say."""

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise
from typing import Final, NamedTuple

from media.text import clean_line
from media.transcripts.transcript import Segment

LONGEST_MS: Final = 1000 * 3600 * 1000  # no recording is longer: three digits of hours
_MS_PER_CHARACTER: Final = 66  # as people speak, about 15 a second: for an end that nobody has written down
_SPACE: Final = re.compile("[ \t\n\u2028\u2029]+")  # a space that does not break, before a French colon, stays
_TIME: Final = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2})(?:[.,](\d{1,9}))?", re.ASCII)
_ARROW: Final = re.compile(r"\s*([\d:.,]+)\s*(?:-{1,3}|–|—)>\s*([\d:.,]+)(?:\s.*)?", re.ASCII)
# As in "Sarah: Hello", ">> Sarah: Hello", "- Sarah: Hello" and, in French, "Sarah : Bonjour".
_PREFIX: Final = re.compile(r"(?:>>|[-–—])?\s?([^\W_][^:]{0,39}?)\s?:\s+(\S.*)")
_ESCAPE: Final = re.compile(r"&(?:#\d{1,7}|#x[\da-f]{1,6}|\w{2,31});", re.IGNORECASE | re.ASCII)  # no "AT&T"
_MARKUP: Final = re.compile(
    r"</?(?:c|i|b|u|s|lang|ruby|rt|font)(?:[.\s][^<>]*)?>|<\d[\d:.]*>|\{\\[^{}]*\}", re.IGNORECASE | re.ASCII
)
_LONGEST_EXCERPT: Final = 60  # characters
_MOST_WORDS_OF_A_NAME: Final = 4
_SOON: Final = 5  # cues: a file that names its speakers begins early


class Part(NamedTuple):
    """A line of a cue, or what one voice says in it."""

    speaker: str | None  # None: it does not say
    text: str


@dataclass(frozen=True, slots=True)
class Cue:
    start_ms: int
    end_ms: int | None  # None: up to the next one
    parts: tuple[Part, ...]


class _Turn(NamedTuple):
    speaker: str
    text: str


def milliseconds(time: str) -> int | None:
    """Of 1:02:03.5, 02:03,500 or 62:03; None where it is no time. The decimals are a fraction: ,25 is a quarter."""
    if not (found := _TIME.fullmatch(time)):
        return None
    hours, minutes, seconds, decimals = (part or "0" for part in found.groups())
    whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return whole * 1000 + int(decimals.ljust(3, "0")[:3])


def times(line: str) -> tuple[int, int] | None:
    """Start and end of `00:01:02.500 --> 00:01:05.000` (what follows them is layout); None where it is no such line."""
    if not (found := _ARROW.fullmatch(line)):
        return None
    start_ms, end_ms = map(milliseconds, found.groups())
    return None if start_ms is None or end_ms is None else (start_ms, end_ms)


def unescaped(text: str) -> str:
    """With the characters that `&amp;`, `&#39;` and their like stand for."""
    return _ESCAPE.sub(lambda escape: html.unescape(escape[0]), text)


def without_markup(text: str) -> str:
    """Without <i>, <c.yellow>, <00:01.000>, <font color="red"> and {\\an8}; but with "<laughs>", which are words."""
    return _MARKUP.sub("", text)


def one_line(text: str) -> str:
    return _SPACE.sub(" ", text).strip(" ")


def excerpt(line: str) -> str:
    """So much of a line that somebody finds it."""
    words = one_line(line)
    return words if len(words) <= _LONGEST_EXCERPT else words[:_LONGEST_EXCERPT] + "…"


def segments(cues: Iterable[Cue]) -> tuple[Segment, ...]:
    """What the cues say, by time, each with one speaker; without those that say nothing.

    A cue of several voices is divided by the length of what they say. One that ends before it begins (YouTube writes
    such) lasts until the next one.
    """
    by_start = sorted(cues, key=lambda cue: cue.start_ms)
    said: list[Segment] = []
    for cue, following in zip(by_start, [*by_start[1:], None], strict=False):
        said += _timed(cue.start_ms, _end_ms(cue, following), _turns(cue.parts))
    return tuple(sorted(said, key=lambda segment: segment.start_ms))


def shares(start_ms: int, end_ms: int, texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Start and end of each text, when they share that time by their lengths."""
    total = sum(map(len, texts))
    ends = [start_ms + (end_ms - start_ms) * so_far // total for so_far in accumulate(map(len, texts))]
    for start, end in pairwise([start_ms, *ends]):
        yield start, max(end, start + 1)


def lasting(cues: Iterable[Cue]) -> list[Cue]:
    """The cues with speakers who speak until the next one is named."""
    speaker: str | None = None
    found: list[Cue] = []
    for cue in cues:
        parts: list[Part] = []
        for part in cue.parts:
            speaker = speaker if part.speaker is None else part.speaker
            parts.append(Part(speaker, part.text))
        found.append(replace(cue, parts=tuple(parts)))
    return found


def named(cues: Sequence[Cue]) -> list[Cue]:
    """The cues with their speakers, where lines begin as `Sarah: ` and that is plausibly a name.

    It is one when it comes again, in a file that begins so: "Note: ..." now and then is nobody. It lasts to the next.
    """
    counted = Counter(name for cue in cues for part in cue.parts if (name := _prefix(part)[0]))
    names = {name for name, count in counted.items() if count > 1}
    if not any(_prefix(part)[0] in names for cue in cues[:_SOON] for part in cue.parts):
        return list(cues)
    return lasting(replace(cue, parts=tuple(_named_part(part, names) for part in cue.parts)) for cue in cues)


def _prefix(part: Part) -> tuple[str | None, str]:
    """The name that the line may begin with, and the rest."""
    found = _PREFIX.fullmatch(part.text) if ":" in part.text else None
    return (clean_line(found[1]), found[2]) if found and _may_be_a_name(found[1]) else (None, part.text)


def _may_be_a_name(text: str) -> bool:
    """A few words, large at both ends: "Sarah", "Marie de Groot", "Speaker 1"; in Arabic all letters count as large."""
    words = text.split()
    return len(words) <= _MOST_WORDS_OF_A_NAME and not words[0][0].islower() and not words[-1][0].islower()


def _named_part(part: Part, names: set[str]) -> Part:
    name, rest = _prefix(part)
    return Part(name, rest) if name in names else part


def _turns(parts: Iterable[Part]) -> list[_Turn]:
    """What is said in one cue, a turn each time that the speaker is another one."""
    speaker = ""
    lines: list[_Turn] = []
    for part in parts:
        speaker = speaker if part.speaker is None else part.speaker
        if text := one_line(part.text):
            lines.append(_Turn(speaker, text))
    by_speaker = groupby(lines, key=lambda line: line.speaker)
    turns = [_Turn(name, " ".join(line.text for line in turn)) for name, turn in by_speaker]
    return [turn for turn in turns if turn.text.strip()]


def _end_ms(cue: Cue, following: Cue | None) -> int:
    if cue.end_ms is not None and cue.end_ms > cue.start_ms:
        return cue.end_ms
    if following and following.start_ms > cue.start_ms:
        return following.start_ms
    return cue.start_ms + max(1000, _MS_PER_CHARACTER * sum(len(part.text) for part in cue.parts))


def _timed(start_ms: int, end_ms: int, turns: Sequence[_Turn]) -> Iterator[Segment]:
    for (start, end), turn in zip(shares(start_ms, end_ms, [turn.text for turn in turns]), turns, strict=True):
        yield Segment(start_ms=start, end_ms=end, speaker=turn.speaker, text=turn.text)
