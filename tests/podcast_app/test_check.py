"""`podcast-app check` finds what is wrong, each thing made wrong for real, and is silent on what is right."""

import datetime as dt
import io
import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import select, update

from media.storage import Key, Storage, Stored
from podcast_app import check, object_check, parts, replacing, worker
from podcast_app.models import Audio, Edition, Episode, Feed, LooseObject, Measurement, Upload
from podcast_app.settings import Settings
from podcast_app.times import iso, utcnow
from tests.commands import podcast_app
from tests.podcasts import Library, Place, at
from tests.site import free_port, running

LONG_AGO = dt.timedelta(minutes=10)  # longer than anything may lag


@pytest.fixture(scope="module")
def published(_first_show_in_folder: Path, mp3: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A library with a published episode, made once. Its port is kept from everybody, so that no site runs there."""
    folder = shutil.copytree(_first_show_in_folder, tmp_path_factory.mktemp("published"), dirs_exist_ok=True)
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # but for a test that runs one there itself
        kept.bind(("127.0.0.1", 0))
        place = Place(f"sqlite:///{folder / 'podcast.db'}", folder, kept.getsockname()[1])
        with at(place) as library:
            library.published(mp3, title="Matonge")
        yield place


@pytest.fixture
def library(published: Place, tmp_path: Path) -> Iterator[Library]:
    """A copy of that one."""
    shutil.copytree(published.data_dir, tmp_path, dirs_exist_ok=True)
    with at(replace(published, database_url=f"sqlite:///{tmp_path / 'podcast.db'}", data_dir=tmp_path)) as library:
        yield library


def remarks(library: Library, status: int) -> list[str]:
    """What is printed, line by line, by a check that ends with this status."""
    said = io.StringIO()
    work = library.work
    ended = check.run(work.database, work.storage, work.settings, None, Console(file=said, width=400))
    assert ended == status, said.getvalue()
    return said.getvalue().splitlines()


def errors(library: Library) -> list[str]:
    return [line for line in remarks(library, 1) if line.startswith("error: ")]


def enclosure(library: Library) -> Edition:
    return library.work.database.read(
        lambda session: session.scalars(select(Edition).where(Edition.name == "enclosure")).one()
    )


def put(library: Library, key: str, data: bytes) -> None:
    with library.work.storage.writing(Key(key), "application/octet-stream") as writer:
        writer.write(data)


def change_feed(library: Library, **values: object) -> None:
    main = update(Feed).where(Feed.view == "main")
    library.work.database.write(lambda session: session.execute(main.values(**values)))


def announce_for(library: Library, time: dt.datetime) -> None:
    row = LooseObject(key=Key("private/covers/left"), delete_after=time)
    library.work.database.write(lambda session: session.merge(row))


def test_a_library_in_order_has_notes_at_most(library: Library) -> None:
    lines = remarks(library, 0)

    assert [line for line in lines if line.startswith("error")] == []
    assert lines[-1].startswith("Shows checked: 1. Errors: 0.")
    assert any("does not answer, so nothing was fetched" in line for line in lines)


@pytest.mark.parametrize("which", ["key", "public_key"])
def test_an_object_that_is_missing_is_found(library: Library, which: str) -> None:
    library.work.storage.delete(getattr(enclosure(library), which))

    [error] = errors(library)
    assert "is missing from the storage" in error


def test_an_original_that_is_missing_is_found(library: Library) -> None:
    [key] = library.objects("private/originals/")
    library.work.storage.delete(Key(key))

    [error] = errors(library)
    assert "the recording recording.mp3 is missing" in error


def test_an_object_that_nobody_owns_is_found(library: Library) -> None:
    put(library, "public/nobodys.mp3", b"x")

    [error] = errors(library)
    assert error == "error: public/nobodys.mp3: nobody owns this object."


def open_upload(library: Library, **values: object) -> Upload:
    """An upload of five bytes, none of which has come."""
    upload = parts.new(library.show().id, "long.mp3", 5, None, utcnow())
    upload.parts_id = library.work.storage.begin_parts(upload.key, "audio/mpeg")
    for name, value in values.items():
        setattr(upload, name, value)
    library.work.database.write(lambda session: session.add(upload))
    return upload


def test_an_upload_that_is_open_is_a_note_before_and_after_its_parts_are_joined(library: Library) -> None:
    upload, storage = open_upload(library), library.work.storage
    began = f"note: long.mp3: is not all here yet; it began {iso(upload.created_at)} ({upload.id})."
    assert began in remarks(library, 0)

    with storage.part_writing(upload.key, upload.parts_id, 1, 5) as writer:
        writer.write(b"audio")
    assert began in remarks(library, 0)
    storage.join_parts(upload.key, upload.parts_id, [5])
    assert began in remarks(library, 0)


def test_an_upload_that_was_refused_owns_nothing(library: Library) -> None:
    refused = open_upload(library, state="refused")
    library.work.storage.delete(refused.key)

    assert not any(refused.id in line or refused.key in line for line in remarks(library, 0))


def test_parts_that_nobody_owns_are_found_when_they_have_lain_for_a_while(library: Library, tmp_path: Path) -> None:
    key = Key("private/originals/nobodys")
    parts_id = library.work.storage.begin_parts(key, "audio/mpeg")
    [fresh] = [line for line in remarks(library, 0) if "never finished" in line]
    assert fresh.startswith(f"note: {key}: begun ")

    past = (utcnow() - LONG_AGO).timestamp()
    os.utime(tmp_path / "storage" / ".partial" / key / parts_id / "lock", (past, past))

    [error] = errors(library)
    assert error.startswith(f"error: {key}: begun ")


def test_a_second_attempt_beside_a_recording_goes_with_it(library: Library) -> None:
    [key] = library.objects("private/originals/")
    library.work.storage.begin_parts(Key(key), "audio/mpeg")

    assert any("lies beside the recording recording.mp3, and goes with it" in line for line in remarks(library, 0))


def test_what_came_another_way_than_it_should_is_noted_for_a_week(library: Library) -> None:
    day = dt.timedelta(days=1)
    for age, name in ((day, "new.mp3"), (8 * day, "old.mp3")):
        open_upload(library, filename=name, relayed_at=utcnow() - age)

    relayed = [line for line in remarks(library, 0) if "although the bucket has its own door" in line]

    assert [line.split(":")[1] for line in relayed] == [" new.mp3"]


def test_a_recording_without_a_checksum_is_noted_when_it_has_had_its_time(library: Library) -> None:
    library.work.database.write(lambda session: session.execute(update(Upload).values(sha256=None)))
    assert not any("checksum" in line for line in remarks(library, 0))

    early = utcnow() - dt.timedelta(hours=2)
    library.work.database.write(lambda session: session.execute(update(Upload).values(created_at=early)))

    lines = remarks(library, 1)  # since nobody has measured it either
    assert any(f"note: recording.mp3: has no checksum yet; it began {iso(early)}" in line for line in lines)


def test_what_was_on_its_way_at_the_first_look_is_not_found_at_the_second(library: Library) -> None:
    """A worker makes things under way while `check` looks."""
    key = Key("private/covers/moment")
    put(library, key, b"x")
    deleting = DeletesAfterListing(library.work.storage, key)

    said = list(object_check.objects(library.work.database, deleting))

    assert deleting.is_done
    assert said == []


class DeletesAfterListing:
    """The storage; an object in it is deleted as soon as it was listed."""

    def __init__(self, storage: Storage, key: Key) -> None:
        self._storage, self._key, self.is_done = storage, key, False

    def __getattr__(self, name: str) -> object:
        return getattr(self._storage, name)

    def list(self, prefix: str) -> Iterator[Stored]:
        yield from self._storage.list(prefix)
        if self._key.startswith(prefix):
            self._storage.delete(self._key)
            self.is_done = True


def test_an_object_of_another_size_is_found(library: Library) -> None:
    made = enclosure(library)
    put(library, str(made.public_key), b"shorter")

    [error] = errors(library)
    assert f"has 7 bytes, not {made.size_bytes}" in error


def test_a_feed_that_lacks_an_episode_is_found(library: Library, mp3: bytes) -> None:
    before = library.feed().gzip
    second = library.published(mp3, title="Second")

    change_feed(library, gzip=before)

    assert f"error: /diaspora-insights/feed.xml: the published episode {second.guid} is missing." in errors(library)


@pytest.mark.long
def test_a_feed_that_holds_what_is_not_published_is_found(library: Library) -> None:
    library.work.database.write(lambda session: session.execute(update(Episode).values(state="draft")))

    found = errors(library)

    assert len(found) == 2  # each language's feed
    assert all("which is not published" in error for error in found)


def test_a_copy_that_is_not_the_feed_is_found(library: Library) -> None:
    put(library, "feeds/diaspora-insights/feed.xml", b"<rss/>")

    [error] = errors(library)
    assert error == "error: /diaspora-insights/feed.xml: the copy in storage is not the feed."


def test_a_copy_that_is_missing_is_found(library: Library) -> None:
    library.work.storage.delete(Key("feeds/diaspora-insights/feed.xml"))

    assert any("the copy in storage is not the feed" in error for error in errors(library))


def test_a_copy_that_lags_is_a_note_at_first_and_an_error_later(library: Library) -> None:
    change_feed(library, generation=library.feed().generation + 1)
    lags = "/diaspora-insights/feed.xml: the copy in storage is not yet this generation's."
    assert f"note: {lags}" in remarks(library, 0)

    change_feed(library, modified_at=utcnow() - LONG_AGO)

    assert f"error: {lags}" in errors(library)


def test_an_object_that_the_worker_should_have_deleted_is_found(library: Library) -> None:
    put(library, "private/covers/left", b"x")
    announce_for(library, utcnow())
    assert "note: private/covers/left: nobody owns this object; the worker deletes it." in remarks(library, 0)

    announce_for(library, utcnow() - LONG_AGO)

    assert "error: private/covers/left: nobody owns this object; the worker deletes it." in errors(library)


def test_audio_that_could_not_be_prepared_is_found_with_its_reason(library: Library, mp3: bytes) -> None:
    episode = library.episode(library.draft(mp3, title="Lost"))
    library.work.storage.delete(episode.audio.upload.key)
    worker.catch_up(library.work)

    assert any("lost: the audio could not be prepared: The original is missing" in error for error in errors(library))


def test_what_failed_behind_publication_is_found_with_its_reason(library: Library) -> None:
    without = library.work.settings.model_copy(update={"ffmpeg": Path("/nowhere/ffmpeg")})
    worker.catch_up(replace(library.work, settings=without), worker.BEHIND)

    found = errors(library)

    for says in (
        "its edition low-mp3 could not be made",
        "its edition low-opus could not",
        "the recording could not be",
    ):
        assert any(line.startswith(f"error: matonge: {says}") and "ffmpeg" in line for line in found), says


def test_what_waits_behind_publication_is_a_note_until_nobody_is_at_it_for_long(library: Library) -> None:
    says = "worker: to be made behind publication: 3 measurements and light editions"
    assert f"note: {says}." in remarks(library, 0)

    long_ago = utcnow() - LONG_AGO
    library.work.database.write(lambda session: session.execute(update(Upload).values(created_at=long_ago)))
    assert f"error: {says}; nobody is at it. Does a worker run?" in errors(library)

    taken = update(Measurement).values(lease_owner="a worker", lease_until=utcnow() + LONG_AGO)
    library.work.database.write(lambda session: session.execute(taken))
    assert f"note: {says}; it is at it." in remarks(library, 0)


def test_a_replacement_on_its_way_and_what_was_replaced_are_noted(library: Library, mp3: bytes) -> None:
    work = library.work
    episode = work.database.read(lambda session: session.scalars(select(Episode)).one())
    work.database.write(replacing.replace, episode.id, library.upload(mp3, "other.mp3"), {}, utcnow())
    assert "note: matonge: other.mp3 is being prepared, and will take the place of its audio." in remarks(library, 0)

    worker.catch_up(work)
    assert any("former recordings are kept for 30 days: 1, of 0.0 MB" in line for line in remarks(library, 0))

    ages_ago = update(Audio).where(Audio.replaced_at.is_not(None)).values(replaced_at=utcnow() - dt.timedelta(days=31))
    work.database.write(lambda session: session.execute(ages_ago))
    assert "error: worker: former recordings are kept for longer than that. Does a worker run?" in errors(library)


def test_plain_http_in_public_is_an_error(sqlite_place: Place) -> None:
    settings = sqlite_place.settings.model_copy(update={"base_url": "http://127.podcast.invalid"})
    with at(sqlite_place) as library:
        said = io.StringIO()
        ended = check.run(library.work.database, library.work.storage, settings, None, Console(file=said, width=400))

    assert ended == 1
    assert "is not https; directories want https" in said.getvalue()


def test_plain_http_for_media_of_a_site_over_https_is_an_error(sqlite_place: Place) -> None:
    mixed = {"base_url": "https://127.podcast.invalid", "media_base_url": "http://cdn.podcast.invalid"}
    settings = sqlite_place.settings.model_copy(update=mixed)
    with at(sqlite_place) as library:
        said = io.StringIO()
        check.run(library.work.database, library.work.storage, settings, None, Console(file=said, width=400))

    assert "error: PODCAST_MEDIA_BASE_URL: is http and the site is https" in said.getvalue()


@pytest.mark.long
def test_of_a_site_and_what_stands_before_its_bucket_the_one_that_does_not_answer_is_named(
    sqlite_place: Place, mp3: bytes
) -> None:
    place, elsewhere = replace(sqlite_place, port=free_port()), f"http://127.0.0.1:{free_port()}"
    with running(place.settings.model_copy(update={"media_base_url": elsewhere})) as site, at(place) as library:
        site.published(mp3, title="Matonge")
        worker.catch_up(library.work)

        lines = remarks(library, 0)

    assert f"note: diaspora-insights: {elsewhere} does not answer, so nothing was fetched from it." in lines


def test_an_episode_that_is_late_is_found(library: Library, mp3: bytes) -> None:
    library.draft(mp3, title="Late", publish=utcnow() - LONG_AGO)

    [error] = errors(library)
    assert error == "error: late: is due, and not out yet."


def test_an_episode_that_is_due_just_now_is_a_note(library: Library, mp3: bytes) -> None:
    library.draft(mp3, title="On its way", publish="now")

    assert "note: on-its-way: is due, and not out yet." in remarks(library, 0)


def test_a_site_that_serves_what_was_published_is_fetched_in_silence(sqlite_place: Place, mp3: bytes) -> None:
    place = replace(sqlite_place, port=free_port())
    with running(place.settings) as site, at(place) as library:
        site.published(mp3, title="Matonge")
        worker.catch_up(library.work)

        lines = remarks(library, 0)

    assert [line for line in lines if "fetched" in line or "served" in line] == []


@pytest.mark.long
def test_a_site_that_serves_something_else_is_found(library: Library, tmp_path_factory: pytest.TempPathFactory) -> None:
    port = library.work.settings.port
    with running(Settings(port=port, data_dir=tmp_path_factory.mktemp("another"), _env_file=None)):
        assert any("is not served as published" in error for error in errors(library))


@pytest.mark.long
def test_the_exit_status_says_what_was_found(sqlite_place: Place) -> None:
    with at(sqlite_place) as library:
        worker.catch_up(library.work)
    clean = podcast_app("check", data_dir=sqlite_place.data_dir, PORT=str(free_port()))
    (sqlite_place.data_dir / "storage" / "public").mkdir()
    (sqlite_place.data_dir / "storage" / "public" / "nobodys.mp3").touch()

    broken = podcast_app("check", data_dir=sqlite_place.data_dir, PORT=str(free_port()))
    unknown = podcast_app("check", "--show", "nowhere", data_dir=sqlite_place.data_dir)

    assert (clean.returncode, broken.returncode, unknown.returncode) == (0, 1, 2), clean.stdout
