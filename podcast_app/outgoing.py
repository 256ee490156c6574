"""What follows a publication: the steps that publish what is due, copy feeds to storage, and tell hubs."""

import datetime as dt
import logging
import zlib
from contextlib import AbstractContextManager
from dataclasses import dataclass

import httpx2
from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, undefer

from media.storage import Changed, Full, Key, Missing, Unavailable
from podcast_app import episodes, history, leases, objects, publishing, replacing, shows
from podcast_app.models import Audio, AudioId, Edition, Episode, EpisodeId, Feed, ShowId
from podcast_app.outcomes import Done
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from podcast_app.work import Work

log = logging.getLogger(__name__)

HUB_PATIENCE = 10.0  # seconds
PAUSE = dt.timedelta(minutes=1)  # before a hub or a storage that did not take it is asked again
SHORT_PAUSE = dt.timedelta(seconds=1)


def publish_due(work: Work) -> bool:
    """A due episode whose enclosure is ready becomes public, or audio that replaces what was published."""
    return _publish_one(work, None)


def publish_now(work: Work, episode_id: EpisodeId) -> bool:
    """The same for one episode, for somebody who waits; False when it is not due, not ready, or in other hands."""
    return _publish_one(work, episode_id)


def rebuild_feed(work: Work) -> bool:
    """A feed made for another origin, or by an older renderer, is made anew."""
    return work.database.write(_rebuild_one, work.settings, utcnow())


def hide_email(work: Work) -> bool:
    """A show's e-mail address leaves its feeds when its time there is over."""
    return work.database.write(shows.hide_email, work.settings, utcnow())


def copy_feed(work: Work) -> bool:
    """The bytes of a new generation are put to storage, never an older over a newer."""
    job = work.database.write(_claim_feed, Feed.copied_generation, work.owner, utcnow())
    if job is None:
        return False
    try:
        with _feed_held(work, job):
            _copy(work, job)
    except (Full, Unavailable) as failure:
        log.warning("The copy of %s was not put to storage: %s", job.path, failure)
        work.database.write(_feed_waits, job, PAUSE, work.owner)
    except Changed:  # by a worker that was late: so it is looked at anew
        work.database.write(_feed_waits, job, SHORT_PAUSE, work.owner)
    else:
        work.database.write(_feed_done, job, Feed.copied_generation, Feed.copied_at, work.owner, utcnow())
    return True


def announce_feed(work: Work) -> bool:
    """Hubs are told that the feed has changed (WebSub 7, "Publishing": hub.mode=publish)."""
    if not work.settings.websub_hubs:
        return False
    job = work.database.write(_claim_feed, Feed.announced_generation, work.owner, utcnow())
    if job is None:
        return False
    with _feed_held(work, job):
        told = [_tell(hub, f"{work.settings.origin}{job.path}") for hub in work.settings.websub_hubs]
    if all(told):
        work.database.write(_feed_done, job, Feed.announced_generation, Feed.announced_at, work.owner, utcnow())
    else:
        work.database.write(_feed_waits, job, PAUSE, work.owner)
    return True


def sweep(work: Work) -> bool:
    """Objects that nobody owns any more are deleted."""
    doomed = work.database.write(objects.doom, utcnow())
    for key in doomed:
        work.storage.delete(key)
        work.database.write(objects.forget_doomed, key)
    return bool(doomed)


@dataclass(frozen=True, slots=True)
class _Due:
    """An enclosure that is to become public: of an episode that is due, or in the place of a published one's."""

    episode_id: EpisodeId
    audio_id: AudioId
    is_replacement: bool
    key: Key
    media_type: str
    extension: str


def _publish_one(work: Work, episode_id: EpisodeId | None) -> bool:
    due = work.database.write(_claim_due, work.owner, utcnow(), episode_id)
    if due is None:
        return False
    which = (Edition.audio_id == due.audio_id, Edition.name == "enclosure")
    with leases.held(work.database, Edition, work.owner, *which):
        public = objects.public_key(due.extension)
        try:
            with objects.announced(work.database, public):
                work.storage.copy(due.key, public, due.media_type)
        except Missing:
            log.warning("The audio of episode %s is missing from the storage; it is made again.", due.episode_id)
            work.database.write(_make_again, due, public, work.owner)
            return False
        published = work.database.write(_publish_or_release, due, public, work)
    work.wake()
    return published


def _claim_due(session: Session, owner: str, now: dt.datetime, episode_id: EpisodeId | None) -> _Due | None:
    is_due = and_(
        Audio.is_current,
        Episode.state == "scheduled",
        Episode.publish_at <= now,
        Episode.try_again_at.is_(None) | (Episode.try_again_at <= now),
    )
    due = (
        select(Edition, Audio)
        .join(Audio, Edition.audio_id == Audio.id)
        .join(Episode, Audio.episode_id == Episode.id)
        .where(is_due | and_(Audio.is_next, Episode.state == "published"))
        .where(Edition.name == "enclosure", Edition.status == "ready", leases.is_free(Edition, now))
        .order_by(Episode.publish_at)
        .limit(1)
        .with_for_update(skip_locked=True, of=Edition)
    )
    if episode_id is not None:
        due = due.where(Episode.id == episode_id)
    found = session.execute(due).first()
    if found is None:
        return None
    edition, audio = found
    leases.take(edition, owner, now)
    assert edition.key is not None
    assert edition.media_type is not None
    assert edition.extension is not None
    return _Due(audio.episode_id, audio.id, audio.is_next, edition.key, edition.media_type, edition.extension)


def _publish_or_release(session: Session, due: _Due, public: Key, work: Work) -> bool:
    now = utcnow()
    history.changing(session, due.episode_id, history.WORKER)
    if due.is_replacement:
        outcome = replacing.take_its_place(session, due.episode_id, due.audio_id, public, work.settings, now)
    else:
        outcome = publishing.publish(session, due.episode_id, public, work.settings, now)
    edition = session.get(Edition, (due.audio_id, "enclosure"))
    if edition is not None and edition.lease_owner == work.owner:
        leases.let_go(edition)
    if isinstance(outcome, Done):
        return True
    objects.release(session, public, now)
    return False


def _make_again(session: Session, due: _Due, public: Key, owner: str) -> None:
    objects.release(session, public, utcnow())
    edition = session.get(Edition, (due.audio_id, "enclosure"), with_for_update=True)
    if edition is not None and edition.lease_owner == owner:
        edition.key, edition.status = None, "preparing"
        leases.let_go(edition)


@dataclass(frozen=True, slots=True)
class _FeedJob:
    show_id: ShowId
    view: str
    path: str
    generation: int
    gzip: bytes


def _claim_feed(session: Session, done: InstrumentedAttribute[int], owner: str, now: dt.datetime) -> _FeedJob | None:
    lagging = select(Feed).where(done < Feed.generation, leases.is_free(Feed, now)).options(undefer(Feed.gzip))
    feed = session.scalars(lagging.limit(1).with_for_update(skip_locked=True)).first()
    if feed is None:
        return None
    leases.take(feed, owner, now)
    return _FeedJob(feed.show_id, feed.view, feed.path, feed.generation, feed.gzip)


def _copy(work: Work, job: _FeedJob) -> None:
    """Raises Changed when another worker may have put a newer one.

    The lease is asked for after the look at what lies there: as long as it is ours, nobody has put what we do not know.
    What comes after, be it our own put that was held up for minutes, meets the storage's comparison.
    """
    key = publishing.copy_key(job.path)
    there = work.storage.version(key)
    if not work.database.read(_is_ours, job, work.owner):
        raise Changed(key)
    xml = zlib.decompress(job.gzip, wbits=zlib.MAX_WBITS | 16)
    work.storage.replace(key, xml, "application/rss+xml; charset=utf-8", there)


def _is_ours(session: Session, job: _FeedJob, owner: str) -> bool:
    return session.scalar(select(Feed.lease_owner).where(*_which(job))) == owner


def _which(job: _FeedJob) -> tuple[ColumnElement[bool], ...]:
    return Feed.show_id == job.show_id, Feed.view == job.view


def _feed_held(work: Work, job: _FeedJob) -> AbstractContextManager[None]:
    return leases.held(work.database, Feed, work.owner, *_which(job))


def _feed_done(
    session: Session,
    job: _FeedJob,
    done: InstrumentedAttribute[int],
    done_at: InstrumentedAttribute[dt.datetime | None],
    owner: str,
    now: dt.datetime,
) -> None:
    """Where the lease was lost, another worker may have been faster with a newer one: so it is all done once more."""
    feed = session.get(Feed, (job.show_id, job.view), with_for_update=True)
    if feed is None:
        return
    ours = feed.lease_owner == owner
    setattr(feed, done.key, job.generation if ours else 0)
    if ours:
        setattr(feed, done_at.key, now)
        leases.let_go(feed)


def _feed_waits(session: Session, job: _FeedJob, pause: dt.timedelta, owner: str) -> None:
    feed = session.get(Feed, (job.show_id, job.view), with_for_update=True)
    if feed is not None and feed.lease_owner == owner:
        feed.try_again_at = utcnow() + pause
        leases.let_go(feed)


def _tell(hub: str, feed_url: str) -> bool:
    try:
        answer = httpx2.post(hub, data={"hub.mode": "publish", "hub.url": feed_url}, timeout=HUB_PATIENCE)
    except httpx2.HTTPError as failure:
        log.warning("The hub %s was not reached: %s", hub, failure)
        return False
    if not answer.is_success:
        log.warning("The hub %s answered %s.", hub, answer.status_code)
    return answer.is_success


def _rebuild_one(session: Session, settings: Settings, now: dt.datetime) -> bool:
    lagging = select(Feed.show_id).where(Feed.made_with != publishing.made_with(settings)).limit(1)
    show_id = session.scalar(lagging)
    if show_id is None:
        return False
    publishing.rebuild(session, episodes.locked_show(session, show_id), settings, now)
    return True
