"""What time it is: for all processes of a library the same."""

import datetime as dt

import pytest

from podcast_app import times
from podcast_app.database import Database
from podcast_app.times import agree_on, utcnow

NEW_YEAR = dt.datetime(2026, 12, 31, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))
A_MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def nothing_agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "_origin", None)


def test_the_agreed_clock_counts_and_goes_on() -> None:
    agree_on(NEW_YEAR)

    first, second = utcnow(), utcnow()

    assert NEW_YEAR < first < second < NEW_YEAR + A_MINUTE
    assert first.utcoffset() == dt.timedelta(0)


def test_without_an_agreed_clock_this_machines_counts(migrated_sqlite_url: str) -> None:
    Database(migrated_sqlite_url).close()

    assert abs(utcnow() - dt.datetime.now(dt.UTC)) < A_MINUTE


def test_on_postgresql_the_servers_clock_is_agreed_on(migrated_postgresql_url: str) -> None:
    database = Database(migrated_postgresql_url)
    database.read(lambda session: session.connection())
    database.close()

    assert times._origin is not None
    assert abs(utcnow() - dt.datetime.now(dt.UTC)) < A_MINUTE
