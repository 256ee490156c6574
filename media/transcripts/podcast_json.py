"""Segments as JSON: of the Podcasting 2.0 namespace, and as Whisper and its kin write them."""

import json
import re
from collections.abc import Iterator
from typing import Final

from media.text import clean, clean_line
from media.transcripts import refusals
from media.transcripts.cues import LONGEST_MS, Cue, Part, segments
from media.transcripts.transcript import Segment, Transcript, Unreadable

_VERSION: Final = "1.0.0"
_BEGINNING: Final = re.compile(r'\s*(?:\{\s*["}]|\[\s*\{)')  # "[Music]" begins a text
_BETWEEN: Final = re.compile(r"[\s,:]*")


def is_one(text: str) -> bool:
    return _BEGINNING.match(text) is not None


def read(text: str) -> Transcript:
    """A segment that names nobody has no speaker. Raises Unreadable, with the line of the segment that is wrong."""
    match _parsed(text):
        case {"segments": list(said)} | list(said):
            return Transcript(segments=segments(_cues(said, text)))
        case {"text": str(words)}:  # OpenAI's, when nobody asked for times
            return Transcript(text=clean(words).strip())
    raise Unreadable(refusals.OTHER_JSON)


def write(transcript: Transcript, _language: str) -> bytes:
    said = {"version": _VERSION, "segments": list(map(_written, transcript.segments))}
    return (json.dumps(said, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _parsed(text: str) -> object:
    try:
        parsed: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(refusals.BAD_JSON, line=error.lineno) from error
    except (RecursionError, ValueError) as error:  # nested a thousand times; a number of a thousand digits
        raise Unreadable(refusals.OTHER_JSON) from error
    return parsed


def _cues(said: list[object], text: str) -> Iterator[Cue]:
    for index, segment in enumerate(said):
        if not (cue := _cue(segment)):
            raise Unreadable(refusals.BAD_SEGMENT, line=_line(text, index))
        yield cue


def _cue(segment: object) -> Cue | None:
    """None where it has no words, or does not say when they begin."""
    if not isinstance(segment, dict):
        return None
    start_ms = _milliseconds(segment.get("startTime", segment.get("start")))
    end_ms = _milliseconds(segment.get("endTime", segment.get("end")))
    match segment.get("body", segment.get("text")), segment.get("speaker") or "":
        case str(words), str(speaker) if start_ms is not None:
            return Cue(start_ms, end_ms, (Part(clean_line(speaker), clean(words)),))
    return None


def _milliseconds(seconds: object) -> int | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not abs(seconds) * 1000 < LONGEST_MS:
        return None
    return max(0, round(seconds * 1000))


def _line(text: str, index: int) -> int:
    """Where that segment begins."""
    top = list(_values(text, 0))
    if text.lstrip().startswith("{"):
        within = next(
            at for (_, key), (at, _) in reversed(list(zip(top[::2], top[1::2], strict=True))) if key == "segments"
        )
        top = list(_values(text, within))
    return text.count("\n", 0, top[index][0]) + 1


def _values(text: str, at: int) -> Iterator[tuple[int, object]]:
    """Of valid JSON: where each value of this array begins, and the value; of an object, keys and values in turn."""
    decoder = json.JSONDecoder()
    at = _end_of_gap(text, _end_of_gap(text, at) + 1)
    while text[at] not in "]}":
        value, end = decoder.raw_decode(text, at)
        yield at, value
        at = _end_of_gap(text, end)


def _end_of_gap(text: str, at: int) -> int:
    found = _BETWEEN.match(text, at)
    assert found is not None  # it may be empty
    return found.end()


def _written(segment: Segment) -> dict[str, str | float]:
    speaker = {"speaker": segment.speaker} if segment.speaker else {}
    return {**speaker, "startTime": segment.start_ms / 1000, "endTime": segment.end_ms / 1000, "body": segment.text}
