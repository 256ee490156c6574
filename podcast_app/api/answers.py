"""The shapes of what the API answers. They make the answers and describe them, so the two cannot differ.

Every key is always there. Times are ISO 8601 in UTC ("2026-12-10T08:00:00Z"), durations integer milliseconds.
"""

import datetime as dt
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PlainSerializer, WithJsonSchema

from podcast_app.api.problems import FindingAnswer
from podcast_app.history import Event
from podcast_app.models import AudioStatus, EpisodeState, UploadState
from podcast_app.times import iso

T = TypeVar("T")

Time = Annotated[
    dt.datetime,
    PlainSerializer(iso, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class OriginalAnswer(_Answer):
    """The recording as it was uploaded. Numbers that a damaged or odd file hides are null."""

    filename: str
    media_type: str
    size_bytes: int
    sha256: str | None
    duration_ms: int | None
    duration_is_exact: bool
    bitrate_bps: int | None
    sample_rate_hz: int | None
    channels: int | None


class EditionAnswer(_Answer):
    """A copy made for listeners. `enclosure` is the one in the feed. Its address is null until publication."""

    name: str
    status: AudioStatus
    url: str | None
    size_bytes: int | None
    media_type: str | None
    bitrate_bps: int | None
    sha256: str | None
    gain_db: float | None = Field(description="what the loudness was changed by; null: it is as recorded")
    progress_percent: int | None = Field(description="while it is being made")
    failure: str | None = Field(description="why the last try failed; another one follows by itself")


class MeasurementAnswer(_Answer):
    """What listening to the whole recording told. Numbers are null until then."""

    status: AudioStatus
    progress_percent: int | None
    failure: str | None
    duration_ms: int | None
    loudness_lufs: float | None = Field(description="EBU R128, integrated; null also for silence")
    range_lu: float | None
    true_peak_dbtp: float | None
    silence_start_ms: int | None = Field(description="before the first sound")
    silence_end_ms: int | None = Field(description="after the last sound")


class ReplacementAnswer(_Answer):
    """Audio that is to take the place of what listeners have now, as soon as it is ready."""

    filename: str
    size_bytes: int
    duration_ms: int | None
    status: AudioStatus
    progress_percent: int | None
    failure: str | None


class AudioAnswer(OriginalAnswer):
    """The original's facts; `status` and `url` are the enclosure's, the copy that listeners get."""

    status: AudioStatus
    url: str | None = Field(description="null until the episode is published, and again when it is withdrawn")
    editions: list[EditionAnswer]
    measurement: MeasurementAnswer
    replacement: ReplacementAnswer | None
    undo_until: Time | None = Field(description="until then the recording before this one can come back")


class ChapterAnswer(_Answer):
    start_ms: int
    title: str
    url: str
    image_url: str


class TranscriptFileAnswer(_Answer):
    media_type: str
    url: str


class TranscriptAnswer(_Answer):
    language: str
    captions: bool = Field(description="it is marked as captions in the feed")
    timed: bool = Field(description="false: plain text without times")
    filename: str
    files: list[TranscriptFileAnswer] = Field(description="its formats; their addresses answer once it is published")


class PersonAnswer(_Answer):
    name: str
    role: str
    group: str
    url: str
    image_url: str


class EpisodeTranslationAnswer(_Answer):
    title: str
    notes: str
    notes_html: str


class EpisodeAnswer(_Answer):
    id: str
    show: str = Field(description="the show's address: diaspora-insights")
    guid: str
    slug: str
    state: EpisodeState
    title: str = Field(description="empty while nobody has given one; pages then show the file's name")
    notes: str = Field(description="Markdown, as it was written")
    notes_html: str
    language: str = Field(description="of the text")
    spoken_language: str
    season: int | None
    number: int | None
    type: Literal["full", "trailer", "bonus"]
    explicit: bool | None = Field(description="null: as the show")
    publish_at: Time | None = Field(description="when it is, or was, to go out")
    published_at: Time | None
    url: str = Field(description="the page's address; before publication, the one that it would have now")
    embed_url: str
    cover_url: str = Field(description="the episode's own cover, or else the show's")
    version: int = Field(description="rises with each edit; If-Match takes it")
    audio: AudioAnswer
    chapters: list[ChapterAnswer]
    chapters_text: str = Field(description="the same for people, a line each; the field `chapters` takes it too")
    chapters_url: str | None = Field(description="as JSON chapters, once the episode is published")
    waveform_url: str | None = Field(description="once the episode is published and measured")
    transcripts: list[TranscriptAnswer]
    persons: list[PersonAnswer]
    translations: dict[str, EpisodeTranslationAnswer]
    suggested: dict[str, str] = Field(description="fields that nobody has written yet, and where their value is from")
    findings: list[FindingAnswer]


class PictureAnswer(_Answer):
    """A picture that is here: `url` is what `image_url` of a chapter or a person takes."""

    url: str
    width: int
    height: int


class ShowTranslationAnswer(_Answer):
    title: str
    description: str


class VerificationAnswer(_Answer):
    """A text by which a directory knows that the show is yours (Podcasting 2.0, `txt`)."""

    purpose: str
    text: str


class ShowAnswer(_Answer):
    slug: str
    guid: str
    title: str
    description: str
    language: str
    author: str
    categories: list[tuple[str, str | None]] = Field(description="Apple's names, each with a subcategory or null")
    explicit: bool
    type: Literal["episodic", "serial"]
    copyright: str
    owner_email: str
    email_in_feed: bool
    email_in_feed_until: Time | None = Field(description="then it leaves the feed by itself; null: when you say so")
    funding_url: str
    persons: list[PersonAnswer]
    links: dict[str, str] = Field(description="app -> the show's address there")
    verification: list[VerificationAnswer]
    new_feed_url: str = Field(description="where the show has moved to; this feed goes on, and says so")
    locked: bool
    even_loudness: bool
    time_zone: str
    zones: list[str] = Field(description="further time zones in which its producers read times")
    page_colour: str = Field(description='"#rrggbb", or empty for the colour of the site; so is `player_colour`')
    player_colour: str
    archived: bool = Field(description="put away, without pages and feeds; only a show that nobody heard can be")
    url: str
    feed_url: str
    cover_url: str
    version: int
    translations: dict[str, ShowTranslationAnswer]


class SuggestionsAnswer(_Answer):
    """What the file says of itself. An episode made from it begins with this, where nothing else is said."""

    title: str
    notes: str
    season: int | None
    number: int | None
    chapters: list[ChapterAnswer]


class PartAnswer(_Answer):
    """A part of an upload that is open: PUT its bytes to `url`, with no header but Content-Length.

    Who may only read the show is given no addresses.
    """

    number: int = Field(description="from 1")
    size_bytes: int
    arrived: bool = Field(description="it is safe; sent again, the last one counts")
    url: str | None = Field(None, description="carries its own permission, for a while: then ask for the upload again")
    fallback_url: str | None = Field(None, description="the same through this site, for who is refused at `url`")


class UploadAnswer(_Answer):
    id: str
    show: str
    state: UploadState
    filename: str
    size_bytes: int
    fingerprint: str | None = Field(description="what the client said of the file, to know it again")
    created_at: Time
    expires_at: Time | None = Field(description="an open upload is looked at then; without new parts, it goes")
    episode: str | None = Field(description="the id of the episode that was made from it")
    part_size_bytes: int | None = Field(description="of all parts but the last; null when it came in one go")
    parts: list[PartAnswer] | None = Field(description="of an open upload; null in lists, and when it is not open")
    audio: OriginalAnswer | None = Field(description="null until the upload is complete")
    suggestions: SuggestionsAnswer | None = Field(description="null until the upload is complete")


class RevisionAnswer(_Answer):
    """A change of an episode. What several saves within ten minutes changed is one."""

    id: str
    at: Time
    by: str = Field(description="the person's or the token's name; empty: it happened on schedule")
    event: Event | None = Field(description="what happened, when it is more than a change of fields")
    changes: dict[str, tuple[JsonValue, JsonValue]] = Field(
        description="field (of translations title.fr, notes.fr) -> what it held before and after; the event's details"
    )


class Page(_Answer, Generic[T]):
    """Newest first. `next` is the cursor of the following page; null on the last one."""

    items: list[T]
    next: str | None
