"""What people and machines may say about a show or an episode: hostile text in, typed values or findings out."""

import datetime as dt
import re
import zoneinfo
from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

from babel import Locale
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    Json,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from feeds.checks import Finding, error
from media import chapters, text
from podcast_app import apps, slugs
from podcast_app.addresses import RESERVED

LONGEST_TITLE = 1000  # characters
LONGEST_NOTES = 100_000
MOST_CHAPTERS = chapters.MOST
MOST_PERSONS = 100
MOST_ZONES = 10
MOST_CODES = 20
LONGEST_CODE = 4000  # characters: Podcasting 2.0, `txt`

EARLIEST = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
LATEST = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)

_EMAIL = re.compile(r"""[^@\s<>()\[\]:;,"\\]+@[^@\s<>()\[\]:;,"\\]+\.[^@\s<>()\[\]:;,"\\]+""")

Model = TypeVar("Model", bound=BaseModel)


def _language(value: str) -> str:
    base, *rest = value.replace("_", "-").split("-")
    if base.lower() not in Locale("en").languages or not all(part.isascii() and part.isalnum() for part in rest):
        raise ValueError("not a language")
    return "-".join([base.lower(), *rest])


def _slug(value: str) -> str:
    if not slugs.is_valid(value) or value in RESERVED:
        raise ValueError("not an address")
    return value


def _time_zone(value: str) -> str:
    if value not in zoneinfo.available_timezones():
        raise ValueError("not a time zone")
    return value


def _app(value: str) -> str:
    if value not in apps.BY_KEY:
        raise ValueError("not an app")
    return value


def _instant(value: dt.datetime) -> dt.datetime:
    if not EARLIEST <= value <= LATEST:
        raise ValueError("out of range")
    return value.astimezone(dt.UTC)


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


def _web_address(value: str) -> str:
    if value:
        TypeAdapter(HttpUrl).validate_python(value)
    return value


def is_email(value: str) -> bool:
    """Whether mail programs take it for the address of one person: not a name with it, and not two."""
    return _EMAIL.fullmatch(value) is not None and len(value) <= 255


def _email(value: str) -> str:
    if value and not is_email(value):
        raise ValueError("not an e-mail address")
    return value


def _chapters(value: object) -> object:
    """Raises chapters.Unreadable, which names the line."""
    if not isinstance(value, str):
        return value
    return [
        {"start_ms": chapter.start_ms, "title": chapter.title, "url": chapter.url or ""}
        for chapter in chapters.read(value)
    ]


Line = Annotated[str, BeforeValidator(lambda value: text.clean_line(value) if isinstance(value, str) else value)]
Title = Annotated[Line, StringConstraints(max_length=LONGEST_TITLE)]
Short = Annotated[Line, StringConstraints(max_length=255)]
Prose = Annotated[str, StringConstraints(max_length=LONGEST_NOTES, strip_whitespace=True)]
Language = Annotated[Line, StringConstraints(min_length=2, max_length=35), AfterValidator(_language)]
TimeZone = Annotated[Line, AfterValidator(_time_zone)]
Colour = Annotated[Line, StringConstraints(pattern="^(#[0-9a-fA-F]{6})?$", to_lower=True)]
WebAddress = Annotated[Line, StringConstraints(max_length=1000), AfterValidator(_web_address)]
Count = Annotated[int, Field(ge=1, le=99_999)]
Instant = Annotated[AwareDatetime, AfterValidator(_instant)]
T = TypeVar("T")
OrNothing = Annotated[T | None, BeforeValidator(_empty_is_none)]  # an emptied form field takes the value away


class _Fields(BaseModel):
    """Only what is in `model_fields_set` was said; the rest stays as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PersonFields(_Fields):
    name: Annotated[Line, StringConstraints(min_length=1, max_length=128)]
    role: Short = "host"
    group: Short = "cast"
    url: WebAddress = ""
    image_url: WebAddress = ""  # of a picture that was sent before


class ChapterFields(_Fields):
    start_ms: Annotated[int, Field(ge=0, le=360_000_000)]
    title: Short
    url: WebAddress = ""
    image_url: WebAddress = ""


class EpisodeTranslation(_Fields):
    title: Title = ""
    notes: Prose = ""


class EpisodeFields(_Fields):
    """What may be said about an episode. `None` takes a value away."""

    title: Title = ""
    notes: Prose = ""
    language: Language = "en"
    spoken_language: Language = "en"
    season: OrNothing[Count] = None
    number: OrNothing[Count] = None
    type: Literal["full", "trailer", "bonus"] = "full"
    explicit: OrNothing[bool] = None
    slug: Annotated[Line, AfterValidator(_slug)] = "episode"
    persons: Annotated[tuple[PersonFields, ...], Field(max_length=MOST_PERSONS)] = ()
    # as objects, or as people write them: lines like "12:34 The market of Matonge"
    chapters: Annotated[tuple[ChapterFields, ...], Field(max_length=MOST_CHAPTERS), BeforeValidator(_chapters)] = ()
    translations: dict[Language, EpisodeTranslation] = {}


class NewEpisode(EpisodeFields):
    """An episode's fields at its making. `publish` makes it due: now, or at a time."""

    publish: OrNothing[Literal["now"] | Instant] = None


class EpisodeChanges(EpisodeFields):
    """A change of an episode. `publish_at` schedules it, or with `None` takes it off the schedule."""

    publish_at: OrNothing[Instant] = None


class PublishAt(_Fields):
    """The wish to publish: without a time, now."""

    publish_at: OrNothing[Instant] = None


class LanguageField(_Fields):
    """A language in an address."""

    language: Language


class NewUpload(_Fields):
    """A recording that is about to come in parts."""

    show: Short
    filename: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    size_bytes: Annotated[int, Field(ge=1, strict=True)]
    media_type: Short = ""  # whatever it says, the file itself decides
    fingerprint: OrNothing[Annotated[str, StringConstraints(max_length=200)]] = None


class ShowTranslation(_Fields):
    title: Title = ""
    description: Prose = ""


class VerificationFields(_Fields):
    """A text by which somebody else knows that the show is yours (Podcasting 2.0, `txt`)."""

    purpose: Annotated[Line, StringConstraints(max_length=128)] = ""
    text: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_CODE, strip_whitespace=True)]


class ShowFields(_Fields):
    """What may be said about a show. Of `links` and `translations` what is named changes; "" takes it away."""

    title: Annotated[Title, StringConstraints(min_length=1)] = "Podcast"
    description: Prose = ""
    language: Language = "en"
    author: Short = ""
    categories: Annotated[tuple[tuple[Short, Short | None], ...], Field(max_length=10)] = ()
    explicit: bool = False
    type: Literal["episodic", "serial"] = "episodic"
    copyright: Short = ""
    owner_email: Annotated[Line, AfterValidator(_email)] = ""
    email_in_feed: bool = False
    email_in_feed_until: OrNothing[Instant] = None  # then it leaves the feed by itself
    funding_url: WebAddress = ""
    persons: Annotated[tuple[PersonFields, ...], Field(max_length=MOST_PERSONS)] = ()
    links: dict[Annotated[str, AfterValidator(_app)], WebAddress] = {}
    verification: Annotated[tuple[VerificationFields, ...], Field(max_length=MOST_CODES)] = ()
    new_feed_url: WebAddress = ""
    locked: bool = True
    even_loudness: bool = False
    time_zone: TimeZone = "Europe/Brussels"
    zones: Annotated[tuple[TimeZone, ...], Field(max_length=MOST_ZONES)] = ()
    page_colour: Colour = ""
    player_colour: Colour = ""
    archived: bool = False
    slug: Annotated[Line, AfterValidator(_slug)] = "podcast"
    translations: dict[Language, ShowTranslation] = {}


# Fields that a form or a command line sends as JSON text.
_STRUCTURED = {"persons", "chapters", "translations", "categories", "links", "verification", "zones"}


def parse(model: type[Model], said: Mapping[str, object]) -> Model | list[Finding]:
    """The fields as typed values, or a finding for each that cannot be used."""
    try:
        return model.model_validate({name: _cleaned(_structured(name, value)) for name, value in said.items()})
    except chapters.Unreadable as unreadable:
        return [Finding("error", "chapters", unreadable.sentence, "", tuple(unreadable.values.items()))]
    except ValidationError as wrong:
        return [_finding(field, kind) for field, kind in _first_of_each_field(wrong).items()]


def instant(said: str) -> dt.datetime | None:
    """A time with its zone, ISO 8601; None when it is not one."""
    try:
        return TypeAdapter(Instant).validate_python(said)
    except ValidationError:
        return None


def _structured(name: str, value: object) -> object:
    if name not in _STRUCTURED or not isinstance(value, str):
        return value
    try:
        return TypeAdapter(Json[object]).validate_python(value)
    except ValidationError:
        return value  # the model refuses it, in its own words


def _cleaned(value: object) -> object:
    """No character that a database or a feed cannot hold, however deep it lies."""
    if isinstance(value, str):
        return text.clean(value)
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {text.clean(str(name)): _cleaned(item) for name, item in value.items()}
    return value


def _first_of_each_field(wrong: ValidationError) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for problem in wrong.errors(include_url=False, include_context=False, include_input=False):
        kinds.setdefault(str(problem["loc"][0]) if problem["loc"] else "body", problem["type"])
    return kinds


def _finding(field: str, kind: str) -> Finding:
    if kind == "extra_forbidden":
        return error(
            field, "There is no field called “{name}”.", "Check its spelling in the API's description.", name=field[:60]
        )
    if kind in ("string_too_long", "too_long"):
        return _too_long(field)
    if (field, kind) == ("title", "too_short"):  # an episode may have none until it goes out
        return error(field, "The show has no title.", "Give it the name that listeners will look for.")
    odd = error(field, "This value cannot be used.", "Check what the field holds, and try again.")
    return next((finding for finding in _ODD if finding.field == field), odd)


# What is said of a value that its field does not take.
_ODD = (
    error("title", "The title is not a text.", "Write it as one line of text."),
    error("notes", "The notes are not a text.", "Write them as text; Markdown is welcome."),
    error("season", "The season is not a whole number from 1 up.", "Write 1, 2, 3 ..., or leave it empty."),
    error("number", "The episode number is not a whole number from 1 up.", "Write 1, 2, 3 ..., or leave it empty."),
    error("type", "This type is not known.", "An episode is full, trailer or bonus; a show is episodic or serial."),
    error("explicit", "It is not clear whether this is explicit.", "Write true or false."),
    error("language", "This is not a language code.", "Write a code like en, fr, rw or nl-be."),
    error("spoken_language", "This is not a language code.", "Write a code like en, fr, rw or nl-be."),
    error(
        "slug",
        "This address cannot be used.",
        "Use small letters a to z, digits and hyphens, and not a word that the site needs itself.",
    ),
    *(
        error(
            field,
            "This is not a time that we can understand.",
            "Write “now”, or a time with its zone, like 2026-12-10T09:00:00+01:00.",
        )
        for field in ("publish", "publish_at")
    ),
    error(
        "persons",
        "The list of people cannot be read.",
        "Each person needs a name; role, group and a web address are optional.",
    ),
    error("chapters", "The chapters cannot be read.", "Each chapter needs a start in milliseconds and a title."),
    error(
        "translations", "The translations cannot be read.", "Give a language code, and under it the translated texts."
    ),
    error(
        "categories",
        "The categories cannot be read.",
        "Give a list of names from Apple's list, each with a subcategory or nothing.",
    ),
    error("show", "The show is missing.", "Name it by its address, like diaspora-insights."),
    error("filename", "The file's name is missing.", "Send the name that it has on your machine."),
    error("size_bytes", "The file's size is missing, or it is empty.", "Send its size in bytes, a whole number."),
    error("owner_email", "This is not an e-mail address.", "Write it like name@example.org."),
    error("time_zone", "This time zone is not known.", "Write a name like Europe/Brussels or Africa/Kigali."),
    error("zones", "One of these time zones is not known.", "Write names like Africa/Kinshasa or Africa/Kigali."),
    *(
        error(field, "This is not a web address.", "Write it whole, beginning with https://.")
        for field in ("funding_url", "new_feed_url")
    ),
    *(
        error(field, "This is not a colour.", "Write it like #9a3b1b, or leave it empty for the colour of the site.")
        for field in ("page_colour", "player_colour")
    ),
    error(
        "links",
        "The links cannot be read.",
        "Name the apps as the API's description does, each with a web address.",
    ),
    error("verification", "The codes cannot be read.", "Each needs its text; the purpose may be left empty."),
    error(
        "email_in_feed_until",
        "This is not a time that we can understand.",
        "Write it with its zone, like 2026-12-10T09:00:00+01:00.",
    ),
)


def _too_long(field: str) -> Finding:
    if field in ("notes", "description", "translations"):
        return error(field, "The text is too long.", "Keep it within {limit} characters.", limit=f"{LONGEST_NOTES:,}")
    if field == "chapters":
        return error(field, "These are too many chapters.", "An episode has {limit} at most.", limit=MOST_CHAPTERS)
    if field == "persons":
        return error(field, "These are too many people.", "An episode names {limit} at most.", limit=MOST_PERSONS)
    if field in ("zones", "verification"):
        limit = MOST_ZONES if field == "zones" else MOST_CODES
        return error(field, "These are too many, or one is too long.", "Keep to {limit} at most.", limit=limit)
    limit = {"title": LONGEST_TITLE, "filename": 1000, "fingerprint": 200}.get(field, 255)
    return error(field, "This is too long.", "Keep it within {limit} characters.", limit=f"{limit:,}")
