"""Two people at one form: what each of them changed, told apart by what the page showed when it was opened.

A form carries a fingerprint of each value that it was filled with (its field `seen`). So a field that only one of the
two touched is no conflict, a form that is sent twice changes nothing the second time, and what both changed is shown to
the later one, beside what they wrote.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Values = Mapping[str, str]  # field -> what its input holds


@dataclass(frozen=True, slots=True)
class Merge:
    """`changes`: what this person changed. `clashes`: of these, what another changed too, as it is saved now."""

    changes: dict[str, str]
    clashes: dict[str, str]


def merge(typed: Values, saved: Values) -> Merge:
    """What is new in a form. A form that does not say what it was filled with clashes wherever it differs. Of two
    texts that clashed, a field `take.title` in it says that the other one is to stay."""
    seen, typed = _seen(typed), {name: value for name, value in typed.items() if f"take.{name}" not in typed}
    mine = {name: value for name in saved if (value := typed.get(name, saved[name])) != saved[name]}
    changes = {name: value for name, value in mine.items() if seen.get(name) != _fingerprint(value)}
    clashes = {name: saved[name] for name in changes if seen.get(name) != _fingerprint(saved[name])}
    return Merge(changes, clashes)


def elsewhere(typed: Values, saved: Values) -> dict[str, str]:
    """What somebody else changed of that which this person left alone, as it is saved now."""
    seen = _seen(typed)
    untouched = (name for name in saved if name in typed and seen.get(name) == _fingerprint(typed[name]))
    return {name: saved[name] for name in untouched if typed[name] != saved[name]}


def written(typed: Values, names: Iterable[str]) -> dict[str, str]:
    """What somebody wrote into these inputs, and did not just find there: of an input that the form does not speak of,
    whatever it holds."""
    seen = _seen(typed)
    sent = {name: typed[name] for name in names if name in typed}
    return {
        name: value
        for name, value in sent.items()
        if (seen[name] != _fingerprint(value) if name in seen else value.strip())
    }


def seen(values: Values) -> str:
    """What the form's field `seen` holds when the page is opened with these values."""
    return " ".join(f"{name}={_fingerprint(value)}" for name, value in values.items())


def _seen(typed: Values) -> dict[str, str]:
    return dict(word.partition("=")[::2] for word in typed.get("seen", "").split())


def _fingerprint(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:12]
