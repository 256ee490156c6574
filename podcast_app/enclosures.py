"""The audio that listeners get is made from the original: the step that brings up enclosures that lag."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session, joinedload

from media import artwork, enclosure, ffmpeg, level
from media.level import Level
from media.probe import Picture
from media.storage import Key, Storage
from podcast_app import derived, documents, episodes, leases, objects, publishing
from podcast_app.derived import Claim
from podcast_app.models import Audio, Cover, Edition, Episode, Measurement, Show, Upload, UploadId
from podcast_app.times import utcnow
from podcast_app.work import Work, workbench

CHAPTER_SIDE = 300  # pixels
COVER_SIDE = 600  # pixels; enough for a lock screen, and small beside the audio


@dataclass(frozen=True, slots=True)
class _Job:
    """An enclosure to be made, and from what."""

    claim: Claim[Edition]
    upload_id: UploadId
    is_hashed: bool  # the checksum of the original is known
    source: Key
    container: str
    codec: str
    channels: int | None
    level: Level | None  # how its loudness is to be changed
    gain_db: float | None
    whole_ms: int | None  # as the original says
    least_ms: float  # less than this, and the engine has lost part of the recording
    tags: enclosure.EnclosureTags  # without pictures, which lie under `cover` and `chapter_pictures`
    cover: Key
    chapter_pictures: Mapping[int, Key]  # by the chapter's start
    digest: str


def make_enclosure(work: Work) -> bool:
    """Make one enclosure that is missing, failed a while ago, or should carry other tags."""
    return _make_one(work, is_quick=False)


def make_quick_enclosure(work: Work) -> bool:
    """The same, of those whose sound need not be encoded: they do not wait behind hours of sound that must be."""
    return _make_one(work, is_quick=True)


def _make_one(work: Work, *, is_quick: bool) -> bool:
    job = work.database.write(_claim, work.owner, is_quick, utcnow())
    if job is None:
        return False
    derived.carry_out(work, job.claim, lambda: _make(work, job))
    return True


def claim_of(edition: Edition, owner: str) -> Claim[Edition]:
    return Claim(Edition, (Edition.audio_id == edition.audio_id, Edition.name == edition.name), owner)


def _claim(session: Session, owner: str, is_quick: bool, now: dt.datetime) -> _Job | None:
    # where loudness is evened, what the recording's own is must be known first; or that nobody can tell
    is_measured = select(Measurement.upload_id).where(
        Measurement.upload_id == Audio.upload_id, Measurement.status != "preparing"
    )
    lagging = (
        select(Edition, Audio)
        .join(Audio, Edition.audio_id == Audio.id)
        .join(Episode, Audio.episode_id == Episode.id)
        .join(Show, Episode.show_id == Show.id)
        .where(Audio.is_current | Audio.is_next, Edition.name == "enclosure")
        .where(Edition.status.in_(("preparing", "failed")), leases.is_free(Edition, now))
        .where(Episode.state != "withdrawn", Episode.trashed_at.is_(None), ~Show.even_loudness | is_measured.exists())
        .order_by(Episode.publish_at.is_(None), Episode.publish_at, Episode.created_at)  # what is due first
        .options(joinedload(Audio.upload).joinedload(Upload.measurement))
        .limit(1)
        .with_for_update(skip_locked=True, of=Edition)
    )
    found = session.execute(lagging.where(_needs_no_encoding()) if is_quick else lagging).first()
    if found is None:
        return None
    edition, audio = found
    derived.take(edition, owner, now)
    episode = episodes.get(session, audio.episode_id)
    assert episode is not None
    return _job(session, edition, audio, episode, episode.show)


def _needs_no_encoding() -> ColumnElement[bool]:
    """Its frames are copied: those of the recording, or of the enclosure that was made before."""
    codec = select(Upload.facts["codec"].as_string()).where(Upload.id == Audio.upload_id).scalar_subquery()
    return ~Show.even_loudness & (codec.in_(("mp3", "aac")) | Edition.key.is_not(None))


def _job(session: Session, edition: Edition, audio: Audio, episode: Episode, show: Show) -> _Job:
    upload = audio.upload
    level, gain_db = _level(show, upload.measurement)
    source, container, codec = upload.key, upload.facts["container"], upload.facts["codec"]
    if edition.key is not None and edition.gain_db == gain_db:
        # it was made before, so it is clean audio already: for other tags nothing need be encoded again
        source, level = edition.key, None
        container, codec = ("mp3", "mp3") if edition.extension == "mp3" else ("mp4", "aac")
    assert edition.lease_owner is not None
    return _Job(
        claim=claim_of(edition, edition.lease_owner),
        upload_id=upload.id,
        is_hashed=upload.sha256 is not None or source != upload.key,
        source=source,
        container=container,
        codec=codec,
        channels=upload.facts["channels"],
        level=level,
        gain_db=gain_db,
        whole_ms=upload.facts["duration_ms"],
        least_ms=0.9 * upload.facts["duration_ms"] - 1000 if upload.facts["duration_is_exact"] else 0,
        tags=tags(episode, show, audio),
        cover=(episode.cover or show.cover).key,
        chapter_pictures=_pictures(session, episode, audio),
        digest=publishing.tags_digest(episode, show, audio),
    )


def _level(show: Show, measured: Measurement | None) -> tuple[Level | None, float | None]:
    """How to change the loudness, and by how much; 0.0 where it was looked at and is right, None where it was not."""
    if not show.even_loudness or measured is None or measured.status != "ready":
        return None, None
    planned = level.plan(loudness_lufs=measured.loudness_lufs, true_peak_dbtp=measured.true_peak_dbtp)
    return planned, round(planned.gain_db, 1) if planned else 0.0


def tags(episode: Episode, show: Show, audio: Audio) -> enclosure.EnclosureTags:
    """What every copy of the audio says of itself, but for its pictures."""
    return enclosure.EnclosureTags(
        title=documents.main_words(episode).title,
        show=documents.main_text(show).title,
        author=show.author,
        number=episode.number,
        chapters=documents.chapters(episode, audio),
    )


def _pictures(session: Session, episode: Episode, audio: Audio) -> dict[int, Key]:
    rows = documents.chapter_rows(episode, audio)
    named = {chapter["picture"]: chapter["start_ms"] for chapter in rows if chapter.get("picture")}
    found = select(Cover).where(Cover.episode_id == episode.id, Cover.id.in_(named))
    return {named[cover.id]: cover.key for cover in session.scalars(found)}


def _make(work: Work, job: _Job) -> None:
    with workbench(work.settings) as bench:
        audio = work.storage.local_copy(job.source, bench)
        if not job.is_hashed:
            work.database.write(_hashed, job.upload_id, _sha256(audio))
        made = enclosure.make(
            audio,
            container=job.container,
            codec=job.codec,
            channels=job.channels,
            tags=_with_pictures(work.storage, job),
            level=job.level,
            directory=bench,
            ffmpeg=ffmpeg.find(work.settings.ffmpeg),
            on_progress=derived.progress(work, job.claim, job.whole_ms),
        )
        if made.duration_ms < job.least_ms:
            raise ffmpeg.Failed(ffmpeg.UNREADABLE, detail=f"{made.duration_ms} ms, where {job.least_ms} were expected")
        key = objects.private_key("editions")
        with objects.announced(work.database, key):
            work.storage.put_file(key, made.path, made.media_type)
    work.database.write(_made, job, made, key, utcnow())
    work.wake()


def _with_pictures(storage: Storage, job: _Job) -> enclosure.EnclosureTags:
    chapters = tuple(
        replace(chapter, picture=_chapter_picture(storage, job.chapter_pictures[chapter.start_ms]))
        if chapter.start_ms in job.chapter_pictures
        else chapter
        for chapter in job.tags.chapters
    )
    return replace(job.tags, cover=picture(storage, job.cover, COVER_SIDE), chapters=chapters)


def _chapter_picture(storage: Storage, key: Key) -> Picture:
    return Picture(media_type="image/jpeg", data=picture(storage, key, CHAPTER_SIDE))


def _sha256(file: Path) -> str:
    with file.open("rb") as audio:
        return hashlib.file_digest(audio, "sha256").hexdigest()


def _hashed(session: Session, upload_id: UploadId, sha256: str) -> None:
    session.execute(update(Upload).where(Upload.id == upload_id).values(sha256=sha256))


def picture(storage: Storage, cover: Key, side_px: int) -> bytes:
    """The cover, small enough to lie inside an audio file. A JPEG."""
    return _small(storage, cover, side_px)  # type: ignore[arg-type]  # a storage is hashed as itself


@lru_cache(maxsize=16)  # objects never change, most episodes carry the show's cover, and making it small takes 0.1 s
def _small(storage: Storage, cover: Key, side_px: int) -> bytes:
    return artwork.small(storage.read(cover, 0, storage.size(cover)), side_px)


def _made(session: Session, job: _Job, made: enclosure.Made, key: Key, now: dt.datetime) -> None:
    edition = derived.held(session, job.claim)
    if edition is None:
        objects.release(session, key, now)
        return
    objects.take_over(session, key)
    objects.release(session, edition.key, now)
    edition.key = key
    describe(edition, made)
    edition.gain_db = job.gain_db
    edition.tags_digest = job.digest
    derived.done(edition)


def describe(edition: Edition, made: enclosure.Made) -> None:
    """What was made, as the row says it."""
    edition.media_type, edition.extension = made.media_type, made.extension
    edition.size_bytes, edition.sha256 = made.size_bytes, made.sha256
    edition.duration_ms, edition.bitrate_bps = made.duration_ms, made.bitrate_bps
    edition.sample_rate_hz, edition.channels = made.sample_rate_hz, made.channels
