"""The API as a process of its own: what it takes of memory and disk, and what it says when something is away."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Connection, Engine, event

from podcast_app import people
from podcast_app.database import Database
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from tests.media.samples import audio
from tests.podcasts import Place
from tests.postgresql import PostgreSQL
from tests.site import SLUG, free_port, running

PLACE = f"/api/v1/shows/{SLUG}/episodes"
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Served:
    """A real server's process, and a client with a token."""

    pid: int
    api: httpx2.Client
    folder: Path


@contextmanager
def served(place: Place, *limits: str) -> Iterator[Served]:
    """`podcast-app web`, without the worker's own needs, under these limits of prlimit."""
    port = free_port()
    settings = Settings(port=port, data_dir=place.data_dir, database_url=place.database_url, _env_file=None)
    there = os.environ | {"PODCAST_DATA_DIR": str(place.data_dir), "PODCAST_PORT": str(port)}
    command = [sys.executable, "-c", "from podcast_app.cli import main; main()", "web"]
    process = subprocess.Popen([*limits, *command], env=there, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    database = Database(settings.database)
    token = database.write(people.create_token, "tests", None, utcnow())
    headers = {"Authorization": f"Bearer {token}"}
    try:
        with httpx2.Client(base_url=settings.origin, headers=headers, timeout=60) as api:
            _wait_for(api, process)
            yield Served(process.pid, api, place.data_dir)
    finally:
        database.close()
        process.terminate()
        process.wait(20)


def _wait_for(api: httpx2.Client, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while True:
        assert process.poll() is None, "the server did not start"
        assert time.monotonic() < end, "the server does not answer"
        try:
            api.get("/healthz")
        except httpx2.ConnectError:
            time.sleep(0.05)
        else:
            return


def form(recording: bytes, times: int) -> Iterator[bytes]:
    """A form that is made while it is sent."""
    yield b'--b\r\nContent-Disposition: form-data; name="audio"; filename="long.mp3"\r\n\r\n'
    for _ in range(times):
        yield recording
    yield b'\r\n--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nLong\r\n--b--\r\n'


def memory(pid: int, line: str) -> int:
    """Bytes, of /proc/PID/status: VmRSS is what the process holds now, VmHWM the most that it held."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition(f"{line}:")[2].split()[0]) * 1024


@pytest.mark.long
def test_a_recording_of_320_megabytes_is_never_in_memory(sqlite_place: Place, tmp_path: Path) -> None:
    minute = audio(tmp_path / "minute.mp3", "-b:a", "128k", "-write_xing", "0", seconds=60).read_bytes()
    times = 320 * MEGABYTE // len(minute)
    with served(sqlite_place) as server:
        assert server.api.post(PLACE, content=form(minute, 1), headers=FORM).status_code == 201
        before = memory(server.pid, "VmRSS")
        Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # VmHWM counts from now on (proc(5))

        answer = server.api.post(PLACE, content=form(minute, times), headers=FORM)

        grown = memory(server.pid, "VmHWM") - before
    assert answer.status_code == 201
    assert answer.json()["audio"]["size_bytes"] == len(minute) * times
    assert grown < 64 * MEGABYTE


@pytest.mark.long
def test_a_disk_without_room_is_said_and_left_clean(sqlite_place: Place, mp3: bytes) -> None:
    # no file may grow over 8 MB: for the server it is as if the disk were full
    with served(sqlite_place, "prlimit", f"--fsize={8 * MEGABYTE}", "--") as server:
        refused = server.api.post(PLACE, content=form(mp3, 12 * MEGABYTE // len(mp3)), headers=FORM)

        assert refused.status_code == 507
        assert refused.headers["content-type"] == "application/problem+json"
        assert server.api.get(PLACE).json()["items"] == []
        assert not [path for path in server.folder.rglob("*") if path.is_file() and path.stat().st_size > 4 * MEGABYTE]
        assert server.api.post(PLACE, content=form(mp3, 1), headers=FORM).status_code == 201


@pytest.mark.parametrize(
    "missing",
    [b"", pytest.param(b"--b--\r\n", marks=pytest.mark.long)],
    ids=["short of its length", "cut before its last boundary"],
)
def test_a_sender_who_ended_early_and_still_listens_is_told(sqlite_place: Place, mp3: bytes, missing: bytes) -> None:
    whole = b"".join(form(mp3, 1))
    with served(sqlite_place) as server:
        for promised in (len(whole) + 1000, len(whole) - len(missing)):
            sent = whole[: len(whole) - len(missing)]
            answer = half_closed(server, promised, sent)

            is_whole = promised == len(whole)
            assert answer.split(b" ")[1] == (b"201" if is_whole else b"400")
            assert is_whole or (b"application/problem+json" in answer and b'"field":"body"' in answer)
            assert len(server.api.get(PLACE).json()["items"]) == is_whole


def half_closed(server: Served, promised: int, body: bytes) -> bytes:
    """The answer to a form, after which the sender closes its own side."""
    address, token = server.api.base_url, server.api.headers["Authorization"]
    head = f"POST {PLACE} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Length: {promised}\r\n"
    with socket.create_connection((address.host, address.port or 80), timeout=20) as sender:
        sender.sendall(f"{head}Content-Type: {FORM['Content-Type']}\r\n\r\n".encode() + body)
        sender.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: sender.recv(65536), b""))


def test_a_database_without_room_is_a_full_disk(sqlite_place: Place, mp3: bytes) -> None:
    def fill(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # SQLite takes the size that it has

    settings = Settings(port=free_port(), data_dir=sqlite_place.data_dir, _env_file=None)
    with running(settings, with_worker=False) as site:
        episode = site.episode(mp3).json()["id"]
        event.listen(Engine, "begin", fill)
        try:
            refused = site.api.patch(f"/api/v1/episodes/{episode}", json={"notes": "long " * 10_000})
        finally:
            event.remove(Engine, "begin", fill)

    assert refused.status_code == 507
    assert refused.headers["content-type"] == "application/problem+json"


def test_a_database_that_is_away_is_worth_another_try(postgresql_place: Place, postgresql: PostgreSQL) -> None:
    name = postgresql_place.database_url.rpartition("/")[2]
    settings = Settings(
        port=free_port(), data_dir=postgresql_place.data_dir, database_url=postgresql_place.database_url, _env_file=None
    )
    with running(settings, with_worker=False) as site, postgresql.connect() as server:
        assert site.api.get(PLACE).status_code == 200

        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        away = site.api.get(PLACE)
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())

        assert away.status_code == 503
        assert int(away.headers["retry-after"]) > 0
        assert away.headers["content-type"] == "application/problem+json"
        assert site.api.get(PLACE).status_code == 200
