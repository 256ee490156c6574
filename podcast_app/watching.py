"""What whoever watches this process asks again and again: what it stands on, and how its library stands.

All of it may hang, and is asked for at any rate. So whoever asks shares the look that is being taken, waits for it a
few seconds at most, and may get the last one for a moment.
"""

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

from anyio import CapacityLimiter, to_thread
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from media.storage import Key, Missing, Storage, Unavailable
from podcast_app import metrics
from podcast_app.database import Database, is_away

T = TypeVar("T")

HANGS_SECONDS = 10.0  # a look that takes longer is forgotten, and one may be begun beside it


class Look(Generic[T]):
    """What a function finds, as long as it finds it in time. The function blocks, and raises nothing."""

    def __init__(self, find: Callable[[], T], *, patience_seconds: float, kept_seconds: float = 0.0) -> None:
        self._find = find
        self._patience_seconds, self._kept_seconds = patience_seconds, kept_seconds
        self._threads = CapacityLimiter(math.inf)
        self._running: asyncio.Task[T] | None = None
        self._begun = self._good_until = 0.0  # of time.monotonic()

    async def found(self) -> T | None:
        """Whoever asks while a look is taken, or just afterwards, gets what it finds. None: it takes too long."""
        if self._running is None or self._is_stale(self._running, time.monotonic()):
            self._running, self._begun = asyncio.create_task(self._look()), time.monotonic()
        running = self._running
        done, _ = await asyncio.wait([running], timeout=self._patience_seconds)
        return running.result() if done else None

    def _is_stale(self, look: asyncio.Task[T], now: float) -> bool:
        return now >= (self._good_until if look.done() else self._begun + HANGS_SECONDS)

    async def _look(self) -> T:
        found = await to_thread.run_sync(self._find, limiter=self._threads)
        self._good_until = time.monotonic() + self._kept_seconds
        return found


class Watching:
    """The looks of one process."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self.database = Look(partial(_database_answers, database), patience_seconds=2.5)
        self.storage = Look(partial(_storage_answers, storage), patience_seconds=2.5)
        self.metrics = Look(partial(metrics.exposition_of, database), patience_seconds=5.0, kept_seconds=5.0)


def _database_answers(database: Database) -> bool:
    try:
        database.read(_select_one)
    except SQLAlchemyError as failure:
        if not is_away(failure):
            raise
        return False
    return True


def _select_one(session: Session) -> None:
    session.execute(text("SELECT 1"))


def _storage_answers(storage: Storage) -> bool:
    """Any answer will do, also that there is no such object."""
    try:
        with suppress(Missing):
            storage.size(Key("public/ready"))
    except Unavailable:
        return False
    return True
