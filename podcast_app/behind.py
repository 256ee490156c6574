"""What comes behind publication: recordings are measured, and light editions made of what is public."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, aliased

from media import editions, enclosure, ffmpeg
from media.ffmpeg import Pace
from media.measure import Measured, measure
from media.storage import Key, Missing, Storage
from podcast_app import derived, enclosures, episodes, leases, objects, publishing
from podcast_app.derived import Claim
from podcast_app.models import Audio, Edition, Episode, EpisodeId, Measurement, Show, Upload
from podcast_app.replacing import A_WHILE
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from podcast_app.work import Work, core, workbench

LOW_COVER_SIDE = 200  # pixels


def measure_for_enclosure(work: Work) -> bool:
    """Measure one recording whose enclosure waits for that: its show evens the loudness."""
    return _measure_one(work, is_waited_for=True)


def measure_recording(work: Work) -> bool:
    """Measure one recording, whatever its episode's state."""
    with core(work.settings) as is_free:
        return is_free and _measure_one(work, is_waited_for=False)


def make_low_mp3(work: Work) -> bool:
    """Make one light MP3 of a published episode."""
    return _make_low(work, "low-mp3")


def make_low_opus(work: Work) -> bool:
    """Make one light Opus file of a published episode."""
    return _make_low(work, "low-opus")


# -- Measuring


@dataclass(frozen=True, slots=True)
class _Recording:
    claim: Claim[Measurement]
    key: Key
    channels: int | None
    whole_ms: int | None


def _measure_one(work: Work, *, is_waited_for: bool) -> bool:
    recording = work.database.write(_claim_recording, work.owner, is_waited_for, utcnow())
    if recording is None:
        return False
    pace = Pace.BRISK if is_waited_for else Pace.PATIENT
    derived.carry_out(work, recording.claim, lambda: _measure(work, recording, pace))
    work.wake()
    return True


def _claim_recording(session: Session, owner: str, is_waited_for: bool, now: dt.datetime) -> _Recording | None:
    waits = exists().where(
        Audio.upload_id == Measurement.upload_id,
        Edition.audio_id == Audio.id,
        Edition.name == "enclosure",
        Edition.status == "preparing",
        Episode.id == Audio.episode_id,
        Show.id == Episode.show_id,
        Show.even_loudness,
    )
    is_used = exists().where(
        Audio.upload_id == Measurement.upload_id,
        Audio.is_current | Audio.is_next,
        Episode.id == Audio.episode_id,
        Episode.state != "withdrawn",
        Episode.trashed_at.is_(None),
    )
    lagging = (
        select(Measurement)
        .join(Upload, Upload.id == Measurement.upload_id)
        .where(Measurement.status.in_(("preparing", "failed")), leases.is_free(Measurement, now), is_used)
        .order_by(Upload.created_at.desc())
        .limit(1)
        .with_for_update(skip_locked=True, of=Measurement)
    )
    measurement = session.scalars(lagging.where(waits) if is_waited_for else lagging).first()
    if measurement is None:
        return None
    derived.take(measurement, owner, now)
    upload = session.get_one(Upload, measurement.upload_id)
    claim = Claim(Measurement, (Measurement.upload_id == upload.id,), owner)
    return _Recording(claim, upload.key, upload.facts["channels"], upload.facts["duration_ms"])


def _measure(work: Work, recording: _Recording, pace: Pace) -> None:
    with workbench(work.settings) as bench:
        measured = measure(
            work.storage.local_copy(recording.key, bench),
            channels=recording.channels,
            directory=bench,
            ffmpeg=ffmpeg.find(work.settings.ffmpeg),
            pace=pace,
            on_progress=derived.progress(work, recording.claim, recording.whole_ms),
        )
    work.database.write(_measured, recording.claim, measured)


def _measured(session: Session, claim: Claim[Measurement], measured: Measured) -> None:
    row = derived.held(session, claim)
    if row is None:
        return
    row.duration_ms = measured.duration_ms
    row.loudness_lufs, row.range_lu = measured.loudness_lufs, measured.range_lu
    row.true_peak_dbtp = measured.true_peak_dbtp
    row.silence_start_ms, row.silence_end_ms = measured.silence_start_ms, measured.silence_end_ms
    row.peaks = bytes(measured.peaks)
    derived.done(row)
    of_shows = select(Episode.show_id).join(Audio, Audio.episode_id == Episode.id)
    shown = of_shows.where(Audio.upload_id == row.upload_id, Audio.is_current, Episode.state == "published")
    session.execute(update(Show).where(Show.id.in_(shown)).values(generation=Show.generation + 1))


# -- Light editions


@dataclass(frozen=True, slots=True)
class _Low:
    claim: Claim[Edition]
    episode_id: EpisodeId
    name: Literal["low-mp3", "low-opus"]
    source: Key  # the enclosure: the same sound, as loud and as long
    container: str
    whole_ms: int | None
    tags: enclosure.EnclosureTags
    cover: Key
    public_key: Key | None  # where an earlier one lies, and its checksum
    sha256: str | None


def _make_low(work: Work, name: Literal["low-mp3", "low-opus"]) -> bool:
    with core(work.settings) as is_free:
        low = work.database.write(_claim_low, work.owner, name, utcnow()) if is_free else None
        if low is None:
            return False
        derived.carry_out(work, low.claim, lambda: _encode(work, low))
    return True


def _claim_low(session: Session, owner: str, name: Literal["low-mp3", "low-opus"], now: dt.datetime) -> _Low | None:
    whole = aliased(Edition)
    lagging = (
        select(Edition, whole, Audio.episode_id)
        .join(Audio, Edition.audio_id == Audio.id)
        .join(Episode, Audio.episode_id == Episode.id)
        .join(whole, (whole.audio_id == Audio.id) & (whole.name == "enclosure"))
        .where(Audio.is_current, Edition.name == name, Edition.status.in_(("preparing", "failed")))
        .where(Episode.state == "published", whole.status == "ready", leases.is_free(Edition, now))
        .order_by(Episode.published_at.desc())  # what is new is what listeners ask for
        .limit(1)
        .with_for_update(skip_locked=True, of=Edition)
    )
    found = session.execute(lagging).first()
    if found is None:
        return None
    edition, made, episode_id = found
    derived.take(edition, owner, now)
    episode = episodes.get(session, episode_id)
    assert episode is not None
    assert episode.audio is not None
    assert made.key is not None
    return _Low(
        claim=enclosures.claim_of(edition, owner),
        episode_id=episode_id,
        name=name,
        source=made.key,
        container="mp3" if made.extension == "mp3" else "mp4",
        whole_ms=made.duration_ms,
        tags=enclosures.tags(episode, episode.show, episode.audio),
        cover=(episode.cover or episode.show.cover).key,
        public_key=edition.public_key,
        sha256=edition.sha256,
    )


def _encode(work: Work, low: _Low) -> None:
    tags = replace(low.tags, cover=enclosures.picture(work.storage, low.cover, LOW_COVER_SIDE))
    with workbench(work.settings) as bench:
        made = editions.make(
            work.storage.local_copy(low.source, bench),
            name=low.name,
            container=low.container,
            tags=tags,
            directory=bench,
            ffmpeg=ffmpeg.find(work.settings.ffmpeg),
            on_progress=derived.progress(work, low.claim, low.whole_ms),
        )
        if _is_public(work.storage, low, made):
            work.database.write(_stays, low.claim)
            return
        key = objects.public_key(made.extension)
        with objects.announced(work.database, key):
            work.storage.put_file(key, made.path, made.media_type)
    work.database.write(_encoded, low, made, key, work.settings, utcnow())
    work.wake()


def _is_public(storage: Storage, low: _Low, made: enclosure.Made) -> bool:
    """Listeners have these very bytes: it was made again. Then they keep their place, since no feed would change, and
    by that alone other processes know that something lies elsewhere now."""
    if low.public_key is None or low.sha256 != made.sha256:
        return False
    try:
        return storage.size(low.public_key) == made.size_bytes
    except Missing:
        return False


def _stays(session: Session, claim: Claim[Edition]) -> None:
    edition = derived.held(session, claim)
    if edition is not None:
        derived.done(edition)


def _encoded(session: Session, low: _Low, made: enclosure.Made, key: Key, settings: Settings, now: dt.datetime) -> None:
    """Listeners have it from now on; unless the episode was withdrawn or got other audio meanwhile."""
    found = episodes.get_locked(session, low.episode_id)
    edition = derived.held(session, low.claim)
    if found is None or edition is None or not _is_wanted(edition, found[1]):
        objects.release(session, key, now)
        return
    show, episode = found
    objects.take_over(session, key)
    objects.release(session, edition.public_key, now + A_WHILE)
    edition.public_key, edition.public_at = key, now
    enclosures.describe(edition, made)
    derived.done(edition)
    publishing.next_generation(session, show, settings, now, put=[episode])


def _is_wanted(edition: Edition, episode: Episode) -> bool:
    return episode.state == "published" and episode.audio is not None and episode.audio.id == edition.audio_id
