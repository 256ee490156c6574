"""How a transcript is laid out for eyes: lines of a screen, paragraphs of a page, times."""

import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from media.transcripts.transcript import Segment, Transcript

_LONG: Final = 600  # characters: then a paragraph ends with its next sentence
_LONGEST: Final = 1200  # for recognised speech without full stops
_PAUSE_MS: Final = 5000  # music, or another subject
_ENDS_OF_SENTENCES: Final = tuple(".!?…。؟።”»")


class Paragraph(NamedTuple):
    start_ms: int
    speaker: str  # "" where it is the same as before, or nobody
    text: str


def lines(text: str, width: int, *, after: str = "") -> list[str]:
    """The text in lines of at most so many characters, the first beginning with `after`.

    A word that is longer has a line of its own.
    """
    return textwrap.wrap(text, width, initial_indent=after, break_long_words=False, break_on_hyphens=False)


def clock(milliseconds: int, decimal_mark: str) -> str:
    """00:01:02.500"""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{decimal_mark}{rest:03}"


def short_clock(milliseconds: int) -> str:
    """1:02, 1:02:03"""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}" if minutes >= 60 else f"{minutes}:{seconds:02}"


def with_changes(transcript: Transcript) -> Iterator[tuple[str, Segment]]:
    """Each segment with its speaker's name, where that is another one than before."""
    speakers = ["", *(segment.speaker for segment in transcript.segments)]
    for (before, speaker), segment in zip(pairwise(speakers), transcript.segments, strict=True):
        yield "" if speaker == before else speaker, segment


def paragraphs(transcript: Transcript) -> Iterator[Paragraph]:
    """One for each turn of a speaker; a long one has several, parted between sentences and at pauses."""
    speaker, together, length = "", list[Segment](), 0
    for segment in transcript.segments:
        if together and (_is_apart(together[-1], segment) or _is_full(length, together[-1].text)):
            yield _paragraph(together, unless=speaker)
            speaker, together, length = together[-1].speaker, [], 0
        together.append(segment)
        length += len(segment.text)
    if together:
        yield _paragraph(together, unless=speaker)


def _is_apart(before: Segment, segment: Segment) -> bool:
    return segment.speaker != before.speaker or segment.start_ms - before.end_ms > _PAUSE_MS


def _is_full(length: int, last: str) -> bool:
    return length > _LONGEST or (length > _LONG and last.endswith(_ENDS_OF_SENTENCES))


def _paragraph(together: list[Segment], *, unless: str) -> Paragraph:
    """Of one speaker, named unless it was just that one who spoke."""
    first = together[0]
    name = "" if first.speaker == unless else first.speaker
    return Paragraph(first.start_ms, name, " ".join(segment.text for segment in together))
