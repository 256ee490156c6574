"""`podcast-app check` of the storage against the database: everything is there, and everything belongs to somebody."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from media.storage import Key, Storage, Unavailable, Unfinished
from podcast_app import publishing
from podcast_app.database import Database
from podcast_app.models import Cover, Edition, Feed, LooseObject, Upload
from podcast_app.remarks import Remark, fault, lag, note
from podcast_app.times import iso, utcnow

PREFIXES = ("private/", "public/", "feeds/")


@dataclass(frozen=True, slots=True)
class _Owned:
    key: Key
    owner: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class _Books:
    """What the database knows of the storage."""

    owned: list[_Owned]  # each must be there
    coming: set[Key]  # may be there already: a recording that was joined a moment ago
    loose: dict[Key, dt.datetime]  # may be there still, and until when


def objects(database: Database, storage: Storage) -> list[Remark]:
    """Where something is wrong, a second look is taken: what was on its way at the first one has arrived by then."""
    found = list(_look(database, storage))
    if not any(remark.level == "error" for remark in found):
        return found
    again = set(_look(database, storage))
    return [remark for remark in found if remark in again]


def _look(database: Database, storage: Storage) -> Iterator[Remark]:
    there = {stored.key: stored.size_bytes for prefix in PREFIXES for stored in storage.list(prefix)}
    unfinished = _unfinished(storage)
    books = database.read(_books)
    now = utcnow()
    yield from _missing(books, there)
    yield from _left(books, there, now)
    if isinstance(unfinished, Remark):
        yield unfinished
    else:
        yield from _left_unfinished(books, unfinished, now)


def _books(session: Session) -> _Books:
    open_uploads = select(Upload.key).where(Upload.state == "open")
    return _Books(
        owned=_owned(session),
        coming=set(session.scalars(open_uploads)),
        loose={loose.key: loose.delete_after for loose in session.scalars(select(LooseObject))},
    )


def _owned(session: Session) -> list[_Owned]:
    complete = select(Upload).where(Upload.state == "complete")
    owned = [
        _Owned(upload.key, f"the recording {upload.filename}", upload.size_bytes)
        for upload in session.scalars(complete)
    ]
    owned += [_Owned(cover.key, f"the cover {cover.id}", None) for cover in session.scalars(select(Cover))]
    for edition in session.scalars(select(Edition)):
        for key in (edition.key, edition.public_key):
            if key is not None:
                owned.append(_Owned(key, f"the audio {edition.audio_id}", edition.size_bytes))
    owned += [
        _Owned(publishing.copy_key(feed.path), f"the copy of {feed.path}", None)
        for feed in session.scalars(select(Feed))
        if feed.copied_generation
    ]
    return owned


def _missing(books: _Books, there: dict[Key, int]) -> Iterator[Remark]:
    for thing in books.owned:
        size = there.get(thing.key)
        if size is None:
            yield fault(thing.key, f"{thing.owner} is missing from the storage.")
        elif thing.size_bytes is not None and size != thing.size_bytes:
            yield fault(thing.key, f"{thing.owner} has {size} bytes, not {thing.size_bytes}.")


def _left(books: _Books, there: dict[Key, int], now: dt.datetime) -> Iterator[Remark]:
    for key in there.keys() - {thing.key for thing in books.owned} - books.coming:
        if key not in books.loose:
            yield fault(key, "nobody owns this object.")
        else:
            yield Remark(lag(books.loose[key], now), key, "nobody owns this object; the worker deletes it.")


def _unfinished(storage: Storage) -> list[Unfinished] | Remark:
    """Some servers list none, and some keys may not ask."""
    try:
        return [found for prefix in PREFIXES for found in storage.unfinished(prefix)]
    except Unavailable as refusal:
        return note(
            "the storage",
            f"does not say what was begun and never finished ({refusal}). Let the bucket end such uploads by itself "
            "(docs/operating.md).",
        )


def _left_unfinished(books: _Books, unfinished: list[Unfinished], now: dt.datetime) -> Iterator[Remark]:
    owners = {thing.key: thing.owner for thing in books.owned}
    for found in unfinished:
        if found.key in books.coming or found.key in books.loose:
            continue  # on its way, or swept with its object
        if found.key in owners:
            yield note(
                found.key, f"an attempt of {iso(found.since)} lies beside {owners[found.key]}, and goes with it."
            )
        else:
            says = f"begun {iso(found.since)}, never finished, and nobody's; it takes up room (docs/operating.md)."
            yield Remark(lag(found.since, now), found.key, says)
