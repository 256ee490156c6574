"""A show as the inputs of a form, and the inputs as fields."""

from collections.abc import Collection, Mapping

from feeds.categories import TREE
from podcast_app import documents
from podcast_app.addresses import LANGUAGES
from podcast_app.models import Show

SIMPLE = ("title", "description", "language", "author", "explicit", "type", "copyright", "owner_email")
SWITCHES = ("email_in_feed", "locked", "even_loudness")
MORE = ("funding_url", "time_zone", "slug")
FEWEST_CATEGORIES = 3  # lists to choose from; directories look at the first, some at more

# "Society & Culture > Documentary": one choice in a list, and one entry of itunes:category
BETWEEN = " > "
CATEGORIES = tuple(
    choice
    for name, subcategories in TREE.items()
    for choice in (name, *(f"{name}{BETWEEN}{sub}" for sub in subcategories))
)


def values(show: Show) -> dict[str, str]:
    """What each input of the show's form holds."""
    words = documents.main_text(show)
    chosen = [BETWEEN.join(filter(None, category)) for category in show.categories]
    chosen += [""] * (FEWEST_CATEGORIES - len(chosen))
    return {
        "title": words.title,
        "description": words.description,
        **_translations(show),
        "language": show.language,
        "author": show.author,
        **{f"category.{place}": choice for place, choice in enumerate(chosen)},
        "explicit": _switch(show.explicit),
        "type": show.type,
        "copyright": show.copyright,
        "owner_email": show.owner_email,
        "email_in_feed": _switch(show.email_in_feed),
        "locked": _switch(show.locked),
        "even_loudness": _switch(show.even_loudness),
        "funding_url": show.funding_url,
        "time_zone": show.time_zone,
        "slug": show.slug,
    }


def said(names: Collection[str], inputs: Mapping[str, str]) -> dict[str, object]:
    """These inputs as fields. Categories are said all together, a translation whole."""
    fields: dict[str, object] = {name: inputs[name] for name in (*SIMPLE, *SWITCHES, *MORE) if name in names}
    if any(name.startswith("category.") for name in names):
        chosen = dict.fromkeys(choice for name, choice in inputs.items() if name.startswith("category.") and choice)
        fields["categories"] = [_category(choice) for choice in chosen]
    if translated := translation_languages(names):
        fields["translations"] = {
            language: {part: inputs.get(f"{part}.{language}", "") for part in ("title", "description")}
            for language in translated
        }
    return fields


def translation_languages(names: Collection[str]) -> list[str]:
    """Of the inputs `title.fr`, `description.fr`: "fr", each once, in their order."""
    return list(dict.fromkeys(name.partition(".")[2] for name in names if name.startswith(("title.", "description."))))


def _translations(show: Show) -> dict[str, str]:
    written = {words.language: words for words in show.texts}
    languages = [language for language in dict.fromkeys((*LANGUAGES, *written)) if language != show.language]
    found: dict[str, str] = {}
    for language in languages:
        words = written.get(language)
        found[f"title.{language}"] = words.title if words else ""
        found[f"description.{language}"] = words.description if words else ""
    return found


def _category(choice: str) -> tuple[str, str | None]:
    name, _, subcategory = choice.partition(BETWEEN)
    return name, subcategory or None


def _switch(is_on: bool) -> str:
    return "true" if is_on else "false"
