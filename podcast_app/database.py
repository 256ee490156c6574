"""One transaction at a time: where it begins, what can befall it, and how the tables come to be."""

import datetime as dt
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, DateTime, Dialect, Engine
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.types import TypeDecorator

from podcast_app import engines
from podcast_app.outcomes import Refused

if TYPE_CHECKING:
    from alembic.config import Config

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

SAID_EVERY = 30.0  # seconds, by a process that waits for its database
ASKED_EVERY = 0.5

# PostgreSQL, appendix A
DISK_FULL = "53100"
OURS_NO_LONGER = ("25006", "25P03")  # the server became a replica; it ended a transaction that was idle too long


class Instant(TypeDecorator[dt.datetime]):
    """A UTC instant. SQLite keeps no zone, so it is taken off on the way in and put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "a time without a zone is no instant"
        utc = value.astimezone(dt.UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002  (SQLAlchemy's signature)
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Database:
    """The database of this process. A transaction is opened by `read` or `write` and nowhere else.

    When it goes away, the log says so once, and once when it is back: who meets the error need not.
    """

    def __init__(self, url: str) -> None:
        self.engine = engines.engine(url)
        self._is_away, self._lock = False, Lock()
        self._readers = sessionmaker(engines.as_of_one_moment(self.engine), expire_on_commit=False)
        self.writers = sessionmaker(self.engine.execution_options(write=True), expire_on_commit=False)

    def read(self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        with self._watched(), self._readers() as session:
            return function(session, *args, **kwargs)

    def write(self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """One transaction: committed at the end, given up when the outcome is Refused or an exception comes."""
        with self._watched(), self.writers() as session:
            outcome = function(session, *args, **kwargs)
            if not isinstance(outcome, Refused):
                session.commit()
            return outcome

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as failure:
            if is_away(failure) and self._is_news(is_away=True):
                log.warning("The database does not answer: %s", reason(failure))
            raise
        else:
            if self._is_away and self._is_news(is_away=False):
                log.warning("The database answers again.")

    def _is_news(self, *, is_away: bool) -> bool:
        with self._lock:
            was_away, self._is_away = self._is_away, is_away
        return was_away != is_away


def wait_for(url: str) -> None:
    """Return once the database answers; until then the log says what is waited for. SQLite's file needs no waiting."""
    engine = engines.engine(url)
    if engine.dialect.name != "sqlite":
        next_word = time.monotonic()
        while silence := _silence(engine):
            if time.monotonic() >= next_word:
                log.warning("Waiting for the database, which does not answer yet: %s", silence)
                next_word = time.monotonic() + SAID_EVERY
            time.sleep(ASKED_EVERY)
    engine.dispose()


def _silence(engine: Engine) -> str | None:
    """Why the database does not answer, if so."""
    try:
        engine.connect().close()
    except DBAPIError as failure:
        if not is_away(failure):
            raise
        return reason(failure)
    return None


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database up to date, or up to an earlier revision; from empty if need be."""
    from alembic import command

    config = migrations()
    engine = engines.engine(url, is_migration=True)
    try:
        with engine.execution_options(write=True).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            _no_row_lost_its_parent(connection)
    finally:
        engine.dispose()


def is_migrated(url: str) -> bool:
    """Whether the tables are those that this code expects."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    engine = engines.engine(url)
    try:
        with engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
        return found == ScriptDirectory.from_config(migrations()).get_current_head()
    finally:
        engine.dispose()


def migrations() -> "Config":
    """Where Alembic finds our migrations."""
    from alembic.config import Config  # late: only commands need it

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def is_away(error: SQLAlchemyError) -> bool:
    """Whether the database could not be reached, or not do now what may well succeed later; or our part in it is lost.

    Besides a lost connection, that is what ran into a limit of ours, met a deadlock, or came while it starts or stops.
    """
    if not isinstance(error, DBAPIError):
        return isinstance(error, NoConnectionFree)
    is_damaged = type(error) is DatabaseError  # and no kind of it: SQLite's file is damaged, or is none
    is_lost = error.connection_invalidated or _sqlstate(error) in OURS_NO_LONGER
    return is_lost or is_damaged or isinstance(error, OperationalError)


def is_full(error: DBAPIError) -> bool:
    """Whether the database's disk has no room."""
    return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL or _sqlstate(error) == DISK_FULL


def reason(error: SQLAlchemyError) -> str:
    """What the driver says, on one line and without the statement."""
    return " ".join(str(error.orig if isinstance(error, DBAPIError) else error).split())


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def _no_row_lost_its_parent(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        assert not lost, f"migration left rows without their parents: {lost[:5]}"
