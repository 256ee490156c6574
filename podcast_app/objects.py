"""Which stored objects nobody owns yet, or any more.

An object is announced before it is written and taken over by the transaction that records its owner; a released one
is announced again. What stays announced past its time is deleted by the worker.
"""

import datetime as dt
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sqlalchemy import UpdateBase, delete, select, update
from sqlalchemy.orm import Session

from media.storage import Key
from podcast_app.database import Database
from podcast_app.heartbeat import heartbeat
from podcast_app.models import LooseObject
from podcast_app.times import utcnow

PATIENCE = dt.timedelta(minutes=2)  # this long after the last sign of its writer, an object is swept
SIGN_EVERY = 20.0  # seconds


class TooLate(Exception):
    """The object was swept: whoever wrote it gave no sign for longer than PATIENCE."""


def private_key(kind: str) -> Key:
    """A new random key that no public address reaches. `kind`: "originals", "editions", "covers"."""
    return Key(f"private/{kind}/{secrets.token_hex(16)}")


def public_key(extension: str) -> Key:
    """A new random key for what anybody may fetch."""
    return Key(f"public/{secrets.token_hex(16)}.{extension}")


@contextmanager
def announced(database: Database, key: Key) -> Iterator[None]:
    """The object may be written in this block, however long that takes, and taken over soon after it."""
    database.write(_announce, key)
    try:
        with heartbeat(database, SIGN_EVERY, lambda session: _still_writing(session, key)):
            yield
    finally:
        database.write(_written, key)


def take_over(session: Session, key: Key) -> None:
    """The row that this transaction writes owns the object from now on. Raises TooLate."""
    _must_be_there(session, delete(LooseObject).where(LooseObject.key == key, ~LooseObject.is_doomed), key)


def release(session: Session, key: Key | None, now: dt.datetime) -> None:
    """No row owns the object from this transaction on: the worker deletes it, also when it is just doing so."""
    if key is None:
        return
    known = select(LooseObject).where(LooseObject.key == key).with_for_update()
    loose = session.scalars(known.execution_options(populate_existing=True)).one_or_none()
    if loose is None:
        session.add(LooseObject(key=key, delete_after=now))
    else:
        loose.delete_after, loose.is_doomed = now, False


def give_up(session: Session, keys: Collection[Key], now: dt.datetime) -> None:
    """What of these nobody has taken over is to be deleted now, and not only after PATIENCE."""
    loose = update(LooseObject).where(LooseObject.key.in_(keys), ~LooseObject.is_doomed)
    session.execute(loose.values(delete_after=now))


def doom(session: Session, now: dt.datetime, limit: int = 50) -> list[Key]:
    """Objects whose time has passed. They can no longer be taken over; delete them, then `forget_doomed` them."""
    past = select(LooseObject).where(LooseObject.delete_after <= now).order_by(LooseObject.delete_after)
    rows = session.scalars(past.limit(limit).with_for_update(skip_locked=True)).all()
    for row in rows:
        row.is_doomed = True
        row.delete_after = now + PATIENCE  # another worker's turn, should this one die
    return [row.key for row in rows]


def forget(session: Session, key: Key) -> None:
    """It is deleted, by whoever announced it."""
    session.execute(delete(LooseObject).where(LooseObject.key == key))


def forget_doomed(session: Session, key: Key) -> None:
    """It is deleted; unless it was released again meanwhile, or announced by somebody who was late in writing it."""
    ours = delete(LooseObject).where(LooseObject.key == key, LooseObject.is_doomed)
    session.execute(ours.where(LooseObject.delete_after > utcnow()))  # as `doom` left it


def _announce(session: Session, key: Key) -> None:
    session.add(LooseObject(key=key, delete_after=utcnow() + PATIENCE))


def _still_writing(session: Session, key: Key) -> bool:
    """Whether it was not swept so far."""
    ours = update(LooseObject).where(LooseObject.key == key, ~LooseObject.is_doomed)
    return session.connection().execute(ours.values(delete_after=utcnow() + PATIENCE)).rowcount == 1


def _written(session: Session, key: Key) -> None:
    """What was swept before it was there (its writer stood still, or a clock jumped) is swept once more."""
    if not _still_writing(session, key):
        session.merge(LooseObject(key=key, delete_after=utcnow(), is_doomed=True))


def _must_be_there(session: Session, statement: UpdateBase, key: Key) -> None:
    if session.connection().execute(statement).rowcount != 1:
        raise TooLate(key)
