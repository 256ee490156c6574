"""What pages show: rows turned into words and addresses, once, where the database is read.

Pages link among themselves without naming a host, so that they work wherever they are read; what other machines take
away (canonical address, feeds, pictures of a preview) is absolute.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from string import ascii_lowercase, digits

from feeds.text import short
from media import share_card as drawing
from media.storage import Key
from media.transcripts import FORMATS
from podcast_app import apps, documents, formats, notes
from podcast_app.addresses import Addresses, View
from podcast_app.models import Audio, Episode, Measurement, Show, Transcript
from podcast_app.site import colours

HERE = Addresses("")

LIGHT = {"low-mp3": ("MP3", "audio/mpeg"), "low-opus": ("Opus", "audio/ogg; codecs=opus")}
LEVELS = digits + ascii_lowercase
WAVEFORM_LEVELS = 120  # as many bars as a telephone has room for

SUMMARY = 160  # characters of an episode's notes in a listing, or in a search result
THUMBNAIL_PX = 192  # sides of covers in pages; shown at half of it, for fine screens
PORTRAIT_PX = 512


@dataclass(frozen=True, slots=True)
class Sized:
    """A cover in one of the sizes that pages have. Both are the same picture."""

    webp: str
    jpg: str  # for browsers of before 2020, and for other sites


@dataclass(frozen=True, slots=True)
class ShareCard:
    """What stands on the picture that a messenger shows of a page."""

    title: str
    show: str  # "" where the title is the show's
    cover: Key | None  # None: the one made from the title, which would say it twice
    version: str  # another one as soon as anything on it is
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownShow:
    """A show as one view shows it."""

    title: str
    description: str  # plain text
    language: str  # of both, BCP 47
    author: str
    path: str
    kept: str  # the page of what is kept on somebody's device
    feed: str  # absolute: listeners copy it
    feed_code: str  # a picture of it, for telephones
    portrait: Sized
    thumbnail: Sized
    time_zone: str
    funding_url: str
    styles: str  # the style sheet of its pages, in its own colour if it has one
    links: tuple[apps.Way, ...]  # to it in apps, in the order to show them


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChapter:
    start_ms: int
    title: str
    audio: str  # the audio at this moment (Media Fragments URI 1.0)
    url: str


@dataclass(frozen=True, slots=True)
class ShownLight:
    """The episode once more, for slow or costly lines."""

    name: str  # "MP3", "Opus"
    audio: str
    media_type: str  # as browsers are asked whether they play it
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ShownTranscript:
    language: str  # BCP 47
    name: str  # of the language, in itself
    files: tuple[tuple[str, str], ...]  # format and path, the one for reading first
    lines: str  # the path of its JSON, line by line with the time; "" where it has no times


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownListed:
    """A published episode as a list in one view shows it."""

    title: str
    summary: str  # plain text, one line
    language: str  # of its words, BCP 47
    path: str
    published_at: dt.datetime
    duration_ms: int
    size_bytes: int
    thumbnail: Sized  # its own cover, or the show's
    has_cover: bool  # of its own
    season: int | None
    number: int | None
    type: str  # "full", "trailer", "bonus"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownEpisode(ShownListed):
    """A published episode as one view shows it, whole."""

    notes_html: str  # sanitised
    spoken_language: str
    audio: str
    media_type: str
    portrait: Sized
    explicit: bool
    persons: tuple[tuple[str, str, str], ...]  # name, role, url
    chapters: tuple[ShownChapter, ...]
    light: tuple[ShownLight, ...]
    transcripts: tuple[ShownTranscript, ...]
    waveform: str  # a level, "0" to "z", for each equal part of it; "" as long as it was not measured


def show(show: Show, view: View, origin: str) -> ShownShow:
    """Needs `texts` and `cover` loaded."""
    words = documents.show_text(show, view.language)
    addresses = Addresses(origin)
    feed = addresses.feed(show.slug, view)
    return ShownShow(
        title=words.title,
        description=words.description,
        language=words.language,
        author=show.author,
        path=HERE.show(show.slug, view),
        kept=HERE.kept(show.slug, view),
        feed=feed,
        feed_code=HERE.feed_code(show.slug, view),
        portrait=cover(None, show, PORTRAIT_PX),
        thumbnail=cover(None, show, THUMBNAIL_PX),
        time_zone=show.time_zone,
        funding_url=show.funding_url,
        styles=colours.address(show.page_colour),
        links=tuple(apps.ways(show.links, feed, is_private=addresses.is_private)),
    )


def listed(episode: Episode, show: Show, view: View) -> ShownListed:
    """Needs what episodes.LISTED loads."""
    words = documents.episode_text(episode, view.language)
    assert episode.audio is not None, "an episode is made from audio"
    assert episode.published_at is not None, "listeners see published episodes"
    return ShownListed(
        title=words.title,
        summary=short(notes.plain(words.notes), SUMMARY),
        language=words.language,
        path=HERE.episode(show.slug, episode.slug, view),
        published_at=episode.published_at,
        duration_ms=documents.duration_ms(episode.audio) or 0,
        size_bytes=documents.edition(episode.audio).size_bytes or 0,
        thumbnail=cover(episode, show, THUMBNAIL_PX),
        has_cover=episode.cover is not None,
        season=episode.season,
        number=episode.number,
        type=episode.type,
    )


def episode(episode: Episode, show: Show, view: View) -> ShownEpisode:
    """Needs what episodes.WHOLE loads."""
    words = documents.episode_text(episode, view.language)
    assert episode.audio is not None, "an episode is made from audio"
    assert episode.published_at is not None, "listeners see published episodes"
    made = documents.edition(episode.audio)
    audio = HERE.media(episode.audio.id, episode.audio.name or "")
    duration_ms = documents.duration_ms(episode.audio) or 0
    return ShownEpisode(
        title=words.title,
        summary=short(notes.plain(words.notes), SUMMARY),
        notes_html=notes.html(words.notes, audio, duration_ms),
        language=words.language,
        spoken_language=episode.spoken_language,
        path=HERE.episode(show.slug, episode.slug, view),
        published_at=episode.published_at,
        duration_ms=duration_ms,
        audio=audio,
        media_type=made.media_type or "audio/mpeg",
        size_bytes=made.size_bytes or 0,
        portrait=cover(episode, show, PORTRAIT_PX),
        thumbnail=cover(episode, show, THUMBNAIL_PX),
        has_cover=episode.cover is not None,
        season=episode.season,
        number=episode.number,
        type=episode.type,
        explicit=show.explicit if episode.explicit is None else episode.explicit,
        persons=tuple((person["name"], person["role"], person.get("url") or "") for person in episode.persons),
        chapters=tuple(
            ShownChapter(
                start_ms=chapter.start_ms,
                title=chapter.title,
                audio=f"{audio}#t={seconds(chapter.start_ms)}",
                url=chapter.url or "",
            )
            for chapter in documents.inside(documents.chapters(episode), episode)
        ),
        light=tuple(_light(episode.audio)),
        transcripts=tuple(_transcript(row, episode, show) for row in episode.transcripts),
        waveform=waveform(episode.audio.upload.measurement),
    )


def waveform(measurement: Measurement | None) -> str:
    """The loudest level is "z"; nothing is to be seen of what was not measured, or is silent."""
    peaks = (measurement.peaks if measurement else None) or b""
    parts = min(WAVEFORM_LEVELS, len(peaks))
    cuts = [len(peaks) * part // parts for part in range(parts + 1)] if parts else []
    levels = [sum(peaks[start:stop]) / (stop - start) for start, stop in pairwise(cuts)]
    loudest = max(levels, default=0)
    return "".join(LEVELS[round(level / loudest * (len(LEVELS) - 1))] for level in levels) if loudest else ""


def _transcript(row: Transcript, episode: Episode, show: Show) -> ShownTranscript:
    def path(extension: str) -> str:
        return HERE.transcript(show.slug, episode.slug, row.language, extension)

    readable = [name for name in ("html", "txt", "vtt", "srt") if row.is_timed or not FORMATS[name].needs_times]
    return ShownTranscript(
        language=row.language,
        name=formats.language_name(row.language),
        files=tuple((name, path(name)) for name in readable),
        lines=path("json") if row.is_timed else "",
    )


def _light(audio: Audio) -> Iterator[ShownLight]:
    for made in sorted(audio.editions, key=lambda made: made.name):
        if made.name in LIGHT and made.public_key is not None:
            path = HERE.media(made.address_id, documents.edition_name(audio, made))
            name, media_type = LIGHT[made.name]
            yield ShownLight(name, path, media_type, made.size_bytes or 0)


def cover(episode: Episode | None, show: Show, side_px: int) -> Sized:
    """The addresses of the episode's cover, or else of the show's, in that size."""
    if episode is not None and episode.cover is not None:
        slug, version = episode.slug, episode.cover.id
    else:
        slug, version = None, show.cover.id
    webp, jpg = (HERE.small_cover(show.slug, slug, version, side_px, extension) for extension in ("webp", "jpg"))
    return Sized(webp, jpg)


def share_card(episode: Episode | None, show: Show, view: View) -> ShareCard:
    """The card of a show, or of an episode of it, in the words of one view."""
    name = documents.show_text(show, view.language).title
    title = documents.episode_text(episode, view.language).title if episode else name
    cover = (episode.cover if episode else None) or show.cover
    said = (str(drawing.RENDERER), title, name, cover.id)
    version = hashlib.sha256("\0".join(said).encode()).hexdigest()[:16]
    path = HERE.share_card(show.slug, episode.slug if episode else None, version, view)
    return ShareCard(title, name if episode else "", None if cover.is_generated else Key(cover.key), version, path)


def seconds(milliseconds: int) -> str:
    """ "75", "150.5"."""
    return f"{milliseconds / 1000:.3f}".rstrip("0").rstrip(".")
