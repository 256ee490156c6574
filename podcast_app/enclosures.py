"""The audio that listeners get is made from the original: the step that brings up enclosures that lag."""

import dataclasses
import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from media import artwork, enclosure, ffmpeg
from media.probe import Chapter
from media.storage import Full, Key, Missing, Storage, Unavailable
from podcast_app import documents, episodes, leases, objects, publishing
from podcast_app.models import Audio, AudioId, Edition, Episode, Show, Upload, UploadId
from podcast_app.times import utcnow
from podcast_app.work import Work, workbench

COVER_SIDE = 600  # pixels; enough for a lock screen, and small beside the audio
LONGEST_PAUSE = dt.timedelta(hours=6)
LONGEST_WAIT = dt.timedelta(minutes=1)  # for a storage or a disk: what is due goes out soon after it is back


@dataclass(frozen=True, slots=True)
class _Job:
    """An enclosure to be made, and from what."""

    audio_id: AudioId
    upload_id: UploadId
    is_hashed: bool  # the checksum of the original is known
    source: Key
    container: str
    codec: str
    channels: int | None
    least_ms: float  # less than this, and the engine has lost part of the recording
    tags: enclosure.EnclosureTags  # without the picture, which lies under `cover`
    cover: Key
    digest: str


def make_enclosure(work: Work) -> bool:
    """Make one enclosure that is missing, failed a while ago, or should carry other tags."""
    job = work.database.write(_claim, work.owner, utcnow())
    if job is None:
        return False
    try:
        with leases.held(
            work.database, Edition, work.owner, Edition.audio_id == job.audio_id, Edition.name == "enclosure"
        ):
            _make(work, job)
    except (ffmpeg.Failed, Missing) as failure:
        work.database.write(_failed, work.owner, job.audio_id, _reason(failure), utcnow())
    except (Full, Unavailable) as failure:
        work.database.write(_waits, work.owner, job.audio_id, _reason(failure), utcnow())
    return True


def _claim(session: Session, owner: str, now: dt.datetime) -> _Job | None:
    lagging = (
        select(Edition, Audio.episode_id)
        .join(Audio, Edition.audio_id == Audio.id)
        .join(Episode, Audio.episode_id == Episode.id)
        .where(Audio.is_current, Edition.name == "enclosure", Edition.status.in_(("preparing", "failed")))
        .where(Episode.state != "withdrawn", leases.is_free(Edition, now))
        .order_by(Episode.publish_at.is_(None), Episode.publish_at, Episode.created_at)  # what is due first
        .limit(1)
        .with_for_update(skip_locked=True, of=Edition)
    )
    found = session.execute(lagging).first()
    if found is None:
        return None
    edition, episode_id = found
    leases.take(edition, owner, now)
    edition.attempts += 1
    episode = episodes.get(session, episode_id)
    assert episode is not None
    return _job(edition, episode, episode.show)


def _job(edition: Edition, episode: Episode, show: Show) -> _Job:
    assert episode.audio is not None
    upload = episode.audio.upload
    source, container, codec = upload.key, upload.facts["container"], upload.facts["codec"]
    if edition.key is not None:
        # it was made before, so it is clean audio already: for other tags nothing need be encoded again
        source = edition.key
        container, codec = ("mp3", "mp3") if edition.extension == "mp3" else ("mp4", "aac")
    return _Job(
        audio_id=edition.audio_id,
        upload_id=upload.id,
        is_hashed=upload.sha256 is not None or source != upload.key,
        source=source,
        container=container,
        codec=codec,
        channels=upload.facts["channels"],
        least_ms=0.9 * upload.facts["duration_ms"] - 1000 if upload.facts["duration_is_exact"] else 0,
        tags=enclosure.EnclosureTags(
            title=documents.main_words(episode).title,
            show=documents.main_text(show).title,
            author=show.author,
            chapters=tuple(
                Chapter(start_ms=chapter["start_ms"], title=chapter["title"], url=chapter["url"] or None)
                for chapter in episode.chapters
            ),
        ),
        cover=(episode.cover or show.cover).key,
        digest=publishing.tags_digest(episode, show),
    )


def _make(work: Work, job: _Job) -> None:
    picture = _picture(work.storage, job.cover)  # type: ignore[arg-type]  # a storage is hashed as itself
    with workbench(work.settings) as bench:
        audio = work.storage.local_copy(job.source, bench)
        if not job.is_hashed:
            work.database.write(_hashed, job.upload_id, _sha256(audio))
        made = enclosure.make(
            audio,
            container=job.container,
            codec=job.codec,
            channels=job.channels,
            tags=dataclasses.replace(job.tags, cover=picture),
            directory=bench,
            ffmpeg=ffmpeg.find(work.settings.ffmpeg),
        )
        if made.duration_ms < job.least_ms:
            raise ffmpeg.Failed(ffmpeg.UNREADABLE, detail=f"{made.duration_ms} ms, where {job.least_ms} were expected")
        key = objects.private_key("editions")
        with objects.announced(work.database, key):
            work.storage.put_file(key, made.path, made.media_type)
    work.database.write(_made, work.owner, job, made, key, utcnow())
    work.wake()


def _sha256(file: Path) -> str:
    with file.open("rb") as audio:
        return hashlib.file_digest(audio, "sha256").hexdigest()


def _hashed(session: Session, upload_id: UploadId, sha256: str) -> None:
    session.execute(update(Upload).where(Upload.id == upload_id).values(sha256=sha256))


@lru_cache(maxsize=16)  # objects never change, most episodes carry the show's cover, and making it small takes 0.1 s
def _picture(storage: Storage, cover: Key) -> bytes:
    return artwork.small(storage.read(cover, 0, storage.size(cover)), COVER_SIDE)


def _made(session: Session, owner: str, job: _Job, made: enclosure.Made, key: Key, now: dt.datetime) -> None:
    edition = _held(session, owner, job.audio_id)
    if edition is None:
        objects.release(session, key, now)
        return
    objects.take_over(session, key)
    objects.release(session, edition.key, now)
    edition.key = key
    edition.status = "ready"
    edition.media_type, edition.extension = made.media_type, made.extension
    edition.size_bytes, edition.sha256 = made.size_bytes, made.sha256
    edition.duration_ms, edition.bitrate_bps = made.duration_ms, made.bitrate_bps
    edition.sample_rate_hz, edition.channels = made.sample_rate_hz, made.channels
    edition.tags_digest = job.digest
    edition.failure, edition.attempts, edition.try_again_at = None, 0, None
    leases.let_go(edition)


def _failed(session: Session, owner: str, audio_id: AudioId, reason: str, now: dt.datetime) -> None:
    """The recording is the reason: publishing it is refused until somebody, or another attempt, mends that."""
    edition = _held(session, owner, audio_id)
    if edition is not None:
        edition.status, edition.failure = "failed", reason
        _pause(edition, now, LONGEST_PAUSE)


def _waits(session: Session, owner: str, audio_id: AudioId, reason: str, now: dt.datetime) -> None:
    """The world is the reason, and it passes: so nobody is told to send another recording, and nothing is refused."""
    edition = _held(session, owner, audio_id)
    if edition is not None:
        edition.failure = reason
        _pause(edition, now, LONGEST_WAIT)


def _pause(edition: Edition, now: dt.datetime, longest: dt.timedelta) -> None:
    edition.try_again_at = now + min(longest, dt.timedelta(seconds=5) * 2 ** min(edition.attempts, 12))
    leases.let_go(edition)


def _held(session: Session, owner: str, audio_id: AudioId) -> Edition | None:
    """The edition, when the lease on it is still ours."""
    ours = (Edition.audio_id == audio_id, Edition.name == "enclosure", Edition.lease_owner == owner)
    return session.scalars(select(Edition).where(*ours).with_for_update()).one_or_none()


def _reason(failure: ffmpeg.Failed | Full | Unavailable | Missing) -> str:
    match failure:
        case ffmpeg.Failed():
            return failure.sentence.format(**failure.values)
        case Full():
            return "The disk is full."
        case Missing():
            return "The original is missing from the storage."
        case Unavailable():
            return "The storage does not answer."
