"""What was said in an episode, by whom and when: the words of this package."""

from collections.abc import Mapping
from dataclasses import dataclass


class Unreadable(Exception):
    """The file cannot be a transcript. The sentence tells a producer why, and what to do.

    `sentence` is English, with {names} that `values` fill, the line among them; who shows it may translate it first.
    """

    def __init__(self, sentence: str, *, line: int | None = None, **values: str | int) -> None:
        super().__init__(sentence, line, values)
        self.sentence = sentence
        self.line = line  # of the file, as editors count: from 1; None where no line is to blame
        self.values: Mapping[str, str | int] = values if line is None else {"line": line, **values}

    def __str__(self) -> str:
        return self.sentence.format(**self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Some words of one speaker, in one line without layout."""

    start_ms: int
    end_ms: int  # later than the start; may be later than the next one's start
    speaker: str = ""  # "" when nobody is named
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """Segments by their start; or a text where no times are known, its paragraphs parted by empty lines."""

    segments: tuple[Segment, ...] = ()
    text: str = ""

    @property
    def is_timed(self) -> bool:
        return bool(self.segments)


def to_json(transcript: Transcript) -> dict[str, object]:
    """For a database: compact, and read by from_json only."""
    if not transcript.is_timed:
        return {"text": transcript.text}
    return {"segments": [[said.start_ms, said.end_ms, said.speaker, said.text] for said in transcript.segments]}


def from_json(kept: Mapping[str, object]) -> Transcript:
    """What to_json gave."""
    segments, text = kept.get("segments", []), kept.get("text", "")
    assert isinstance(segments, list)
    assert isinstance(text, str)
    return Transcript(
        segments=tuple(
            Segment(start_ms=start, end_ms=end, speaker=name, text=said) for start, end, name, said in segments
        ),
        text=text,
    )
