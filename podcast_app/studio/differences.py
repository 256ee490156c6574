"""What was changed, made readable: before and after as texts, and in each the words that the other has not."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

from media import chapters
from media.probe.facts import Chapter
from podcast_app.models import Json

MOST_WORDS = 1500  # to be compared word by word; longer texts line by line, since the time grows with the square
MOST_LINES = 1500  # longer ones are not compared


class Piece(NamedTuple):
    text: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """A field's values. What is no text is said by a word of the template: `before` and `after` hold its key."""

    field: str  # "title", "title.fr", "season" ...
    before: Sequence[Piece]
    after: Sequence[Piece]
    is_text: bool

    @property
    def name(self) -> str:
        return self.field.partition(".")[0]

    @property
    def language(self) -> str:
        """Of a translation; "" for the main text."""
        return self.field.partition(".")[2]


TEXTS = frozenset({"title", "notes", "chapters", "persons"})


def difference(field: str, before: Json, after: Json) -> Difference:
    is_text = field.partition(".")[0] in TEXTS
    old, new = text(field, before), text(field, after)
    if not is_text:
        return Difference(field, [Piece(old, True)], [Piece(new, True)], is_text=False)
    return Difference(field, *compared(old, new), is_text=True)


def text(field: str, value: Json) -> str:
    """As people read it; of what is chosen from a list, the choice: "true", "full", "fr"; "" for nothing."""
    match field:
        case "chapters":
            rows = (Chapter(start_ms=row["start_ms"], title=row["title"], url=row["url"] or None) for row in value)
            return chapters.written(rows)
        case "persons":
            return "\n".join(" ".join(filter(None, _person(row))) for row in value)
        case _:
            return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def compared(old: str, new: str) -> tuple[list[Piece], list[Piece]]:
    """The two texts in pieces, those that differ marked."""
    olds, news = _parts(old), _parts(new)
    if olds is None or news is None:
        return [Piece(old, True)], [Piece(new, True)]
    before, after = [], []
    for kind, i, j, k, m in SequenceMatcher(None, olds, news, autojunk=False).get_opcodes():
        before += [Piece("".join(olds[i:j]), kind != "equal")] if j > i else []
        after += [Piece("".join(news[k:m]), kind != "equal")] if m > k else []
    return before, after


def _parts(said: str) -> list[str] | None:
    """Words, or lines of a long text; None when it has too many even of these."""
    words = re.findall(r"\s+|\S+", said)
    if len(words) <= MOST_WORDS:
        return words
    lines = said.splitlines(keepends=True)
    return lines if len(lines) <= MOST_LINES else None


def _person(row: Json) -> tuple[str, ...]:
    link = f"<{row['url']}>" if row["url"] else ""
    return row["name"], f"({row['role']})", link
