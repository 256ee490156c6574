"""What Prometheus is told, and what it costs to be asked."""

import asyncio
import datetime as dt
import itertools
import socket
import threading
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select
from sqlalchemy.orm import Session

from media.storage.open import open_storage
from podcast_app.database import Database
from podcast_app.metrics import exposition_of
from podcast_app.models import Edition, Feed
from podcast_app.times import utcnow
from podcast_app.watching import Look, Watching
from tests.podcasts import Library
from tests.postgresql import PostgreSQL
from tests.sentences import ROOT
from tests.site import SLUG
from tests.visitor import Visitor

pytestmark = pytest.mark.long_on_postgresql

Numbers = dict[tuple[str, ...], float]  # (name, *labels' values)


def test_the_library_is_told_in_numbers(library: Library, mp3: bytes) -> None:
    library.published(mp3, title="One")
    library.draft(mp3, title="Secret plans")
    generation = library.feed().generation

    said = numbers(exposition_of(library.work.database))

    assert said["podcast_database_up",] == 1
    assert (said["podcast_episodes", "draft"], said["podcast_episodes", "published"]) == (1, 1)
    assert said["podcast_episodes", "withdrawn"] == 0
    assert said["podcast_uploads", "complete"] == 2
    assert (said["podcast_editions", "enclosure", "ready"], said["podcast_editions", "enclosure", "failed"]) == (1, 0)
    assert said["podcast_editions", "enclosure", "preparing"] == 1
    assert (said["podcast_editions", "low-opus", "preparing"], said["podcast_editions", "low-opus", "failed"]) == (1, 0)
    assert (said["podcast_measurements", "preparing"], said["podcast_measurements", "failed"]) == (2, 0)
    assert said["podcast_feed_generation", SLUG, "main"] == generation > 1
    assert said["process_resident_memory_bytes",] > 0
    assert said["process_cpu_seconds_total",] > 0


def test_what_lags_is_told_in_seconds(library: Library, mp3: bytes) -> None:
    an_hour_ago = utcnow() - dt.timedelta(hours=1)
    library.published(mp3, title="One")
    before = numbers(exposition_of(library.work.database))
    library.draft(mp3, title="Two", publish="now")  # no worker is here

    def fall_behind(session: Session) -> None:
        feed, edition = session.scalars(select(Feed)).first(), session.scalars(select(Edition)).first()
        feed.copied_generation, feed.modified_at = 0, an_hour_ago
        edition.lease_owner, edition.lease_until = "somebody who was killed", an_hour_ago

    library.work.database.write(fall_behind)
    after = numbers(exposition_of(library.work.database))

    assert before["podcast_publication_lag_seconds",] == before["podcast_feed_copy_lag_seconds",] == 0
    assert before["podcast_lease_overdue_seconds",] == 0
    assert after["podcast_publication_lag_seconds",] > 0
    assert after["podcast_feed_copy_lag_seconds",] >= 3600
    assert after["podcast_lease_overdue_seconds",] >= 3600


def test_no_title_and_no_person_is_told(library: Library, mp3: bytes) -> None:
    library.draft(mp3, title="Secret plans", persons=[{"name": "Amina Diallo"}])

    said = exposition_of(library.work.database).decode()

    assert "Secret" not in said
    assert "Amina" not in said


def test_prometheus_is_answered_in_its_own_format(shared_visitor: Visitor) -> None:
    answer = shared_visitor.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert numbers(answer.content)["podcast_database_up",] == 1


def test_without_a_database_the_rest_is_told(postgresql: PostgreSQL) -> None:
    database = Database(postgresql.url("that_nobody_made"))

    said = numbers(exposition_of(database))

    assert said["podcast_database_up",] == 0
    assert said["process_cpu_seconds_total",] > 0
    assert not [name for name, *_ in said if name == "podcast_episodes"]
    database.close()


async def test_a_hundred_questions_one_after_the_other_cost_one_look() -> None:
    looks = itertools.count(1)
    look = Look(lambda: next(looks), patience_seconds=60, kept_seconds=600)

    found = [await look.found() for _ in range(100)]

    assert found == [1] * 100


async def test_a_look_that_hangs_is_given_up_and_not_begun_again() -> None:
    begun: list[int] = []
    goes_on = threading.Event()

    def hang() -> bool:
        begun.append(1)
        return goes_on.wait(60)

    look = Look(hang, patience_seconds=0.05)

    found = await asyncio.gather(*(look.found() for _ in range(20)))
    goes_on.set()

    assert found == [None] * 20
    assert len(begun) == 1
    while await look.found() is None:
        pass
    assert len(begun) <= 2


async def test_whether_a_process_is_ready_is_said_although_database_and_storage_are_silent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "anybody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "anything")
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        storage = open_storage(f"s3://bucket?endpoint=http://{address}", tmp_path)
        watching = Watching(Database(f"postgresql+psycopg://{address}/podcast"), storage)

        found = await asyncio.gather(watching.database.found(), watching.storage.found())

        assert [bool(answers) for answers in found] == [False, False]


def test_every_number_is_explained_to_operators(library: Library) -> None:
    explained = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")

    names = {name for name, *_ in numbers(exposition_of(library.work.database)) if name.startswith("podcast_")}

    assert len(names) == 11
    assert {name for name in names if f"`{name}" not in explained} == set()


def numbers(exposition: bytes) -> Numbers:
    """By name and the values of the labels, in their order."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(exposition.decode())
        for sample in family.samples
    }
