"""Signs of life: for as long as a piece of work lasts, the database is told so again and again.

What somebody works on carries a time until which others leave it alone. A process that is killed gives no more signs,
and the time passes by itself.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from podcast_app.database import Database

log = logging.getLogger(__name__)


@contextmanager
def heartbeat(database: Database, every_seconds: float, sign: Callable[[Session], object]) -> Iterator[None]:
    """Give the sign every so often, in a transaction of its own, until the block ends."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(every_seconds):
            try:
                database.write(sign)
            except SQLAlchemyError:
                log.warning("A sign of life was not taken down; others may take the work over.")

    # in our context: what it says in the log is about the request that we work for
    thread = threading.Thread(target=copy_context().run, args=(beat,), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
