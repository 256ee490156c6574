"""A show and its episodes, as small as a feed allows and complete enough for every rule."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lxml import etree

from feeds import rss
from feeds.document import (
    Alternate,
    AlternateEnclosure,
    Category,
    Chapter,
    Enclosure,
    Episode,
    Funding,
    Person,
    Show,
    Transcript,
)
from feeds.elements import NAMESPACES

BUILT_AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FIRST = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
NS = {**NAMESPACES, "xml": "http://www.w3.org/XML/1998/namespace"}

SHOW = Show(
    title="Voix de la diaspora",
    description="Des récits d'ici et de là-bas.",
    url="https://radio.example/voix/",
    feed_url="https://radio.example/voix/feed.xml",
    guid="917393e3-1b1e-5cef-ace4-edaa54e1f810",
    language="fr",
    author="OIM Belgique et Luxembourg",
    categories=(Category(name="Society & Culture", subcategory="Documentary"), Category(name="Government")),
    explicit=False,
    image_url="https://radio.example/voix/cover-1.jpg",
    copyright="OIM",
    owner_email="voix@radio.example",
    funding=Funding(url="https://radio.example/donner", text="Soutenir"),
    hubs=("https://hub.example/",),
    persons=(Person(name="Aïcha"),),
    alternates=(Alternate(feed_url="https://radio.example/en/voix/feed.xml", language="en"),),
)

EPISODE = Episode(
    guid="6f1c4a52-1111-4a7e-9a5e-000000000001",
    title="Thérèse à Matonge",
    url="https://radio.example/voix/therese",
    enclosure=Enclosure(url="https://radio.example/media/a1/therese.mp3", length=4321, media_type="audio/mpeg"),
    published_at=FIRST,
    duration_ms=1_800_400,
    notes_html="<p>Une rencontre, et un <a href='https://radio.example/lien'>lien</a>.</p>",
    season=1,
    number=1,
    persons=(Person(name="Aïcha"), Person(name="Thérèse", role="guest")),
)

_PLACE = "https://radio.example/voix/therese"

ACCOMPANIED = replace(
    EPISODE,
    chapters=(
        Chapter(start_ms=0, title="Ouverture"),
        Chapter(start_ms=61_250, title="Matonge", url="https://matonge.example/", image_url=f"{_PLACE}/picture-1.jpg"),
    ),
    chapters_url=f"{_PLACE}/chapters.json",
    transcripts=(
        Transcript(url=f"{_PLACE}/transcript.fr.vtt", media_type="text/vtt", language="fr", is_captions=True),
        Transcript(url=f"{_PLACE}/transcript.fr.srt", media_type="application/x-subrip", language="fr"),
        Transcript(url=f"{_PLACE}/transcript.en.txt", media_type="text/plain", language="en"),
    ),
    alternate_enclosures=(
        AlternateEnclosure(
            url=EPISODE.enclosure.url,
            length=EPISODE.enclosure.length,
            media_type=EPISODE.enclosure.media_type,
            bitrate_bps=128_000,
            title="Standard",
            integrity="sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            is_default=True,
        ),
        AlternateEnclosure(
            url="https://radio.example/media/b2/therese.opus",
            length=810,
            media_type="audio/ogg",
            bitrate_bps=24_000,
            title="Very low data",
            codecs="opus",
        ),
    ),
)


def episode(number: int, **changes: object) -> Episode:
    """Another episode, a day later for each number."""
    different = {
        "guid": f"6f1c4a52-1111-4a7e-9a5e-{number:012}",
        "title": f"Rencontre {number}e",
        "number": number,
        "published_at": FIRST + timedelta(days=number),
        "enclosure": Enclosure(
            url=f"https://radio.example/media/{number}/r.mp3", length=1000 + number, media_type="audio/mpeg"
        ),
    }
    return replace(EPISODE, **{**different, **changes})


def feed(show: Show, *episodes: Episode) -> etree._Element:
    """The feed, parsed: its `channel`."""
    return etree.fromstring(rss.rss(show, episodes, built_at=BUILT_AT))[0]


def item(episode: Episode) -> etree._Element:
    """The episode's item, out of its feed."""
    found = feed(SHOW, episode).find("item")
    assert found is not None
    return found
