"""`podcast-app check`: everything looked at as a stranger would find it. What lags within its normal time is a note."""

import datetime as dt
import zlib
from collections import Counter
from collections.abc import Iterator

import httpx2
from rich.console import Console
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, undefer

from feeds import checks
from media.storage import Key, Missing, Storage
from podcast_app import bucket_check, derived_check, object_check, publishing, shows
from podcast_app.addresses import Addresses
from podcast_app.database import Database
from podcast_app.models import Audio, Cover, Episode, Feed, Show, Upload
from podcast_app.remarks import Level, Remark, fault, lag, note
from podcast_app.settings import Settings
from podcast_app.times import iso, utcnow

RECENTLY = dt.timedelta(days=7)
HASHED_WITHIN = dt.timedelta(hours=1)  # an upload that took longer than that is noted once too early


def run(database: Database, storage: Storage, settings: Settings, slug: str | None, console: Console) -> int:
    """Print what is found. 0: clean, notes allowed; 1: errors."""
    found = [show for show in database.read(shows.query) if slug in (None, show.slug)]
    if slug is not None and not found:
        console.print(f"There is no show called {slug}.")
        return 2
    levels = Counter[Level]()
    for remark in _everything(database, storage, settings, found):  # each at once: what comes next may not answer
        console.print(f"{remark.level}: {remark.about}: {remark.says}", markup=False, highlight=False)
        levels[remark.level] += 1
    errors, notes = levels["error"], levels["note"]
    console.print(f"Shows checked: {len(found)}. Errors: {errors}. Notes: {notes}.", highlight=False)
    return 1 if errors else 0


def _everything(database: Database, storage: Storage, settings: Settings, found: list[Show]) -> Iterator[Remark]:
    yield from _settings(settings)
    if (sample := database.read(_any_cover)) is not None:
        yield from bucket_check.door(storage, settings, sample)
    for show in found:
        if show.archived_at is not None:
            yield note(show.slug, "is archived: it has neither pages nor feeds.")
            continue
        feeds = database.read(_feeds, show)
        yield from _feeds_hold(database.read(_published, show), show, feeds)
        for feed in feeds:
            yield from _judged(feed)
            yield from _copied(storage, feed)
        yield from _over_http(settings, show, feeds)
        if show.cover.is_generated:
            yield note(show.slug, "the cover was made from the title; give the show its own.")
    yield from database.read(_lagging, utcnow())
    yield from database.read(derived_check.derived, utcnow())
    yield from database.read(_uploads, utcnow())
    yield from object_check.objects(database, storage)


def _any_cover(session: Session) -> Key | None:
    """An object that is small and private."""
    return session.scalars(select(Cover.key).limit(1)).first()


def _settings(settings: Settings) -> Iterator[Remark]:
    addresses = Addresses(settings.origin)
    if addresses.is_private:
        yield note("PODCAST_BASE_URL", f"{settings.origin} is reached from this machine alone.")
    elif settings.origin.startswith("http:"):
        yield fault("PODCAST_BASE_URL", f"{settings.origin} is not https; directories want https.")
    is_mixed = settings.origin.startswith("https:") and settings.media_base_url.startswith("http:")
    if is_mixed and not Addresses(settings.media_base_url).is_private:
        yield fault("PODCAST_MEDIA_BASE_URL", "is http and the site is https, so browsers block it (mixed content).")


# --- feeds ---


def _feeds(session: Session, show: Show) -> list[Feed]:
    query = select(Feed).where(Feed.show_id == show.id).order_by(Feed.view)
    return list(session.scalars(query.options(undefer(Feed.gzip))))


def _published(session: Session, show: Show) -> set[str]:
    return set(session.scalars(select(Episode.guid).where(Episode.show_id == show.id, Episode.state == "published")))


def _feeds_hold(guids: set[str], show: Show, feeds: list[Feed]) -> Iterator[Remark]:
    """What is published is in every feed, and nothing else."""
    if not feeds:
        yield fault(show.slug, "there is no feed.")
    for feed in feeds:
        there = checks.contents(_xml(feed)).keys()
        for guid in guids - there:
            yield fault(feed.path, f"the published episode {guid} is missing.")
        for guid in there - guids:
            yield fault(feed.path, f"holds {guid}, which is not published.")


def _judged(feed: Feed) -> Iterator[Remark]:
    """A light feed says what the whole one says: what could be better in that is said once. Nothing is wrong with a
    show that nobody can hear yet."""
    xml = _xml(feed)
    can_be_heard = b"<item>" in xml
    for finding in checks.feed(xml):
        if finding.level == "warning" and feed.view.endswith("-low"):
            continue
        about = f"{feed.path} {finding.where}".strip()
        yield Remark("error" if finding.level == "error" and can_be_heard else "note", about, finding.message())


def _copied(storage: Storage, feed: Feed) -> Iterator[Remark]:
    if feed.copied_generation < feed.generation:
        yield Remark(lag(feed.modified_at, utcnow()), feed.path, "the copy in storage is not yet this generation's.")
        return
    key = publishing.copy_key(feed.path)
    try:
        same = storage.read(key, 0, storage.size(key)) == _xml(feed)
    except Missing:
        same = False
    if not same:
        yield fault(feed.path, "the copy in storage is not the feed.")


def _xml(feed: Feed) -> bytes:
    return zlib.decompress(feed.gzip, wbits=zlib.MAX_WBITS | 16)


# --- what lags ---


def _lagging(session: Session, now: dt.datetime) -> list[Remark]:
    due = select(Episode.slug, Episode.publish_at).where(Episode.state == "scheduled", Episode.publish_at <= now)
    over = select(Show.slug, Show.email_in_feed_until).where(Show.email_in_feed_until <= now)
    return [
        *(Remark(lag(at, now), slug, "is due, and not out yet.") for slug, at in session.execute(due) if at),
        *(
            Remark(lag(at, now), slug, "shows its e-mail address for too long.")
            for slug, at in session.execute(over)
            if at
        ),
    ]


def _uploads(session: Session, now: dt.datetime) -> list[Remark]:
    """Recordings that are still coming, wait, or came by another way than they should."""
    used = select(Audio).where(Audio.upload_id == Upload.id).exists()
    complete, relayed = Upload.state == "complete", Upload.relayed_at > now - RECENTLY
    unhashed = Upload.sha256.is_(None) & (Upload.created_at < now - HASHED_WITHIN)
    return [
        *_noted(session, select(Upload).where(Upload.state == "open"), "is not all here yet; it began {began}"),
        *_noted(session, select(Upload).where(complete, ~used), "this recording waits, and no episode uses it"),
        *_noted(session, select(Upload).where(complete, unhashed), "has no checksum yet; it began {began}"),
        *_noted(session, select(Upload).where(relayed), "came through the site, although the bucket has its own door"),
    ]


def _noted(session: Session, uploads: Select[Upload], says: str) -> Iterator[Remark]:
    for upload in session.scalars(uploads.order_by(Upload.created_at)):
        yield note(upload.filename, f"{says.format(began=iso(upload.created_at))} ({upload.id}).")


# --- as Apple would fetch it ---


def _over_http(settings: Settings, show: Show, feeds: list[Feed]) -> Iterator[Remark]:
    try:
        with httpx2.Client(base_url=settings.origin, timeout=10) as client:
            for feed in feeds:
                yield from _fetched(client, feed)
    except httpx2.HTTPError as failure:
        yield note(show.slug, f"{bucket_check.host(failure)} does not answer, so nothing was fetched from it.")


def _fetched(client: httpx2.Client, feed: Feed) -> Iterator[Remark]:
    answer = client.get(feed.path)
    if answer.status_code != 200 or answer.content != _xml(feed):
        yield fault(feed.path, f"is not served as published (status {answer.status_code}).")
        return
    again = client.get(feed.path, headers={"If-None-Match": answer.headers.get("etag", "")})
    if again.status_code != 304:
        yield fault(feed.path, "a reader that has the feed is sent it again.")
    for address in list(checks.contents(answer.content).values())[:2]:
        yield from _range_is_served(client, address)


def _range_is_served(client: httpx2.Client, address: str) -> Iterator[Remark]:
    head = client.head(address, follow_redirects=True)
    part = client.get(address, headers={"Range": "bytes=0-1"}, follow_redirects=True)
    if head.status_code != 200 or not part.is_success or len(part.content) != 2:
        yield fault(address, f"HEAD answers {head.status_code}, and a range {part.status_code}.")
