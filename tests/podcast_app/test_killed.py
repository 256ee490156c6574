"""A process that is killed, wherever it stands, leaves the state before or the state after, and nothing beside it."""

import datetime as dt
import io
import itertools
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import feedparser
import pytest
from rich.console import Console
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from podcast_app import check, episodes, parts, uploads, worker
from podcast_app.models import Audio, Upload
from podcast_app.times import utcnow
from tests.podcast_app import jobs
from tests.podcasts import Library, Place, at
from tests.postgresql import PostgreSQL
from tests.site import free_port

JOBS = (
    jobs.arrive,
    jobs.prepare,
    jobs.publish,
    jobs.withdraw,
    jobs.give_cover,
    jobs.begin,
    jobs.send_part,
    jobs.complete,
    jobs.refuse,
    jobs.cancel,
    jobs.expire,
)
# in every run, at two places; the others in the long one
SAMPLED = (jobs.publish, jobs.complete)
# what a worker would do anyway is done in the end, and what ends with its last request is not
ENDS_ALIKE = (jobs.arrive, jobs.prepare, jobs.begin, jobs.complete, jobs.refuse, jobs.expire)


@dataclass(frozen=True)
class State:
    """What a library holds, as far as it is the same in every run."""

    episodes: tuple[tuple[str, str, str], ...]  # title, state, state of the enclosure
    feeds: tuple[tuple[str, int, tuple[str, ...]], ...]  # view, generation, titles
    author: str
    uploads: tuple[tuple[str, tuple[int, ...]], ...]  # those that no episode was made from: state, parts that are safe
    objects: frozenset[tuple[str, int]]  # folders, and how many each has


class Copies:
    """Copies of a library, each for one process to be killed in."""

    def __init__(self, original: Place, postgresql: PostgreSQL | None, folder: Path) -> None:
        self.original = original
        self._postgresql = postgresql
        self._folder = folder
        self._numbers = itertools.count()

    def new(self) -> Place:
        folder = Path(shutil.copytree(self.original.data_dir, self._folder / str(next(self._numbers))))
        if self._postgresql is None:
            return replace(self.original, data_dir=folder, database_url=f"sqlite:///{folder / 'podcast.db'}")
        database = self._postgresql.create(_database(self.original))
        return replace(self.original, data_dir=folder, database_url=self._postgresql.url(database))

    def drop(self, place: Place) -> None:
        shutil.rmtree(place.data_dir)
        if self._postgresql is not None:
            self._postgresql.drop(_database(place))


@pytest.fixture
def copies(
    place: Place, request: pytest.FixtureRequest, mp3: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Copies:
    """Of a library with a published episode, and with a draft that is ready."""
    place = replace(place, port=free_port())
    with at(place) as library:
        library.published(mp3, title="First", publish="2026-01-01T00:00:00Z")
        library.draft(mp3, title="Second")
        worker.catch_up(library.work)
    postgresql = None if place.database_url.startswith("sqlite") else request.getfixturevalue("postgresql")
    return Copies(place, postgresql, tmp_path_factory.mktemp("copies"))


@pytest.mark.long_on_postgresql
@pytest.mark.parametrize("job", SAMPLED)
def test_a_process_killed_on_its_way_leaves_the_state_before_or_after(
    copies: Copies, job: jobs.Job, wav: bytes
) -> None:
    requests, after = _left_alone(copies, job, wav)

    _kill(copies, job, wav, after, [{"killed_at": requests // 2}, {"killed_at": requests}])


@pytest.mark.long
@pytest.mark.parametrize("job", JOBS)
def test_a_process_killed_anywhere_leaves_the_state_before_or_after(copies: Copies, job: jobs.Job, wav: bytes) -> None:
    requests, after = _left_alone(copies, job, wav)

    states = _kill(copies, job, wav, after, [{"killed_at": number} for number in range(1, requests + 1)])

    assert len(states) == (1 if job in ENDS_ALIKE else 2)


@pytest.mark.long
@pytest.mark.parametrize("job", JOBS)
def test_a_process_killed_at_any_time_leaves_the_state_before_or_after(
    copies: Copies, job: jobs.Job, wav: bytes
) -> None:
    start = time.monotonic()
    _, after = _left_alone(copies, job, wav)
    longest = time.monotonic() - start

    _kill(copies, job, wav, after, [{"killed_after": random.uniform(0, longest)} for _ in range(12)])


def _left_alone(copies: Copies, job: jobs.Job, audio: bytes) -> tuple[int, State]:
    """How many requests the job makes when nobody kills it, and what there is then."""
    with at(copies.original) as library:
        _prepare(library, job, audio)
    place = copies.new()
    ended = jobs.run(place, job, audio)
    assert not ended.is_killed
    return ended.requests, _after_a_restart(place)[0]


def _prepare(library: Library, job: jobs.Job, audio: bytes) -> None:
    """What the job finds."""
    if job is jobs.prepare:
        library.draft(audio, title="Third")
    if job in (jobs.send_part, jobs.complete, jobs.refuse, jobs.cancel, jobs.expire):
        recording = bytes(len(audio)) if job is jobs.refuse else audio
        upload = jobs.new_upload(library, recording)
        jobs.send(library, recording, *range(1, 2 if job is jobs.send_part else 3))
        if job is jobs.expire:
            _a_week_passes(library, upload)


def _a_week_passes(library: Library, upload: Upload) -> None:
    ago = utcnow() - dt.timedelta(days=8)
    old = update(Upload).where(Upload.id == upload.id).values(expires_at=ago)
    library.work.database.write(lambda session: session.execute(old))
    for path in (library.work.settings.data_dir / "storage" / ".partial" / upload.key).rglob("*"):
        os.utime(path, (ago.timestamp(), ago.timestamp()))


def _kill(
    copies: Copies, job: jobs.Job, audio: bytes, after: State, deaths: Sequence[Mapping[str, float]]
) -> set[State]:
    """The states that were found after each death."""
    before, guids = _after_a_restart(copies.new())
    found = set()
    for death in deaths:
        place = copies.new()
        ended = jobs.run(place, job, audio, **death)
        assert ended.is_killed or "killed_after" in death

        state, guids_now = _after_a_restart(place)

        assert state == after or (state == before and not ended.is_acknowledged), f"{death}: {state}"
        assert guids.items() <= guids_now.items(), death
        found.add(state)
        copies.drop(place)
    return found


def _after_a_restart(place: Place) -> tuple[State, dict[str, str]]:
    """What there is, and each GUID, once a worker has caught up an hour later. Nothing is left lying about."""
    with at(place) as library:
        _wait_for_the_dead(library)
        library.an_hour_passes()
        worker.catch_up(library.work)
        said = io.StringIO()
        found = check.run(
            library.work.database, library.work.storage, library.work.settings, None, Console(file=said, width=200)
        )
        assert found == 0, said.getvalue()
        assert library.loose() == set()
        ended = _state(library), library.work.database.read(_guids)
        _cancel_all(library)
        assert _unfinished(place.data_dir) == []
        return ended


def _cancel_all(library: Library) -> None:
    """Uploads that no episode was made from go, with whatever has come of them."""
    kept = library.work.database.read(_kept_keys)
    for upload in library.work.database.read(_unused):
        library.work.database.write(uploads.discard, upload.id, utcnow())
    worker.catch_up(library.work)
    assert library.objects("private/originals") == kept
    assert library.loose() == set()


def _unused(session: Session) -> Sequence[Upload]:
    return session.scalars(select(Upload).where(~select(Audio.id).where(Audio.upload_id == Upload.id).exists())).all()


def _kept_keys(session: Session) -> set[str]:
    return {str(key) for key in session.scalars(select(Upload.key).join(Audio, Audio.upload_id == Upload.id))}


def _wait_for_the_dead(library: Library) -> None:
    """PostgreSQL gives up a dead client's transaction a moment after its death."""
    if library.work.database.engine.dialect.name == "sqlite":
        return
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"
    )
    for _ in range(200):
        if not library.work.database.read(lambda session: session.scalar(others)):
            return
        time.sleep(0.02)
    raise AssertionError("a dead client is still connected")


def _unfinished(data_dir: Path) -> list[Path]:
    """Files that somebody was still at."""
    aside = (path for folders in ("work/*", "storage/.partial") for path in data_dir.glob(f"{folders}/**/*"))
    return [path for path in aside if path.is_file()]


def _state(library: Library) -> State:
    def described(session: Session) -> tuple[tuple[str, str, str], ...]:
        found = session.scalars(episodes.whole())
        return tuple(sorted((each.texts[0].title, each.state, episodes.enclosure(each).status) for each in found))

    waiting = library.work.database.read(_unused)
    owned = library.objects() - {upload.key for upload in waiting if upload.state == "open"}  # joined, not yet recorded
    return State(
        episodes=library.work.database.read(described),
        feeds=tuple((view, library.feed(view).generation, _titles(library.xml(view))) for view in ("main", "fr")),
        author=library.show().author,
        uploads=tuple((upload.state, _safe(library, upload)) for upload in waiting),
        objects=frozenset(Counter(key.rpartition("/")[0] for key in owned).items()),
    )


def _safe(library: Library, upload: Upload) -> tuple[int, ...]:
    found = parts.look(library.work.database, library.work.storage, upload.id)
    return tuple(sorted(found.numbers))


def _titles(xml: str) -> tuple[str, ...]:
    return tuple(cast(str, entry.title) for entry in feedparser.parse(xml).entries)


def _guids(session: Session) -> dict[str, str]:
    return {each.texts[0].title: each.guid for each in session.scalars(episodes.whole())}


def _database(place: Place) -> str:
    return place.database_url.rpartition("/")[2]
