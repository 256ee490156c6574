"""The tables: made from nothing, brought up to date from every revision, and what lies in them stays."""

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import feedparser
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, create_engine, inspect, select

from podcast_app import publishing, worker
from podcast_app.database import is_migrated, migrate, migrations
from podcast_app.models import Base, Edition, Measurement
from podcast_app.times import utcnow
from tests.podcasts import Place, at
from tests.site import hurried

SCRIPTS = ScriptDirectory.from_config(migrations())
NEWEST, LAST, *OLDER = [script.revision for script in SCRIPTS.walk_revisions()]

# What the tables hold, by the columns' types; and by their names, where not any value will do.
VALUES: dict[type, object] = {
    str: "x",
    int: 1,
    float: 1.5,
    bool: False,
    bytes: b"x",
    object: {"x": 1},  # JSON
    dt.datetime: dt.datetime.fromisoformat("2026-12-10"),
}
CHOSEN = {"state": "draft", "status": "ready"}

# The index of words: in SQLite tables of its own, in PostgreSQL a column and its index.
INDEX_OF_WORDS = ("search_index", "ix_search_texts_words", "words")

Rows = dict[str, dict[str, object]]  # by table


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def tables(url: str) -> set[str]:
    with connected(url) as connection:
        return set(filter(is_of_models, inspect(connection).get_table_names()))


def is_of_models(name: str | None, *_: object) -> bool:
    return name is None or not name.startswith(INDEX_OF_WORDS)


def test_an_empty_database_gets_every_table_and_a_second_time_changes_nothing(database_url: str) -> None:
    assert not is_migrated(database_url)

    migrate(database_url)
    first = tables(database_url)
    migrate(database_url)

    assert is_migrated(database_url)
    assert first == tables(database_url) == {"alembic_version", *Base.metadata.tables}


def test_the_migrations_lead_to_the_models(migrated_database_url: str) -> None:
    compared = {"compare_type": True, "compare_server_default": True, "include_name": is_of_models}
    with connected(migrated_database_url) as connection:
        context = MigrationContext.configure(connection, opts=compared)

        assert compare_metadata(context, Base.metadata) == []


def test_the_revisions_stand_in_one_line() -> None:
    assert len(SCRIPTS.get_heads()) == len(SCRIPTS.get_bases()) == 1


@pytest.mark.parametrize(
    "revision", [LAST, *(pytest.param(other, marks=pytest.mark.long_on_postgresql) for other in (NEWEST, *OLDER))]
)
def test_what_lies_in_a_database_stays_when_it_is_brought_up_to_date(database_url: str, revision: str) -> None:
    migrate(database_url, revision)
    with connected(database_url) as connection:
        before = fill_every_table(connection)

    migrate(database_url)

    with connected(database_url) as connection:
        after = rows(connection)
    assert before
    for table, row in before.items():
        assert row.items() <= after.get(table, row).items(), f"{table}: a migration that means to drop this is new here"


@pytest.mark.long
def test_what_was_published_before_the_third_revision_gets_what_is_made_behind_publications(
    sqlite_place: Place, mp3: bytes, tmp_path: Path
) -> None:
    with at(sqlite_place) as library:
        public, gone = library.published(mp3, title="Public"), library.published(mp3, title="Gone")
        gone_upload = gone.audio.upload_id if gone.audio else None
        library.draft(mp3, title="Draft")
        library.work.database.write(publishing.withdraw, gone.id, library.work.settings, utcnow())
        worker.catch_up(library.work)
        [enclosure] = feedparser.parse(library.xml()).entries[0].enclosures
    old = replace(sqlite_place, database_url=f"sqlite:///{tmp_path / 'old.db'}")
    migrate(old.database_url, "0002")
    as_it_was(tmp_path / "old.db", sqlite_place.data_dir / "podcast.db")

    migrate(old.database_url)
    with at(old) as library, hurried():
        worker.catch_up(library.work, (*worker.PUBLISHING, *worker.AUDIO, *worker.BEHIND))

        made = library.work.database.read(lambda session: session.scalars(select(Edition)).all())
        measured = library.work.database.read(lambda session: session.scalars(select(Measurement)).all())
        assert public.audio is not None
        assert {row.name for row in made if row.audio_id == public.audio.id} == {"enclosure", "low-mp3", "low-opus"}
        assert [row.name for row in made if row.audio_id != public.audio.id] == ["enclosure", "enclosure"]
        assert {row.status for row in made} == {"ready"}
        assert {row.status for row in measured if row.upload_id != gone_upload} == {"ready"}
        assert feedparser.parse(library.xml()).entries[0].enclosures == [enclosure]
        assert library.xml().count("<podcast:alternateEnclosure ") == 3
        [light] = feedparser.parse(library.xml("main-low")).entries[0].enclosures
        assert light.href.endswith("/public-low.mp3")


def as_it_was(old: Path, new: Path) -> None:
    """Put into the empty tables of an older revision what a library of today holds, as far as they knew of it."""
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("ATTACH ? AS new", [str(new)])
        for (table,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
            columns = ", ".join(f'"{row[1]}"' for row in connection.execute(f"PRAGMA main.table_info({table})"))
            if table != "alembic_version":
                connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")
        connection.execute("DELETE FROM editions WHERE name != 'enclosure'")
        connection.execute("DELETE FROM feeds WHERE view LIKE '%-low'")
        connection.execute("UPDATE feeds SET made_with = 'an older renderer'")


def fill_every_table(connection: Connection) -> Rows:
    """Put a row into each; those that others point to come first."""
    found = reflected(connection)
    for table in found.sorted_tables:
        if table.name != "alembic_version":
            filled = (column for column in table.columns if column.computed is None)
            connection.execute(table.insert().values({column.name: value(column) for column in filled}))
    return rows(connection)


def rows(connection: Connection) -> Rows:
    found = reflected(connection)
    held = {table.name: connection.execute(select(table)).mappings().first() for table in found.sorted_tables}
    return {name: dict(row) for name, row in held.items() if row is not None and name != "alembic_version"}


def value(column: Column[object]) -> object:
    """A foreign key's is what the column that it points to has: the same, by its type."""
    kind = column.type.python_type
    return CHOSEN[column.name] if kind is str and column.name in CHOSEN else VALUES[kind]


def reflected(connection: Connection) -> MetaData:
    metadata = MetaData()
    metadata.reflect(connection, only=is_of_models)
    return metadata
