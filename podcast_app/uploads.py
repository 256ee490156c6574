"""An upload's life: bytes arrive and become a private original; what is audio is kept, the rest leaves nothing.

How they arrive in parts is in parts.py.
"""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from sqlalchemy import select
from sqlalchemy.orm import Session

from media import artwork, text
from media.probe import Facts, NotAudio, Picture, probe
from media.source import Source, StoredObject
from media.storage import Key, Missing, Storage
from podcast_app import covers, objects
from podcast_app.database import Database
from podcast_app.documents import chapters_in_file
from podcast_app.fields import LONGEST_NOTES, LONGEST_TITLE, EpisodeFields
from podcast_app.models import Audio, Episode, Json, ShowId, Upload, UploadId, new_id
from podcast_app.outcomes import Conflict, Done, Unknown

IN_USE = Conflict("An episode was made from this recording.", "Delete or withdraw the episode instead.")
# For queries of uploads: whether the draft that it is a recording of lies in the trash.
IN_TRASH = select(Episode.id).where(Episode.id == Upload.episode_id, Episode.trashed_at.is_not(None)).exists()

PIECE_BYTES = 8 * 2**20  # a request of a bucket each


class TooLarge(Exception):
    """The file is over PODCAST_MAX_UPLOAD_BYTES."""


@dataclass(frozen=True, slots=True)
class Received:
    """An original that is whole in storage, announced and not yet taken over."""

    key: Key
    filename: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Pictures:
    """What a file holds of pictures that can be used; stored and announced."""

    cover: covers.Picture | None = None
    chapters: Mapping[int, covers.Picture] = field(default_factory=dict)  # by the chapter's start, ms

    @property
    def keys(self) -> list[Key]:
        return [picture.key for picture in (self.cover, *self.chapters.values()) if picture is not None]


@dataclass(frozen=True, slots=True)
class Inspected:
    """An original that is audio, with what is known of it and what it suggests."""

    received: Received
    facts: Facts
    pictures: Pictures


class Original:
    """An original on its way in. All methods block; `write` takes large pieces, in order."""

    def __init__(self, database: Database, storage: Storage, limit_bytes: int) -> None:
        self.key = objects.private_key("originals")
        self.size_bytes = 0
        self._database = database
        self._limit_bytes = limit_bytes
        self._hash = hashlib.sha256()
        self._storage = storage
        with ExitStack() as stack:
            stack.enter_context(objects.announced(database, self.key))
            self._writer = stack.enter_context(storage.writing(self.key, "application/octet-stream"))
            self._stack = stack.pop_all()  # open until `finish` or `abandon`

    def write(self, data: bytes | bytearray) -> None:
        """Raises TooLarge, media.storage.Full, media.storage.Unavailable."""
        self.size_bytes += len(data)
        if self.size_bytes > self._limit_bytes:
            raise TooLarge
        self._hash.update(data)
        self._writer.write(memoryview(data))

    def finish(self, filename: str) -> Received:
        """The object is whole and durable when this returns."""
        self._stack.close()
        return Received(self.key, safe_filename(filename), self.size_bytes, self._hash.hexdigest())

    def abandon(self, cause: BaseException) -> None:
        """Nothing of it stays."""
        self._stack.__exit__(type(cause), cause, cause.__traceback__)
        remove(self._database, self._storage, self.key)


def inspect(database: Database, storage: Storage, received: Received) -> Inspected:
    """What the original is. Raises NotAudio, and then nothing of it stays; objects.TooLate."""
    try:
        facts = probe(StoredObject(storage, received.key, received.size_bytes))
    except Missing as swept:
        raise objects.TooLate(received.key) from swept
    except NotAudio:
        remove(database, storage, received.key)
        raise
    return Inspected(received, facts, _pictures(database, storage, facts))


def record(session: Session, show_id: ShowId, inspected: Inspected, now: dt.datetime) -> Upload:
    """The upload's row: complete, and not yet used."""
    received = inspected.received
    objects.take_over(session, received.key)
    upload = Upload(
        id=UploadId(new_id()),
        show_id=show_id,
        state="complete",
        filename=received.filename,
        key=received.key,
        size_bytes=received.size_bytes,
        sha256=received.sha256,
        facts=facts_as_json(inspected.facts),
        created_at=now,
    )
    session.add(upload)
    session.flush()
    return upload


def to_use(session: Session, upload_id: UploadId) -> Upload | None:
    """Locked. What a draft in the trash is made from is not there."""
    query = select(Upload).where(Upload.id == upload_id, ~IN_TRASH).with_for_update(of=Upload)
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def pictures_of(database: Database, storage: Storage, upload: Upload) -> Pictures:
    """The pictures inside an upload that waits; none while it is not complete."""
    if upload.state != "complete":
        return Pictures()
    return _pictures(database, storage, probe(StoredObject(storage, upload.key, upload.size_bytes)))


def discard(session: Session, upload_id: UploadId, now: dt.datetime) -> Done[None] | Conflict | Unknown:
    """A recording that no episode was made from goes for good; one that is still coming, with its parts."""
    upload = session.get(Upload, upload_id, with_for_update=True)
    if upload is None:
        return Unknown()
    if session.scalar(select(Audio.id).where(Audio.upload_id == upload_id).limit(1)) is not None:
        return IN_USE
    objects.release(session, upload.key, now)
    session.delete(upload)
    return Done(None)


def suggestions(facts: Mapping[str, Json]) -> EpisodeFields:
    """What the file says of itself, as an episode's fields. Only what it does say is set."""
    tags = facts["tags"]
    found: dict[str, object] = {
        "title": tags["title"][:LONGEST_TITLE],
        "notes": tags["comment"][:LONGEST_NOTES],
        "season": tags["season"],
        "number": tags["track"],
        "chapters": [
            {name: value for name, value in row.items() if name != "picture"} for row in chapters_in_file(facts)
        ],
    }
    return EpisodeFields.model_validate({name: value for name, value in found.items() if value})


def facts_as_json(facts: Facts) -> Json:
    """Everything but the pictures, which are stored as pictures."""
    chapters = tuple(dataclasses.replace(chapter, picture=None) for chapter in facts.chapters)
    return dataclasses.asdict(dataclasses.replace(facts, cover=None, chapters=chapters))


def safe_filename(name: str) -> str:
    """The file's name as it may be shown: its last part, one line, at most 255 characters."""
    last = PurePosixPath(text.clean_line(name).replace("\\", "/")).name
    return last[-255:] if last not in ("", ".", "..") else "audio"


def sha256(source: Source) -> str:
    """Of all its bytes, read in pieces."""
    digest = hashlib.sha256()
    for start in range(0, source.size, PIECE_BYTES):
        digest.update(source.read(start, start + PIECE_BYTES))
    return digest.hexdigest()


def remove(database: Database, storage: Storage, key: Key) -> None:
    """Delete an announced object now. Should we be killed in between, the worker does it."""
    storage.delete(key)
    database.write(objects.forget, key)


def _pictures(database: Database, storage: Storage, facts: Facts) -> Pictures:
    of_chapters = {chapter.start_ms: chapter.picture for chapter in facts.chapters if chapter.picture}
    return Pictures(
        cover=_stored(database, storage, artwork.cover, facts.cover),
        chapters={
            start: stored
            for start, picture in of_chapters.items()
            if (stored := _stored(database, storage, artwork.picture, picture))
        },
    )


def _stored(
    database: Database, storage: Storage, drawn: Callable[[bytes], artwork.Cover], picture: Picture | None
) -> covers.Picture | None:
    if picture is None:
        return None
    try:
        return covers.store(database, storage, drawn(picture.data))
    except artwork.BadPicture:
        return None  # not good enough: the show's cover stands in, and a chapter goes without
