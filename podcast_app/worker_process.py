"""A worker as a process of its own. Nothing of the web is loaded: that would take 15 MB."""

import logging
import signal
import threading

from media.storage.open import open_storage
from podcast_app.database import Database
from podcast_app.settings import Settings
from podcast_app.work import Work
from podcast_app.worker import Worker


def run(settings: Settings) -> None:
    """Work until told to stop."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    database = Database(settings.database)
    working = Worker(Work(database, open_storage(settings.storage_url or None, settings.data_dir), settings))
    working.start()
    logging.getLogger(__name__).info("The worker is at work.")
    stop.wait()
    working.stop()
    database.close()
