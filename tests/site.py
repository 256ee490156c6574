"""The whole application as a test meets it: a real server on a free port, with its worker, over real HTTP."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import uvicorn

from media import ffmpeg
from media.storage import Storage
from media.storage.open import open_storage
from podcast_app import people, shows, worker
from podcast_app.app import application, open_services
from podcast_app.database import Database
from podcast_app.models import Show
from podcast_app.settings import Settings
from podcast_app.setup import first_start
from podcast_app.times import utcnow

SLUG = "diaspora-insights"
GZIP = {"Accept-Encoding": "gzip"}  # Brotli's best takes 45 ms of each page, which tests need not


@dataclass(frozen=True)
class Site:
    """A running application. `database` and `storage` are those it uses."""

    settings: Settings
    database: Database
    storage: Storage
    token: str  # of the API, for all shows
    api: httpx2.Client  # with the token
    listener: httpx2.Client  # without anything

    def episode(self, audio: Path | bytes, filename: str = "episode.mp3", **fields: str) -> httpx2.Response:
        """POST a new episode as a form."""
        data = audio if isinstance(audio, bytes) else audio.read_bytes()
        return self.api.post(f"/api/v1/shows/{SLUG}/episodes", data=fields, files={"audio": (filename, data)})

    def published(self, audio: Path | bytes, filename: str = "episode.mp3", **fields: str) -> dict[str, object]:
        """A new episode, published; waits until it is."""
        answer = self.episode(audio, filename, **{"publish": "now", **fields})
        assert answer.status_code == 201, answer.text
        return self.wait_for(answer.json()["id"], "published")

    def wait_for(self, episode_id: str, state: str, seconds: float = 20) -> dict[str, object]:
        end = time.monotonic() + seconds
        while True:
            episode: dict[str, object] = self.api.get(f"/api/v1/episodes/{episode_id}").json()
            if episode["state"] == state:
                return episode
            assert time.monotonic() < end, f"still {episode['state']}: {episode}"
            time.sleep(0.05)

    def show(self) -> Show:
        show = self.database.read(shows.find, SLUG)
        assert show is not None
        return show


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(settings: Settings, *, with_worker: bool = True, with_behind: bool = False) -> Iterator[Site]:
    """The application with these settings (their port is used), its database migrated and its first show made.

    What its worker does behind publication takes a second for each episode: only tests that look at it ask for it.
    """
    first_start(settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "BEHIND", worker.BEHIND if with_behind else ())
        services = open_services(settings)
        app = application(services, with_worker=with_worker)
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=settings.port, log_level="error", timeout_graceful_shutdown=3)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    database = services.database
    token = database.write(people.create_token, "tests", None, utcnow())
    here = f"http://127.0.0.1:{settings.port}"
    try:
        with (
            hurried() if with_behind else nullcontext(),
            httpx2.Client(base_url=here, headers={**GZIP, "Authorization": f"Bearer {token}"}, timeout=60) as api,
            httpx2.Client(base_url=here, headers=GZIP, timeout=60) as listener,
        ):
            yield Site(settings, database, _storage(settings), token, api, listener)
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def hurried() -> Iterator[None]:
    """What is made behind publication does not give way: tests wait for it, and other tests would never let it in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ffmpeg, "_give_way", lambda *_: None)
        yield


def _storage(settings: Settings) -> Storage:
    return open_storage(settings.storage_url or None, settings.data_dir)
