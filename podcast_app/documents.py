"""Rows become the documents that listeners get: a show or an episode, as one view says it."""

import datetime as dt
import uuid

from feeds import document
from podcast_app import notes
from podcast_app.addresses import Addresses, View, views
from podcast_app.models import Audio, Edition, Episode, EpisodeText, Show, ShowText
from podcast_app.settings import Settings

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
        hubs=settings.websub_hubs,
        alternates=tuple(
            document.Alternate(feed_url=addresses.feed(show.slug, other), language=other.language)
            for other in views(show.language)
            if other != view
        ),
    )


def episode_document(episode: Episode, show: Show, view: View, settings: Settings) -> document.Episode:
    """Needs `texts`, `cover` and `audio` with its upload and editions loaded. Before publication the enclosure's
    address and size are those that the episode would have."""
    addresses = Addresses(settings.origin)
    words = episode_text(episode, view.language)
    audio = episode.audio
    assert audio is not None, "an episode is made from audio"
    return document.Episode(
        guid=episode.guid,
        title=words.title,
        url=addresses.episode(show.slug, episode.slug, view),
        enclosure=_enclosure(episode, audio, addresses),
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
        persons=tuple(
            document.Person(
                name=person["name"], role=person["role"], group=person["group"], url=person.get("url") or None
            )
            for person in episode.persons
        ),
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


def _enclosure(episode: Episode, audio: Audio, addresses: Addresses) -> document.Enclosure:
    made = edition(audio)
    extension = made.extension or "mp3"
    return document.Enclosure(
        url=addresses.media(audio.id, audio.name or public_name(episode, extension)),
        length=made.size_bytes or audio.upload.size_bytes,
        media_type=made.media_type or "audio/mpeg",
    )
