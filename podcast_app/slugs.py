"""The readable part of an address, made from a title: only `a-z`, `0-9` and `-` (Apple, "Podcast requirements")."""

import unicodedata
from collections.abc import Callable, Iterator
from itertools import chain, count

from slugify import slugify

from podcast_app.addresses import RESERVED

LONGEST = 80

# Scripts that a letter-by-letter transcription reads well; in others it gives wrong words ("hotutokiyasuto").
TRANSCRIBED = ("LATIN", "GREEK", "CYRILLIC")


def from_title(title: str) -> str:
    """ "Été à Łódź" -> "ete-a-lodz"; "" when no letter can be transcribed."""
    readable = "".join(letter if _is_transcribed(letter) else " " for letter in unicodedata.normalize("NFC", title))
    return slugify(readable, max_length=LONGEST, word_boundary=True)


def is_valid(slug: str) -> bool:
    """Whether somebody may choose it as it stands."""
    return slug == slugify(slug, max_length=LONGEST) != "" and slug.isascii()


def free(wanted: str, fallback: str, is_taken: Callable[[str], bool]) -> str:
    """The wanted slug, or the first free one after it: `matonge`, `matonge-2`, `matonge-3` ..."""
    return next(slug for slug in _candidates(wanted or fallback) if slug not in RESERVED and not is_taken(slug))


def _candidates(slug: str) -> Iterator[str]:
    return chain((slug,), (f"{slug}-{number}" for number in count(2)))


def _is_transcribed(letter: str) -> bool:
    if letter.isascii() or not letter.isalpha():
        return unicodedata.category(letter) != "So"  # "n° 3" is no "ndeg-3"
    return unicodedata.name(letter, "").startswith(TRANSCRIBED)
