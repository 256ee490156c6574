"""Two web and two worker processes on one PostgreSQL and one bucket, as on many machines."""

import datetime as dt
import itertools
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

import feedparser
import httpx2
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from media.storage import Key
from podcast_app.models import Audio, Edition
from podcast_app.times import iso, utcnow
from tests import nginx
from tests.barrier import Barrier, behind
from tests.media.samples import NOISE, audio
from tests.postgresql import PostgreSQL
from tests.processes import ORIGIN, Machines, Process, Web, many_machines, wait_until
from tests.s3_servers import S3Server, moto_server
from tests.site import SLUG, free_port

COPY = Key(f"feeds/{SLUG}/feed.xml")


@dataclass(frozen=True)
class Site:
    """The machines with two web and two worker processes at work."""

    machines: Machines
    webs: list[Web]
    workers: list[Process]

    def published(self, recording: bytes, **fields: str) -> dict[str, object]:
        episode = self.webs[0].episode(recording, publish="now", **fields)
        wait_until(lambda: self.webs[0].state(episode) == "published")
        return episode

    def generation(self) -> int:
        return self.machines.podcasts.feed().generation

    @contextmanager
    def paused_workers(self) -> Iterator[None]:
        """Within the block, none of the workers does anything."""
        for worker in self.workers:
            worker.pause()
        try:
            yield
        finally:
            for worker in self.workers:
                worker.go_on()

    def wait_for_copy(self) -> None:
        library = self.machines.podcasts
        wait_until(lambda: library.feed().copied_generation == library.feed().generation)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return audio(tmp_path_factory.mktemp("audio") / "tone.mp3", "-b:a", "64k").read_bytes()


@pytest.fixture(scope="module")
def bucket() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture(scope="module")
def site(bucket: S3Server, postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    database = postgresql.create()
    with (
        many_machines(postgresql.url(database), tmp_path_factory.mktemp("machines"), bucket) as machines,
        machines.at_work(webs=2, workers=2) as (webs, workers),
    ):
        yield Site(machines, webs, workers)
    postgresql.drop(database)


# --- publishing ---


@pytest.mark.long
@pytest.mark.parametrize("count", [3, 6])
def test_episodes_due_at_the_same_second_go_out_once_each(site: Site, recording: bytes, count: int) -> None:
    before = site.generation()
    due_at = utcnow().replace(microsecond=0) + dt.timedelta(seconds=4)
    episodes = [
        web.episode(recording, title=f"Due {number}", publish=iso(due_at))
        for number, web in zip(range(count), itertools.cycle(site.webs))
    ]

    for episode in episodes:
        wait_until(lambda: site.webs[1].state(episode) == "published", 30)  # noqa: B023 (called at once)

    guids = {episode["guid"] for episode in episodes}
    assert site.generation() >= before + len(episodes)  # light editions come behind, each with one of its own
    for web in site.webs:
        wait_until(lambda: guids <= _guids(web).keys())  # noqa: B023 (as above)
        assert set(_guids(web).values()) == {1}
    site.wait_for_copy()
    wait_until(lambda: site.machines.podcasts.objects("public/") == _public_keys(site), 60)


@pytest.mark.long
def test_episodes_published_at_the_same_moment_through_two_processes_are_both_in_the_feed(
    site: Site, recording: bytes
) -> None:
    before = site.generation()

    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(
                lambda number: site.webs[number % 2].episode(recording, title=f"Together {number}", publish="now"),
                range(8),
            )
        )
    for episode in made:
        wait_until(lambda: site.webs[0].state(episode) == "published")  # noqa: B023 (called at once)

    assert site.generation() >= before + 8
    for web in site.webs:
        wait_until(lambda: {episode["guid"] for episode in made} <= _guids(web).keys())  # noqa: B023 (as above)


@pytest.mark.long
def test_publish_pressed_twenty_times_in_two_processes_publishes_once(site: Site, recording: bytes) -> None:
    episode = site.webs[0].episode(recording, title="Pressed")
    before = site.generation()

    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(
                lambda number: site.webs[number % 2].api.post(f"/api/v1/episodes/{episode['id']}/publish"), range(20)
            )
        )
    wait_until(lambda: site.webs[0].state(episode) == "published")

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert site.generation() >= before + 1  # light editions of earlier ones come behind
    assert _guids(site.webs[0])[str(episode["guid"])] == 1


@pytest.mark.long
def test_a_change_made_in_one_process_is_served_by_the_other(site: Site, recording: bytes) -> None:
    episode = site.published(recording, title="Served")

    for number, (here, there) in zip(range(4), itertools.cycle((site.webs, site.webs[::-1]))):
        title = f"Served, change {number}"
        assert here.api.patch(f"/api/v1/episodes/{episode['id']}", json={"title": title}).status_code == 200
        assert title in here.feed().text  # at once
        wait_until(lambda: title in there.feed().text)  # noqa: B023  within a second; this machine may be busy


# --- the copy in storage ---


@pytest.mark.long
def test_a_worker_that_was_held_up_puts_no_old_feed_over_a_newer_one(
    site: Site, recording: bytes, bucket: S3Server
) -> None:
    episode = site.published(recording, title="Held up")
    site.wait_for_copy()
    barrier = Barrier(f"PUT /{bucket.bucket}/{COPY}".encode())
    with behind(bucket.endpoint, barrier) as endpoint, ExitStack() as stack:
        with site.paused_workers():
            storage = replace(bucket, endpoint=endpoint).storage_url()
            late = stack.enter_context(site.machines.worker(PODCAST_STORAGE_URL=storage))
            barrier.shut()
            _retitle(site, episode, "An old title")
            assert barrier.is_waited_at.wait(20)
            late.pause()
            site.machines.podcasts.an_hour_passes()
        _retitle(site, episode, "A new title")
        site.wait_for_copy()

        barrier.open()
        seen = _copies_seen(site, seconds=1)
        late.go_on()
        seen += _copies_seen(site, seconds=1)

    assert all(b"A new title" in copy for copy in seen)
    site.wait_for_copy()


@pytest.mark.long
def test_the_copy_never_goes_back_while_workers_are_killed_and_paused(site: Site, recording: bytes) -> None:
    episode = site.published(recording, title="Number 0")
    site.wait_for_copy()
    numbers: list[int] = []
    done = threading.Event()

    def sample() -> None:
        while not done.is_set():
            titles = feedparser.parse(_copy(site)).entries
            numbers.append(next(int(each.title.split()[-1]) for each in titles if each.id == episode["guid"]))

    sampling = threading.Thread(target=sample)
    sampling.start()
    for number in range(1, 41):
        _retitle(site, episode, f"Number {number}")
        match number % 10:
            case 3:
                with site.machines.worker() as doomed:
                    _retitle(site, episode, f"Number {number}")
                    doomed.kill()
            case 5:
                site.workers[0].pause()
            case 9:
                site.machines.podcasts.an_hour_passes()
                site.workers[0].go_on()
        time.sleep(0.2)
    site.workers[0].go_on()
    site.wait_for_copy()
    wait_until(lambda: numbers[-1] == 40)
    done.set()
    sampling.join()

    assert numbers == sorted(numbers)


# --- workers that end ---


@pytest.mark.long
def test_what_a_stopped_worker_was_encoding_is_taken_over_at_once(site: Site, tmp_path: Path) -> None:
    engine = _engine_that_never_ends(tmp_path)
    with site.paused_workers(), site.machines.worker(PODCAST_FFMPEG=str(engine)) as leaving:
        episode = site.webs[0].episode(audio(tmp_path / "tone.wav").read_bytes(), "tone.wav", title="Taken over")
        wait_until(lambda: (tmp_path / "begun").exists())

        assert leaving.stop() == 0
        assert _lease_owner(site, episode) is None

    wait_until(lambda: _audio_status(site, episode) == "ready")


@pytest.mark.long
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_ends_in_the_middle_of_a_long_encoding_loses_nothing(
    site: Site, tmp_path: Path, kind: signal.Signals
) -> None:
    recording = audio(tmp_path / "long.wav", seconds=1200, sound=NOISE).read_bytes()
    with site.paused_workers(), site.machines.worker() as leaving:
        episode = site.webs[0].episode(recording, "long.wav", title=f"Long {kind}")
        wait_until(lambda: _lease_owner(site, episode) is not None)
        time.sleep(1)
        leaving.popen.send_signal(kind)
        status = leaving.popen.wait(15)

    wait_until(lambda: _audio_status(site, episode) == "ready", 120)

    assert status == (0 if kind == signal.SIGTERM else -kind)


# --- web processes that end ---


@pytest.fixture(scope="module")
def mounted(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """Machines that serve audio themselves, from a folder that all of them mount."""
    database = postgresql.create()
    with many_machines(postgresql.url(database), tmp_path_factory.mktemp("mounted"), None) as machines:
        yield machines
    postgresql.drop(database)


@pytest.mark.long
def test_who_has_begun_to_come_in_is_answered_while_the_process_stops(mounted: Machines) -> None:
    with mounted.web() as web, ThreadPoolExecutor(16) as pool:
        kept = [pool.submit(_ask_until_told_to_close, web.port) for _ in range(8)]
        newcomers = [pool.submit(_come_in_until_refused, web.port) for _ in range(8)]
        wait_until(lambda: all(each.running() for each in (*kept, *newcomers)))
        time.sleep(0.3)

        status = web.process.stop()

        answers = [each.result() for each in (*kept, *newcomers)]
    assert status == 0
    assert {status for each in answers for status in each} <= {200, 405}


@pytest.mark.long
def test_a_download_and_an_upload_that_a_stop_cuts_can_be_taken_up_again(
    mounted: Machines, recording: bytes, tmp_path: Path
) -> None:
    long = audio(tmp_path / "long.mp3", "-b:a", "128k", seconds=300).read_bytes()
    port = free_port()
    with mounted.worker(), mounted.web(port) as web, ThreadPoolExecutor(2) as pool:
        episode = web.episode(long, title="Long", publish="now")
        wait_until(lambda: web.state(episode) == "published")
        path = _audio_path(web, episode)
        whole = web.listener.get(path)
        enough = threading.Event()
        download = pool.submit(_slow_download, port, path, enough)
        upload = pool.submit(_endless_upload, web)
        time.sleep(2)
        asked_at = time.monotonic()

        status = web.process.stop()
        enough.set()

        assert (status, time.monotonic() - asked_at < 15) == (0, True)
        assert "Traceback" not in web.process.said()
        got, etag = download.result()
        assert len(got) < len(whole.content)
        assert upload.result() == 503
    with mounted.web(port) as web:
        rest = web.listener.get(path, headers={"Range": f"bytes={len(got)}-", "If-Range": etag})

        assert rest.status_code == 206
        assert got + rest.content == whole.content
        again = web.episode(recording, title="Once more")
        assert web.state(again) == "draft"


@pytest.mark.long
def test_a_rolling_restart_under_load_loses_no_request(mounted: Machines, recording: bytes, tmp_path: Path) -> None:
    ports = (free_port(), free_port())
    with ExitStack() as stack:
        stack.enter_context(mounted.worker())
        webs = [stack.enter_context(mounted.web(port)) for port in ports]
        episode = webs[0].episode(recording, title="Rolled", publish="now")
        wait_until(lambda: webs[0].state(episode) == "published")
        requests = _requests(str(episode["id"]), _audio_path(webs[0], episode), recording)
        door = stack.enter_context(nginx.as_documented(tmp_path / "nginx", ports))
        with _load(door, mounted.token, requests) as answers:
            for number in (0, 1, 0, 1):
                assert webs[number].process.stop() == 0
                webs[number] = stack.enter_context(mounted.web(ports[number]))

    assert answers.keys() == requests.keys()
    assert all(status < 500 for name in answers for status in answers[name]), answers


# --- helpers ---


def _guids(web: Web) -> Counter[str]:
    return Counter(entry.id for entry in feedparser.parse(web.feed().content).entries)


def _public_keys(site: Site) -> set[str]:
    named = select(Edition.public_key).where(Edition.public_key.is_not(None))
    return site.machines.podcasts.work.database.read(lambda session: {str(key) for key in session.scalars(named)})


def _retitle(site: Site, episode: dict[str, object], title: str) -> None:
    assert site.webs[0].api.patch(f"/api/v1/episodes/{episode['id']}", json={"title": title}).status_code == 200


def _copy(site: Site) -> bytes:
    return site.machines.podcasts.work.storage.read(COPY, 0, 10**6)


def _copies_seen(site: Site, seconds: float) -> list[bytes]:
    """The copy, again and again."""
    end = time.monotonic() + seconds
    return [_copy(site) for _ in iter(lambda: time.monotonic() < end, False)]


def _engine_that_never_ends(folder: Path) -> Path:
    engine = folder / "engine"
    engine.write_text(f"#!/bin/sh\n: >{folder / 'begun'}\nexec sleep 60\n")
    engine.chmod(0o755)
    return engine


def _lease_owner(site: Site, episode: dict[str, object]) -> str | None:
    def owner(session: Session) -> str | None:
        editions = select(Edition.lease_owner).join(Audio, Audio.id == Edition.audio_id)
        return session.scalar(editions.where(Audio.episode_id == episode["id"]))

    return site.machines.podcasts.work.database.read(owner)


def _audio_status(site: Site, episode: dict[str, object]) -> object:
    return site.webs[0].api.get(f"/api/v1/episodes/{episode['id']}").json()["audio"]["status"]


def _audio_path(web: Web, episode: dict[str, object]) -> str:
    url: str = web.api.get(f"/api/v1/episodes/{episode['id']}").json()["audio"]["url"]
    return url.removeprefix(ORIGIN)


def _ask_until_told_to_close(port: int) -> set[int]:
    """The statuses of requests over one connection, until an answer says that it is the last."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    statuses: set[int] = set()
    while True:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
        statuses.add(answer.status)
        if answer.getheader("Connection") == "close":
            connection.close()
            return statuses


def _come_in_until_refused(port: int) -> set[int]:
    """The statuses of requests over a new connection each, until there is none to be had."""
    statuses: set[int] = set()
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.connect()
        except ConnectionRefusedError:
            return statuses
        connection.request("POST", "/healthz", body=b"x", headers={"Connection": "close"})
        statuses.add(connection.getresponse().status)
        connection.close()


def _slow_download(port: int, path: str, enough: threading.Event) -> tuple[bytes, str]:
    """What came at 10 kB/s until that was enough, and its ETag."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.connect()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # or the kernel takes all of it at once
    connection.request("GET", path)
    answer = connection.getresponse()
    got = b""
    with suppress(OSError):
        while not enough.wait(0.1):
            got += answer.read(1000)
    connection.close()
    return got, answer.getheader("ETag")


def _endless_upload(web: Web) -> int | None:
    """The answer's status, or None when there was none."""

    def form() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
        while True:
            yield b"RIFF" * 250
            time.sleep(0.1)

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    try:
        return web.api.post(f"/api/v1/shows/{SLUG}/episodes", content=form(), headers=headers).status_code
    except httpx2.TransportError:
        return None


Request = Callable[[httpx2.Client], httpx2.Response]


def _requests(episode_id: str, audio_path: str, recording: bytes) -> dict[str, Request]:
    """Everything that people and machines do all day, each by a name."""
    episode = f"/api/v1/episodes/{episode_id}"
    here = f"/api/v1/shows/{SLUG}/episodes"
    return {
        "page": lambda client: client.get(f"/{SLUG}/"),
        "feed": lambda client: client.get(f"/{SLUG}/feed.xml"),
        "audio": lambda client: client.get(audio_path, headers={"Range": "bytes=100-5000"}),
        "read": lambda client: client.get(episode),
        "change": lambda client: client.patch(episode, json={"title": str(uuid4())}),
        "create": lambda client: client.post(
            here, headers={"Idempotency-Key": str(uuid4())}, files={"audio": ("a.mp3", recording)}
        ),
    }


@contextmanager
def _load(door: nginx.Door, token: str, requests: dict[str, Request]) -> Iterator[dict[str, Counter[int]]]:
    """Each kind of request by two clients at once, again and again, until the block ends: which statuses they got."""
    answers: dict[str, Counter[int]] = {}
    done = threading.Event()

    def ask(name: str) -> None:
        with door.client(headers={"Authorization": f"Bearer {token}"}) as client:
            while not done.is_set():
                answers.setdefault(name, Counter())[requests[name](client).status_code] += 1

    with ThreadPoolExecutor(2 * len(requests)) as pool:
        asking = [pool.submit(ask, name) for name in requests for _ in range(2)]
        try:
            yield answers
        finally:
            done.set()
    for each in asking:
        each.result()  # or what went wrong
