"""A show and its episodes as facts about one moment, in the field's own words. Frozen; nothing here is looked up."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

EpisodeType = Literal["full", "trailer", "bonus"]
ShowType = Literal["episodic", "serial"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """The audio that an episode offers (RSS 2.0, `enclosure`)."""

    url: str  # absolute; ends in the extension (Apple, "Podcast requirements")
    length: int  # bytes, of the whole file
    media_type: str  # "audio/mpeg", "audio/x-m4a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is heard or who made it (Podcasting 2.0, `podcast:person`)."""

    name: str
    role: str = "host"
    group: str = "cast"
    url: str | None = None
    image_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A place in Apple's tree, exact case, unescaped: ("Society & Culture", "Documentary")."""

    name: str
    subcategory: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    url: str
    text: str  # at most 128 characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A text by which somebody else knows whose the feed is (Podcasting 2.0, `podcast:txt`)."""

    text: str  # at most 4000 characters
    purpose: str = ""  # at most 128: "verify", "applepodcastsverify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternate:
    """The same show's feed in another language."""

    feed_url: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A part of the audio that listeners can jump to (Podlove Simple Chapters, `psc:chapter`)."""

    start_ms: int
    title: str
    url: str | None = None
    image_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What is said, as a file (Podcasting 2.0, `podcast:transcript`)."""

    url: str
    media_type: str  # "text/vtt"; as it is served, without charset
    language: str  # BCP 47
    is_captions: bool = False  # with times, to be shown while it plays


@dataclass(frozen=True, slots=True, kw_only=True)
class AlternateEnclosure:
    """The same episode as another file, or the enclosure itself told in full (Podcasting 2.0, `alternateEnclosure`)."""

    url: str
    length: int  # bytes, of the whole file
    media_type: str  # "audio/mpeg", "audio/ogg"
    bitrate_bps: int | None
    title: str  # at most 32 characters
    codecs: str | None = None  # RFC 6381: "opus"
    integrity: str | None = None  # W3C Subresource Integrity: "sha256-" and base64
    is_default: bool = False  # the one that is the enclosure


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """An episode as listeners get it."""

    guid: str
    title: str
    url: str  # its page
    enclosure: Enclosure
    published_at: datetime  # aware, UTC
    duration_ms: int
    notes_html: str  # sanitised; "" when there are none
    season: int | None = None
    number: int | None = None
    type: EpisodeType = "full"
    explicit: bool | None = None  # None: as the show
    language: str | None = None  # of the text, when it is not the feed's: BCP 47
    image_url: str | None = None
    persons: tuple[Person, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    chapters_url: str | None = None  # the same as JSON chapters
    transcripts: tuple[Transcript, ...] = ()
    alternate_enclosures: tuple[AlternateEnclosure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """A show as one feed describes it."""

    title: str
    description: str  # plain text
    url: str  # its page
    feed_url: str
    guid: str  # podcast:guid
    language: str  # BCP 47: "en", "fr", "nl-be"
    author: str
    categories: tuple[Category, ...]
    explicit: bool
    image_url: str  # absolute
    type: ShowType = "episodic"
    copyright: str | None = None  # without the word, the sign or a year (PSP-1, `copyright`)
    locked: bool = True
    owner_name: str | None = None
    owner_email: str | None = None  # None: not shown
    funding: Funding | None = None
    new_feed_url: str | None = None
    hubs: tuple[str, ...] = ()
    persons: tuple[Person, ...] = ()
    verification: tuple[Verification, ...] = ()
    alternates: tuple[Alternate, ...] = ()
    is_blocked: bool = False  # directories are asked not to list this feed
    low_feed_url: str | None = None  # the same episodes as small files
