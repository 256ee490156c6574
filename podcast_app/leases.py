"""Who works on what. A lease ends by itself when its holder is killed; while the holder lives, it is renewed."""

import datetime as dt
from contextlib import AbstractContextManager

from sqlalchemy import ColumnElement, or_, update
from sqlalchemy.orm import Session

from podcast_app.database import Database
from podcast_app.heartbeat import heartbeat
from podcast_app.models import Edition, Leased, Measurement
from podcast_app.times import utcnow

LEASE = dt.timedelta(seconds=15)
RENEWED_EVERY = 5.0  # seconds


def is_free(table: type[Leased], now: dt.datetime) -> ColumnElement[bool]:
    """Nobody holds the row, and no failure asks to wait.

    No lease ends so late as twice its length: one that does was taken before the clock was put back.
    """
    unheld = or_(table.lease_until.is_(None), ~table.lease_until.between(now, now + 2 * LEASE))
    return unheld & or_(table.try_again_at.is_(None), table.try_again_at <= now)


def take(row: Leased, owner: str, now: dt.datetime) -> None:
    row.lease_owner, row.lease_until = owner, now + LEASE


def let_go(row: Leased) -> None:
    row.lease_owner = row.lease_until = None


def give_back_audio(session: Session, owner: str) -> None:
    """Of all that `owner` is at. A feed's copy is not given back: it may be on its way to the storage just now."""
    for table in (Edition, Measurement):
        theirs = update(table).where(table.lease_owner == owner)
        session.execute(theirs.values(lease_owner=None, lease_until=None))


def held(
    database: Database, table: type[Leased], owner: str, *which: ColumnElement[bool]
) -> AbstractContextManager[None]:
    """Keep the lease on a row that `owner` took, for as long as the block lasts."""

    def renew(session: Session) -> None:
        ours = update(table).where(*which, table.lease_owner == owner)
        session.execute(ours.values(lease_until=utcnow() + LEASE))

    return heartbeat(database, RENEWED_EVERY, renew)
