"""How a wish about an episode or a show ends. Decisions are values; the edge finds the words and the status."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from feeds.checks import Finding

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """It is as it was asked to be."""

    it: T


@dataclass(frozen=True, slots=True)
class Refused:
    """People can mend what stands in the way. A transaction that ends so is given up: nothing was changed."""

    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Conflict:
    """The state it is in does not allow it."""

    problem: str
    mend: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such thing."""
