"""The web application: the whole table of routes, what stands around it, and its life from start to stop."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from media.storage.open import open_storage
from podcast_app.database import CONNECTIONS, Database
from podcast_app.http import Services
from podcast_app.listening import feeds
from podcast_app.listening.front import Front
from podcast_app.settings import Settings
from podcast_app.work import Work
from podcast_app.worker import Worker

# Feeds and audio are answered before this table is looked at: see listening/front.py.
ROUTES: list[BaseRoute] = [
    # --- listeners' apps: listening/ (where a feed is no longer) ---
    Route("/{show}/feed.xml", feeds.moved),
    Route("/{language}/{show}/feed.xml", feeds.moved),
    # --- machines: api/ ---
    # --- producers: studio/ ---
    # --- listeners: site/ (each page also under /fr/) ---
    Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
]


def create_app(settings: Settings, *, with_worker: bool = False) -> ASGIApp:
    """The application of one process; with a worker inside, one process does everything."""
    database = Database(settings.database)
    storage = open_storage(settings.storage_url or None, settings.data_dir)
    services = Services(settings, database, storage, Work(database, storage, settings), CapacityLimiter(CONNECTIONS))
    front = Front(services)
    app = Starlette(routes=ROUTES, lifespan=_life(services, front, Worker(services.work) if with_worker else None))
    app.router.redirect_slashes = False  # it would build an address from the Host header
    app.state.services = services
    return front.before(app)


def _life(
    services: Services, front: Front, worker: Worker | None
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        async with front.following():
            if worker is not None:
                worker.start()
            try:
                yield
            finally:
                if worker is not None:
                    worker.stop()
        services.database.close()

    return life
