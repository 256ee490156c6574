"""`podcast-app check`: everything looked at as a stranger would find it. What lags within its normal time is a note."""

import datetime as dt
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import httpx2
from rich.console import Console
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from feeds import checks
from media.storage import Key, Missing, Storage
from podcast_app import publishing, shows
from podcast_app.addresses import Addresses
from podcast_app.database import Database
from podcast_app.models import Audio, Cover, Edition, Episode, Feed, LooseObject, Show, Upload
from podcast_app.settings import Settings
from podcast_app.times import utcnow

# Longer than this behind its time, and something is wrong: a worker that does not run, a storage that does not answer.
NORMAL_LAG = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Remark:
    """What was found. Errors need somebody; notes are to be known."""

    level: Literal["error", "note"]
    about: str
    says: str


def run(database: Database, storage: Storage, settings: Settings, slug: str | None, console: Console) -> int:
    """Print what is found. 0: clean, notes allowed; 1: errors."""
    found = [show for show in database.read(shows.query) if slug in (None, show.slug)]
    if slug is not None and not found:
        console.print(f"There is no show called {slug}.")
        return 2
    remarks = list(_everything(database, storage, settings, found))
    for remark in remarks:
        console.print(f"{remark.level}: {remark.about}: {remark.says}", markup=False, highlight=False)
    errors = sum(remark.level == "error" for remark in remarks)
    console.print(f"Shows checked: {len(found)}. Errors: {errors}. Notes: {len(remarks) - errors}.", highlight=False)
    return 1 if errors else 0


def _everything(database: Database, storage: Storage, settings: Settings, found: list[Show]) -> Iterator[Remark]:
    yield from _settings(settings)
    for show in found:
        feeds = database.read(_feeds, show)
        yield from _feeds_hold(database.read(_published, show), show, feeds)
        for feed in feeds:
            yield from _judged(feed)
            yield from _copied(storage, feed)
        yield from _over_http(settings, show, feeds)
        if show.cover.is_generated:
            yield Remark("note", show.slug, "the cover was made from the title; give the show its own.")
    yield from database.read(_lagging, utcnow())
    yield from _objects(storage, database.read(_owned), database.read(_loose))


def _settings(settings: Settings) -> Iterator[Remark]:
    addresses = Addresses(settings.origin)
    if addresses.is_private:
        yield Remark("note", "PODCAST_BASE_URL", f"{settings.origin} is reached from this machine alone.")
    elif settings.origin.startswith("http:"):
        yield Remark("error", "PODCAST_BASE_URL", f"{settings.origin} is not https; directories want https.")


# --- feeds ---


def _feeds(session: Session, show: Show) -> list[Feed]:
    query = select(Feed).where(Feed.show_id == show.id).order_by(Feed.view)
    return list(session.scalars(query.options(undefer(Feed.gzip))))


def _published(session: Session, show: Show) -> set[str]:
    return set(session.scalars(select(Episode.guid).where(Episode.show_id == show.id, Episode.state == "published")))


def _feeds_hold(guids: set[str], show: Show, feeds: list[Feed]) -> Iterator[Remark]:
    """What is published is in every feed, and nothing else."""
    if not feeds:
        yield Remark("error", show.slug, "there is no feed.")
    for feed in feeds:
        there = checks.contents(_xml(feed)).keys()
        for guid in guids - there:
            yield Remark("error", feed.path, f"the published episode {guid} is missing.")
        for guid in there - guids:
            yield Remark("error", feed.path, f"holds {guid}, which is not published.")


def _judged(feed: Feed) -> Iterator[Remark]:
    for finding in checks.feed(_xml(feed)):
        about = f"{feed.path} {finding.where}".strip()
        yield Remark("error" if finding.level == "error" else "note", about, finding.message())


def _copied(storage: Storage, feed: Feed) -> Iterator[Remark]:
    if feed.copied_generation < feed.generation:
        late = utcnow() - feed.modified_at > NORMAL_LAG
        yield Remark("error" if late else "note", feed.path, "the copy in storage is not yet this generation's.")
        return
    key = publishing.copy_key(feed.path)
    try:
        same = storage.read(key, 0, storage.size(key)) == _xml(feed)
    except Missing:
        same = False
    if not same:
        yield Remark("error", feed.path, "the copy in storage is not the feed.")


def _xml(feed: Feed) -> bytes:
    return zlib.decompress(feed.gzip, wbits=zlib.MAX_WBITS | 16)


# --- what lags, what failed ---


def _lagging(session: Session, now: dt.datetime) -> list[Remark]:
    remarks = []
    for episode in session.scalars(select(Episode).where(Episode.state == "scheduled", Episode.publish_at <= now)):
        assert episode.publish_at is not None
        late = now - episode.publish_at > NORMAL_LAG
        remarks.append(Remark("error" if late else "note", episode.slug, "is due, and not out yet."))
    failed = select(Episode.slug, Edition.failure).join(Audio, Audio.episode_id == Episode.id)
    failed = failed.join(Edition, Edition.audio_id == Audio.id).where(Edition.status == "failed", Audio.is_current)
    remarks += [
        Remark("error", slug, f"the audio could not be prepared: {why}") for slug, why in session.execute(failed)
    ]
    unused = select(Upload).where(Upload.state == "complete", Upload.episode_id.is_(None))
    for upload in session.scalars(unused.where(~select(Audio).where(Audio.upload_id == Upload.id).exists())):
        remarks.append(Remark("note", upload.filename, f"this recording waits, and no episode uses it ({upload.id})."))
    return remarks


# --- storage against database ---


@dataclass(frozen=True, slots=True)
class _Owned:
    key: Key
    owner: str
    size_bytes: int | None


def _owned(session: Session) -> list[_Owned]:
    """Every object that a row owns."""
    owned = [
        _Owned(upload.key, f"the recording {upload.filename}", upload.size_bytes)
        for upload in session.scalars(select(Upload))
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


def _loose(session: Session) -> dict[Key, dt.datetime]:
    return {loose.key: loose.delete_after for loose in session.scalars(select(LooseObject))}


def _objects(storage: Storage, owned: list[_Owned], loose: dict[Key, dt.datetime]) -> Iterator[Remark]:
    there = {
        stored.key: stored.size_bytes for prefix in ("private/", "public/", "feeds/") for stored in storage.list(prefix)
    }
    for thing in owned:
        size = there.pop(thing.key, None)
        if size is None:
            yield Remark("error", thing.key, f"{thing.owner} is missing from the storage.")
        elif thing.size_bytes is not None and size != thing.size_bytes:
            yield Remark("error", thing.key, f"{thing.owner} has {size} bytes, not {thing.size_bytes}.")
    for key in there:
        if key not in loose:
            yield Remark("error", key, "nobody owns this object.")
        else:
            late = utcnow() - loose[key] > NORMAL_LAG
            yield Remark("error" if late else "note", key, "nobody owns this object; the worker deletes it.")


# --- as Apple would fetch it ---


def _over_http(settings: Settings, show: Show, feeds: list[Feed]) -> Iterator[Remark]:
    try:
        with httpx2.Client(base_url=settings.origin, timeout=10) as client:
            for feed in feeds:
                yield from _fetched(client, feed)
    except httpx2.HTTPError:
        yield Remark("note", show.slug, f"{settings.origin} does not answer, so nothing was fetched from it.")


def _fetched(client: httpx2.Client, feed: Feed) -> Iterator[Remark]:
    answer = client.get(feed.path)
    if answer.status_code != 200 or answer.content != _xml(feed):
        yield Remark("error", feed.path, f"is not served as published (status {answer.status_code}).")
        return
    again = client.get(feed.path, headers={"If-None-Match": answer.headers.get("etag", "")})
    if again.status_code != 304:
        yield Remark("error", feed.path, "a reader that has the feed is sent it again.")
    for address in list(checks.contents(answer.content).values())[:2]:
        yield from _range_is_served(client, address)


def _range_is_served(client: httpx2.Client, address: str) -> Iterator[Remark]:
    head = client.head(address, follow_redirects=True)
    part = client.get(address, headers={"Range": "bytes=0-1"}, follow_redirects=True)
    if head.status_code != 200 or part.status_code != 206 or len(part.content) != 2:
        yield Remark("error", address, f"HEAD answers {head.status_code}, and a range {part.status_code}.")
