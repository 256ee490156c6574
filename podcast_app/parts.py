"""An upload that comes in parts, over days and interruptions, and becomes complete or is refused.

Which parts have arrived is asked of the storage, never remembered. Completing may be said again, and by many at once.
"""

import datetime as dt
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from media.probe import Facts, NotAudio, probe
from media.source import StoredObject
from media.storage import LARGEST_NUMBER, Incomplete, Missing, Part, PartsId, Storage, Unavailable
from podcast_app import leases, objects, uploads
from podcast_app.database import Database
from podcast_app.models import ShowId, Upload, UploadId, new_id
from podcast_app.times import utcnow
from podcast_app.work import Work

MIB = 2**20
SMALLEST_PART_BYTES = 5 * MIB  # S3 takes no smaller ones but the last
LARGEST_PART_BYTES = 16 * MIB  # no request through us or a proxy is larger, and little is lost with one
PARTS_AIMED_AT = 200
MEDIA_TYPE = "application/octet-stream"  # of an original: whatever it is, nobody is to open it from the bucket

KEPT = dt.timedelta(days=7)  # after its last part, an upload that nobody completes goes
SETTLING_SECONDS = (0, 0.2, 0.5, 1.0)  # pauses before parts that are gone are taken for lost
HASHED_AFTER = dt.timedelta(minutes=1)  # until then, an episode made from it brings the checksum with its enclosure


@dataclass(frozen=True, slots=True)
class Arrived:
    """An upload, and the numbers of its parts that are safe. None are told once it is no longer open."""

    upload: Upload
    numbers: frozenset[int]


def part_size_bytes(size_bytes: int) -> int:
    """A whole number of MiB: 5 up to a gigabyte, so that a bad line loses little, and proxies with a limit of 10 MB
    take it; then more, so that there are about 200 parts."""
    aimed_at = math.ceil(size_bytes / PARTS_AIMED_AT / MIB) * MIB
    least = math.ceil(size_bytes / LARGEST_NUMBER / MIB) * MIB  # beyond 156 GiB
    return max(min(max(aimed_at, SMALLEST_PART_BYTES), LARGEST_PART_BYTES), least)


def sizes_bytes(upload: Upload) -> list[int]:
    """Of each part that belongs to it, the first one first."""
    assert upload.part_size_bytes is not None
    whole, rest = divmod(upload.size_bytes, upload.part_size_bytes)
    return [upload.part_size_bytes] * whole + ([rest] if rest else [])


def new(show_id: ShowId, filename: str, size_bytes: int, fingerprint: str | None, now: dt.datetime) -> Upload:
    """An upload that is open; not yet in the database, nor known to the storage."""
    return Upload(
        id=UploadId(new_id()),
        show_id=show_id,
        state="open",
        filename=uploads.safe_filename(filename),
        key=objects.private_key("originals"),
        size_bytes=size_bytes,
        fingerprint=fingerprint,
        part_size_bytes=part_size_bytes(size_bytes),
        facts={},
        created_at=now,
        expires_at=now + KEPT,
    )


def begin(database: Database, storage: Storage, upload: Upload) -> None:
    """Make the storage ready for a new upload's parts; `record` is to follow soon."""
    with objects.announced(database, upload.key):
        upload.parts_id = storage.begin_parts(upload.key, MEDIA_TYPE)


def record(session: Session, upload: Upload) -> Upload:
    """From now on the row owns what the storage has of it."""
    objects.take_over(session, upload.key)
    session.add(upload)
    session.flush()
    return upload


def look(database: Database, storage: Storage, upload_id: UploadId) -> Arrived | None:
    """An upload, and while it is open, which of its parts are safe. One that the storage has lost begins again."""
    upload = database.read(_get, upload_id)
    if upload is None or upload.state != "open":
        return Arrived(upload, frozenset()) if upload is not None else None
    sizes = dict(enumerate(sizes_bytes(upload), 1))
    try:
        return Arrived(upload, frozenset(part.number for part in _safe(storage, upload, sizes)))
    except Missing:
        if _is_joined_soon(storage, upload):  # by somebody who was killed before it was written down
            return Arrived(upload, frozenset(sizes))
    begun_again = _begun_again(database, storage, upload)
    return Arrived(begun_again, frozenset()) if begun_again is not None else None


def complete(database: Database, storage: Storage, upload_id: UploadId) -> Upload | Incomplete | None:
    """The upload: complete, or refused because it is no audio. Incomplete: parts are missing, and it stays open."""
    upload = database.read(_get, upload_id)
    if upload is None or upload.state != "open":
        return upload
    try:
        _join(storage, upload)
        facts = probe(StoredObject(storage, upload.key, upload.size_bytes))
    except Incomplete as incomplete:
        return incomplete
    except Missing:
        return _lost(database, storage, upload)
    except NotAudio as refusal:
        return database.write(_refuse, upload, refusal, utcnow())
    return database.write(_complete, upload, facts, utcnow())


def is_first_relayed(session: Session, upload_id: UploadId, now: dt.datetime) -> bool:
    """Take down that a part comes through us although the storage has a door of its own; whether that is news."""
    upload = session.get(Upload, upload_id, with_for_update=True)
    if upload is None or upload.relayed_at is not None:
        return False
    upload.relayed_at = now
    return True


def expire(work: Work) -> bool:
    """An open upload goes when no part has come for KEPT; and what is known of a refused one, after as long."""
    upload = work.database.write(_claim_expired, work.owner, utcnow())
    if upload is None:
        return False
    last = _last_part_at(work, upload) if upload.state == "open" else None
    work.database.write(_end, upload.id, last, utcnow())
    return True


def hash_original(work: Work) -> bool:
    """The checksum of a complete upload that came in parts, where no enclosure has brought it."""
    upload = work.database.write(_claim_unhashed, work.owner, utcnow())
    if upload is None:
        return False
    sha256 = None
    with leases.held(work.database, Upload, work.owner, Upload.id == upload.id), suppress(Missing, Unavailable):
        sha256 = uploads.sha256(StoredObject(work.storage, upload.key, upload.size_bytes))
    work.database.write(_hashed, upload.id, sha256, utcnow())
    return True


def _get(session: Session, upload_id: UploadId) -> Upload | None:
    return session.get(Upload, upload_id)


def _locked(session: Session, upload_id: UploadId) -> Upload | None:
    return session.get(Upload, upload_id, with_for_update=True)


def _parts(storage: Storage, upload: Upload) -> Iterator[Part]:
    assert upload.parts_id is not None
    return storage.parts(upload.key, upload.parts_id)


def _safe(storage: Storage, upload: Upload, sizes: Mapping[int, int]) -> Iterator[Part]:
    return (part for part in _parts(storage, upload) if sizes.get(part.number) == part.size_bytes)


def _join(storage: Storage, upload: Upload) -> None:
    """Raises Incomplete, Missing."""
    assert upload.parts_id is not None
    try:
        storage.join_parts(upload.key, upload.parts_id, sizes_bytes(upload))
    except Missing:
        if not _is_joined_soon(storage, upload):
            raise


def _is_joined_soon(storage: Storage, upload: Upload) -> bool:
    """While another joins them, a bucket may have the parts no longer and the whole not yet."""
    for pause in SETTLING_SECONDS:
        time.sleep(pause)
        if _is_joined(storage, upload):
            return True
    return False


def _is_joined(storage: Storage, upload: Upload) -> bool:
    try:
        return storage.size(upload.key) == upload.size_bytes
    except Missing:
        return False


def _begun_again(database: Database, storage: Storage, seen: Upload) -> Upload | None:
    parts_id = storage.begin_parts(seen.key, MEDIA_TYPE)
    return database.write(_renew, seen, parts_id, utcnow())


def _renew(session: Session, seen: Upload, parts_id: PartsId, now: dt.datetime) -> Upload | None:
    """Another may have begun again at the same time: then theirs counts, and ours goes when the parts are joined."""
    upload = _still_there(session, seen, now)
    if upload is not None and upload.state == "open" and upload.parts_id == seen.parts_id:
        upload.parts_id = parts_id
    return upload


def _lost(database: Database, storage: Storage, seen: Upload) -> Upload | Incomplete | None:
    """Neither the parts nor the whole are there: another has refused or cancelled it, or the storage has lost them."""
    upload = database.read(_get, seen.id)
    if upload is not None and upload.state == "open":
        upload = _begun_again(database, storage, seen)
    if upload is None or upload.state != "open":
        return upload
    return Incomplete(range(1, len(sizes_bytes(upload)) + 1))


def _still_there(session: Session, seen: Upload, now: dt.datetime) -> Upload | None:
    """The row, locked, unless it was cancelled or refused while we were busy in the storage: what we made there after
    its objects were swept is swept too."""
    upload = _locked(session, seen.id)
    if upload is None or upload.state == "refused":
        with suppress(IntegrityError), session.begin_nested():  # another says the same at this moment
            objects.release(session, seen.key, now)
    return upload


def _complete(session: Session, seen: Upload, facts: Facts, now: dt.datetime) -> Upload | None:
    upload = _still_there(session, seen, now)
    if upload is not None and upload.state == "open":
        upload.state, upload.facts = "complete", uploads.facts_as_json(facts)
        upload.parts_id = upload.expires_at = None
        upload.try_again_at = now + HASHED_AFTER
    return upload


def _refuse(session: Session, seen: Upload, refusal: NotAudio, now: dt.datetime) -> Upload | None:
    upload = _still_there(session, seen, now)
    if upload is not None and upload.state == "open":
        upload.state, upload.refusal = "refused", [refusal.sentence, refusal.values]
        upload.parts_id, upload.expires_at = None, now + KEPT
        objects.release(session, upload.key, now)
    return upload


def _claim_expired(session: Session, owner: str, now: dt.datetime) -> Upload | None:
    over = select(Upload).where(Upload.expires_at <= now).order_by(Upload.expires_at)
    return _claim(session, over, owner, now)


def _claim_unhashed(session: Session, owner: str, now: dt.datetime) -> Upload | None:
    unhashed = select(Upload).where(Upload.state == "complete", Upload.sha256.is_(None)).order_by(Upload.created_at)
    return _claim(session, unhashed, owner, now)


def _claim(session: Session, wanted: Select[Upload], owner: str, now: dt.datetime) -> Upload | None:
    free = wanted.where(leases.is_free(Upload, now)).limit(1).with_for_update(skip_locked=True)
    upload = session.scalars(free).first()
    if upload is not None:
        leases.take(upload, owner, now)
    return upload


def _last_part_at(work: Work, upload: Upload) -> dt.datetime | None:
    """None when there is no part; where they were joined, the upload is completed, as whoever joined them meant to."""
    try:
        return max((part.arrived_at for part in _parts(work.storage, upload)), default=None)
    except Missing:
        if _is_joined(work.storage, upload):
            complete(work.database, work.storage, upload.id)
        return None


def _end(session: Session, upload_id: UploadId, last_part_at: dt.datetime | None, now: dt.datetime) -> None:
    upload = _locked(session, upload_id)
    if upload is None:
        return
    leases.let_go(upload)
    if upload.expires_at is None or upload.expires_at > now:
        return  # completed or refused meanwhile
    if last_part_at is not None and last_part_at + KEPT > now:
        upload.expires_at = last_part_at + KEPT
    else:
        uploads.discard(session, upload_id, now)


def _hashed(session: Session, upload_id: UploadId, sha256: str | None, now: dt.datetime) -> None:
    upload = _locked(session, upload_id)
    if upload is not None:
        upload.sha256 = sha256 or upload.sha256  # an enclosure may have brought it meanwhile
        upload.try_again_at = None if upload.sha256 else now + HASHED_AFTER
        leases.let_go(upload)
