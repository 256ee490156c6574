"""Feeds over HTTP: what apps, caches and browsers are told, and when they see what was published."""

import gzip
import logging
import time
from collections.abc import Iterator
from email.utils import format_datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from podcast_app import publishing, shows
from podcast_app.fields import EpisodeChanges, ShowFields, ShowTranslation
from podcast_app.models import EpisodeId, Feed
from podcast_app.outcomes import Done
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from tests.podcast_app.listeners import Listener, eventually, listening

pytestmark = pytest.mark.long_on_postgresql

PATH = "/diaspora-insights/feed.xml"
HUB = "https://hub.example.org/"
GZIP = {"Accept-Encoding": "gzip"}


def settings(data_dir: Path) -> Settings:
    return Settings(_env_file=None, data_dir=data_dir, base_url="https://podcast.example.org", websub_hubs=(HUB,))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    """Of a feed that nobody changes."""
    with listening(settings(tmp_path_factory.mktemp("unchanged"))) as listener:
        yield listener


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    with listening(settings(tmp_path)) as listener:
        yield listener


@pytest.fixture
def late_listener(migrated_database_url: str, tmp_path: Path) -> Iterator[Listener]:
    """The library is another process's; on each kind of database."""
    chosen = settings(tmp_path).model_copy(update={"database_url": migrated_database_url})
    with listening(chosen, at_once=False) as listener:
        yield listener


def rename(listener: Listener, title: str) -> None:
    change(listener, ShowFields(title=title))


def change(listener: Listener, said: ShowFields) -> None:
    work = listener.podcasts.work
    outcome = work.database.write(shows.edit_by_slug, "diaspora-insights", said, work.settings, utcnow())
    assert isinstance(outcome, Done), outcome


def test_a_feed_says_what_it_is_and_where_its_news_come_from(reader: Listener) -> None:
    answer = reader.get(PATH)

    assert answer.status == 200
    assert answer.body == reader.podcasts.xml().encode()
    assert answer.headers["Content-Type"] == "application/rss+xml; charset=utf-8"
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert answer.headers["Content-Encoding"] is None
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Link"] == f'<https://podcast.example.org{PATH}>; rel="self", <{HUB}>; rel="hub"'
    assert answer.headers["Last-Modified"] == format_datetime(reader.podcasts.feed().modified_at, usegmt=True)


def test_each_encoding_has_an_etag_of_its_own(reader: Listener) -> None:
    plain, packed = reader.get(PATH), reader.get(PATH, GZIP)

    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Content-Length"] == str(len(packed.body))
    assert gzip.decompress(packed.body) == plain.body
    assert plain.headers["ETag"] == f'"{reader.podcasts.feed().etag}"'
    assert packed.headers["ETag"] == f'"{reader.podcasts.feed().etag}-gzip"'


def test_the_french_feed_is_served_beside_it(reader: Listener) -> None:
    assert reader.get(f"/fr{PATH}").body == reader.podcasts.xml("fr").encode()


@pytest.mark.parametrize("asked_in", [{}, GZIP])
@pytest.mark.parametrize("got_in", [{}, GZIP])
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_whoever_has_it_in_either_encoding_gets_304(
    reader: Listener, got_in: dict[str, str], asked_in: dict[str, str], form: str
) -> None:
    etag = reader.get(PATH, got_in).headers["ETag"]

    answer = reader.get(PATH, {**asked_in, "If-None-Match": form.format(etag)})

    assert (answer.status, answer.body) == (304, b"")
    assert form == "*" or answer.headers["ETag"] == etag
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_date_decides_only_when_no_etag_is_named(reader: Listener) -> None:
    date = reader.get(PATH).headers["Last-Modified"]

    assert reader.get(PATH, {"If-Modified-Since": date}).status == 304
    assert reader.get(PATH, {"If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT"}).status == 304
    assert reader.get(PATH, {"If-Modified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"}).status == 200
    assert reader.get(PATH, {"If-Modified-Since": "yesterday"}).status == 200
    assert reader.get(PATH, {"If-Modified-Since": date, "If-None-Match": '"other"'}).status == 200


@pytest.mark.parametrize("headers", [{}, GZIP, {"If-None-Match": "*"}])
def test_head_is_get_without_its_body(reader: Listener, headers: dict[str, str]) -> None:
    got, head = reader.get(PATH, headers), reader.get(PATH, headers, method="HEAD")

    del got.headers["Date"], head.headers["Date"]
    assert (head.status, sorted(head.headers.items())) == (got.status, sorted(got.headers.items()))
    assert head.body == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
def test_a_feed_can_only_be_read(reader: Listener, method: str) -> None:
    answer = reader.get(PATH, method=method)

    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"


def test_nothing_that_an_app_says_of_itself_changes_the_answer(reader: Listener) -> None:
    usual = reader.get(PATH)

    odd = {"User-Agent": "Castbot", "Cookie": "a=b", "X-Forwarded-Host": "evil.example", "Range": "bytes=0-9"}
    answer = reader.get(f"{PATH}?from=somewhere", odd)

    del usual.headers["Date"], answer.headers["Date"]
    assert answer.body == usual.body
    assert answer.headers.items() == usual.headers.items()


def test_an_unchanged_feed_costs_no_query(reader: Listener) -> None:
    reader.get(PATH)

    with reader.queries() as queries:
        for headers in ({}, GZIP, {"If-None-Match": "*"}):
            for method in ("GET", "HEAD"):
                reader.get(PATH, headers, method=method)

    assert queries == []


def test_what_this_process_publishes_is_served_at_once(listener: Listener, mp3: bytes) -> None:
    before = listener.get(PATH)

    listener.podcasts.published(mp3, title="Matonge")
    with listener.queries() as queries:
        after = listener.get(PATH, {"If-None-Match": before.headers["ETag"]})

    assert after.status == 200
    assert b"<title>Matonge</title>" in after.body
    assert queries == []


def test_what_another_process_publishes_is_served_within_a_second(late_listener: Listener) -> None:
    rename(late_listener, "Renamed")

    eventually(lambda: b"<title>Renamed</title>" in late_listener.get(PATH).body, seconds=1.5)


def test_a_draft_changes_nothing(listener: Listener, mp3: bytes) -> None:
    before = listener.get(PATH)

    draft = listener.podcasts.draft(mp3, title="Not yet")
    edit(listener, draft, title="Not yet either")

    after = listener.get(PATH)
    assert (after.body, after.headers["ETag"]) == (before.body, before.headers["ETag"])


def edit(listener: Listener, episode_id: EpisodeId, title: str) -> None:
    work = listener.podcasts.work
    changes = EpisodeChanges(title=title)
    assert isinstance(work.database.write(publishing.edit, episode_id, changes, work.settings, utcnow()), Done)


def test_a_transaction_that_is_given_up_is_not_served(listener: Listener) -> None:
    before = listener.get(PATH)

    def give_up(session: Session) -> None:
        outcome = shows.edit_by_slug(
            session, "diaspora-insights", ShowFields(title="Never"), listener.podcasts.work.settings, utcnow()
        )
        assert isinstance(outcome, Done)
        session.flush()
        session.rollback()

    listener.podcasts.work.database.write(give_up)

    assert listener.get(PATH).body == before.body


def test_a_savepoint_is_not_served_before_its_transaction_is_committed(listener: Listener) -> None:
    before = listener.get(PATH)
    within: list[bytes] = []

    def twice(session: Session) -> None:
        for title, is_kept in (("First", True), ("Second", False)):
            with session.begin_nested() as savepoint:
                shows.edit_by_slug(
                    session, "diaspora-insights", ShowFields(title=title), listener.podcasts.work.settings, utcnow()
                )
                session.flush()
                if not is_kept:
                    savepoint.rollback()
            within.append(listener.get(PATH).body)

    listener.podcasts.work.database.write(twice)

    assert within == [before.body, before.body]
    eventually(lambda: b"<title>First</title>" in listener.get(PATH).body)


def test_a_renamed_show_answers_at_once_at_its_new_address_and_leads_there_from_the_old(listener: Listener) -> None:
    change(listener, ShowFields(slug="matonge"))

    assert listener.get("/matonge/feed.xml").body == listener.podcasts.xml().encode()
    for prefix in ("", "/fr"):
        moved = listener.get(f"{prefix}{PATH}", method="HEAD")
        assert moved.status == 301
        assert moved.headers["Location"] == f"https://podcast.example.org{prefix}/matonge/feed.xml"
        assert moved.headers["Access-Control-Allow-Origin"] == "*"


def test_a_view_that_is_no_more_leads_to_the_main_one(listener: Listener) -> None:
    change(listener, ShowFields(translations={"fr": ShowTranslation()}))
    change(listener, ShowFields(language="fr"))

    assert listener.get(f"/en{PATH}").status == 200
    moved = listener.get(f"/fr{PATH}")
    assert (moved.status, moved.headers["Location"]) == (301, f"https://podcast.example.org{PATH}")


@pytest.mark.parametrize("path", ["/nobody/feed.xml", "/fr/nobody/feed.xml", f"/xx{PATH}", f"{PATH}/"])
def test_where_there_never_was_a_feed_there_is_none(reader: Listener, path: str) -> None:
    assert reader.get(path).status == 404


def test_a_vanished_feed_is_noticed_by_other_processes(late_listener: Listener) -> None:
    def vanish(session: Session) -> None:
        session.delete(session.get_one(Feed, (late_listener.podcasts.show().id, "fr")))

    late_listener.podcasts.work.database.write(vanish)

    eventually(lambda: late_listener.get(f"/fr{PATH}").status != 200)


def test_a_database_that_was_put_back_and_counts_on_from_there_is_followed(late_listener: Listener) -> None:
    rename(late_listener, "Forgotten")
    eventually(lambda: b"<title>Forgotten</title>" in late_listener.get(PATH).body, seconds=30)
    generation = late_listener.podcasts.feed().generation

    def put_back(session: Session) -> None:
        for feed in session.scalars(select(Feed)):
            feed.generation = generation - 1

    late_listener.podcasts.work.database.write(put_back)
    rename(late_listener, "What came instead")

    assert late_listener.podcasts.feed().generation == generation
    eventually(lambda: b"<title>What came instead</title>" in late_listener.get(PATH).body, seconds=30)


def test_without_its_database_a_feed_goes_on_and_the_log_says_so_once(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    before = listener.get(PATH)
    database = listener.podcasts.work.settings.data_dir / "podcast.db"
    listener.podcasts.work.database.engine.dispose()
    away = database.rename(database.with_suffix(".away"))
    database.mkdir()  # cannot be opened as a database

    with caplog.at_level(logging.WARNING, logger="podcast_app.listening.front"):
        eventually(lambda: "does not answer" in caplog.text)
        time.sleep(1)
        during = listener.get(PATH)
        database.rmdir()
        away.rename(database)
        eventually(lambda: "answers again" in caplog.text)

    assert during.body == before.body
    assert len(caplog.records) == 2
    rename(listener, "Renamed")
    assert b"<title>Renamed</title>" in listener.get(PATH).body
