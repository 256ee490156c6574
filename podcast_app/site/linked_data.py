"""What a page is about, in schema.org's words (JSON-LD), as search engines and assistants read it."""

import json
from collections.abc import Iterator

from podcast_app import documents, formats
from podcast_app.addresses import Addresses
from podcast_app.models import Episode, Json
from podcast_app.site.places import Place
from podcast_app.site.shown import HERE, ShownEpisode, ShownShow
from podcast_app.times import iso

Node = dict[str, object]


def of_show(place: Place, show: ShownShow, description: str, origin: str) -> str:
    """A PodcastSeries."""
    return _text(
        {
            **_series(place, show, origin),
            "description": description,
            "inLanguage": place.show.language,
            "image": origin + show.portrait.jpg,
            "author": _maker(show),
            "publisher": _maker(show),
            "actor": list(_persons(place.show.persons, "cast")),
            "sameAs": [way.url for way in show.links if not way.is_made],
        }
    )


def of_episode(place: Place, words: ShownEpisode, show: ShownShow, description: str, origin: str) -> str:
    """A PodcastEpisode, with its audio. Nothing of the audio is in the page but its address."""
    episode = place.episode
    assert episode is not None
    return _text(
        {
            "@type": "PodcastEpisode",
            "name": words.title,
            "url": place.page(Addresses(origin)),
            "description": description,
            "inLanguage": words.spoken_language,
            "image": origin + words.portrait.jpg,
            "datePublished": iso(words.published_at),
            "timeRequired": formats.period(words.duration_ms),
            "episodeNumber": words.number,
            "partOfSeason": {"@type": "PodcastSeason", "seasonNumber": words.season} if words.season else None,
            "partOfSeries": _series(place, show, origin),
            "author": _maker(show),
            "actor": list(_persons(episode.persons, "cast")),
            "contributor": list(_persons(episode.persons, "")),
            "accessibilityFeature": "transcript" if episode.transcripts else None,
            "associatedMedia": _audio(episode, words, place, origin),
        }
    )


def _series(place: Place, show: ShownShow, origin: str) -> Node:
    url = Addresses(origin).show(place.show.slug, place.view)
    return {"@type": "PodcastSeries", "name": show.title, "url": url, "webFeed": show.feed}


def _audio(episode: Episode, words: ShownEpisode, place: Place, origin: str) -> Node:
    assert episode.audio is not None, "an episode is made from audio"
    bits = documents.edition(episode.audio).bitrate_bps
    return {
        "@type": "AudioObject",
        "contentUrl": origin + words.audio,
        "encodingFormat": words.media_type,
        "contentSize": formats.size(words.size_bytes, "en"),
        "duration": formats.period(words.duration_ms),
        "bitrate": f"{round(bits / 1000)} kbit/s" if bits else None,
        "transcript": _transcript(episode, place, origin),
    }


def _transcript(episode: Episode, place: Place, origin: str) -> str | None:
    """Where it can be read, in the language that is spoken if it is there in that one: it would be half the page."""
    languages = sorted((row.language for row in episode.transcripts), key=lambda name: name != episode.spoken_language)
    paths = (HERE.transcript(place.show.slug, episode.slug, language, "txt") for language in languages)
    return next((origin + path for path in paths), None)


def _maker(show: ShownShow) -> Node | None:
    return {"@type": "Organization", "name": show.author} if show.author else None


def _persons(rows: Json, group: str) -> Iterator[Node]:
    """Those who are heard ("cast"), or the others (""), with what they do."""
    for person in rows:
        if (person["group"] == "cast") == (group == "cast"):
            role = {"jobTitle": person["role"], "url": person.get("url")}
            yield {"@type": "Person", "name": person["name"], **role}


def _text(node: Node) -> str:
    """As it can stand in a page: a title with `</script>` in it ends nothing. What is not known is not said."""
    whole = {"@context": "https://schema.org", **node}
    return json.dumps(_known(whole), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _known(value: object) -> object:
    match value:
        case dict():
            return {name: _known(said) for name, said in value.items() if said not in (None, [], "")}
        case list():
            return [_known(said) for said in value]
        case _:
            return value
