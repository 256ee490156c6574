"""How a database is reached: connections of each kind, how many, and what they are told first."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.pool import ConnectionPoolEntry

from podcast_app.times import agree_on

if TYPE_CHECKING:
    import psycopg

# No more threads than connections: anyio's limiter for database work is made with this number.
CONNECTIONS = 10
BESIDE = 12  # for those outside that limiter: the worker's four loops, signs of life, news, and who watches the process
CLOCK_ASKED_EVERY = 3600  # seconds, at the least: a new connection asks what time it is
PATIENCE = 5.0  # seconds until one is free; only those outside the limiter ever wait for it

# How PostgreSQL is reached (libpq, "Parameter Key Words"). What stands in the address counts before these.
REACHED: dict[str, str | int] = {
    "application_name": "podcast-app",
    "connect_timeout": 4,  # seconds
    # a machine that vanished without a word is noticed after some 20 seconds, not after two hours
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,  # milliseconds
}

# What no transaction of ours comes near, so that one that hangs sets free what it holds. Milliseconds.
LIMITS = {"statement_timeout": 30_000, "lock_timeout": 15_000, "idle_in_transaction_session_timeout": 60_000}
LIMITS_OF_MIGRATIONS = {"lock_timeout": 15_000}  # they may take long, but keep nobody waiting behind them


def engine(url: str, *, is_migration: bool = False) -> Engine:
    """Connections to the database at this SQLAlchemy URL; none is opened yet."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return _sqlite(address, is_migration=is_migration)
    return _postgresql(address, LIMITS_OF_MIGRATIONS if is_migration else LIMITS)


def as_of_one_moment(engine: Engine) -> Engine:
    """For transactions that only read: all their statements see the same state, also while others commit (PostgreSQL
    13.2.2; SQLite knows nothing else). None of them ever fails for it."""
    return engine if engine.dialect.name == "sqlite" else engine.execution_options(isolation_level="REPEATABLE READ")


def _postgresql(address: URL, limits: Mapping[str, int]) -> Engine:
    made = create_engine(
        address,
        connect_args={name: value for name, value in REACHED.items() if name not in address.query},
        pool_size=CONNECTIONS,
        max_overflow=BESIDE,
        pool_timeout=PATIENCE,
        pool_pre_ping=True,  # a database that was away meanwhile costs nobody an error
        pool_recycle=CLOCK_ASKED_EVERY,
        hide_parameters=True,  # what people wrote is for no log
    )

    def connected(connection: "psycopg.Connection", _entry: ConnectionPoolEntry) -> None:
        # said here and not in libpq's `options`, which poolers like PgBouncer refuse
        for name, milliseconds in limits.items():
            connection.execute(f"SET {name} = {milliseconds}".encode())
        agree_on(connection.execute("SELECT clock_timestamp()").fetchone()[0])  # type: ignore[index]  # one row
        connection.commit()

    event.listen(made, "connect", connected)
    return made


def _sqlite(address: URL, *, is_migration: bool) -> Engine:
    if address.database:
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    made = create_engine(
        address, pool_size=CONNECTIONS, max_overflow=BESIDE, pool_timeout=PATIENCE, hide_parameters=True
    )
    event.listen(made, "connect", _sqlite_connected_for_migration if is_migration else _sqlite_connected)
    event.listen(made, "begin", _sqlite_begin)
    return made


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
