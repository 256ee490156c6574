"""What is made from a recording and can be made again: how a piece of it is claimed, carried out, and kept or put off.

A piece is a row. It says whether it is made, how far that has come, and why it failed; a failure is tried again later.
"""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from media import ffmpeg
from media.storage import Full, Missing, Unavailable
from podcast_app import leases
from podcast_app.models import AudioStatus, Derived
from podcast_app.times import utcnow
from podcast_app.work import Work

LONGEST_PAUSE = dt.timedelta(hours=6)
LONGEST_WAIT = dt.timedelta(minutes=1)  # for a storage or a disk: what is due goes out soon after it is back
TOLD_EVERY = 2.0  # seconds, how far it has come


class Stopped(Exception):
    """Our process is to end; another worker begins it anew."""


Row = TypeVar("Row", bound=Derived)


@dataclass(frozen=True)
class Claim(Generic[Row]):
    """A row that `owner` has taken."""

    table: type[Row]
    which: tuple[ColumnElement[bool], ...]
    owner: str


def carry_out(work: Work, claim: Claim[Row], make: Callable[[], None]) -> None:
    """Make it, and keep the lease as long as that takes; a failure is kept with its reason."""
    try:
        with leases.held(work.database, claim.table, claim.owner, *claim.which):
            make()
    except Stopped:
        work.database.write(_given_back, claim)
    except (ffmpeg.Failed, Missing) as failure:
        work.database.write(_failed, claim, reason(failure), utcnow())
    except (Full, Unavailable) as failure:
        work.database.write(_waits, claim, reason(failure), utcnow())


def progress(work: Work, claim: Claim[Row], whole_ms: int | None) -> Callable[[int], None]:
    """To be told how many ms are made, as often as one likes; the row says it in percent, now and then.

    What it is told raises Stopped, once our process is to end.
    """
    told_at = time.monotonic()

    def told(done_ms: int) -> None:
        nonlocal told_at
        if work.stopping.is_set():
            raise Stopped
        if whole_ms and time.monotonic() - told_at >= TOLD_EVERY:
            told_at = time.monotonic()
            work.database.write(_come_so_far, claim, min(99, 100 * done_ms // whole_ms))

    return told


def take(row: Derived, owner: str, now: dt.datetime) -> None:
    leases.take(row, owner, now)
    row.attempts += 1
    row.progress_percent = 0


def held(session: Session, claim: Claim[Row]) -> Row | None:
    """The row, when the lease on it is still ours."""
    ours = select(claim.table).where(*claim.which, claim.table.lease_owner == claim.owner)
    return session.scalars(ours.with_for_update().execution_options(populate_existing=True)).one_or_none()


def done(row: Derived) -> None:
    _settle(row, "ready")


def make_again(row: Derived) -> None:
    """From the beginning, as soon as a worker is free."""
    _settle(row, "preparing")


def reason(failure: ffmpeg.Failed | Full | Unavailable | Missing) -> str:
    match failure:
        case ffmpeg.Failed():
            return failure.sentence.format(**failure.values)
        case Full():
            return "The disk is full."
        case Missing():
            return "The original is missing from the storage."
        case Unavailable():
            return "The storage does not answer."


def _settle(row: Derived, status: AudioStatus) -> None:
    row.status = status
    row.failure, row.attempts, row.try_again_at, row.progress_percent = None, 0, None, None
    leases.let_go(row)


def _given_back(session: Session, claim: Claim[Row]) -> None:
    row = held(session, claim)
    if row is not None:
        row.progress_percent = None
        row.attempts -= 1  # it was none
        leases.let_go(row)


def _failed(session: Session, claim: Claim[Row], why: str, now: dt.datetime) -> None:
    """The recording is the reason: it counts as failed until somebody, or another attempt, mends that."""
    row = held(session, claim)
    if row is not None:
        row.status = "failed"
        _pause(row, why, now, LONGEST_PAUSE)


def _waits(session: Session, claim: Claim[Row], why: str, now: dt.datetime) -> None:
    """The world is the reason, and it passes: so nobody is told to send another recording, and nothing is refused."""
    row = held(session, claim)
    if row is not None:
        _pause(row, why, now, LONGEST_WAIT)


def _pause(row: Derived, why: str, now: dt.datetime, longest: dt.timedelta) -> None:
    row.failure, row.progress_percent = why, None
    row.try_again_at = now + min(longest, dt.timedelta(seconds=5) * 2 ** min(row.attempts, 12))
    leases.let_go(row)


def _come_so_far(session: Session, claim: Claim[Row], percent: int) -> None:
    ours = update(claim.table).where(*claim.which, claim.table.lease_owner == claim.owner)
    session.execute(ours.values(progress_percent=percent))
