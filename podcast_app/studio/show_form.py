"""A show as the inputs of a form, and the inputs as fields."""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from feeds.categories import TREE
from feeds.checks import Finding, error
from podcast_app import documents, words
from podcast_app.addresses import LANGUAGES
from podcast_app.apps import APPS
from podcast_app.models import Show
from podcast_app.studio import persons_form

SIMPLE = ("title", "description", "language", "author", "explicit", "type", "copyright", "owner_email")
SWITCHES = ("locked", "even_loudness")
MORE = ("funding_url", "new_feed_url", "time_zone", "slug")
FEWEST_CATEGORIES = 3  # lists to choose from; directories look at the first, some at more
FEWEST_ZONES = 3
FEWEST_CODES = 1  # empty rows for more of them; so with zones

EMAIL_SHOWN_FOR = dt.timedelta(hours=48)  # directories send their code within minutes, some within a day
# What the list `email_in_feed` holds: no; for a while from now; as it is, until its time; until somebody says no.
HIDDEN, FOR_A_WHILE, UNTIL, SHOWN = "false", "window", "until", "true"

COLOURS = dict.fromkeys(("page_colour", "player_colour"), "#9a3b1b")  # those of the site (static/base.css)
PLAIN = "plain."  # before a colour's name: the box that gives it back to the site

# "Society & Culture > Documentary": one choice in a list, and one entry of itunes:category
BETWEEN = " > "
CATEGORIES = tuple(
    choice
    for name, subcategories in TREE.items()
    for choice in (name, *(f"{name}{BETWEEN}{sub}" for sub in subcategories))
)

NO_EMAIL = error("owner_email", "There is no e-mail address to put into the feed.", "Write the one that you read.")

_ZONE = re.compile(r"zone\.([0-9]{1,3})")
_CODE = re.compile(r"code\.([0-9]{1,3})\.text")


def values(show: Show) -> dict[str, str]:
    """What each input of the show's form holds. Rows of a kind (people, zones, codes) count as one, in lines."""
    text = documents.main_text(show)
    chosen = [BETWEEN.join(filter(None, category)) for category in show.categories]
    chosen += [""] * (FEWEST_CATEGORIES - len(chosen))
    return {
        "title": text.title,
        "description": text.description,
        **_translations(show),
        "language": show.language,
        "author": show.author,
        **{f"category.{place}": choice for place, choice in enumerate(chosen)},
        "explicit": _switch(show.explicit),
        "type": show.type,
        "copyright": show.copyright,
        "owner_email": show.owner_email,
        "email_in_feed": UNTIL if show.email_in_feed_until else SHOWN if show.email_in_feed else HIDDEN,
        "locked": _switch(show.locked),
        "even_loudness": _switch(show.even_loudness),
        "funding_url": show.funding_url,
        "new_feed_url": show.new_feed_url,
        "time_zone": show.time_zone,
        "zones": "\n".join(show.zones),
        "slug": show.slug,
        **{f"links.{app.key}": show.links.get(app.key, "") for app in APPS},
        **{name: getattr(show, name) or colour for name, colour in COLOURS.items()},
        **{f"{PLAIN}{name}": _switch(False) for name in COLOURS},
        "verification": _lines(map(_code, show.verification)),
        persons_form.FIELD: persons_form.text(show.persons),
    }


def gathered(typed: Mapping[str, str]) -> dict[str, str]:
    """The form with its rows as the fields that `values` has. Rows that were not sent say nothing."""
    gathered = persons_form.gathered(typed)
    if zones := _numbers(_ZONE, typed):
        chosen = (typed[f"zone.{number}"].strip() for number in zones)
        gathered["zones"] = "\n".join(dict.fromkeys(filter(None, chosen)))
    if _numbers(_CODE, typed):
        gathered["verification"] = _lines(codes(typed))
    return gathered


def codes(typed: Mapping[str, str]) -> list[tuple[str, str]]:
    """The rows in which something stands: purpose and text."""
    rows = [
        (typed.get(f"code.{number}.purpose", ""), typed[f"code.{number}.text"]) for number in _numbers(_CODE, typed)
    ]
    return [(purpose.strip(), text.strip()) for purpose, text in rows if purpose.strip() or text.strip()]


def shown_codes(show: Show, typed: Mapping[str, str], value: str) -> list[tuple[str, str]]:
    """For the page: the rows that were typed, where the form goes on with them (`value`: what its field `verification`
    now is), or else those that are kept; and empty ones."""
    rows = codes(typed)
    if _lines(rows) != value:
        rows = [_code(code) for code in show.verification]
    return rows + [("", "")] * FEWEST_CODES


def shown_zones(zones: str) -> list[str]:
    """Of the field's lines: an input for each, and for more."""
    named = zones.splitlines()
    return named + [""] * max(1, FEWEST_ZONES - len(named))


def findings(show: Show, names: Collection[str], inputs: Mapping[str, str]) -> list[Finding]:
    """What no field can say by itself."""
    is_shown = "email_in_feed" in names and inputs["email_in_feed"] in (FOR_A_WHILE, SHOWN)
    return [NO_EMAIL] if is_shown and not inputs.get("owner_email", show.owner_email).strip() else []


def said(names: Collection[str], inputs: Mapping[str, str], now: dt.datetime) -> dict[str, object]:
    """These inputs as fields, but for people. Categories are said all together, a translation whole."""
    fields: dict[str, object] = {name: inputs[name] for name in (*SIMPLE, *SWITCHES, *MORE) if name in names}
    if any(name.startswith("category.") for name in names):
        chosen = dict.fromkeys(choice for name, choice in inputs.items() if name.startswith("category.") and choice)
        fields["categories"] = [category(choice) for choice in chosen]
    if translated := translation_languages(names):
        fields["translations"] = {
            language: {part: inputs.get(f"{part}.{language}", "") for part in ("title", "description")}
            for language in translated
        }
    if links := [name for name in names if name.startswith("links.")]:
        fields["links"] = {name.removeprefix("links."): inputs[name] for name in links}
    if "zones" in names:
        fields["zones"] = inputs["zones"].splitlines()
    if "verification" in names:
        fields["verification"] = [{"purpose": purpose, "text": text} for purpose, text in codes(inputs)]
    if "email_in_feed" in names:
        fields |= _email(inputs["email_in_feed"], now)
    return fields | _colours(names, inputs)


def in_words(language: str, category: str) -> str:
    """A choice of category in the person's language."""
    return BETWEEN.join(words.plain(language, part) for part in category.split(BETWEEN))


def translation_languages(names: Collection[str]) -> list[str]:
    """Of the inputs `title.fr`, `description.fr`: "fr", each once, in their order."""
    return list(dict.fromkeys(name.partition(".")[2] for name in names if name.startswith(("title.", "description."))))


def _translations(show: Show) -> dict[str, str]:
    written = {text.language: text for text in show.texts}
    languages = [language for language in dict.fromkeys((*LANGUAGES, *written)) if language != show.language]
    found: dict[str, str] = {}
    for language in languages:
        text = written.get(language)
        found[f"title.{language}"] = text.title if text else ""
        found[f"description.{language}"] = text.description if text else ""
    return found


def category(choice: str) -> tuple[str, str | None]:
    name, _, subcategory = choice.partition(BETWEEN)
    return name, subcategory or None


def _email(choice: str, now: dt.datetime) -> dict[str, object]:
    """What it says of the two fields; `until` says what is so already."""
    match choice:
        case "window":
            return {"email_in_feed": True, "email_in_feed_until": now + EMAIL_SHOWN_FOR}
        case "true":
            return {"email_in_feed": True, "email_in_feed_until": None}
        case "until":
            return {}
        case _:
            return {"email_in_feed": choice}


def _colours(names: Collection[str], inputs: Mapping[str, str]) -> dict[str, object]:
    """A colour input always holds one: the site's own counts as none."""
    touched = [name for name in COLOURS if name in names or f"{PLAIN}{name}" in names]
    return {
        name: "" if inputs[f"{PLAIN}{name}"] == "true" or inputs[name] == COLOURS[name] else inputs[name]
        for name in touched
    }


def _code(kept: Mapping[str, str]) -> tuple[str, str]:
    return kept["purpose"], kept["text"]


def _lines(codes: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"{purpose}: {text}" for purpose, text in codes)


def _numbers(row: re.Pattern[str], typed: Mapping[str, str]) -> Sequence[int]:
    return sorted(int(found[1]) for name in typed if (found := row.fullmatch(name)))


def _switch(is_on: bool) -> str:
    return "true" if is_on else "false"
