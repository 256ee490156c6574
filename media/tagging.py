"""What a copy of an episode says of itself: its fields as ID3 for MP3, as ffmpeg's metadata for M4A and for Opus."""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from typing import Final
from urllib.parse import quote

from mutagen.flac import Picture as FlacPicture
from mutagen.id3 import APIC, CHAP, CTOC, ID3, TALB, TIT2, TPE1, TRCK, WXXX, CTOCFlags, Encoding, Frame, PictureType
from PIL import Image

from media.probe.facts import Chapter
from media.tag_lengths import as_syncsafe
from media.text import clean_line

TAG_HEADER: Final = 10  # bytes in front of the frames of an ID3 tag
MOST_LISTED: Final = 255  # chapters in a table of contents: ID3 counts them in one byte
LONGEST_IN_MP4: Final = 255  # bytes of a title: Nero's list counts them in one byte
UNKNOWN_OFFSET: Final = 0xFFFFFFFF  # where a chapter begins in bytes; its times count (ID3v2 Chapter Frame Addendum)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnclosureTags:
    """The episode's fields, as they are when the enclosure is made."""

    title: str
    show: str
    author: str = ""
    number: int | None = None
    cover: bytes | None = None  # JPEG or PNG; a small one, since every listener downloads it
    chapters: tuple[Chapter, ...] = ()  # an M4A file has their titles, but no place for their links and pictures


@dataclass(frozen=True, slots=True)
class Span:
    """A chapter in its place in the sound."""

    start_ms: int
    end_ms: int
    chapter: Chapter


def id3(tags: EnclosureTags, duration_ms: int) -> bytes:
    """An ID3v2.3 tag for sound of that length. Not 2.4, which many cars and Windows do not read."""
    frames = [*_text_frames(tags), *_chapter_frames(_spans(tags.chapters, duration_ms)), *_cover_frames(tags.cover)]
    content = b"".join(map(_rendered, frames))
    return b"ID3\3\0\0" + as_syncsafe(len(content)) + content


def ffmetadata(tags: EnclosureTags, duration_ms: int) -> str:
    """The same, but for the cover, as a metadata file for ffmpeg, which then writes MP4's atoms."""
    track = {} if tags.number is None else {"track": str(tags.number)}
    fields = {
        "title": tags.title,
        "album": tags.show,
        "artist": tags.author,
        "media_type": "21",
        **track,
    }  # 21: podcast
    lines = [";FFMETADATA1", *(f"{name}={_escaped(text)}" for name, text in fields.items() if text)]
    for span in _spans(tags.chapters, duration_ms):
        lines += ["[CHAPTER]", "TIMEBASE=1/1000", f"START={span.start_ms}", f"END={span.end_ms}"]
        lines += [f"title={_escaped(_shortened(span.chapter.title))}"]
    return "\n".join([*lines, ""])


def vorbis_comments(tags: EnclosureTags, duration_ms: int) -> str:
    """The same as a metadata file from which ffmpeg writes the comments of an Opus file.

    Chapters and cover are comments here: ffmpeg, given chapters, writes wrong times (seen with 5.1).
    """
    fields = [("title", tags.title), ("album", tags.show), ("artist", tags.author)]
    fields += [] if tags.number is None else [("track", str(tags.number))]
    for number, span in enumerate(_spans(tags.chapters, duration_ms)):
        name = f"CHAPTER{number:03}"  # Xiph wiki, "Chapter Extension"
        fields += [(name, _clock(span.start_ms)), (f"{name}NAME", span.chapter.title)]
        fields += [(f"{name}URL", span.chapter.url or "")]
    fields += [("METADATA_BLOCK_PICTURE", _flac_picture(tags.cover))] if tags.cover else []
    return "\n".join([";FFMETADATA1", *(f"{name}={_escaped(text)}" for name, text in fields if text), ""])


def is_png(picture: bytes) -> bool:
    """Otherwise a cover is a JPEG."""
    return picture.startswith(b"\x89PNG")


def _text_frames(tags: EnclosureTags) -> Iterator[Frame]:
    number = "" if tags.number is None else str(tags.number)
    for kind, text in ((TIT2, tags.title), (TALB, tags.show), (TPE1, tags.author), (TRCK, number)):
        if line := clean_line(text):
            yield kind(encoding=Encoding.UTF16, text=line)


def _chapter_frames(spans: list[Span]) -> Iterator[Frame]:
    """All chapters, and a table of contents of as many as it can count: readers look at the chapters themselves."""
    names = [f"chapter{number}" for number in range(len(spans))]
    if names:
        flags = CTOCFlags.TOP_LEVEL | CTOCFlags.ORDERED
        yield CTOC(element_id="contents", flags=flags, child_element_ids=names[:MOST_LISTED], sub_frames=[])
    for name, span in zip(names, spans, strict=True):
        yield CHAP(
            element_id=name,
            start_time=span.start_ms,
            end_time=span.end_ms,
            start_offset=UNKNOWN_OFFSET,
            end_offset=UNKNOWN_OFFSET,
            sub_frames=list(_frames_inside(span.chapter)),
        )


def _frames_inside(chapter: Chapter) -> Iterator[Frame]:
    yield TIT2(encoding=Encoding.UTF16, text=clean_line(chapter.title))
    if chapter.url:
        url = quote(chapter.url, safe="%/:=&?~#+!$,;'@()*[]")  # ASCII: the frame holds nothing beyond Latin-1
        yield WXXX(encoding=Encoding.LATIN1, desc="", url=url)
    if chapter.picture:
        mime, data = chapter.picture.media_type, chapter.picture.data
        yield APIC(encoding=Encoding.LATIN1, mime=mime, type=PictureType.OTHER, desc="", data=data)


def _cover_frames(cover: bytes | None) -> Iterator[Frame]:
    if cover:
        yield APIC(encoding=Encoding.LATIN1, mime=_mime(cover), type=PictureType.COVER_FRONT, desc="", data=cover)


def _flac_picture(cover: bytes) -> str:
    """The cover as FLAC keeps pictures (RFC 9639, 8.8), in base64."""
    with Image.open(BytesIO(cover), formats=("JPEG", "PNG")) as image:
        width, height = image.size
    picture = FlacPicture()
    picture.type, picture.mime, picture.data = PictureType.COVER_FRONT, _mime(cover), cover
    picture.width, picture.height, picture.depth = width, height, 24
    return base64.b64encode(picture.write()).decode()


def _mime(picture: bytes) -> str:
    return "image/png" if is_png(picture) else "image/jpeg"


def _clock(ms: int) -> str:
    """Hours, minutes, seconds and milliseconds."""
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"


def _rendered(frame: Frame) -> bytes:
    """One frame alone: a whole tag mutagen sorts by size, and players show chapters in the order of the file."""
    tag = ID3()
    tag.add(frame)
    written = BytesIO()
    tag.save(written, v2_version=3, padding=lambda _: 0)
    return written.getvalue()[TAG_HEADER:]


def _spans(chapters: Iterable[Chapter], duration_ms: int) -> list[Span]:
    """The chapters in order, each up to the next one or the end; those behind the end of the sound are left out."""
    inside = sorted((chapter for chapter in chapters if chapter.start_ms < duration_ms), key=lambda one: one.start_ms)
    bounds = pairwise([*(chapter.start_ms for chapter in inside), duration_ms])
    return [
        Span(start, min(chapter.end_ms or following, duration_ms), chapter)
        for chapter, (start, following) in zip(inside, bounds, strict=True)
    ]


def _shortened(title: str) -> str:
    """The title as far as an MP4 file can list it. ffmpeg would cut it inside a letter, which mutagen refuses."""
    written = clean_line(title).encode()
    if len(written) <= LONGEST_IN_MP4:
        return title
    return written[: LONGEST_IN_MP4 - len("…".encode())].decode(errors="ignore") + "…"


def _escaped(text: str) -> str:
    """A value of one line; the four marks have a meaning in ffmpeg's metadata files."""
    return re.sub(r"([=;#\\])", r"\\\1", clean_line(text))
