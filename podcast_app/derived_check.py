"""`podcast-app check` of what is made from recordings: what failed and why, what waits, and what was replaced."""

import datetime as dt
from collections.abc import Iterator

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from podcast_app.models import Audio, Edition, Episode, Leased, Measurement, Upload
from podcast_app.remarks import NORMAL_LAG, Remark, fault, lag, note
from podcast_app.replacing import UNDO_FOR
from podcast_app.trash import KEPT

WANTED = and_(or_(Audio.is_current, Audio.is_next), Episode.state != "withdrawn", Episode.trashed_at.is_(None))


def derived(session: Session, now: dt.datetime) -> list[Remark]:
    return [
        *_failed(session),
        *_waiting(session, now),
        *_replacements(session),
        *_former(session, now),
        *_thrown_away(session, now),
    ]


def _failed(session: Session) -> Iterator[Remark]:
    editions = select(Episode.slug, Edition.name, Edition.failure).join(Audio, Audio.episode_id == Episode.id)
    editions = editions.join(Edition, Edition.audio_id == Audio.id).where(WANTED, Edition.status == "failed")
    for slug, name, why in session.execute(editions.order_by(Episode.slug, Edition.name)):
        what = "the audio could not be prepared" if name == "enclosure" else f"its edition {name} could not be made"
        yield fault(slug, f"{what}: {why}")
    measured = select(Episode.slug, Measurement.failure).join(Audio, Audio.episode_id == Episode.id)
    measured = measured.join(Measurement, Measurement.upload_id == Audio.upload_id)
    for slug, why in session.execute(measured.where(WANTED, Measurement.status == "failed").order_by(Episode.slug)):
        yield fault(slug, f"the recording could not be measured: {why}")


def _waiting(session: Session, now: dt.datetime) -> Iterator[Remark]:
    """How much is still to come behind publication. Hours of sound take their time, so that long ago is no fault; that
    nobody is at any of it is one."""
    waiting = [*session.execute(_light()), *session.execute(_unmeasured())]
    if not waiting:
        return
    since = min(max(filter(None, moments)) for moments in waiting)
    says = f"to be made behind publication: {len(waiting)} measurements and light editions"
    if any(session.scalar(_held(table, now)) for table in (Edition, Measurement)):
        yield note("worker", f"{says}; it is at it.")
    elif now - since > NORMAL_LAG:
        yield fault("worker", f"{says}; nobody is at it. Does a worker run?")
    else:
        yield note("worker", f"{says}.")


def _light() -> Select[dt.datetime | None, dt.datetime]:
    """Light editions that wait: when their episode's audio was public, and when it came."""
    whole = aliased(Edition)
    return (
        select(whole.public_at, Upload.created_at)
        .join(Audio, Audio.id == whole.audio_id)
        .join(Edition, Edition.audio_id == Audio.id)
        .join(Episode, Audio.episode_id == Episode.id)
        .join(Upload, Audio.upload_id == Upload.id)
        .where(whole.name == "enclosure", Audio.is_current, Episode.state == "published")
        .where(Edition.name != "enclosure", Edition.status == "preparing")
    )


def _unmeasured() -> Select[dt.datetime, dt.datetime]:
    """The same for recordings."""
    used = select(Audio.id).join(Episode, Audio.episode_id == Episode.id).where(WANTED, Audio.upload_id == Upload.id)
    unmeasured = select(Upload.created_at, Upload.created_at).join(Measurement, Measurement.upload_id == Upload.id)
    return unmeasured.where(used.exists(), Measurement.status == "preparing")


def _held(table: type[Leased], now: dt.datetime) -> Select[int]:
    return select(func.count()).where(table.lease_until > now)


def _replacements(session: Session) -> Iterator[Remark]:
    """Recordings that are to take another's place; one that failed is named with the failures."""
    coming = select(Episode.slug, Upload.filename).join(Audio, Audio.episode_id == Episode.id)
    coming = coming.join(Upload, Audio.upload_id == Upload.id).where(Audio.is_next, Episode.state == "published")
    for slug, filename in session.execute(coming.order_by(Episode.slug)):
        yield note(slug, f"{filename} is being prepared, and will take the place of its audio.")


def _former(session: Session, now: dt.datetime) -> Iterator[Remark]:
    """What was replaced, and still takes up room because it may come back."""
    kept: ColumnElement[bool] = Audio.replaced_at.is_not(None) & Audio.upload_id.is_not(None)
    size = select(func.count(), func.min(Audio.replaced_at), func.sum(Upload.size_bytes))
    count, first, size_bytes = session.execute(size.join(Upload, Audio.upload_id == Upload.id).where(kept)).one()
    if first is None:
        return
    says = f"former recordings are kept for {UNDO_FOR.days} days: {count}, of {size_bytes / 1e6:.1f} MB in all."
    yield note("storage", says)
    if lag(first + UNDO_FOR, now) == "error":
        yield fault("worker", "former recordings are kept for longer than that. Does a worker run?")


def _thrown_away(session: Session, now: dt.datetime) -> Iterator[Remark]:
    """Drafts in the trash, whose recordings still take up room."""
    count, first = session.execute(select(func.count(Episode.trashed_at), func.min(Episode.trashed_at))).one()
    if first is None:
        return
    yield note("storage", f"the trash keeps drafts for {KEPT.days} days: {count} in all.")
    if lag(first + KEPT, now) == "error":
        yield fault("worker", "the trash keeps drafts for longer than that. Does a worker run?")
