"""Workers: many at once, one after another that was killed, and one that meets what goes wrong."""

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import feedparser
import pytest
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from media.storage import Key
from podcast_app import episodes, leases, publishing, worker
from podcast_app.enclosures import make_enclosure, make_quick_enclosure
from podcast_app.leases import LEASE
from podcast_app.models import Edition, EpisodeId
from podcast_app.outcomes import Done
from podcast_app.times import utcnow
from podcast_app.work import Work
from podcast_app.worker import Worker
from tests.podcast_app import jobs
from tests.podcasts import Library, Place, at

pytestmark = pytest.mark.long_on_postgresql

ENCLOSURE: ColumnElement[bool] = Edition.name == "enclosure"


@contextmanager
def at_work(work: Work) -> Iterator[None]:
    working = Worker(work)
    working.start()
    try:
        yield
    finally:
        working.stop()


def wait_until(is_so: Callable[[], bool], seconds: float = 20) -> float:
    """How long it took, in seconds."""
    start = time.monotonic()
    while not is_so():
        assert time.monotonic() - start < seconds
        time.sleep(0.02)
    return time.monotonic() - start


def enclosure(library: Library) -> Edition:
    return library.work.database.read(
        lambda session: session.scalars(select(Edition).where(Edition.name == "enclosure")).one()
    )


def is_published(library: Library, episode_id: EpisodeId) -> bool:
    return library.episode(episode_id).state == "published"


# --- many workers ---


@pytest.mark.parametrize("count", [8, pytest.param(30, marks=pytest.mark.long)])
def test_due_episodes_go_out_once_each_however_many_workers_there_are(place: Place, mp3: bytes, count: int) -> None:
    with at(place) as library:
        ids = [library.draft(mp3, title=f"Episode {number}", publish="now") for number in range(count)]
        guids = {library.episode(episode_id).guid for episode_id in ids}

        with ThreadPoolExecutor(3) as pool:
            ended = list(pool.map(lambda _: jobs.run(place, jobs.work_off, b""), range(3)))
        worker.catch_up(library.work)

        assert not any(end.is_killed for end in ended)
        for view in ("main", "fr"):
            entries = feedparser.parse(library.xml(view)).entries
            assert Counter(entry.id for entry in entries) == Counter(guids)
            assert library.feed(view).generation == 1 + count
            assert library.feed(view).copied_generation == 1 + count
        assert len(library.objects("public/")) == count
        assert len(library.objects("private/editions/")) == count
        assert library.loose() == set()


def test_what_need_not_be_encoded_does_not_wait_behind_what_must_be(library: Library, mp3: bytes, wav: bytes) -> None:
    slow = library.draft(wav, title="Encoded", publish="now")
    quick = library.draft(mp3, title="Copied", publish="now")

    assert make_quick_enclosure(library.work)
    assert not make_quick_enclosure(library.work)

    assert episodes.enclosure(library.episode(quick)).status == "ready"
    assert episodes.enclosure(library.episode(slow)).status == "preparing"


# --- a worker that was killed ---


@pytest.fixture
def half_made(place: Place, wav: bytes) -> Iterator[Library]:
    """A worker was killed while it made an enclosure."""
    with at(place) as library:
        library.draft(wav, title="Half made")
        jobs.run(place, jobs.prepare, b"", killed_at=15)
        assert (enclosure(library).status, enclosure(library).lease_owner is None) == ("preparing", False)
        yield library


def test_what_a_killed_worker_held_is_another_ones_when_its_lease_has_ended(half_made: Library) -> None:
    assert not make_enclosure(half_made.work)

    half_made.an_hour_passes()

    assert make_enclosure(half_made.work)
    assert enclosure(half_made).status == "ready"
    assert [path for path in (half_made.work.settings.data_dir / "work").iterdir() if path.is_dir()] == []


@pytest.mark.long
def test_a_lease_ends_by_itself(half_made: Library) -> None:
    with at_work(half_made.work):
        took = wait_until(lambda: enclosure(half_made).status == "ready", seconds=30)

    assert took == pytest.approx(LEASE.total_seconds(), abs=5)


# --- leases ---


def take(library: Library, owner: str) -> None:
    def change(session: Session) -> None:
        leases.take(
            session.scalars(select(Edition).where(Edition.name == "enclosure")).one(), owner, utcnow() - LEASE / 2
        )

    library.work.database.write(change)


def test_a_lease_is_renewed_while_its_holder_lives(
    library: Library, mp3: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEWED_EVERY", 0.02)
    library.draft(mp3)
    take(library, "me")
    ends = enclosure(library).lease_until

    with leases.held(library.work.database, Edition, "me", ENCLOSURE):
        wait_until(lambda: enclosure(library).lease_until > ends)

    ends = enclosure(library).lease_until
    time.sleep(0.1)
    assert enclosure(library).lease_until == ends


def test_a_lease_that_another_took_is_not_renewed(
    library: Library, mp3: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEWED_EVERY", 0.02)
    library.draft(mp3)
    take(library, "another")
    ends = enclosure(library).lease_until

    with leases.held(library.work.database, Edition, "me", ENCLOSURE):
        time.sleep(0.2)

    assert (enclosure(library).lease_owner, enclosure(library).lease_until) == ("another", ends)


def test_what_was_made_by_one_who_lost_the_lease_is_thrown_away(
    library: Library, wav: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.draft(wav)
    theft = update(Edition).values(lease_owner="another", lease_until=utcnow() + LEASE)
    real = library.work.storage.put_file

    def put_late(key: Key, *rest: object) -> None:
        real(key, *rest)
        library.work.database.write(lambda session: session.execute(theft))

    monkeypatch.setattr(library.work.storage, "put_file", put_late)
    make_enclosure(library.work)
    worker.catch_up(library.work)

    assert enclosure(library).key is None
    assert library.objects("private/editions/") == set()


# --- the loops ---


def test_a_scheduled_episode_goes_out_when_its_time_comes_and_is_dated_then(library: Library, mp3: bytes) -> None:
    time_of_day = utcnow() + dt.timedelta(seconds=2)
    episode_id = library.draft(mp3, title="On time", publish=time_of_day)

    with at_work(library.work):
        wait_until(lambda: is_published(library, episode_id))

    assert utcnow() >= time_of_day
    assert library.episode(episode_id).published_at == time_of_day


def test_an_episode_that_fails_holds_up_no_other(library: Library, mp3: bytes) -> None:
    lost = library.draft(mp3, title="Lost", publish="now")
    library.work.storage.delete(library.episode(lost).audio.upload.key)
    other = library.draft(mp3, title="Other", publish="now")

    worker.catch_up(library.work)

    assert is_published(library, other)
    assert not is_published(library, lost)


def test_an_enclosure_that_vanished_is_made_again_before_it_goes_out(library: Library, mp3: bytes) -> None:
    episode_id = library.draft(mp3, title="Vanished")
    worker.catch_up(library.work)
    library.work.storage.delete(enclosure(library).key)

    library.work.database.write(publishing.make_due, episode_id, None, library.work.settings, utcnow())
    worker.catch_up(library.work)

    assert is_published(library, episode_id)
    assert len(library.objects("private/editions/")) == len(library.objects("public/")) == 1
    assert library.loose() == set()


def test_a_step_that_breaks_is_told_and_tried_again_and_stops_no_other(
    library: Library, mp3: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls = []

    def breaks(work: Work) -> bool:
        calls.append(work)
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(worker, "PUBLISHING", (breaks, *worker.PUBLISHING))
    episode_id = library.draft(mp3, title="All the same", publish="now")

    with at_work(library.work):
        wait_until(lambda: is_published(library, episode_id) and len(calls) > 1)

    assert "The step breaks failed. It is tried again." in caplog.messages
    assert "a bug of ours" in caplog.text


def test_a_worker_that_has_nothing_to_do_stops_at_once(library: Library) -> None:
    before = threading.active_count()
    with at_work(library.work):
        time.sleep(0.1)
        start = time.monotonic()

    assert time.monotonic() - start < 2
    assert threading.active_count() == before


def test_a_feed_made_for_another_address_is_made_anew(place: Place, mp3: bytes) -> None:
    with at(place) as library:
        library.published(mp3, title="Moved")
    with at(replace(place, port=8123)) as moved:
        worker.catch_up(moved.work)

        assert "http://127.0.0.1:8123/diaspora-insights/moved" in moved.xml()
        assert "127.0.0.1:8000" not in moved.xml()


def test_a_storage_that_fails_is_no_reason_to_ask_for_another_recording(library: Library, mp3: bytes) -> None:
    episode_id = library.draft(mp3, title="Later")
    in_the_way = library.work.storage.local_path(Key("private/editions"))
    in_the_way.write_bytes(b"where a folder should be")
    worker.catch_up(library.work)
    in_the_way.unlink()

    made = enclosure(library)
    assert (made.status, made.failure) == ("preparing", "The storage does not answer.")
    due = library.work.database.write(publishing.make_due, episode_id, None, library.work.settings, utcnow())
    assert isinstance(due, Done)
    library.an_hour_passes()
    worker.catch_up(library.work)
    assert is_published(library, episode_id)


def test_a_lease_from_before_the_clock_was_put_back_is_free(library: Library, mp3: bytes) -> None:
    episode_id = library.draft(mp3, title="An hour later", publish="now")
    in_an_hour = utcnow() + dt.timedelta(hours=1)

    def taken(session: Session) -> None:
        leases.take(
            session.scalars(select(Edition).where(Edition.name == "enclosure")).one(),
            "somebody who is gone",
            in_an_hour,
        )

    library.work.database.write(taken)

    worker.catch_up(library.work)

    assert is_published(library, episode_id)
