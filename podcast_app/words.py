"""Our own words, in the reader's language. English stands in the code; French in locale/fr/*.po."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from feeds.checks import Finding

CATALOGUES = Path(__file__).parent / "locale"


def say(language: str, sentence: str, **values: object) -> str:
    """The sentence in this language, its {places} filled. What has no translation stays English."""
    return _catalogue(language).get(sentence, sentence).format(**values) if values else plain(language, sentence)


def plain(language: str, sentence: str) -> str:
    """The sentence in this language, as it stands."""
    return _catalogue(language).get(sentence, sentence)


def problem(language: str, finding: Finding) -> str:
    return say(language, finding.problem, **dict(finding.values))


def mend(language: str, finding: Finding) -> str:
    return say(language, finding.mend, **dict(finding.values))


def message(language: str, finding: Finding) -> str:
    """Problem and mend in one breath; some findings say both in one sentence."""
    return f"{problem(language, finding)} {mend(language, finding)}".rstrip()


@cache
def _catalogue(language: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for path in sorted((CATALOGUES / language).glob("*.po")):
        with path.open("rb") as file:
            for entry in read_po(file, locale=language):
                if entry.id and isinstance(entry.id, str) and isinstance(entry.string, str) and entry.string:
                    found[entry.id] = entry.string
    return found
