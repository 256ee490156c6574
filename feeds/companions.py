"""What accompanies the audio in an item: its chapters, its transcripts, and the same episode as other files.

`write` puts them in, `read` gets them out again; what is written is what `as_written` says.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lxml import etree

from feeds import text
from feeds.document import AlternateEnclosure, Chapter, Episode, Transcript
from feeds.elements import NAMESPACES, PODCAST, PSC, add, attribute, whole_number

CHAPTERS_TYPE = "application/json+chapters"
_PSC_VERSION = "1.2"
_CAPTIONS = "captions"
_WEBVTT = "text/vtt"
_LABEL = 32  # characters: Podcasting 2.0, `alternateEnclosure`, `title`
_PLAY_TIME = re.compile(r"(?:(?:([0-9]{1,4}):)?([0-9]{1,6}):)?([0-9]{1,8})(?:\.([0-9]+))?")  # 1:02:03.5, 62:03, 3723


class Companions(NamedTuple):
    """They are named as in the document."""

    chapters: tuple[Chapter, ...]
    chapters_url: str | None
    transcripts: tuple[Transcript, ...]
    alternate_enclosures: tuple[AlternateEnclosure, ...]


def as_written(episode: Episode) -> Companions:
    """What the item says of the document: addresses in ASCII, labels short, nothing without its name."""
    return Companions(
        # `title` is mandatory (Podlove Simple Chapters); JSON chapters can hold one that has none
        chapters=tuple(filter(_has_title, map(_written_chapter, _inside(episode)))),
        chapters_url=_address(episode.chapters_url),
        # WebVTT first: Apple and browsers read nothing else, and some apps look at the first alone
        transcripts=tuple(sorted(map(_written_transcript, episode.transcripts), key=lambda one: not is_webvtt(one))),
        alternate_enclosures=tuple(map(_written_alternate, episode.alternate_enclosures)),
    )


def is_webvtt(transcript: Transcript) -> bool:
    return transcript.media_type == _WEBVTT


def write(entry: etree._Element, episode: Episode) -> None:
    """Adds the elements to the item. Nothing is empty: what there is none of has no element."""
    companions = as_written(episode)
    if companions.chapters_url:
        add(entry, PODCAST + "chapters", url=companions.chapters_url, type=CHAPTERS_TYPE)
    if companions.chapters:
        _add_chapters(entry, companions.chapters)
    for transcript in companions.transcripts:
        _add_transcript(entry, transcript)
    for alternate in companions.alternate_enclosures:
        _add_alternate(entry, alternate)


def read(entry: etree._Element) -> Companions:
    """What the item offers, in its order. A chapter without a title or a time that can be read is none."""
    return Companions(
        chapters=tuple(_read_chapters(entry.iterfind("psc:chapters/psc:chapter", NAMESPACES))),
        chapters_url=attribute(entry, "podcast:chapters", "url") or None,
        transcripts=tuple(map(_read_transcript, entry.iterfind("podcast:transcript", NAMESPACES))),
        alternate_enclosures=tuple(map(_read_alternate, entry.iterfind("podcast:alternateEnclosure", NAMESPACES))),
    )


# As written


def _inside(episode: Episode) -> Iterable[Chapter]:
    """Those that begin before the end of the audio, as far as its length is known."""
    return (one for one in episode.chapters if one.start_ms < episode.duration_ms or not episode.duration_ms)


def _written_chapter(chapter: Chapter) -> Chapter:
    return Chapter(
        start_ms=chapter.start_ms,
        title=text.short(chapter.title),
        url=_address(chapter.url),
        image_url=_address(chapter.image_url),
    )


def _has_title(chapter: Chapter) -> bool:
    return chapter.title != ""


def _written_transcript(transcript: Transcript) -> Transcript:
    return Transcript(
        url=text.ascii_url(transcript.url),
        media_type=text.line(transcript.media_type),
        language=text.line(transcript.language),
        is_captions=transcript.is_captions,
    )


def _written_alternate(alternate: AlternateEnclosure) -> AlternateEnclosure:
    return AlternateEnclosure(
        url=text.ascii_url(alternate.url),
        length=alternate.length,
        media_type=text.line(alternate.media_type),
        bitrate_bps=alternate.bitrate_bps,
        title=text.short(alternate.title, _LABEL),
        codecs=text.line(alternate.codecs or "") or None,
        integrity=text.line(alternate.integrity or "") or None,
        is_default=alternate.is_default,
    )


def _address(url: str | None) -> str | None:
    return text.ascii_url(url) or None if url else None


# Elements


def _add_chapters(entry: etree._Element, chapters: Iterable[Chapter]) -> None:
    """Podlove Simple Chapters."""
    parent = add(entry, PSC + "chapters", version=_PSC_VERSION)
    for chapter in chapters:
        element = add(parent, PSC + "chapter", start=_play_time(chapter.start_ms), title=chapter.title)
        _set(element, href=chapter.url, image=chapter.image_url)


def _add_transcript(entry: etree._Element, transcript: Transcript) -> None:
    element = add(entry, PODCAST + "transcript", url=transcript.url, type=transcript.media_type)
    _set(element, language=transcript.language, rel=_CAPTIONS if transcript.is_captions else None)


def _add_alternate(entry: etree._Element, alternate: AlternateEnclosure) -> None:
    """Without `rel`: the default says that it is the same episode, encoded otherwise."""
    element = add(entry, PODCAST + "alternateEnclosure", type=alternate.media_type, length=str(alternate.length))
    _set(
        element,
        bitrate=str(alternate.bitrate_bps) if alternate.bitrate_bps is not None else None,
        title=alternate.title,
        codecs=alternate.codecs,
        default="true" if alternate.is_default else None,
    )
    add(element, PODCAST + "source", uri=alternate.url)
    if alternate.integrity:
        add(element, PODCAST + "integrity", type="sri", value=alternate.integrity)


def _set(element: etree._Element, **attributes: str | None) -> None:
    for name, value in attributes.items():
        if value:
            element.set(name, value)


def _play_time(milliseconds: int) -> str:
    """Normal Play Time (RFC 2326, 3.6) with hours and milliseconds always: feedparser reads no shorter form."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


# Documents


def _read_chapters(elements: Iterable[etree._Element]) -> Iterator[Chapter]:
    for element in elements:
        start_ms, title = _milliseconds(element.get("start", "")), element.get("title", "")
        if start_ms is not None and title:
            yield Chapter(
                start_ms=start_ms, title=title, url=element.get("href") or None, image_url=element.get("image") or None
            )


def _milliseconds(play_time: str) -> int | None:
    """Normal Play Time; None when it is not."""
    if not (found := _PLAY_TIME.fullmatch(play_time.strip())):
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.group(1, 2, 3))
    return 1000 * (3600 * hours + 60 * minutes + seconds) + int((found[4] or "0")[:3].ljust(3, "0"))


def _read_transcript(element: etree._Element) -> Transcript:
    return Transcript(
        url=element.get("url", ""),
        media_type=element.get("type", ""),
        language=element.get("language", ""),
        is_captions=element.get("rel") == _CAPTIONS,
    )


def _read_alternate(element: etree._Element) -> AlternateEnclosure:
    return AlternateEnclosure(
        url=attribute(element, "podcast:source", "uri"),
        length=whole_number(element.get("length", "")) or 0,
        media_type=element.get("type", ""),
        bitrate_bps=whole_number(element.get("bitrate", "")),
        title=element.get("title", ""),
        codecs=element.get("codecs") or None,
        integrity=attribute(element, "podcast:integrity", "value") or None,
        is_default=element.get("default") == "true",
    )
