"""What comes behind publication: it fails without harm, is tried again, and leaves nothing that nobody owns."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import feedparser
import pytest
from sqlalchemy import select, update

from media.storage import Key, Missing
from podcast_app import behind, derived, enclosures, publishing, replacing, worker
from podcast_app.models import Edition, Measurement
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from podcast_app.work import Work, core
from tests.media.samples import audio
from tests.podcast_app import jobs
from tests.podcasts import Library, Place, at
from tests.site import Site, free_port, hurried, running

EVERYTHING = (*worker.PUBLISHING, *worker.AUDIO, *worker.BEHIND)
LIGHT = {"low-mp3", "low-opus"}

Answer = dict[str, Any]  # JSON


@pytest.fixture
def library(sqlite_place: Place) -> Iterator[Library]:
    with at(sqlite_place) as library, hurried():
        yield library


def editions(library: Library) -> dict[str, Edition]:
    """By name, where there is one episode."""
    rows = library.work.database.read(lambda session: session.scalars(select(Edition)).all())
    return {row.name: row for row in rows}


def measurement(library: Library) -> Measurement:
    return library.work.database.read(lambda session: session.scalars(select(Measurement)).one())


def engine(folder: Path, does: str) -> Path:
    """An ffmpeg that does this instead; `$FFMPEG` is the real one."""
    program = folder / "ffmpeg"
    program.write_text(f"#!/bin/sh\nFFMPEG={shutil.which('ffmpeg')}\n{does}\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def with_engine(work: Work, program: Path) -> Work:
    return replace(work, settings=work.settings.model_copy(update={"ffmpeg": program}))


def test_everything_behind_is_made_in_one_go_and_then_there_is_nothing_to_do(library: Library, mp3: bytes) -> None:
    library.published(mp3, title="Matonge")

    worker.catch_up(library.work, EVERYTHING)

    assert {name: made.status for name, made in editions(library).items()} == dict.fromkeys(
        {"enclosure", *LIGHT}, "ready"
    )
    assert measurement(library).status == "ready"
    assert len(library.objects("public/")) == 3
    assert library.loose() == set()
    assert not any(step(library.work) for step in EVERYTHING)


def test_a_draft_is_measured_and_gets_no_light_editions(library: Library, mp3: bytes) -> None:
    library.draft(mp3, title="Draft")

    worker.catch_up(library.work, EVERYTHING)

    assert measurement(library).status == "ready"
    assert editions(library).keys() == {"enclosure"}
    assert library.objects("public/") == set()


# --- failures ---


def test_what_fails_keeps_its_reason_harms_nothing_and_is_tried_again_by_itself(
    library: Library, mp3: bytes, tmp_path: Path
) -> None:
    episode = library.published(mp3, title="Matonge")
    feed = library.xml()

    worker.catch_up(with_engine(library.work, engine(tmp_path, "echo broken >&2; exit 1")), EVERYTHING)

    failed = editions(library)
    assert {failed[name].status for name in LIGHT} == {"failed"}
    assert all(failed[name].failure and failed[name].try_again_at > utcnow() for name in LIGHT)
    assert (measurement(library).status, measurement(library).progress_percent) == ("failed", None)
    assert library.episode(episode.id).state == "published"
    assert library.xml() == feed
    assert library.loose() == set()

    worker.catch_up(library.work, EVERYTHING)
    assert {editions(library)[name].status for name in LIGHT} == {"failed"}  # not before its pause is over

    library.an_hour_passes()
    worker.catch_up(library.work, EVERYTHING)
    made: list[Edition | Measurement] = [*editions(library).values(), measurement(library)]
    assert {(each.status, each.failure) for each in made} == {("ready", None)}


@pytest.mark.long
def test_a_source_that_is_missing_is_named_and_no_other_work_waits(library: Library, mp3: bytes) -> None:
    lost, other = library.published(mp3, title="Lost"), library.published(mp3, title="Other")
    assert lost.audio is not None
    made = library.work.database.read(lambda session: session.get_one(Edition, (lost.audio.id, "enclosure")))
    library.work.storage.delete(made.key)

    worker.catch_up(library.work, EVERYTHING)

    rows = library.work.database.read(
        lambda session: session.scalars(select(Edition).where(Edition.name.in_(LIGHT))).all()
    )
    assert {row.status for row in rows if row.audio_id == lost.audio.id} == {"failed"}
    assert {row.failure for row in rows if row.audio_id == lost.audio.id} == {
        "The original is missing from the storage."
    }
    assert {row.status for row in rows if other.audio and row.audio_id == other.audio.id} == {"ready"}


@pytest.mark.parametrize(
    "fate",
    [
        "withdrawn",
        pytest.param("replaced", marks=pytest.mark.long),
        pytest.param("taken by another", marks=pytest.mark.long),
    ],
)
def test_an_edition_that_nobody_wants_any_more_is_thrown_away(
    library: Library, mp3: bytes, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    episode, work = library.published(mp3, title="Matonge"), library.work
    real = work.storage.put_file

    def put_late(key: Key, *rest: Any) -> None:
        real(key, *rest)
        if not key.startswith("public/"):
            return
        monkeypatch.setattr(work.storage, "put_file", real)
        if fate == "withdrawn":
            work.database.write(publishing.withdraw, episode.id, work.settings, utcnow())
        elif fate == "replaced":
            upload_id = library.upload(mp3, "other.mp3")
            work.database.write(replacing.replace, episode.id, upload_id, {}, utcnow())
            worker.catch_up(work)
        else:
            theft = update(Edition).where(Edition.name == "low-mp3").values(lease_owner="another")
            work.database.write(lambda session: session.execute(theft))

    monkeypatch.setattr(work.storage, "put_file", put_late)
    assert behind.make_low_mp3(work)
    worker.catch_up(work)

    offered = [entry.enclosures[0].href for entry in feedparser.parse(library.xml("main-low")).entries]
    assert not any("-low." in address for address in offered)
    assert [key for key in library.objects("public/") if key not in library.loose()] == [
        made.public_key for made in _public(library)
    ]


def _public(library: Library) -> list[Edition]:
    public = select(Edition).where(Edition.public_key.is_not(None))
    return list(library.work.database.read(lambda session: session.scalars(public).all()))


def test_an_edition_made_again_after_its_object_was_lost_is_there_again(library: Library, mp3: bytes) -> None:
    episode, work = library.published(mp3, title="Matonge"), library.work
    worker.catch_up(work, EVERYTHING)
    lost = editions(library)["low-opus"].public_key
    work.storage.delete(lost)

    work.database.write(replacing.make_again, episode.id, "low-opus", utcnow())
    worker.catch_up(work, EVERYTHING)

    again = editions(library)["low-opus"]
    assert work.storage.size(again.public_key) == again.size_bytes
    with pytest.raises(Missing):
        work.storage.size(lost)


# --- how far it is, and how much of it at once ---


def test_a_row_says_in_percent_how_far_it_is(library: Library, mp3: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    library.published(mp3, title="Matonge")
    monkeypatch.setattr(derived, "TOLD_EVERY", 0.0)
    claim = enclosures.claim_of(editions(library)["low-mp3"], "me")
    taking = update(Edition).where(*claim.which).values(lease_owner="me")
    library.work.database.write(lambda session: session.execute(taking))

    told = derived.progress(library.work, claim, 2000)
    told(500)
    assert editions(library)["low-mp3"].progress_percent == 25
    told(9000)  # the recording was longer than it said
    assert editions(library)["low-mp3"].progress_percent == 99


def test_there_is_no_more_of_it_at_once_than_the_machine_has_cores(library: Library, mp3: bytes) -> None:
    library.published(mp3, title="Matonge")
    with ExitStack() as busy:
        taken = [busy.enter_context(core(library.work.settings)) for _ in range(os.cpu_count() or 1)]
        assert all(taken)

        assert not any(step(library.work) for step in worker.BEHIND)

    assert any(step(library.work) for step in worker.BEHIND)


def wait_for(site: Site, episode: Answer, is_so: Callable[[Answer], bool], seconds: float = 30) -> Answer:
    """What the API says of its audio, once it is so."""
    end = time.monotonic() + seconds
    while True:
        found: Answer = site.api.get(f"/api/v1/episodes/{episode['id']}").json()["audio"]
        if is_so(found):
            return found
        assert time.monotonic() < end, found
        time.sleep(0.2)


def parts(audio: Answer) -> list[Answer]:
    """What is made behind publication."""
    return [audio["measurement"], *(each for each in audio["editions"] if each["name"] in LIGHT)]


@pytest.mark.long
def test_producers_see_why_something_failed_in_their_language_have_it_made_again_and_see_it_proceed(
    tmp_path: Path, mp3: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derived, "TOLD_EVERY", 0.1)
    program = engine(tmp_path, "exit 1")
    settings = Settings(port=free_port(), data_dir=tmp_path / "data", ffmpeg=program, _env_file=None)
    with running(settings, with_behind=True) as site:
        episode = site.published(mp3, title="Matonge")

        def all_are(status: str) -> Answer:
            return wait_for(site, episode, lambda found: {part["status"] for part in parts(found)} == {status})

        english = parts(all_are("failed"))
        asked = site.api.get(f"/api/v1/episodes/{episode['id']}", headers={"Accept-Language": "fr"}).json()
        for said, en_francais in zip(english, parts(asked["audio"]), strict=True):
            assert said["failure"]
            assert en_francais["failure"]
            assert said["failure"] != en_francais["failure"]
        assert asked["state"] == "published"
        assert site.listener.get(asked["audio"]["url"]).status_code == 200

        engine(tmp_path, 'exec "$FFMPEG" -re "$@"')  # as slow as it is heard
        for name in ("measurement", *LIGHT):
            assert site.api.post(f"/api/v1/episodes/{episode['id']}/audio/{name}").status_code == 200
        wait_for(site, episode, lambda found: any(0 < (part["progress_percent"] or 0) < 100 for part in parts(found)))
        made = parts(all_are("ready"))
        assert [(part["failure"], part["progress_percent"]) for part in made] == [(None, None)] * 3


# --- killed ---


@pytest.fixture
def published(sqlite_place: Place, mp3: bytes) -> Place:
    """A library with a published episode, and nothing behind it yet."""
    with at(sqlite_place) as library:
        library.published(mp3, title="Matonge")
        worker.catch_up(library.work)
    return sqlite_place


@pytest.mark.long
def test_a_worker_killed_anywhere_in_it_leaves_nothing_public_or_loose_and_another_takes_over(
    published: Place, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def copy() -> Place:
        folder = Path(shutil.copytree(published.data_dir, tmp_path_factory.mktemp("copy"), dirs_exist_ok=True))
        return replace(published, data_dir=folder, database_url=f"sqlite:///{folder / 'podcast.db'}")

    requests = jobs.run(copy(), jobs.come_behind, b"").requests
    assert requests > 30
    for killed_at in range(1, requests + 1, 2):  # the whole of them would take longer than one test may
        place = copy()
        assert jobs.run(place, jobs.come_behind, b"", killed_at=killed_at).is_killed
        with at(place) as library, hurried():
            _offers_only_what_is_there(library)
            library.an_hour_passes()
            worker.catch_up(library.work, EVERYTHING)
            library.an_hour_passes()
            worker.catch_up(library.work, EVERYTHING)
            assert {made.status for made in editions(library).values()} == {"ready"}, killed_at
            assert len(library.objects("public/")) == 3, killed_at
            assert library.loose() == set()
            assert [each for each in (place.data_dir / "work").iterdir() if each.is_dir()] == []


def _offers_only_what_is_there(library: Library) -> None:
    """Whatever the feeds name has its object."""
    public = {row.address_id: row for row in _public(library)}
    entries = [entry for view in ("main", "main-low") for entry in feedparser.parse(library.xml(view)).entries]
    for entry in entries:
        row = public[entry.enclosures[0].href.split("/")[-2]]
        assert library.work.storage.size(row.public_key) == int(entry.enclosures[0].length)


@pytest.mark.long
def test_a_killed_worker_takes_its_engine_along(published: Place, tmp_path: Path) -> None:
    with at(published) as library:
        recording = audio(tmp_path / "long.mp3", "-b:a", "64k", seconds=900).read_bytes()
        library.published(recording, title="Long")

    assert jobs.run(published, jobs.come_behind, b"", killed_after=4).is_killed

    end = time.monotonic() + 20
    while _engines(published.data_dir):
        assert time.monotonic() < end, _engines(published.data_dir)
        time.sleep(0.1)


def _engines(folder: Path) -> list[str]:
    """Processes that work in this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if "ffmpeg" in line and str(folder) in line:
            found.append(line)
    return found
