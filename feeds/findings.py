"""What a check found, for a person who can mend it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]
Value = str | int


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem and its mend, in English with {placeholders}: the edge translates the two, then fills in `values`."""

    level: Level
    field: str  # as in the API and the forms: "title"; "show.title" for the show's
    problem: str
    mend: str
    values: tuple[tuple[str, Value], ...] = ()
    where: str = ""  # the episode's title, when a whole feed was judged

    def message(self, translate: Callable[[str], str] = str) -> str:
        """Problem and mend as one text, in the language of `translate` (English without)."""
        said = (part for part in (self.problem, self.mend) if part)  # some say both in one sentence
        return " ".join(translate(part).format(**dict(self.values)) for part in said)


def error(field: str, problem: str, mend: str, **values: Value) -> Finding:
    """Stands in the way of publishing. Constant sentences only, since the catalogues are collected from the calls."""
    return Finding("error", field, problem, mend, tuple(values.items()))


def warning(field: str, problem: str, mend: str, **values: Value) -> Finding:
    """Worth knowing; directories take it all the same. Constant sentences only."""
    return Finding("warning", field, problem, mend, tuple(values.items()))


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those that stand in the way."""
    return [finding for finding in findings if finding.level == "error"]
