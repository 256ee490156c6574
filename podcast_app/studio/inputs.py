"""What a form's inputs sent, and what a template needs to show a form again with nothing of it lost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request

from feeds.checks import Finding, error
from media import text
from podcast_app import words
from podcast_app.http import Problem

LARGEST = 4_000_000  # bytes: the longest notes in two languages, each letter as %C3%A9
MOST_FIELDS = 600  # a hundred people, of whom five things are said

TOO_LONG = error("", "The form holds more text than we can take.", "Go back, shorten it, and send it again.")
UNREADABLE = error("", "The form cannot be read.", "Go back, and send it again.")


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding in the person's language, and the input that it stands beside."""

    field: str  # the input's name; "" when the form has none for it
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form as a page shows it."""

    values: Mapping[str, str]
    remarks: tuple[Remark, ...] = ()
    clashes: Mapping[str, str] = field(default_factory=dict)  # input -> what somebody else saved meanwhile
    changed_by: Mapping[str, str] = field(default_factory=dict)  # input -> who did
    advice: tuple[Remark, ...] = ()  # worth a look, and nothing wrong
    suggested: Mapping[str, str] = field(default_factory=dict)  # input -> where it came from: fields.html, `head`
    seen: str = ""  # see edits.py
    is_open: bool = True  # whether the person may change it

    def of(self, name: str) -> list[Remark]:
        return [remark for remark in self.remarks if remark.field == name]

    def advised(self, name: str) -> list[Remark]:
        return [remark for remark in self.advice if remark.field == name]

    def calls_for(self, *names: str) -> bool:
        """Whether one of these inputs needs a look, so that it must not stay folded away."""
        return any(self.of(name) or name in self.clashes for name in names)


async def sent(request: Request) -> dict[str, str]:
    """The fields of a small form; of a name that comes twice, the last. Raises Problem 400, 413."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise Problem(413, [TOO_LONG])
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as wrong:
        raise Problem(400, [UNREADABLE]) from wrong
    return cleaned(dict(pairs))


def cleaned(fields: Mapping[str, str]) -> dict[str, str]:
    """Line ends as they are stored: browsers send CR LF."""
    return {name: text.clean(value) for name, value in fields.items()}


def remarks(language: str, findings: Iterable[Finding], inputs: Mapping[str, str]) -> tuple[Remark, ...]:
    """Each finding beside its input."""
    return tuple(Remark(_input(finding.field, inputs), words.message(language, finding)) for finding in findings)


def _input(name: str, inputs: Mapping[str, str]) -> str:
    """A finding about all translations, or all categories, stands beside the first."""
    if name in _SEVERAL:
        name = next((other for other in inputs if other.startswith(_SEVERAL[name])), "")
    return name if name in inputs else ""


_SEVERAL = {"translations": "title.", "categories": "category."}
