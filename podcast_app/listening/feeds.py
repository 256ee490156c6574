"""The current generation of every feed, in memory.

A transaction of this process that makes a generation puts it here as it commits; those of other processes are noticed
by asking the database, in one query, which generations it has.
"""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from itertools import chain
from threading import Lock

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session, SessionTransaction, UOWTransaction, undefer
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from podcast_app import shows
from podcast_app.addresses import View, feed_path, feed_views
from podcast_app.database import Database
from podcast_app.http import in_reading, services
from podcast_app.listening.feed_answers import FeedAnswers, Generation
from podcast_app.listening.pages import following
from podcast_app.listening.readers import Notes
from podcast_app.models import Feed, Show, ShowId
from podcast_app.settings import Settings

Which = tuple[ShowId, str]  # a show's feed in a view
# A generation's number, path and ETag: a difference is news. The ETag, because a database that was put back to an
# earlier state counts on from there.
Mark = tuple[int, str, str]

NEWS = "feeds that this transaction changes"  # in Session.info


class Feeds:
    """Read on the event loop, changed by whichever thread commits."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.by_path: dict[str, FeedAnswers] = {}
        self.changes = 0  # how many there were
        self._changed: dict[ShowId, int] = {}  # a show's last one
        self._current: dict[Which, Generation] = {}
        self._lock = Lock()
        self._database = database
        self._settings = settings
        self.notes = Notes(database)  # of who came

    def changed_after(self, show_id: ShowId, changes: int) -> bool:
        """Whether a feed of the show came or went after `changes` was read."""
        return self._changed.get(show_id, 0) > changes

    def refresh(self) -> None:
        """Take over what other processes published. Blocks. Raises sqlalchemy.exc.SQLAlchemyError."""
        changes = self.changes
        news = self._database.read(_news, {which: _mark(known) for which, known in self._current.copy().items()})
        with self._lock:
            if news and changes == self.changes:  # or else what was read may be older than what came meanwhile
                self._take(news)

    def following_commits(self) -> AbstractContextManager[None]:
        """Within the block, what this process commits is served from the commit on."""
        return following(self._database.writers, _note_news, _forget_news, self._take_from)

    def _take_from(self, session: Session) -> None:
        if session.in_nested_transaction():
            return  # a savepoint that is released is no commit yet
        news: dict[Which, Generation | None] = session.info.pop(NEWS, {})
        with self._lock:
            # two commits may arrive here in the other order
            newer = {which: made for which, made in news.items() if made is None or self._is_newer(which, made)}
            if newer:
                self._take(newer)

    def _is_newer(self, which: Which, made: Generation) -> bool:
        known = self._current.get(which)
        return known is None or made.number > known.number

    def _take(self, news: Mapping[Which, Generation | None]) -> None:
        self.changes += 1
        for which, made in news.items():
            self._changed[which[0]] = self.changes
            former = self._current.pop(which, None)
            if made is not None:
                self._current[which] = made
                self.by_path[made.path] = FeedAnswers(made, self._settings, self.notes)
            if former is not None and (made is None or made.path != former.path):
                self._leave(former)

    def _leave(self, former: Generation) -> None:
        """Its path answers no longer, unless another feed has taken it."""
        if self.by_path[former.path].generation is former:
            del self.by_path[former.path]


async def moved(request: Request) -> Response:
    """A feed's address that is in no memory: a former one, or none."""
    show = await in_reading(request, shows.find, request.path_params["show"])
    is_low = request.url.path.endswith("-low.xml")
    view = _view(show, request.path_params.get("language"), is_low=is_low) if show is not None else None
    if show is None or view is None or show.archived_at is not None:
        raise HTTPException(404)
    path = feed_path(show.slug, view)
    if path == request.url.path:  # the database was away when we asked it for its feeds
        raise HTTPException(503, headers={"Retry-After": "5"})
    return RedirectResponse(
        f"{services(request).settings.origin}{path}",
        status_code=301,
        headers={"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"},
    )


def _view(show: Show, prefix: str | None, *, is_low: bool) -> View | None:
    """The show's view behind "/fr", or its main one: without a prefix, or where that is its main language by now."""
    main, *others = (view for view in feed_views(show.language) if view.is_low == is_low)
    if prefix is None or prefix == main.language.split("-")[0].lower():
        return main
    return next((view for view in others if view.prefix == f"/{prefix}"), None)


def _news(session: Session, known: Mapping[Which, Mark]) -> dict[Which, Generation | None]:
    """What differs from the marks that are known: a generation, or None for a feed that is no more."""
    rows = session.execute(select(Feed.show_id, Feed.view, Feed.generation, Feed.path, Feed.etag))
    marks: dict[Which, Mark] = {(show_id, view): (number, path, etag) for show_id, view, number, path, etag in rows}
    gone = dict.fromkeys(known.keys() - marks.keys())
    differing = {which for which, mark in marks.items() if known.get(which) != mark}
    if not differing:
        return gone
    of_shows = select(Feed).where(Feed.show_id.in_({show_id for show_id, _ in differing})).options(undefer(Feed.gzip))
    return gone | _generations(session.scalars(of_shows))


def _generations(rows: Iterable[Feed]) -> dict[Which, Generation | None]:
    return {(row.show_id, row.view): _generation(row) for row in rows}


def _generation(row: Feed) -> Generation:
    return Generation(
        row.show_id, row.view, row.generation, row.path, row.gzip, row.etag, row.size_bytes, row.modified_at
    )


def _mark(known: Generation) -> Mark:
    return known.number, known.path, known.etag


def _note_news(session: Session, _context: UOWTransaction) -> None:
    news: dict[Which, Generation | None] = session.info.setdefault(NEWS, {})
    written = (row for row in chain(session.new, session.dirty) if isinstance(row, Feed))
    news |= _generations(row for row in written if inspect(row).attrs.generation.history.has_changes())
    news |= dict.fromkeys((row.show_id, row.view) for row in session.deleted if isinstance(row, Feed))


def _forget_news(session: Session, _transaction: SessionTransaction) -> None:
    """After a savepoint is given up, too: what remains true is then noticed by asking."""
    session.info.pop(NEWS, None)
