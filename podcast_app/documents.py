"""Rows become the documents that listeners get: a show or an episode, as one view says it."""

import base64
import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from feeds import document
from media import chapters as timestamps
from media import transcripts
from media.probe import Chapter
from podcast_app import notes
from podcast_app.addresses import Addresses, View, feed_views, low, views
from podcast_app.models import Audio, Edition, Episode, EpisodeText, Json, Show, ShowText
from podcast_app.settings import Settings

LOW_ENCLOSURE = "low-mp3"  # of the low-data feed: every app plays it
EDITION_TITLES = {"enclosure": "Standard", "low-mp3": "Low data (MP3)", "low-opus": "Low data (Opus)"}

# Podcasting 2.0, `podcast:guid`: the namespace that every podcast's name is derived in.
PODCAST_NAMESPACE = uuid.UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")


def show_text(show: Show, language: str) -> ShowText:
    """The show's words in this language, or else in its main one."""
    return next((words for words in show.texts if words.language == language), None) or main_text(show)


def main_text(show: Show) -> ShowText:
    return next(words for words in show.texts if words.language == show.language)


def episode_text(episode: Episode, language: str) -> EpisodeText:
    """The episode's words in this language, or else in its main one. A translation without a title is none."""
    found = (words for words in episode.texts if words.language == language and words.title)
    return next(found, None) or main_words(episode)


def main_words(episode: Episode) -> EpisodeText:
    return next(words for words in episode.texts if words.language == episode.language)


def chapters(episode: Episode, audio: Audio | None = None) -> tuple[Chapter, ...]:
    """The episode's chapters; where it has none, those that its notes tell by times, as Apple reads them.

    `audio`: one that is to take the place of the current one.
    """
    audio = audio or episode.audio
    assert audio is not None, "an episode is made from audio"
    rows = chapter_rows(episode, audio)
    found = (Chapter(start_ms=row["start_ms"], title=row["title"], url=row["url"] or None) for row in rows)
    return tuple(found) or _in_notes(main_words(episode).notes, duration_ms(audio))


@lru_cache(maxsize=64)  # each view of a feed asks, and its checks, and its tags
def _in_notes(notes: str, whole_ms: int | None) -> tuple[Chapter, ...]:
    return timestamps.from_notes(notes, whole_ms)


def chapter_rows(episode: Episode, audio: Audio) -> list[Json]:
    """What the episode keeps of its chapters, with this audio: those that were in a file, and that nobody has touched,
    give way to those of another file."""
    in_file = chapters_in_file(audio.upload.facts) if episode.suggested.get("chapters") == "file" else []
    return in_file or list(episode.chapters)


def chapters_in_file(facts: Mapping[str, Json]) -> list[Json]:
    """Those of a recording's facts, as an episode keeps them."""
    return [
        {
            "start_ms": chapter["start_ms"],
            "title": chapter["title"][:255],
            "url": (chapter["url"] or "")[:1000],
            "picture": chapter.get("picture"),
        }
        for chapter in facts["chapters"][: timestamps.MOST]
    ]


def inside(found: tuple[Chapter, ...], episode: Episode) -> tuple[Chapter, ...]:
    """Those that begin before the end of the audio."""
    whole_ms = duration_ms(episode.audio) if episode.audio is not None else None
    return tuple(chapter for chapter in found if whole_ms is None or chapter.start_ms < whole_ms)


def chapter_pictures(episode: Episode, show: Show, addresses: Addresses) -> dict[int, str]:
    """Addresses of the chapters' pictures, by where the chapters start."""
    return {
        row["start_ms"]: addresses.cover(show.slug, episode.slug, row["picture"], "jpg")
        for row in episode.chapters
        if row.get("picture")
    }


def person_picture(person: Json, show: Show, addresses: Addresses) -> str | None:
    return addresses.cover(show.slug, None, person["picture"], "jpg") if person.get("picture") else None


def edition(audio: Audio, name: str = "enclosure") -> Edition:
    return next(edition for edition in audio.editions if edition.name == name)


def show_document(show: Show, view: View, settings: Settings) -> document.Show:
    """Needs `texts` and `cover` loaded."""
    addresses = Addresses(settings.origin)
    words = show_text(show, view.language)
    return document.Show(
        title=words.title,
        description=words.description,
        url=addresses.show(show.slug, view),
        feed_url=addresses.feed(show.slug, view),
        guid=feed_guid(show.guid, view),
        language=words.language,
        author=show.author,
        categories=tuple(document.Category(name=name, subcategory=sub) for name, sub in show.categories),
        explicit=show.explicit,
        image_url=cover_address(None, show, addresses),
        type="serial" if show.type == "serial" else "episodic",
        copyright=show.copyright or None,
        locked=show.locked,
        owner_name=show.author or None,
        owner_email=show.owner_email if show.email_in_feed and show.owner_email else None,
        funding=document.Funding(url=show.funding_url, text=show.author) if show.funding_url else None,
        # of the main feed alone: who follows the French one, say, would be led to a feed that is not
        new_feed_url=show.new_feed_url if view.name == "main" and show.new_feed_url else None,
        persons=_persons(show.persons, show, addresses),
        verification=tuple(document.Verification(**code) for code in show.verification),
        hubs=settings.websub_hubs,
        alternates=tuple(
            document.Alternate(feed_url=addresses.feed(show.slug, other), language=other.language)
            for other in (feed_views(show.language) if view.is_low else views(show.language))
            if other != view and other.is_low == view.is_low
        ),
        is_blocked=view.is_low,  # directories list the show once
        low_feed_url=None if view.is_low else addresses.feed(show.slug, low(view)),
    )


def episode_document(episode: Episode, show: Show, view: View, settings: Settings) -> document.Episode:
    """Needs `texts`, `cover`, `transcripts`, and `audio` with its upload and editions loaded. Before publication the
    enclosure's address and size are those that the episode would have."""
    addresses = Addresses(settings.origin)
    words = episode_text(episode, view.language)
    audio = episode.audio
    assert audio is not None, "an episode is made from audio"
    of_chapters = _chapters(episode, show, addresses)
    return document.Episode(
        guid=episode.guid,
        title=words.title,
        url=addresses.episode(show.slug, episode.slug, view),
        enclosure=_low_enclosure(audio, addresses)
        if view.is_low and _has_low(audio)
        else _enclosure(episode, audio, addresses),
        published_at=episode.published_at or episode.publish_at or dt.datetime.fromtimestamp(0, dt.UTC),
        duration_ms=duration_ms(audio) or 0,
        notes_html=notes.html(words.notes),
        season=episode.season,
        number=episode.number,
        type="trailer" if episode.type == "trailer" else "bonus" if episode.type == "bonus" else "full",
        # said on every item, also where the show's own holds (PSP-1 recommends both): so items follow the show's
        explicit=show.explicit if episode.explicit is None else episode.explicit,
        language=words.language if words.language != show_text(show, view.language).language else None,
        image_url=cover_address(episode, show, addresses),
        persons=_persons(episode.persons, show, addresses),
        chapters=of_chapters,
        chapters_url=addresses.chapters(show.slug, episode.slug) if inside(chapters(episode), episode) else None,
        transcripts=tuple(_transcripts(episode, show, addresses)),
        alternate_enclosures=() if view.is_low else tuple(_alternates(episode, audio, addresses)),
    )


def cover_address(episode: Episode | None, show: Show, addresses: Addresses) -> str:
    """The episode's own cover, or else the show's."""
    if episode is not None and episode.cover is not None:
        return addresses.cover(show.slug, episode.slug, episode.cover.id, episode.cover.extension)
    return addresses.cover(show.slug, None, show.cover.id, show.cover.extension)


def feed_guid(guid: str, view: View) -> str:
    """The show's podcast:guid. A translated feed is another feed, so directories must not take it for a double: its
    own is derived from the show's, and never changes either."""
    return guid if view.name == "main" else str(uuid.uuid5(PODCAST_NAMESPACE, f"{guid}/{view.name}"))


def duration_ms(audio: Audio) -> int | None:
    """Exact once the enclosure is made; until then as the original's header says."""
    made = edition(audio).duration_ms
    return made if made is not None else audio.upload.facts["duration_ms"]


def public_name(episode: Episode, extension: str) -> str:
    """The file's name in its public address."""
    return f"{episode.slug}.{extension}"


def edition_name(audio: Audio, made: Edition) -> str:
    """The file's name in an edition's public address."""
    assert audio.name is not None
    return audio.name if made.name == "enclosure" else f"{audio.name.rpartition('.')[0]}-low.{made.extension}"


def _persons(rows: Sequence[Json], show: Show, addresses: Addresses) -> tuple[document.Person, ...]:
    return tuple(
        document.Person(
            name=person["name"],
            role=person["role"],
            group=person["group"],
            url=person.get("url") or None,
            image_url=person_picture(person, show, addresses),
        )
        for person in rows
    )


def _chapters(episode: Episode, show: Show, addresses: Addresses) -> tuple[document.Chapter, ...]:
    pictures = chapter_pictures(episode, show, addresses)
    return tuple(
        document.Chapter(
            start_ms=chapter.start_ms,
            title=chapter.title,
            url=chapter.url,
            image_url=pictures.get(chapter.start_ms),
        )
        for chapter in chapters(episode)
    )


def _transcripts(episode: Episode, show: Show, addresses: Addresses) -> Iterator[document.Transcript]:
    """Each in every format that it can have, the best for apps first."""
    for written in transcripts.FORMATS.values():
        for row in episode.transcripts:
            if row.is_timed or not written.needs_times:
                yield document.Transcript(
                    url=addresses.transcript(show.slug, episode.slug, row.language, written.extension),
                    media_type=written.media_type,
                    language=row.language,
                    is_captions=row.is_captions and written.needs_times,
                )


def _alternates(episode: Episode, audio: Audio, addresses: Addresses) -> Iterator[document.AlternateEnclosure]:
    """The enclosure and its light editions, once there is one of these."""
    public = sorted((made for made in audio.editions if made.public_key is not None), key=lambda made: made.name)
    if episode.state == "published" and len(public) > 1:
        for made in public:
            yield _alternate(made, audio, addresses)


def _alternate(made: Edition, audio: Audio, addresses: Addresses) -> document.AlternateEnclosure:
    assert made.size_bytes is not None
    assert made.media_type is not None
    assert made.sha256 is not None
    return document.AlternateEnclosure(
        url=addresses.media(made.address_id, edition_name(audio, made)),
        length=made.size_bytes,
        media_type=made.media_type,
        bitrate_bps=made.bitrate_bps,
        title=EDITION_TITLES[made.name],
        codecs="opus" if made.name == "low-opus" else None,
        integrity=f"sha256-{base64.b64encode(bytes.fromhex(made.sha256)).decode()}",
        is_default=made.name == "enclosure",
    )


def _has_low(audio: Audio) -> bool:
    return any(made.name == LOW_ENCLOSURE and made.public_key is not None for made in audio.editions)


def _low_enclosure(audio: Audio, addresses: Addresses) -> document.Enclosure:
    made = edition(audio, LOW_ENCLOSURE)
    assert made.size_bytes is not None
    assert made.media_type is not None
    url = addresses.media(made.address_id, edition_name(audio, made))
    return document.Enclosure(url=url, length=made.size_bytes, media_type=made.media_type)


def _enclosure(episode: Episode, audio: Audio, addresses: Addresses) -> document.Enclosure:
    made = edition(audio)
    extension = made.extension or "mp3"
    return document.Enclosure(
        url=addresses.media(audio.id, audio.name or public_name(episode, extension)),
        length=made.size_bytes or audio.upload.size_bytes,
        media_type=made.media_type or "audio/mpeg",
    )
