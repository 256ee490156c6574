"""What a file says of itself, from every kind of tag, in one form and through media.text."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from media.probe.chapter_list import web_address
from media.probe.comments import Comments, TypedPicture, chapters, pictures
from media.probe.facts import Chapter, Metadata, Picture, Tags
from media.probe.sniff import picture_type
from media.text import clean, clean_line

FRONT_COVER: Final = 3  # type of a picture (ID3v2.4, 4.14, and whoever took it over)

_LARGEST_PICTURE_BYTES: Final = 10 << 20
_NUMBER: Final = re.compile(r"\s*0*([1-9][0-9]{0,4})(?![0-9])")  # "3", "03", "3/12"

Texts = Mapping[str, list[str]]
_Names = Mapping[str, tuple[str, ...]]  # for each of our fields those that may hold it, the best first

_ID3: Final[_Names] = {
    "title": ("TIT2",),
    "artist": ("TPE1", "TPE2"),
    "comment": ("TDES", "COMM", "TXXX:description", "TXXX:comment"),
    "track": ("TRCK",),
    "season": ("TPOS",),
}
_MP4: Final[_Names] = {
    "title": ("\xa9nam",),
    "artist": ("\xa9ART", "aART"),
    "comment": ("ldes", "desc", "\xa9cmt"),
    "track": ("tves", "trkn"),
    "season": ("tvsn", "disk"),
}
_COMMENTS: Final[_Names] = {
    "title": ("title",),
    "artist": ("artist",),
    "comment": ("description", "comment", "summary"),
    "track": ("tracknumber",),
    "season": ("season", "discnumber"),
}


def picture(data: bytes) -> Picture | None:
    """The bytes as a picture, if they are one that a browser can show and not too large."""
    media_type = picture_type(data)
    return Picture(media_type=media_type, data=data) if media_type and len(data) <= _LARGEST_PICTURE_BYTES else None


def from_id3(frames: Mapping[str, object]) -> Metadata:
    """From frames as mutagen gives them."""
    return Metadata(
        tags=_tags(_id3_texts(frames), _ID3),
        chapters=tuple(map(_id3_chapter, _frames(frames, "CHAP"))),
        cover=_cover(_pictures(frames)),
    )


def from_mp4(texts: Texts, covers: list[bytes]) -> Metadata:
    """From the items of an MP4 file."""
    return Metadata(tags=_tags(texts, _MP4), cover=_cover((FRONT_COVER, data) for data in covers))


def from_comments(said: Comments, shown: list[TypedPicture]) -> Metadata:
    """From Vorbis comments, and FLAC's own pictures."""
    return Metadata(tags=_tags(said, _COMMENTS), chapters=chapters(said), cover=_cover(shown or pictures(said)))


def from_texts(texts: Mapping[str, str]) -> Metadata:
    """From fields that have our names already: those of WAV and AIFF."""
    return Metadata(tags=_tags({name: [text] for name, text in texts.items()}, {name: (name,) for name in _ID3}))


# -- ID3


def _id3_texts(frames: Mapping[str, object]) -> dict[str, list[str]]:
    """Values by frame; of several comments the one without a name, and never what iTunes notes for itself."""
    texts: dict[str, list[str]] = {}
    for key, frame in sorted(frames.items(), key=lambda item: not item[0].startswith("COMM::")):
        kind, _, name = key.partition(":")
        values = _texts(frame)
        if any(values) and not key.startswith("COMM:iTun"):
            texts.setdefault(f"TXXX:{name.lower()}" if kind == "TXXX" else kind, values)
    return texts


def _frames(frames: Mapping[str, object], kind: str) -> Iterator[object]:
    return (frame for key, frame in frames.items() if key.partition(":")[0] == kind)


def _pictures(frames: Mapping[str, object]) -> Iterator[tuple[object, object]]:
    """Their types and their bytes."""
    return ((getattr(frame, "type", 0), getattr(frame, "data", b"")) for frame in _frames(frames, "APIC"))


def _texts(frame: object) -> list[str]:
    """The values of a text frame; none of another frame. mutagen keeps a NUL inside some of them."""
    values = getattr(frame, "text", None)
    return [part for value in values for part in str(value).split("\0")] if isinstance(values, list) else []


def _id3_chapter(frame: object) -> Chapter:
    inside: dict[str, object] = dict(getattr(frame, "sub_frames", {}))
    links = filter(None, (web_address(str(getattr(frame, "url", ""))) for frame in inside.values()))
    return Chapter(
        start_ms=int(getattr(frame, "start_time", 0)),
        end_ms=int(getattr(frame, "end_time", 0)),
        title=" / ".join(_texts(inside.get("TIT2")) or _texts(inside.get("TIT3"))),
        url=next(links, None),
        picture=_cover(_pictures(inside)),
    )


# -- Values


def _tags(texts: Texts, names: _Names) -> Tags:
    said = {field: next((texts[name] for name in names[field] if any(texts.get(name, ()))), []) for field in names}
    return Tags(
        title=_line(said["title"]),
        artist=_line(said["artist"]),
        comment=" / ".join(filter(None, (clean(text).strip() for text in said["comment"]))),
        track=_number(said["track"]),
        season=_number(said["season"]),
    )


def _line(values: list[str]) -> str:
    return " / ".join(filter(None, map(clean_line, values)))


def _number(values: list[str]) -> int | None:
    found = _NUMBER.match(values[0]) if values else None
    return int(found[1]) if found else None


def _cover(shown: Iterable[tuple[object, object]]) -> Picture | None:
    """The largest front cover, or else the largest picture, of those that a browser can show."""
    pictures = [(kind == FRONT_COVER, data) for kind, data in shown if isinstance(data, bytes)]
    known = ((is_front, len(data), found) for is_front, data in pictures if (found := picture(data)))
    best = max(known, key=lambda picture: picture[:2], default=None)
    return best[2] if best else None
