"""What listeners' apps ask for again and again is answered before everything else.

Routes and middleware would double the cost of such an answer, so feeds and audio are an ASGI callable of their own in
front of the application.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Receive, Scope, Send

from podcast_app.database import is_away
from podcast_app.http import Services
from podcast_app.listening.feeds import Feeds
from podcast_app.listening.media import Media

log = logging.getLogger(__name__)

ASKED_EVERY = 0.9  # seconds; what another process publishes is served within a second


class Front:
    """The listeners' part of one process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._feeds = Feeds(services.database, services.settings)
        self._media = Media(services, self._feeds)
        self._pages = services.pages
        self._own = CapacityLimiter(1)  # whoever asks for what costs much delays no news

    def before(self, app: ASGIApp) -> ASGIApp:
        """The application, with feeds and audio answered before it."""
        feeds, media = self._feeds.by_path, self._media

        async def front(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
            elif feed := feeds.get(scope["path"]):
                await feed.send(scope, send)
            elif scope["path"].startswith("/media/"):
                await media.answer(scope, receive, send)
            else:
                await app(scope, receive, send)

        return front

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Within the block, feeds are loaded, and they and pages kept current. Without the database, what is known goes
        on."""
        with self._feeds.following_commits(), self._pages.following_commits():
            await self._refresh()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._keep_refreshing)
                yield
                tasks.cancel_scope.cancel()
            await self._write_notes()

    async def _keep_refreshing(self) -> None:
        while True:
            await anyio.sleep(ASKED_EVERY)
            await self._refresh()
            await self._write_notes()

    async def _write_notes(self) -> None:
        """Of who came for feeds. Without the database they wait."""
        if not self._feeds.notes:
            return
        try:
            await to_thread.run_sync(self._feeds.notes.write, limiter=self._own)
        except SQLAlchemyError as failure:
            if not is_away(failure):
                log.exception("Who came for feeds is not written down.")

    async def _refresh(self) -> None:
        try:
            await to_thread.run_sync(self._refresh_both, limiter=self._own)
        except SQLAlchemyError as failure:
            if not is_away(failure):  # of which database.py tells
                log.exception("Feeds, pages and audio are served as last known.")

    def _refresh_both(self) -> None:
        self._feeds.refresh()
        self._pages.refresh()
