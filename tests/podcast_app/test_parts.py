"""An upload's life in parts, without HTTP: begun, joined, refused, lost, cancelled in the middle, and cleaned."""

import datetime as dt
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_hex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.orm import Session

from media.storage import LARGEST_NUMBER, Incomplete, Key, Missing, PartsId, Storage, Unavailable
from media.storage.folder import Folder
from media.storage.open import open_storage
from podcast_app import leases, objects, outgoing, parts, uploads, worker
from podcast_app.database import Database
from podcast_app.models import Upload
from podcast_app.outcomes import Conflict, Done
from podcast_app.parts import MIB
from podcast_app.times import utcnow
from podcast_app.work import Work
from tests.podcasts import Library, Place
from tests.s3_servers import S3Server

DAY = dt.timedelta(days=1)
NOISE = b"hello " * 1000


LONG = {"marks": pytest.mark.long}


@pytest.fixture(
    params=[
        "sqlite-folder",
        "postgresql-moto",
        pytest.param("sqlite-moto", **LONG),
        pytest.param("postgresql-folder", **LONG),
    ]
)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """An empty library with its first show, on each kind of database and of storage; all pairs in the long run."""
    database_kind, _, storage_kind = request.param.partition("-")
    place: Place = request.getfixturevalue(f"{database_kind}_place")
    url = None
    if storage_kind == "moto":
        server: S3Server = request.getfixturevalue("moto")
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        url = server.storage_url(token_hex(4))
    database = Database(place.settings.database)
    try:
        yield Library(Work(database, open_storage(url, place.data_dir), place.settings))
    finally:
        database.close()


on_folders = pytest.mark.parametrize("library", ["sqlite-folder", "postgresql-folder"], indirect=True)


def begun(library: Library, size_bytes: int) -> Upload:
    """An upload that is open, of so many bytes."""
    upload = parts.new(library.show().id, "recording.mp3", size_bytes, None, utcnow())
    parts.begin(library.work.database, library.work.storage, upload)
    return library.work.database.write(parts.record, upload)


def send(library: Library, upload: Upload, number: int, data: bytes) -> None:
    storage = library.work.storage
    with storage.part_writing(upload.key, upload.parts_id, number, len(data)) as writer:
        writer.write(data)


def sent(library: Library, data: bytes) -> Upload:
    """An upload all of whose parts have arrived: one."""
    upload = begun(library, len(data))
    send(library, upload, 1, data)
    return upload


def look(library: Library, upload: Upload) -> parts.Arrived | None:
    return parts.look(library.work.database, library.work.storage, upload.id)


def complete(library: Library, upload: Upload) -> Upload | Incomplete | None:
    return parts.complete(library.work.database, library.work.storage, upload.id)


def row(library: Library, upload: Upload) -> Upload | None:
    return library.work.database.read(lambda session: session.get(Upload, upload.id))


def cancel(library: Library, upload: Upload) -> None:
    done = library.work.database.write(uploads.discard, upload.id, utcnow())
    assert isinstance(done, Done), done


def sweep(library: Library) -> None:
    while outgoing.sweep(library.work):
        pass


def stays(library: Library, upload: Upload) -> bool:
    """Whether the storage has anything of it when the worker has swept."""
    sweep(library)
    storage = library.work.storage
    return any(True for _ in storage.list(upload.key)) or any(True for _ in storage.unfinished(upload.key))


def days_pass(library: Library, upload: Upload, days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the row, and for what has arrived of it; a bucket's clock is not ours, there patience is shorter instead."""
    ago = utcnow() - days * DAY

    def move(session: Session) -> None:
        found = session.get_one(Upload, upload.id)
        if found.expires_at is not None:
            found.expires_at -= days * DAY

    library.work.database.write(move)
    if isinstance(library.work.storage, Folder):
        aside = library.work.settings.data_dir / "storage" / ".partial" / upload.key
        for path in aside.rglob("*"):
            os.utime(path, (ago.timestamp(), ago.timestamp()))
    else:
        monkeypatch.setattr(parts, "KEPT", parts.KEPT - days * DAY)


# --- how it is cut ---


@pytest.mark.parametrize(
    ("size_bytes", "part_mib", "count"),
    [
        (1, 5, 1),
        (5 * MIB, 5, 1),
        (5 * MIB + 1, 5, 2),
        (61 * MIB, 5, 13),
        (300 * MIB, 5, 60),
        (1000 * MIB, 5, 200),
        (1800 * MIB, 9, 200),
        (5_000_000_000, 16, 299),
    ],
)
def test_a_recording_is_cut_into_parts_of_5_to_16_mib(size_bytes: int, part_mib: int, count: int) -> None:
    upload = parts.new("show", "a.mp3", size_bytes, None, utcnow())

    assert upload.part_size_bytes == part_mib * MIB
    assert len(parts.sizes_bytes(upload)) == count


@given(size_bytes=st.integers(1, 5 * 2**40))
def test_however_large_it_is_its_parts_are_together_all_of_it(size_bytes: int) -> None:
    upload = parts.new("show", "a.mp3", size_bytes, None, utcnow())
    sizes = parts.sizes_bytes(upload)

    assert sum(sizes) == size_bytes
    assert set(sizes[:-1]) <= {upload.part_size_bytes}
    assert 0 < sizes[-1] <= upload.part_size_bytes < 2**31  # an integer of the database
    assert len(sizes) <= LARGEST_NUMBER


# --- its beginning ---


def test_what_was_begun_and_never_recorded_goes(library: Library) -> None:
    upload = parts.new(library.show().id, "a.mp3", 10, None, utcnow())
    parts.begin(library.work.database, library.work.storage, upload)
    send(library, upload, 1, b"0123456789")
    library.an_hour_passes()

    assert not stays(library, upload)
    with pytest.raises(objects.TooLate):
        library.work.database.write(parts.record, upload)
    assert row(library, upload) is None


# --- completion ---


def test_a_recording_in_parts_is_complete_when_all_have_arrived(library: Library, mp3: bytes) -> None:
    recording = (mp3 * 400)[: 6 * MIB]
    upload = begun(library, len(recording))
    send(library, upload, 2, recording[5 * MIB :])
    assert look(library, upload).numbers == {2}

    incomplete = complete(library, upload)
    assert isinstance(incomplete, Incomplete)
    assert list(incomplete.numbers) == [1]
    send(library, upload, 1, recording[: 5 * MIB])
    completed = complete(library, upload)

    assert isinstance(completed, Upload)
    assert (completed.state, completed.expires_at, completed.parts_id) == ("complete", None, None)
    assert completed.facts["container"] == "mp3"
    assert look(library, upload).upload.state == "complete"
    assert library.work.storage.read(upload.key, 0, 7 * MIB) == recording
    assert list(library.work.storage.unfinished(upload.key)) == []
    assert library.loose() == set()


def test_many_who_complete_it_at_once_make_one_of_it(library: Library, mp3: bytes) -> None:
    upload = sent(library, mp3)

    with ThreadPoolExecutor(5) as many:
        completed = list(many.map(lambda _: complete(library, upload), range(5)))

    assert {each.state for each in completed} == {"complete"}
    assert library.objects("private/originals") == {upload.key}
    assert library.loose() == set()


def test_many_who_complete_no_audio_at_once_are_all_refused(library: Library) -> None:
    upload = sent(library, NOISE)

    with ThreadPoolExecutor(5) as many:
        refused = list(many.map(lambda _: complete(library, upload), range(5)))

    assert {each.state for each in refused} == {"refused"}
    assert not stays(library, upload)
    assert complete(library, upload).state == "refused"
    assert library.loose() == set()


class Interrupted:
    """A storage, and what happens in the world as soon as it has joined parts."""

    def __init__(self, storage: Storage, then: Callable[[], None]) -> None:
        self._storage = storage
        self._then = then

    def join_parts(self, key: Key, parts_id: PartsId, sizes_bytes: list[int]) -> None:
        self._storage.join_parts(key, parts_id, sizes_bytes)
        self._then()

    def __getattr__(self, name: str) -> object:
        return getattr(self._storage, name)


def test_a_part_that_ends_after_completion_changes_nothing(library: Library, mp3: bytes) -> None:
    upload = sent(library, mp3)

    with (  # noqa: PT012 (the block is what is tested)
        pytest.raises((Missing, Unavailable)),  # moto answers 500
        library.work.storage.part_writing(upload.key, upload.parts_id, 1, len(mp3)) as late,
    ):
        late.write(bytes(100))
        assert complete(library, upload).state == "complete"
        late.write(bytes(len(mp3) - 100))

    assert library.work.storage.read(upload.key, 0, len(mp3) + 1) == mp3
    assert list(library.work.storage.unfinished(upload.key)) == []


@pytest.mark.parametrize("audio", [True, False])
def test_who_cancels_between_the_joining_and_the_record_leaves_nothing(
    library: Library, mp3: bytes, audio: bool
) -> None:
    data = mp3 if audio else NOISE
    upload = sent(library, data)

    def cancelled_and_swept_too_early() -> None:
        cancel(library, upload)
        sweep(library)
        with library.work.storage.writing(upload.key, "") as writer:  # as if the joining had ended only now
            writer.write(data)

    storage = Interrupted(library.work.storage, cancelled_and_swept_too_early)
    completed = parts.complete(library.work.database, storage, upload.id)

    assert completed is None
    assert row(library, upload) is None
    assert not stays(library, upload)
    assert library.loose() == set()


def test_a_sweep_that_ends_after_a_late_writer_comes_once_more(library: Library) -> None:
    """The writer says that it was late while the object is just being deleted: that word is not forgotten."""
    upload = sent(library, NOISE)
    cancel(library, upload)

    class WrittenTooLate(Interrupted):
        def delete(self, key: Key) -> None:
            self._storage.delete(key)
            with self._storage.writing(key, "") as writer:
                writer.write(b"late")
            library.work.database.write(objects.release, key, utcnow())

    storage = WrittenTooLate(library.work.storage, lambda: None)
    outgoing.sweep(Work(library.work.database, storage, library.work.settings))

    assert not stays(library, upload)
    assert library.loose() == set()


@on_folders
def test_who_waits_for_another_to_join_what_is_cancelled_is_told_so(library: Library) -> None:
    upload = sent(library, NOISE)
    path = library.work.settings.data_dir / "storage" / ".partial" / upload.key / upload.parts_id / "lock"

    with path.open("rb") as lock, ThreadPoolExecutor(1) as one:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = one.submit(complete, library, upload)
        while how_often_open(path) < 2:
            time.sleep(0.01)
        cancel(library, upload)
        sweep(library)
        fcntl.flock(lock, fcntl.LOCK_UN)

        assert waiting.result(20) is None


def how_often_open(path: Path) -> int:
    """In this process."""
    return sum(entry.is_symlink() and entry.readlink() == path for entry in list(Path("/proc/self/fd").iterdir()))


# --- what the storage loses ---


def test_who_looks_at_parts_that_were_lost_begins_again(library: Library, mp3: bytes) -> None:
    upload = sent(library, mp3)
    library.work.storage.delete(upload.key)

    with ThreadPoolExecutor(3) as many:
        looks = list(many.map(lambda _: look(library, upload), range(3)))
    assert {each.numbers for each in looks} == {frozenset()}
    now = row(library, upload)
    assert now.parts_id != upload.parts_id
    assert {each.upload.parts_id for each in looks} == {now.parts_id}

    send(library, now, 1, mp3)
    assert complete(library, upload).state == "complete"
    assert list(library.work.storage.unfinished(upload.key)) == []


def test_who_looks_while_it_is_cancelled_leaves_no_new_beginning(library: Library, mp3: bytes) -> None:
    upload = sent(library, mp3)

    class CancelledMeanwhile(Interrupted):
        def begin_parts(self, key: Key, media_type: str) -> PartsId:
            cancel(library, upload)
            sweep(library)
            return self._storage.begin_parts(key, media_type)

    library.work.storage.delete(upload.key)
    looked = parts.look(library.work.database, CancelledMeanwhile(library.work.storage, lambda: None), upload.id)

    assert looked is None
    assert not stays(library, upload)


def test_who_completes_with_what_was_known_before_it_began_again_undoes_nothing(library: Library, mp3: bytes) -> None:
    upload = sent(library, mp3)
    library.work.storage.delete(upload.key)

    class BegunAgainMeanwhile(Interrupted):
        def join_parts(self, key: Key, parts_id: PartsId, sizes_bytes: list[int]) -> None:
            send(library, look(library, upload).upload, 1, mp3)
            self._storage.join_parts(key, parts_id, sizes_bytes)

    storage = BegunAgainMeanwhile(library.work.storage, lambda: None)
    late = parts.complete(library.work.database, storage, upload.id)

    assert isinstance(late, Incomplete)
    assert look(library, upload).numbers == {1}
    assert complete(library, upload).state == "complete"


# --- cleaning ---


@pytest.mark.long_on_postgresql
def test_an_open_upload_goes_a_week_after_its_last_part(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = begun(library, 6 * MIB)
    send(library, upload, 2, bytes(MIB))
    days_pass(library, upload, 8, monkeypatch)

    assert parts.expire(library.work)

    assert row(library, upload) is None
    assert not stays(library, upload)
    assert not parts.expire(library.work)


def test_an_open_upload_with_a_fresh_part_stays_a_week_longer(library: Library) -> None:
    upload = begun(library, 6 * MIB)
    over = upload.created_at - DAY
    library.work.database.write(lambda session: session.execute(update(Upload).values(expires_at=over)))
    send(library, upload, 2, bytes(MIB))

    assert parts.expire(library.work)

    now = row(library, upload)
    assert now.state == "open"
    assert abs(utcnow() + parts.KEPT - now.expires_at) < dt.timedelta(minutes=1)
    assert (now.lease_owner, now.lease_until) == (None, None)
    assert look(library, upload).numbers == {2}
    assert not parts.expire(library.work)


@pytest.mark.parametrize("is_lost", [False, True])
def test_an_open_upload_without_any_part_goes_after_a_week(
    library: Library, monkeypatch: pytest.MonkeyPatch, is_lost: bool
) -> None:
    upload = begun(library, 10)
    if is_lost:
        library.work.storage.delete(upload.key)
    assert not parts.expire(library.work)
    days_pass(library, upload, 8, monkeypatch)

    worker.catch_up(library.work)

    assert row(library, upload) is None
    assert not stays(library, upload)


@pytest.mark.long_on_postgresql
def test_what_is_known_of_a_refused_upload_goes_after_a_week(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = sent(library, NOISE)
    complete(library, upload)
    assert not parts.expire(library.work)
    days_pass(library, upload, 8, monkeypatch)

    worker.catch_up(library.work)

    assert row(library, upload) is None
    assert library.loose() == set()


@pytest.mark.long_on_postgresql
def test_a_complete_upload_stays_for_ever(library: Library, mp3: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = sent(library, mp3)
    complete(library, upload)
    days_pass(library, upload, 4000, monkeypatch)

    worker.catch_up(library.work)

    assert row(library, upload).state == "complete"
    assert library.objects("private/originals") == {upload.key}


def test_an_upload_that_is_completed_while_it_is_looked_at_stays(library: Library, mp3: bytes) -> None:
    upload = sent(library, mp3)
    library.work.database.write(
        lambda session: session.execute(update(Upload).values(expires_at=utcnow() - DAY, created_at=utcnow()))
    )

    class CompletedMeanwhile(Interrupted):
        def parts(self, key: Key, parts_id: PartsId) -> Iterator[object]:
            complete(library, upload)
            return iter([])

    storage = CompletedMeanwhile(library.work.storage, lambda: None)
    parts.expire(Work(library.work.database, storage, library.work.settings))

    now = row(library, upload)
    assert (now.state, now.lease_owner) == ("complete", None)
    assert library.objects("private/originals") == {upload.key}


def test_what_was_joined_by_somebody_who_was_killed_is_completed_after_a_week(
    library: Library, mp3: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = sent(library, mp3)
    library.work.storage.join_parts(upload.key, upload.parts_id, [len(mp3)])
    days_pass(library, upload, 8, monkeypatch)

    worker.catch_up(library.work)

    assert row(library, upload).state == "complete"
    assert library.objects("private/originals") == {upload.key}


@on_folders
def test_what_a_killed_worker_was_looking_at_is_looked_at_by_another(library: Library) -> None:
    upload = begun(library, 10)

    def held_by_the_dead(session: Session) -> None:
        found = session.get_one(Upload, upload.id)
        found.expires_at = utcnow() - DAY
        leases.take(found, "dead", utcnow())

    library.work.database.write(held_by_the_dead)
    assert not parts.expire(library.work)
    library.work.database.write(
        lambda session: session.execute(update(Upload).values(lease_until=utcnow() - dt.timedelta(seconds=1)))
    )

    assert parts.expire(library.work)

    assert row(library, upload) is None


@pytest.mark.long_on_postgresql
def test_an_upload_that_an_episode_was_made_from_is_not_discarded(library: Library, mp3: bytes) -> None:
    episode = library.episode(library.draft(mp3))

    refused = library.work.database.write(uploads.discard, episode.audio.upload.id, utcnow())

    assert isinstance(refused, Conflict)
    assert episode.audio.upload.key in library.objects()


# --- its checksum ---


def it_is_time(library: Library) -> None:
    library.work.database.write(lambda session: session.execute(update(Upload).values(try_again_at=None)))


@pytest.mark.long_on_postgresql
def test_a_complete_upload_gets_its_checksum_after_a_while(library: Library, mp3: bytes) -> None:
    upload = sent(library, mp3)
    complete(library, upload)
    assert not parts.hash_original(library.work)
    it_is_time(library)

    assert parts.hash_original(library.work)

    now = row(library, upload)
    assert (now.sha256, now.lease_owner, now.try_again_at) == (hashlib.sha256(mp3).hexdigest(), None, None)
    assert not parts.hash_original(library.work)


@pytest.mark.long_on_postgresql
def test_an_original_that_is_missing_is_looked_for_again_later(library: Library, mp3: bytes) -> None:
    upload = sent(library, mp3)
    complete(library, upload)
    library.work.storage.delete(upload.key)
    it_is_time(library)

    assert parts.hash_original(library.work)

    now = row(library, upload)
    assert (now.sha256, now.lease_owner) == (None, None)
    assert now.try_again_at > utcnow()
    assert not parts.hash_original(library.work)


def test_a_checksum_that_came_meanwhile_is_kept(library: Library, mp3: bytes) -> None:
    upload = sent(library, mp3)
    complete(library, upload)
    it_is_time(library)

    class HashedMeanwhile(Interrupted):
        def read(self, key: Key, start: int, stop: int) -> bytes:
            library.work.database.write(lambda session: session.execute(update(Upload).values(sha256="f" * 64)))
            library.work.storage.delete(key)
            return self._storage.read(key, start, stop)

    storage = HashedMeanwhile(library.work.storage, lambda: None)
    parts.hash_original(Work(library.work.database, storage, library.work.settings))

    assert row(library, upload).sha256 == "f" * 64


# --- who used our door ---


@pytest.mark.long_on_postgresql
def test_it_is_news_once_that_a_part_came_through_us(library: Library) -> None:
    upload = begun(library, 10)

    said = [library.work.database.write(parts.is_first_relayed, upload.id, utcnow()) for _ in range(3)]
    cancel(library, upload)

    assert said == [True, False, False]
    assert not library.work.database.write(parts.is_first_relayed, upload.id, utcnow())


def test_a_half_written_part_goes_with_the_others(tmp_path: Path) -> None:
    """A process that is killed in a part leaves a file that nobody counts."""
    storage = open_storage(None, tmp_path)
    parts_id = storage.begin_parts(Key("private/originals/x"), "")
    (half,) = (tmp_path / "storage" / ".partial").rglob("lock")
    half.with_name("1.0a1b2c3d").write_bytes(b"half")

    assert list(storage.parts(Key("private/originals/x"), parts_id)) == []
    storage.delete(Key("private/originals/x"))

    assert list((tmp_path / "storage").rglob("*")) == []
