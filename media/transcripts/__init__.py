"""Transcripts: read from what tools write, given out in the forms that apps, browsers and people want.

What cannot be read is refused with the line, rather than taken without some of its words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from media.transcripts import encoding, html_fragment, plain, podcast_json, refusals, sbv, srt, vtt
from media.transcripts.transcript import Segment, Transcript, Unreadable, from_json, to_json

__all__ = [
    "FORMATS",
    "MOST_BYTES",
    "Format",
    "Segment",
    "Transcript",
    "Unreadable",
    "formats",
    "from_json",
    "read",
    "to_json",
]

MOST_BYTES: Final = 10_000_000  # a hundred hours of speech
_MOST_SEGMENTS: Final = 200_000  # twenty hours, where each word has its time


@dataclass(frozen=True, slots=True)
class Format:
    """A form in which a transcript is given out. In feeds and answers its media type is the same one."""

    extension: str
    media_type: str  # without charset: all are UTF-8
    needs_times: bool
    write: Callable[[Transcript, str], bytes]  # the language, as in "fr"


FORMATS: Final[Mapping[str, Format]] = {
    form.extension: form
    for form in (
        Format("vtt", "text/vtt", True, vtt.write),
        Format("srt", "application/x-subrip", True, srt.write),
        Format("json", "application/json", True, podcast_json.write),
        Format("html", "text/html", False, html_fragment.write),
        Format("txt", "text/plain", False, plain.write),
    )
}

_Reader = Callable[[str], Transcript]
_BY_CONTENT: Final[tuple[tuple[Callable[[str], bool], _Reader], ...]] = (
    (vtt.is_one, vtt.read),
    (podcast_json.is_one, podcast_json.read),
    (html_fragment.is_one, html_fragment.read),
    (srt.is_one, srt.read),
    (sbv.is_one, sbv.read),
)
_BY_NAME: Final[Mapping[str, _Reader]] = {
    ".vtt": vtt.read,
    ".srt": srt.read,
    ".sbv": sbv.read,
    ".json": podcast_json.read,
    ".html": html_fragment.read,
    ".htm": html_fragment.read,
    ".txt": plain.read,
}
_BY_TYPE: Final[Mapping[str, _Reader]] = {
    "text/vtt": vtt.read,
    "application/x-subrip": srt.read,
    "application/srt": srt.read,
    "text/srt": srt.read,
    "application/json": podcast_json.read,
    "text/html": html_fragment.read,
}


def read(data: bytes, *, filename: str = "", media_type: str = "") -> Transcript:
    """The transcript in a file of any kind that is known here; content tells the kind first, then name, then type.

    A file of a known kind may hold no words: then the transcript has neither segments nor text. Raises Unreadable.
    """
    if len(data) > MOST_BYTES:
        raise Unreadable(refusals.TOO_LARGE, limit=MOST_BYTES // 1_000_000)
    text = encoding.decoded(data)
    if not text.strip():
        raise Unreadable(refusals.EMPTY)
    if text.lstrip().startswith(("<?xml", "<tt")) and not html_fragment.is_one(text):
        raise Unreadable(refusals.XML)
    transcript = _reader(text, PurePath(filename).suffix.lower(), media_type.partition(";")[0].strip().lower())(text)
    if len(transcript.segments) > _MOST_SEGMENTS:
        raise Unreadable(refusals.TOO_MANY, limit=_MOST_SEGMENTS)
    return transcript


def formats(transcript: Transcript) -> tuple[Format, ...]:
    """Those it can be given in, as feeds name them; none for a transcript without words."""
    if not transcript.is_timed and not transcript.text:
        return ()
    return tuple(form for form in FORMATS.values() if transcript.is_timed or not form.needs_times)


def _reader(text: str, suffix: str, media_type: str) -> _Reader:
    named = _BY_NAME.get(suffix, _BY_TYPE.get(media_type, plain.read))
    looks_like = next((reads for is_one, reads in _BY_CONTENT if is_one(text)), named)
    # Cues without the header of VTT are SRT, unless the file says that it is VTT: then it is a broken one.
    return named if (looks_like, named) == (srt.read, vtt.read) else looks_like
