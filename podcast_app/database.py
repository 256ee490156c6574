"""One transaction at a time: where it begins, on SQLite and on PostgreSQL, and how the tables come to be."""

import datetime as dt
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, DateTime, Dialect, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from podcast_app.outcomes import Refused

if TYPE_CHECKING:
    from alembic.config import Config

P = ParamSpec("P")
T = TypeVar("T")

# No more threads than connections: anyio's limiter for database work is made with this number.
DISK_FULL = "53100"  # PostgreSQL, appendix A
CONNECTIONS = 10


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
    """The database of this process. A transaction is opened by `read` or `write` and nowhere else."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._readers = sessionmaker(self.engine, expire_on_commit=False)
        self.writers = sessionmaker(self.engine.execution_options(write=True), expire_on_commit=False)

    def read(self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        with self._readers() as session:
            return function(session, *args, **kwargs)

    def write(self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """One transaction: committed at the end, given up when the outcome is Refused or an exception comes."""
        with self.writers() as session:
            outcome = function(session, *args, **kwargs)
            if not isinstance(outcome, Refused):
                session.commit()
            return outcome

    def close(self) -> None:
        self.engine.dispose()


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database up to date, or up to an earlier revision; from empty if need be."""
    from alembic import command

    config = migrations()
    engine = _engine(url, foreign_keys=False)
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

    engine = _engine(url)
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


def is_away(error: DBAPIError) -> bool:
    """Whether the database could not be reached or read, rather than refused what was asked."""
    kind = type(error.orig).__name__  # the drivers' own classes; SQLite's last one: the file is damaged, or is none
    return error.connection_invalidated or kind in ("OperationalError", "DatabaseError")


def is_full(error: DBAPIError) -> bool:
    """Whether the database's disk has no room."""
    of_sqlite, of_postgresql = getattr(error.orig, "sqlite_errorcode", None), getattr(error.orig, "sqlstate", None)
    return of_sqlite == sqlite3.SQLITE_FULL or of_postgresql == DISK_FULL


def _engine(url: str, *, foreign_keys: bool = True) -> Engine:
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return create_engine(address, pool_size=CONNECTIONS, max_overflow=2, pool_pre_ping=True)
    if address.database:
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(address, pool_size=CONNECTIONS, max_overflow=2)
    event.listen(engine, "connect", _sqlite_connected if foreign_keys else _sqlite_connected_for_migration)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_connected(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    _sqlite_prepare(connection, foreign_keys=True)


def _sqlite_connected_for_migration(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # a table that is made anew is dropped first: with foreign keys on, its children would go with it
    _sqlite_prepare(connection, foreign_keys=False)


def _sqlite_prepare(connection: sqlite3.Connection, *, foreign_keys: bool) -> None:
    connection.isolation_level = None  # we send BEGIN ourselves
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # what was acknowledged survives a power cut
        f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
        "busy_timeout=15000",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _sqlite_begin(connection: Connection) -> None:
    # a transaction that reads first and writes later fails when another wrote in between; so it locks at once
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("write") else "BEGIN")


def _no_row_lost_its_parent(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        assert not lost, f"migration left rows without their parents: {lost[:5]}"
