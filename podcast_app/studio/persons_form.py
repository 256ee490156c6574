"""The people of an episode or a show as rows of a form: `person.0.name`, `person.0.role`, `person.0.url`.

To edits.py they are one field, `persons`, a text with a line for each: who changes the list while somebody else does
sees the other's list whole.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from feeds import roles
from feeds.checks import Finding, error
from media import text as texts
from podcast_app import documents, words
from podcast_app.addresses import Addresses
from podcast_app.models import Episode, Json, Show

FIELD = "persons"
MOST_EPISODES = 300  # the newest, whose people are offered
EMPTY_ROWS = 2  # for a form without script
GUEST = "cast/guest"  # who is most often added

_NAME = re.compile(r"person\.([0-9]{1,4})\.name")
_LISTED = "person.listed"  # sent by each form that has the rows, also when all were taken off


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody as the form shows them."""

    name: str = ""
    role: str = GUEST  # group and role, "cast/host"
    url: str = ""
    picture: str = ""  # a cover's id

    @property
    def line(self) -> str:
        return " · ".join(filter(None, (self.name, self.role, self.url)))


@dataclass(frozen=True, slots=True)
class People:
    """What the macro `people` shows: who is there, who is known in the show, and what people do."""

    rows: Sequence[Row]
    known: Sequence[Row]
    roles: Sequence[tuple[str, Sequence[tuple[str, str]]]]  # group, and its roles: value and words


def text(persons: Iterable[Json]) -> str:
    """A kept list as the one field that forms compare."""
    return _text(map(_row, persons))


def gathered(typed: Mapping[str, str]) -> dict[str, str]:
    """The form with its rows as the field `persons`. One without rows says nothing about people."""
    return {**typed, FIELD: _text(_rows(typed))} if _LISTED in typed else dict(typed)


def findings(typed: Mapping[str, str]) -> list[Finding]:
    """What keeps the rows from being people."""
    found: list[Finding] = []
    for row in _rows(typed):
        if not row.name:
            found.append(error(FIELD, "Somebody in the list has no name.", "Write it, or take the row off."))
        elif row.url and not row.url.startswith(("https://", "http://")):
            mend = "Write it whole, beginning with https://."
            found.append(error(FIELD, "The link of {name} is not a web address.", mend, name=row.name[:60]))
    return found


def said(typed: Mapping[str, str], known: Sequence[Row], show: Show, addresses: Addresses) -> list[dict[str, str]]:
    """The rows as `persons` of fields.py. Pictures are those of people whom the show knows."""
    return [
        {
            "name": row.name,
            "group": row.role.partition("/")[0],
            "role": row.role.partition("/")[2],
            "url": row.url,
            "image_url": documents.person_picture({"picture": _picture(row, known)}, show, addresses) or "",
        }
        for row in _rows(typed)
    ]


def people(
    language: str, typed: Mapping[str, str], value: str, persons: Iterable[Json], known: Sequence[Row]
) -> People:
    """For the page: the rows that were typed, where the form goes on with them (`value`: what its field `persons` now
    is), or else those that are kept, which somebody else may have changed meanwhile; and empty ones."""
    rows = list(_rows(typed))
    if _text(rows) != value:
        rows = [_row(person) for person in persons]
    return People([*rows, *[Row()] * EMPTY_ROWS], known, _roles(language, rows))


def known(session: Session, show: Show) -> list[Row]:
    """Everybody whom the show or its newest episodes name, as they were named last."""
    of_show = select(Episode.persons).where(Episode.show_id == show.id, Episode.trashed_at.is_(None))
    newest = session.scalars(of_show.order_by(Episode.created_at.desc()).limit(MOST_EPISODES))
    found: dict[str, Row] = {}
    for person in (person for persons in (show.persons, *newest) for person in persons):
        found.setdefault(person["name"], _row(person))
    return sorted(found.values(), key=lambda row: row.name.casefold())


def in_words(language: str, list_of: str) -> str:
    """The field's text as people read it: roles in their language."""
    return "\n".join(
        " · ".join(_role_words(language, part) if "/" in part and "://" not in part else part for part in parts)
        for parts in (line.split(" · ") for line in list_of.splitlines())
    )


def _row(person: Json) -> Row:
    role = f"{person['group'].lower()}/{person['role'].lower()}"
    return Row(person["name"], role, person.get("url") or "", person.get("picture") or "")


def _rows(typed: Mapping[str, str]) -> Iterable[Row]:
    """Those in which somebody stands: with a name or a link, and not taken off."""
    numbers = sorted({int(found[1]) for name in typed if (found := _NAME.fullmatch(name))})
    for number in numbers:
        get = {part: texts.clean_line(typed.get(f"person.{number}.{part}", "")) for part in Row.__slots__}
        if (get["name"] or get["url"]) and f"person.{number}.off" not in typed:
            yield Row(get["name"], get["role"] if "/" in get["role"] else GUEST, get["url"], get["picture"])


def _text(rows: Iterable[Row]) -> str:
    return "\n".join(row.line for row in rows)


def _picture(row: Row, known: Sequence[Row]) -> str:
    """Of this name, or that of the row when its name was only mended: nobody gets another person's face."""
    named = next((other for other in known if other.name == row.name), None)
    if named is not None and named.picture:
        return named.picture
    former = (other for other in known if row.picture and other.picture == row.picture)
    return row.picture if any(_share_a_word(row.name, other.name) for other in former) else ""


def _share_a_word(name: str, other: str) -> bool:
    return bool(set(name.casefold().split()) & set(other.casefold().split()))


def _roles(language: str, rows: Iterable[Row]) -> list[tuple[str, Sequence[tuple[str, str]]]]:
    """The taxonomy; and what somebody's own words said before."""
    offered = [
        (
            words.plain(language, group),
            [(f"{group}/{role}", _role_words(language, f"{group}/{role}")) for role in in_group],
        )
        for group, in_group in roles.TAXONOMY.items()
    ]
    values = {value for _group, in_group in offered for value, _words in in_group}
    own = dict.fromkeys(row.role for row in rows if row.role not in values)
    return [*offered, *([("…", [(role, _role_words(language, role)) for role in own])] if own else [])]


def _role_words(language: str, role: str) -> str:
    group, _, name = role.partition("/")
    label = roles.label(name, group)
    return words.plain(language, label) if label is not None else name
