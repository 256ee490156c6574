"""An episode as the inputs of a form, and the inputs as fields."""

from collections.abc import Collection, Mapping

from media import chapters
from podcast_app import documents, formats
from podcast_app.addresses import LANGUAGES
from podcast_app.models import Episode
from podcast_app.studio import persons_form

SIMPLE = ("title", "notes", "language", "spoken_language", "season", "number", "type", "explicit", "slug", "chapters")
LATER = ("slug", "spoken_language", "chapters")  # of a new episode they follow its title, its language and its file
# Beside our own: what people in the diaspora speak. A language that an episode has already is offered too.
SPOKEN = ("en", "fr", "nl", "de", "lb", "rw", "rn", "sw", "ln", "kg", "lua", "am", "ar", "es", "it", "pt", "so", "ti")


def values(episode: Episode) -> dict[str, str]:
    """What each input of the episode's form holds."""
    words = documents.main_words(episode)
    simple = {
        "title": words.title,
        "notes": words.notes,
        "language": episode.language,
        "spoken_language": episode.spoken_language,
        "season": str(episode.season or ""),
        "number": str(episode.number or ""),
        "type": episode.type,
        "explicit": {None: "", True: "true", False: "false"}[episode.explicit],
        "slug": episode.slug,
        "chapters": chapters.written(documents.chapters(episode)),
    }
    return simple | {persons_form.FIELD: persons_form.text(episode.persons)} | _translations(episode)


def suggested(episode: Episode) -> dict[str, str]:
    """Inputs that nobody has written into yet, and where their values come from."""
    from_notes = {"chapters": "notes"} if documents.chapters(episode) and not episode.chapters else {}
    return {**from_notes, **episode.suggested}


def empty(language: str) -> dict[str, str]:
    """The same for an episode that is not there yet, in a show of this language."""
    others = {f"{part}.{other}": "" for other in LANGUAGES if other != language for part in ("title", "notes")}
    blank = dict.fromkeys(SIMPLE, "") | {"language": language, "type": "full"}
    for name in LATER:
        del blank[name]
    return blank | others


def offered(*chosen: str) -> list[tuple[str, str]]:
    """The languages that a form offers: code and name."""
    return [(language, formats.language_name(language)) for language in dict.fromkeys((*SPOKEN, *chosen))]


def said(names: Collection[str], inputs: Mapping[str, str]) -> dict[str, object]:
    """These inputs as fields. A translation is said whole, whichever half of it is named."""
    fields: dict[str, object] = {name: inputs[name] for name in SIMPLE if name in names}
    translated = translation_languages(names)
    if translated:
        fields["translations"] = {
            language: {part: inputs.get(f"{part}.{language}", "") for part in ("title", "notes")}
            for language in translated
        }
    return fields


def translation_languages(names: Collection[str]) -> list[str]:
    """Of the inputs `title.fr`, `notes.fr`: "fr", each once, in their order."""
    return list(dict.fromkeys(name.partition(".")[2] for name in names if name.startswith(("title.", "notes."))))


def _translations(episode: Episode) -> dict[str, str]:
    written = {words.language: words for words in episode.texts}
    languages = [language for language in dict.fromkeys((*LANGUAGES, *written)) if language != episode.language]
    found: dict[str, str] = {}
    for language in languages:
        words = written.get(language)
        found[f"title.{language}"] = words.title if words else ""
        found[f"notes.{language}"] = words.notes if words else ""
    return found
