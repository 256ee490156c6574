"""What every test may ask for: databases, S3 servers, a browser, public samples; and which tests a run leaves out."""

import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import botocore.session
import httpcore2
import pytest
from argon2 import PasswordHasher
from playwright.async_api import Browser, Page, async_playwright

from podcast_app import people
from podcast_app.database import migrate
from tests.podcasts import copied, opened
from tests.postgresql import PostgreSQL, running
from tests.s3_servers import S3Server, moto_server, rclone_server
from tests.site import free_port
from tests.visitor import Visitor, visiting

DATABASES = ("sqlite", "postgresql")

# Nothing that a browser does by itself: no update, no sync, no first-run page, no protocol that our servers lack.
CHROMIUM_OPTIONS = (
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


def pytest_configure() -> None:
    """A run in the background ignores Ctrl-C, as would every program that it starts: and some tests press it there."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="the slow tests too: full matrices and chaos")
    parser.addoption("--corpora", metavar="DIR", type=_folder, help="the tests on public samples too, which lie in DIR")


def _folder(value: str) -> Path:
    """A path as the caller of scripts/test meant it: the script itself works in the checkout."""
    folder = Path(os.environ.get("CALLED_FROM", "."), value).resolve()
    if not folder.is_dir():
        raise pytest.UsageError(f"--corpora: there is no folder {folder}")
    return folder


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if not _is_wanted(item, config)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _is_wanted(item: pytest.Item, config: pytest.Config) -> bool:
    is_long = item.get_closest_marker("long") is not None
    if item.get_closest_marker("long_on_postgresql") is not None:  # one kind of database is enough for a short run
        is_long |= "postgresql" in item.name
    asks_for_corpora = isinstance(item, pytest.Function) and "corpora" in item.fixturenames
    return (config.getoption("--long") or not is_long) and (config.getoption("--corpora") or not asks_for_corpora)


@pytest.fixture(autouse=True, scope="session")
def _quick_hashes() -> Iterator[None]:
    """Passwords are hashed as ever, at a hundredth of the cost: in tests nobody guesses them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "_HASHER", PasswordHasher(time_cost=1, memory_cost=1024))
        yield


@pytest.fixture(scope="session")
def corpora(request: pytest.FixtureRequest) -> Path:
    """The folder of public samples. Tests that ask for it are part of a run with --corpora only."""
    folder: Path = request.config.getoption("--corpora")
    return folder


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """One server for the whole run, started for the first test that asks."""
    with running() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: PostgreSQL) -> Iterator[str]:
    """The SQLAlchemy URL of an empty PostgreSQL database."""
    database = postgresql.create()
    yield postgresql.url(database)
    postgresql.drop(database)


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The SQLAlchemy URL of an empty database: the test runs once on each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'podcast.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture(params=DATABASES)
def migrated_database_url(request: pytest.FixtureRequest) -> str:
    """The SQLAlchemy URL of a database with our tables and nothing in them: the test runs once on each kind."""
    url: str = request.getfixturevalue(f"migrated_{request.param}_url")
    return url


@pytest.fixture
def migrated_sqlite_url(_migrated_file: Path, tmp_path: Path) -> str:
    """As migrated_database_url, for a test that one kind of database is enough for."""
    return f"sqlite:///{shutil.copy(_migrated_file, tmp_path / 'podcast.db')}"


@pytest.fixture
def migrated_postgresql_url(postgresql: PostgreSQL, _migrated_template: str) -> Iterator[str]:
    """As migrated_database_url, for a test that is about PostgreSQL."""
    database = postgresql.create(_migrated_template)
    yield postgresql.url(database)
    postgresql.drop(database)


@pytest.fixture(scope="session")
def _migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated once; a test gets a copy, which is many times faster."""
    file = tmp_path_factory.mktemp("migrated") / "podcast.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def _first_show_in_folder(_migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once, because its cover takes a second; a test gets a copy."""
    folder = tmp_path_factory.mktemp("first_show")
    file = shutil.copy(_migrated_file, folder / "podcast.db")
    with opened(f"sqlite:///{file}", folder):
        return folder


@pytest.fixture(scope="module")
def shared_visitor(_first_show_in_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """Somebody who reads the pages of a new site: one site for all tests of a file."""
    place = copied(_first_show_in_folder, tmp_path_factory.mktemp("visited"))
    with visiting(replace(place, port=free_port())) as visitor:
        yield visitor


@pytest.fixture(scope="session")
def _migrated_template(postgresql: PostgreSQL) -> str:
    """The same for PostgreSQL, which copies databases itself."""
    database = postgresql.create()
    migrate(postgresql.url(database))
    return database


@pytest.fixture(autouse=True, scope="session")
def _one_description_of_s3() -> Iterator[None]:
    """boto3 reads a megabyte about S3 for each storage that is opened: in a run of tests, once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


@pytest.fixture(autouse=True, scope="session")
def _one_trust() -> Iterator[None]:
    """httpx2 reads the certificates of all authorities for each client and each `get`, on plain HTTP too: once here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpcore2, "default_ssl_context", cache(httpcore2.default_ssl_context))
        yield


@pytest.fixture(scope="session")
def moto() -> Iterator[S3Server]:
    """One S3 server for the whole run, in this process: it believes every signature."""
    with moto_server() as server:
        yield server


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Another one, which checks signatures."""
    with rclone_server(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for the whole run; `page` gives each test its own window, cookies and cache."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_program(), args=list(CHROMIUM_OPTIONS))
        yield browser
        await browser.close()


def chromium_program() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    assert program, "no Chromium here: scripts/test installs it, or says how"
    return program


@pytest.fixture
async def page(chromium: Browser) -> AsyncIterator[Page]:
    """A fresh window, as of somebody who has never been here."""
    context = await chromium.new_context()
    yield await context.new_page()
    await context.close()
