"""What tests of the application share."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from podcast_app import parts
from podcast_app.settings import Settings
from tests.media.samples import audio
from tests.podcasts import Library, Place, at, copied, opened
from tests.postgresql import PostgreSQL
from tests.site import Site, free_port, running
from tests.studio import Studio
from tests.studio import opened as opened_studio
from tests.visitor import Visitor, visiting


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test loses seconds on parts that it has made away with itself."""
    monkeypatch.setattr(parts, "SETTLING_SECONDS", (0.01,))


@pytest.fixture(scope="session")
def mp3(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two seconds of a tone."""
    return audio(tmp_path_factory.mktemp("audio") / "tone.mp3", "-b:a", "64k").read_bytes()


@pytest.fixture(scope="session")
def wav(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The same, as a recorder writes it."""
    return audio(tmp_path_factory.mktemp("audio") / "tone.wav").read_bytes()


@pytest.fixture
def library(place: Place) -> Iterator[Library]:
    """An empty library with its first show, on each kind of database."""
    with at(place) as library:
        yield library


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def shared_library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The same for tests that only look: one for all tests of a file, on each kind of database."""
    if request.param == "sqlite":
        first_show: Path = request.getfixturevalue("_first_show_in_folder")
        with at(copied(first_show, tmp_path_factory.mktemp("library"))) as library:
            yield library
        return
    template, folder = request.getfixturevalue("_first_show_on_postgresql")
    server: PostgreSQL = request.getfixturevalue("postgresql")
    database = server.create(template)
    with at(Place(server.url(database), folder)) as library:
        yield library
    server.drop(database)


@pytest.fixture(params=("sqlite", "postgresql"))
def place(request: pytest.FixtureRequest) -> Place:
    """Where an empty library with its first show lies: for tests that open it themselves, or from another process."""
    place: Place = request.getfixturevalue(f"{request.param}_place")
    return place


@pytest.fixture
def sqlite_place(_first_show_in_folder: Path, tmp_path: Path) -> Place:
    """As `place`, for a test that one kind of database is enough for."""
    return copied(_first_show_in_folder, tmp_path)


@pytest.fixture
def postgresql_place(
    postgresql: PostgreSQL, _first_show_on_postgresql: tuple[str, Path], tmp_path: Path
) -> Iterator[Place]:
    """As `place`, for a test that is about PostgreSQL."""
    template, folder = _first_show_on_postgresql
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    database = postgresql.create(template)
    yield Place(postgresql.url(database), tmp_path)
    postgresql.drop(database)


@pytest.fixture(scope="session")
def _first_show_on_postgresql(
    postgresql: PostgreSQL, _migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """The same for PostgreSQL: a database to copy, and the folder that belongs to it."""
    folder = tmp_path_factory.mktemp("first_show")
    database = postgresql.create(_migrated_template)
    with opened(postgresql.url(database), folder):
        return database, folder


@pytest.fixture(params=("sqlite", pytest.param("postgresql", marks=pytest.mark.long)))
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """The whole application over real HTTP, with its worker; in a long run on each kind of database, since what is
    below HTTP is tested on both in every run."""
    place: Place = request.getfixturevalue(f"{request.param}_place")
    settings = Settings(port=free_port(), data_dir=place.data_dir, database_url=place.database_url, _env_file=None)
    with running(settings) as site:
        yield site


@pytest.fixture(scope="module")
def shared_site(_first_show_in_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same for tests that only look at answers: one for all tests of a file, on SQLite."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(_first_show_in_folder, folder, dirs_exist_ok=True)
    with running(Settings(port=free_port(), data_dir=folder, _env_file=None)) as site:
        yield site


@pytest.fixture
def studio(shared_site: Site) -> Iterator[Studio]:
    """Browsers on the shared site's studio."""
    with opened_studio(shared_site) as studio:
        yield studio


@pytest.fixture
def visitor(sqlite_place: Place) -> Iterator[Visitor]:
    """Somebody who reads the pages of a new site."""
    with visiting(replace(sqlite_place, port=free_port())) as visitor:
        yield visitor
