"""Each request has a name: who meets a failure can say it, and the log tells what happened under it."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
import psycopg
import pytest

from tests.commands import started
from tests.podcasts import Place
from tests.postgresql import PostgreSQL
from tests.site import SLUG, Site, free_port

NAME = re.compile(r"[2-9A-HJ-NP-TV-Z]{10}")
READER = "127.0.0.77"  # an address that nothing else here has


def test_every_answer_but_feeds_and_audio_has_a_name_of_its_own(shared_site: Site) -> None:
    paths = ["/healthz", f"/{SLUG}/", "/nothing/here/at/all", "/api/v1/shows", "/studio/sign-in", "/oembed"]

    names = [shared_site.listener.get(path, headers={"X-Request-ID": "mine"}).headers["x-request-id"] for path in paths]

    assert all(NAME.fullmatch(name) for name in names)
    assert len(set(names)) == len(paths)


def test_a_problem_carries_its_name_and_a_page_that_is_only_not_there_does_not(shared_site: Site) -> None:
    problem, page = shared_site.api.get("/api/v1/episodes/none"), shared_site.listener.get("/nothing")

    assert (problem.status_code, page.status_code) == (404, 404)
    assert problem.json()["request_id"] == problem.headers["x-request-id"]
    assert page.headers["x-request-id"] in page.text


@dataclass(frozen=True)
class Failing:
    """A web process with JSON logs, whose database fails when it is told to."""

    listener: httpx2.Client
    server: PostgreSQL
    database: str
    process: subprocess.Popen[str]

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """Within the block, nobody reaches the database."""
        with self.server.connect() as server:
            server.execute(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS false".encode())
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [self.database])
            yield
            server.execute(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS true".encode())

    def log(self) -> list[dict[str, object]]:
        """Everything that it said until its end."""
        self.process.terminate()
        return [json.loads(line) for line in self.process.communicate()[1].splitlines()]


@pytest.fixture
def failing(postgresql: PostgreSQL, postgresql_place: Place) -> Iterator[Failing]:
    port, url = free_port(), postgresql_place.database_url
    surroundings = {"PODCAST_DATABASE_URL": url, "PODCAST_LOG_FORMAT": "json"}
    with (
        started("web", "--port", str(port), data_dir=postgresql_place.data_dir, **surroundings) as process,
        httpx2.Client(
            base_url=f"http://127.0.0.1:{port}",
            transport=httpx2.HTTPTransport(local_address=READER, retries=20),
            timeout=60,
        ) as listener,
    ):
        yield Failing(listener, postgresql, url.rpartition("/")[2], process)


@pytest.mark.long
def test_a_failed_request_is_found_in_the_log_by_the_name_that_its_page_says(failing: Failing) -> None:
    assert failing.listener.get(f"/{SLUG}/").status_code == 200
    with failing.cut_off():
        answers = [
            failing.listener.get(path)
            for path in (f"/fr/{SLUG}/?secret=HUSH", "/studio/setup/HUSH", "/api/v1/openapi.json?token=HUSH")
        ]
    log = failing.log()

    page, studio, description = answers
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert f"indiquez ceci\xa0: {page.headers['x-request-id']}" in page.text
    assert f"name this: {studio.headers['x-request-id']}" in studio.text
    for answer, route in ((page, "/fr/{show}/"), (studio, "/studio/setup/{secret}")):
        *_, reason, request = (line for line in log if line.get("request_id") == answer.headers["x-request-id"])
        assert "does not answer" in str(reason["message"])
        assert (request["method"], request["route"], request["status"]) == ("GET", route, 503)
        assert int(str(request["duration_ms"])) >= 0
    assert not [line for line in log if line.get("request_id") == description.headers["x-request-id"]]
    said = json.dumps(log)
    assert "HUSH" not in said
    assert READER not in said


@pytest.mark.long
def test_a_mistake_of_ours_is_in_the_log_whole_and_on_the_page_by_its_name_alone(failing: Failing) -> None:
    failing.listener.get("/healthz")
    with psycopg.connect(failing.server.url(failing.database).replace("+psycopg", "")) as connection:
        connection.execute("ALTER TABLE one_time_links RENAME TO nobody_thought_of_that")
    answer = failing.listener.get("/studio/setup/HUSH", headers={"Accept-Language": "fr"})
    log = failing.log()

    assert answer.status_code == 500
    assert f"indiquez ceci\xa0: {answer.headers['x-request-id']}" in answer.text
    assert "one_time_links" not in answer.text
    named = [line for line in log if line.get("request_id") == answer.headers["x-request-id"]]
    assert "Traceback" in str(named[-1]["exception"])
    assert "one_time_links" in str(named[-1]["exception"])
    assert {line["logger"] for line in named} == {"podcast_app.request_id", "uvicorn.error"}
    assert "HUSH" not in json.dumps(log)


@pytest.mark.long
def test_every_line_says_when_how_grave_and_who(failing: Failing) -> None:
    failing.listener.get("/healthz")

    for line in failing.log():
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", str(line["time"]))
        assert line["level"] in ("info", "warning", "error")
        assert line["logger"]
        assert line["message"]
