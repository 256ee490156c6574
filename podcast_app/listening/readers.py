"""Which directories and big apps have come for a feed's generation, and when each first did. No address is kept.

They are known by how their fetchers name themselves. On the event loop that is a lookup for each answer, and a note for
the first of each reader; the notes are written to the database off the loop, many at once. Where that fails they wait.
"""

import datetime as dt
from collections import deque
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from podcast_app.database import Database
from podcast_app.models import FeedFetch, ShowId
from podcast_app.times import utcnow

KEPT = 20  # generations of each feed
MOST_NOTES = 1000  # that wait for the database; later ones are lost

# A reader, as its listeners know it, and what its fetcher's name begins with. Apps that fetch from each listener's
# phone are not among them: who listens with those is nobody's business here.
_FETCHERS = (
    ("Apple Podcasts", ("itms",)),
    ("Spotify", ("spotify/1.0",)),
    ("YouTube", ("googleother", "google-podcast", "feedfetcher-google")),
    ("Pocket Casts", ("pocketcasts/",)),
    ("Amazon Music", ("amazon music podcast",)),
    ("Deezer", ("deezer podcasters/",)),
    ("Overcast", ("overcast/1.0 podcast sync",)),
    ("Castbox", ("castboxfeedparser",)),
    ("Castro", ("tentacles",)),
    ("Podcast Index", ("podcastindex.org/", "aggrivator (podcastindex.org)")),
    ("Player FM", ("playerfm/1.0 podcast sync",)),
    ("TuneIn", ("tuneinrssparser/", "tunein-podcast-checker")),
    ("Podchaser", ("podchaserparser", "podchaser-parser")),
    ("Listen Notes", ("listennotes",)),
    ("Podimo", ("podimo/",)),
    ("Samsung Podcasts", ("sp-agent",)),
)
NAMES = tuple(name for name, _ in _FETCHERS)


@lru_cache(maxsize=4096)
def reader(agent: bytes) -> str | None:
    """Whose fetcher calls itself so; None for everybody else."""
    said = agent.decode("latin-1").lower()
    return next((name for name, beginnings in _FETCHERS if said.startswith(beginnings)), None)


class Fetch(NamedTuple):
    show_id: ShowId
    view: str
    generation: int
    reader: str
    at: dt.datetime


class Notes:
    """Who came to this process, as long as it is not written down."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[Fetch] = deque(maxlen=MOST_NOTES)

    def add(self, show_id: ShowId, view: str, generation: int, reader: str) -> None:
        """Costs nothing that a listener would notice."""
        self._waiting.append(Fetch(show_id, view, generation, reader, utcnow()))

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def write(self) -> None:
        """Blocks. Raises sqlalchemy.exc.SQLAlchemyError, and then they still wait."""
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            self._database.write(keep, batch)
        except BaseException:
            self._waiting.extendleft(reversed(batch))
            raise


def keep(session: Session, batch: Iterable[Fetch]) -> None:
    """Of each reader of each generation the first one counts, whichever process it came to."""
    for fetch in batch:
        try:
            with session.begin_nested():
                session.add(FeedFetch(**fetch._asdict()))
        except IntegrityError:
            continue  # it is there, or the show is no more
        forgotten = (FeedFetch.show_id == fetch.show_id, FeedFetch.view == fetch.view)
        session.execute(delete(FeedFetch).where(*forgotten, FeedFetch.generation <= fetch.generation - KEPT))
