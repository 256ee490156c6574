"""Feeds and audio as listeners' apps meet them: a real server, in the process that publishes."""

import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http.client import HTTPMessage, HTTPResponse

import uvicorn
from anyio import CapacityLimiter
from sqlalchemy import event
from starlette.applications import Starlette

from media.storage.open import open_storage
from podcast_app.app import ROUTES
from podcast_app.database import Database
from podcast_app.http import Services
from podcast_app.listening.front import Front
from podcast_app.listening.pages import Pages
from podcast_app.models import Episode
from podcast_app.settings import Settings
from podcast_app.setup import first_start
from podcast_app.signatures import open_signer
from podcast_app.watching import Watching
from podcast_app.work import Work
from tests.podcasts import Library


@dataclass(frozen=True)
class Answered:
    """An answer as it came over the wire: nothing unpacked, no redirect followed."""

    status: int
    headers: HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Listener:
    """Somebody's app, and the library that it listens to. What the library commits, this server's process commits."""

    podcasts: Library
    port: int

    def get(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answered:
        """Ask with exactly these headers, besides Host."""
        with self.connected() as connection:
            connection.sendall(request(path, headers or {}, method))
            answer = HTTPResponse(connection, method=method)
            answer.begin()
            return Answered(answer.status, answer.headers, answer.read())

    def connected(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def audio(self, episode: Episode) -> str:
        """The path of the episode's enclosure."""
        assert episode.audio is not None
        return f"/media/{episode.audio.id}/{episode.audio.name}"

    @contextmanager
    def queries(self) -> Iterator[list[str]]:
        """Those that this process sends to the database within the block, but for the question what is new."""
        sent: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            is_routine = "feeds.generation" in statement or "shows.generation" in statement
            if not statement.startswith("BEGIN") and not is_routine:
                sent.append(statement)

        engine = self.podcasts.work.database.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(engine, "before_cursor_execute", note)


def request(path: str, headers: Mapping[str, str], method: str = "GET") -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: podcast.test",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


@contextmanager
def listening(settings: Settings, *, at_once: bool = True) -> Iterator[Listener]:
    """A server in front of a new library with its first show. `at_once=False`: what is published comes by asking."""
    first_start(settings)
    ours, theirs = Database(settings.database), Database(settings.database)
    storage = open_storage(settings.storage_url or None, settings.data_dir)
    library = Library(Work(ours if at_once else theirs, storage, settings))
    services = Services(
        settings,
        ours,
        storage,
        Work(ours, storage, settings),
        CapacityLimiter(10),
        Watching(ours, storage),
        open_signer(settings),
        Pages(ours),
    )
    try:
        with serving(services) as port:
            yield Listener(library, port)
    finally:
        ours.close()
        theirs.close()


@contextmanager
def serving(services: Services) -> Iterator[int]:
    """The port of a server with our front and our routes."""
    front = Front(services)

    @asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        async with front.following():
            yield

    app = Starlette(routes=ROUTES, lifespan=life)
    app.router.redirect_slashes = False
    app.state.services = services
    with socket.create_server(("127.0.0.1", 0)) as door:
        server = uvicorn.Server(uvicorn.Config(front.before(app), log_level="error", timeout_graceful_shutdown=3))
        thread = threading.Thread(target=server.run, args=([door],), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.005)
        try:
            yield door.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def eventually(is_so: Callable[[], bool], seconds: float = 3) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)
