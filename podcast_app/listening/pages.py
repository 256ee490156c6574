"""Pages in memory: what was made for one listener is the answer to the next, until its show moves on.

A show has a generation, which rises in each transaction that changes what listeners see of it (publishing.py). This
process's transactions are heard of as they commit, those of others by asking the database once a second.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import NamedTuple

from sqlalchemy import event, select
from sqlalchemy.orm import Session, SessionTransaction, UOWTransaction, sessionmaker
from starlette.types import ASGIApp, Receive, Scope, Send

from podcast_app.database import Database
from podcast_app.models import Show, ShowId

MOST_BYTES = 48_000_000  # that pages may take, in all the encodings that were asked for
LONGEST_QUERY = 100  # characters

NEWS = "shows that this transaction moves on"  # in Session.info

Hook = Callable[..., None]
_Key = tuple[str, bytes]  # path and query


class _Page(NamedTuple):
    answer: ASGIApp
    size_bytes: int
    show_id: ShowId | None  # None: of all shows
    generation: int


class Pages:
    """Read on the event loop, told of changes by whichever thread commits."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._current: dict[ShowId, int] = {}
        self._pages: OrderedDict[_Key, _Page] = OrderedDict()
        self._size_bytes = 0
        self._lock = Lock()

    def find(self, scope: Scope) -> ASGIApp | None:
        """The answer to this request, if it is known and still holds."""
        page = self._pages.get(_key(scope))
        if page is None or page.generation < self._generation(page.show_id):
            return None
        return page.answer

    def keep(self, scope: Scope, answer: ASGIApp, size_bytes: int, show_id: ShowId | None, generation: int) -> None:
        """`size_bytes`: what the answer takes here, about. `generation`: the one that it was made from, or the sum of
        all where it is of no one show."""
        if len(scope["query_string"]) > LONGEST_QUERY:
            return  # no player is asked for so; memory is for those that are
        with self._lock:
            self._drop(_key(scope))
            self._pages[_key(scope)] = _Page(answer, size_bytes, show_id, generation)
            self._size_bytes += size_bytes
            while self._size_bytes > MOST_BYTES:
                self._drop(next(iter(self._pages)))

    def refresh(self) -> None:
        """Take over what other processes changed. Blocks. Raises sqlalchemy.exc.SQLAlchemyError."""
        known = self._current.copy()  # before: what is committed meanwhile may not be in what is found
        found = self._database.read(_generations)
        with self._lock:
            if any(found.get(show_id, 0) < generation for show_id, generation in known.items()):
                self._pages.clear()  # the database was put back to an earlier state
                self._size_bytes = 0
                self._current.clear()
            self._rise(found)

    def following_commits(self) -> AbstractContextManager[None]:
        """Within the block, what this process commits counts from the commit on."""
        return following(self._database.writers, _note_news, _forget_news, self._take_from)

    def _generation(self, show_id: ShowId | None) -> int:
        return sum(self._current.values()) if show_id is None else self._current.get(show_id, 0)

    def _drop(self, key: _Key) -> None:
        page = self._pages.pop(key, None)
        self._size_bytes -= 0 if page is None else page.size_bytes

    def _take_from(self, session: Session) -> None:
        if session.in_nested_transaction():
            return  # a savepoint that is released is no commit yet
        news: dict[ShowId, int] = session.info.pop(NEWS, {})
        with self._lock:
            self._rise(news)

    def _rise(self, news: Mapping[ShowId, int]) -> None:
        """What is told may be older than what is known: two commits may arrive here in the other order."""
        for show_id, generation in news.items():
            self._current[show_id] = max(generation, self._current.get(show_id, 0))


class FromMemory:
    """ASGI middleware: a page that is known is answered without the application."""

    def __init__(self, app: ASGIApp, pages: Pages) -> None:
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_asked = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        known = self._pages.find(scope) if is_asked else None
        await (known or self._app)(scope, receive, send)


@contextmanager
def following(sessions: sessionmaker[Session], note: Hook, forget: Hook, take: Hook) -> Iterator[None]:
    """Within the block, news are noted at each flush, forgotten when it is given up, and taken at the commit."""
    hooks = {"after_flush": note, "after_soft_rollback": forget, "after_commit": take}
    for name, hook in hooks.items():
        event.listen(sessions, name, hook)
    try:
        yield
    finally:
        for name, hook in hooks.items():
            event.remove(sessions, name, hook)


def generations(session: Session) -> int:
    """The sum of all shows', in this transaction."""
    return sum(_generations(session).values())


def _key(scope: Scope) -> _Key:
    """A query changes nothing, except how a player looks."""
    path: str = scope["path"]
    return path, scope["query_string"] if "/embed/" in f"{path}/" else b""


def _generations(session: Session) -> dict[ShowId, int]:
    return dict(session.execute(select(Show.id, Show.generation)).all())


def _note_news(session: Session, _context: UOWTransaction) -> None:
    news: dict[ShowId, int] = session.info.setdefault(NEWS, {})
    news |= {row.id: row.generation for row in (*session.new, *session.dirty) if isinstance(row, Show)}


def _forget_news(session: Session, _transaction: SessionTransaction) -> None:
    """After a savepoint is given up, too: what remains true is then noticed by asking."""
    session.info.pop(NEWS, None)
