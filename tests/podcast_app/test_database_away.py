"""A PostgreSQL that is stopped, started again, or cuts us off: what goes on, is tried again, or is waited for."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from podcast_app import engines
from podcast_app.database import Database, is_away, migrate
from tests.commands import started
from tests.podcasts import Place
from tests.postgresql import PostgreSQL
from tests.postgresql import running as running_postgresql
from tests.site import SLUG, Site, free_port, running

A_WHILE = 30.0  # seconds; a loaded machine is slow, and no test waits for all of them


@pytest.fixture(scope="module")
def mortal() -> Iterator[PostgreSQL]:
    """A server that tests may stop. Each starts it again."""
    with running_postgresql() as server:
        yield server


@pytest.fixture
def place(mortal: PostgreSQL, tmp_path: Path) -> Place:
    """An empty database with our tables, and a port to serve at."""
    url = mortal.url(mortal.create())
    migrate(url)
    return Place(url, tmp_path, free_port())


@pytest.fixture
def site(place: Place) -> Iterator[Site]:
    """The whole application on it."""
    with running(place.settings) as site:
        yield site


def test_listeners_notice_nothing_while_the_database_is_away(
    site: Site, mortal: PostgreSQL, mp3: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    episode = site.published(mp3, title="One")
    audio = site.listener.get(episode["audio"]["url"])
    feed = site.listener.get(f"/{SLUG}/feed.xml")

    mortal.stop(signal.SIGQUIT)

    try:
        known = {"If-None-Match": feed.headers["etag"]}
        assert site.listener.get(f"/{SLUG}/feed.xml").content == feed.content
        assert site.listener.get(f"/{SLUG}/feed.xml", headers=known).status_code == 304
        assert site.listener.head(episode["audio"]["url"]).headers["content-length"] == str(len(audio.content))
        part = site.listener.get(episode["audio"]["url"], headers={"Range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, audio.content[100:200])
        for answer in (
            site.listener.get(f"/fr/{SLUG}/"),
            site.listener.get("/studio/setup/x"),
            site.api.get("/api/v1/shows"),
        ):
            assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True)
            assert answer.headers["x-request-id"] in answer.text
        assert site.listener.get("/healthz").status_code == 200
        assert "\npodcast_database_up 0.0\n" in site.listener.get("/metrics").text
        assert site.listener.get("/readyz").json() == {"database": "away", "storage": "ok"}
    finally:
        mortal.start()
    again = site.published(mp3, title="Two")
    assert str(again["guid"]) in site.listener.get(f"/{SLUG}/feed.xml").text
    told = [record for record in caplog.records if record.name == "podcast_app.database"]
    assert [record.getMessage().partition(":")[0] for record in told] == [
        "The database does not answer",
        "The database answers again.",
    ]
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.long
@pytest.mark.parametrize("fault", ["pg_terminate_backend", "pg_cancel_backend"])
def test_a_transaction_that_is_cut_in_the_middle_is_to_be_tried_again(
    site: Site, mortal: PostgreSQL, fault: str
) -> None:
    answers: list[httpx2.Response] = []
    change = threading.Thread(
        target=lambda: answers.append(site.api.patch(f"/api/v1/shows/{SLUG}", json={"author": "Amina"}))
    )

    at_lock = "wait_event_type = 'Lock' AND application_name = 'podcast-app'"
    waiting = f"SELECT {fault}(pid) FROM pg_stat_activity WHERE {at_lock}"
    address = site.settings.database.replace("+psycopg", "")
    with psycopg.connect(address) as holder, mortal.connect() as server:
        holder.execute("SELECT 1 FROM shows FOR UPDATE")
        change.start()
        _wait_until(lambda: server.execute(waiting.encode()).fetchall())
        change.join()
    again = site.api.patch(f"/api/v1/shows/{SLUG}", json={"author": "Amina"})

    assert (answers[0].status_code, answers[0].headers["retry-after"]) == (503, "5")
    assert answers[0].headers["content-type"] == "application/problem+json"
    assert (again.status_code, again.json()["author"]) == (200, "Amina")


def test_a_deadlock_is_to_be_tried_again(place: Place) -> None:
    database = Database(place.database_url)
    met = threading.Barrier(2)
    failures: list[DBAPIError] = []

    def lock(first: int, second: int) -> None:
        def both(session: Session) -> None:
            session.execute(text(f"SELECT pg_advisory_xact_lock({first})"))
            met.wait()
            session.execute(text(f"SELECT pg_advisory_xact_lock({second})"))

        try:
            database.write(both)
        except DBAPIError as failure:
            failures.append(failure)

    other = threading.Thread(target=lock, args=(1, 2))
    other.start()
    lock(2, 1)
    other.join()

    assert [is_away(failure) for failure in failures] == [True]
    database.close()


def test_no_transaction_holds_others_up_for_ever(place: Place) -> None:
    database = Database(place.database_url)
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "application_name")

    said = [database.read(_setting, name) for name in names]

    assert said == ["30s", "15s", "1min", "podcast-app"]
    database.close()


def test_a_migration_may_take_long_but_lets_nobody_wait_behind_it(place: Place) -> None:
    engine = engines.engine(place.database_url, is_migration=True)

    with Session(engine) as session:
        assert [_setting(session, name) for name in ("statement_timeout", "lock_timeout")] == ["0", "15s"]
    engine.dispose()


def test_what_stands_in_the_address_counts_before_what_we_would_say(place: Place) -> None:
    database = Database(f"{place.database_url}?application_name=ours")

    assert database.read(_setting, "application_name") == "ours"
    database.close()


@pytest.mark.long
def test_processes_that_are_started_before_their_database_wait_and_say_so(mortal: PostgreSQL, place: Place) -> None:
    commands = (("web", "--port", str(place.port)), ("worker",), ("serve", "--port", str(free_port())))
    mortal.stop()

    with ExitStack() as running_now:
        try:
            processes = [
                running_now.enter_context(
                    started(*command, data_dir=place.data_dir, PODCAST_DATABASE_URL=place.database_url)
                )
                for command in commands
            ]
            first_words = [process.stderr.readline() for process in processes]
        finally:
            mortal.start()
        said = [first + _until_it_is_at_work(process) for first, process in zip(first_words, processes, strict=True)]
        for process in processes:
            process.terminate()

        assert [process.wait(A_WHILE) for process in processes] == [0, 0, 0]
    for words in said:
        assert words.count("Waiting for the database, which does not answer yet: ") == 1
        assert "Traceback" not in words


@pytest.mark.long
def test_a_process_that_waits_for_its_database_can_be_stopped(mortal: PostgreSQL, place: Place) -> None:
    mortal.stop()
    try:
        with started("worker", data_dir=place.data_dir, PODCAST_DATABASE_URL=place.database_url) as process:
            process.stderr.readline()
            process.terminate()

            assert process.wait(A_WHILE) == 0
    finally:
        mortal.start()


def _until_it_is_at_work(process: subprocess.Popen[str]) -> str:
    """What it says until then."""
    said = ""
    while not said.endswith(("at work.\n", "(Press CTRL+C to quit)\n")):
        line = process.stderr.readline()
        assert line, f"it ended: {said}"
        said += line
    return said


def _setting(session: Session, name: str) -> str:
    said: str = session.execute(text(f"SHOW {name}")).scalar_one()
    return said


def _wait_until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + A_WHILE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)
