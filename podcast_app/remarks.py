"""What `podcast-app check` has to say."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

# Longer than this behind its time, and something is wrong: a worker that does not run, a storage that does not answer.
NORMAL_LAG = dt.timedelta(minutes=5)

Level = Literal["error", "note"]


@dataclass(frozen=True, slots=True)
class Remark:
    """What was found. Errors need somebody; notes are to be known."""

    level: Level
    about: str
    says: str


def fault(about: str, says: str) -> Remark:
    return Remark("error", about, says)


def note(about: str, says: str) -> Remark:
    return Remark("note", about, says)


def lag(since: dt.datetime, now: dt.datetime) -> Level:
    """What it is when something that is brought up by itself has not been since then."""
    return "error" if now - since > NORMAL_LAG else "note"
