"""The app as it runs on many machines: real web and worker processes on one PostgreSQL and one bucket."""

import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from podcast_app import people
from podcast_app.times import utcnow
from tests.commands import PROGRAM, surroundings
from tests.podcasts import Library, opened
from tests.s3_servers import S3Server
from tests.site import SLUG, free_port

ORIGIN = "http://127.0.0.1:8000"  # what feeds say; nobody listens there


class Process:
    """A `podcast-app` that was started. What it says goes to a file: nobody empties its pipe."""

    def __init__(self, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.popen = popen
        self.log = log

    def stop(self, patience_seconds: float = 15) -> int:
        """SIGTERM, as a supervisor says it; the exit status."""
        self.popen.terminate()
        try:
            return self.popen.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            self.popen.send_signal(signal.SIGABRT)  # it says where it stands
            self.popen.wait()
            raise AssertionError(self.said()) from None

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()

    def pause(self) -> None:
        self.popen.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.popen.send_signal(signal.SIGCONT)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")


@dataclass(frozen=True)
class Web:
    """A web process and its doors."""

    process: Process
    port: int
    api: httpx2.Client  # with a token for all shows
    listener: httpx2.Client  # without anything

    def episode(self, audio: bytes, filename: str = "episode.mp3", **fields: str) -> dict[str, object]:
        """A new episode, by the form."""
        answer = self.api.post(f"/api/v1/shows/{SLUG}/episodes", data=fields, files={"audio": (filename, audio)})
        assert answer.status_code == 201, answer.text
        made: dict[str, object] = answer.json()
        return made

    def state(self, episode: Mapping[str, object]) -> object:
        return self.api.get(f"/api/v1/episodes/{episode['id']}").json()["state"]

    def feed(self) -> httpx2.Response:
        return self.listener.get(f"/{SLUG}/feed.xml")


@dataclass(frozen=True)
class Machines:
    """Where all processes work, and how one more is started. `podcasts` is for looking behind the scenes."""

    environment: Mapping[str, str]
    token: str
    podcasts: Library
    folder: Path

    @contextmanager
    def web(self, port: int | None = None) -> Iterator[Web]:
        """One more web process, ready to serve."""
        port = port or free_port()
        here = f"http://127.0.0.1:{port}"
        with (
            self.started("web", "--port", str(port)) as process,
            httpx2.Client(base_url=here, headers={"Authorization": f"Bearer {self.token}"}, timeout=60) as api,
            httpx2.Client(base_url=here, timeout=60) as listener,
        ):
            wait_until(lambda: _is_ready(here, process), 60)
            yield Web(process, port, api, listener)

    @contextmanager
    def worker(self, **environment: str) -> Iterator[Process]:
        """One more worker, at work."""
        with self.started("worker", **environment) as process:
            wait_until(lambda: "at work" in process.said(), 60)
            yield process

    @contextmanager
    def at_work(self, webs: int, workers: int) -> Iterator[tuple[list[Web], list[Process]]]:
        """So many of each, started at once."""
        with ExitStack() as running, ThreadPoolExecutor() as pool:
            starting = [pool.submit(running.enter_context, self.web()) for _ in range(webs)]
            working = [pool.submit(running.enter_context, self.worker()) for _ in range(workers)]
            yield [each.result() for each in starting], [each.result() for each in working]

    @contextmanager
    def started(self, *arguments: str, **environment: str) -> Iterator[Process]:
        """The command in a data folder of its own, as on a machine of its own, until the block ends."""
        home = Path(tempfile.mkdtemp(prefix=f"{arguments[0]}-", dir=self.folder))
        log = home / "log"
        with log.open("wb") as output:
            popen = subprocess.Popen(
                [PROGRAM, *arguments],
                cwd=home,
                env=surroundings(home, **{**self.environment, **environment}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            yield Process(popen, log)
        finally:
            popen.kill()
            popen.wait()


@contextmanager
def many_machines(database_url: str, folder: Path, bucket: S3Server | None) -> Iterator[Machines]:
    """An empty site with its first show, in a bucket or in a folder that all machines mount."""
    shared = {"PODCAST_STORAGE_URL": "", "PODCAST_DATA_DIR": str(folder / "here")}
    storage = {"PODCAST_STORAGE_URL": bucket.storage_url(), **bucket.environment} if bucket else shared
    site = {
        "PYTHONFAULTHANDLER": "1",
        "PODCAST_BASE_URL": ORIGIN,
        "PODCAST_SECRET_KEY": "the same everywhere, and long enough",
    }
    environment = {"PODCAST_DATABASE_URL": database_url, **site, **storage}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with opened(database_url, folder / "here") as library:
            token = library.work.database.write(people.create_token, "tests", None, utcnow())
            yield Machines(environment, token, library, folder)


def wait_until(is_so: Callable[[], object], seconds: float = 20) -> float:
    """How long it took, in seconds."""
    start = time.monotonic()
    while not is_so():
        assert time.monotonic() - start < seconds, "it took too long"
        time.sleep(0.02)
    return time.monotonic() - start


def _is_ready(here: str, process: Process) -> bool:
    assert process.popen.poll() is None, process.said()
    try:
        return httpx2.get(f"{here}/readyz", timeout=5).status_code == 200
    except httpx2.TransportError:
        return False
