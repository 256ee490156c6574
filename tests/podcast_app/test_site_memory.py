"""Pages in memory: an unchanged one costs no query, and no listener gets one that has changed."""

from contextlib import closing
from dataclasses import replace

import brotli
import httpx2
import pytest
from anyio import CapacityLimiter
from sqlalchemy import update
from starlette.responses import Response
from starlette.types import Scope

from podcast_app import shows
from podcast_app.app import open_services
from podcast_app.database import Database
from podcast_app.fields import EpisodeChanges, ShowFields
from podcast_app.listening import pages
from podcast_app.listening.pages import Pages
from podcast_app.models import Show
from podcast_app.outcomes import Done
from podcast_app.publishing import edit
from podcast_app.times import utcnow
from tests.podcast_app.listeners import eventually, serving
from tests.podcasts import Library, Place
from tests.site import SLUG
from tests.visitor import Visitor, queries

PATHS = (
    *(f"/{SLUG}/", f"/fr/{SLUG}/", f"/{SLUG}/matonge", f"/{SLUG}/embed", f"/{SLUG}/matonge/embed"),
    f"/{SLUG}/matonge/embed?theme=dark&size=compact",
)


def test_an_unchanged_page_costs_no_query(visitor: Visitor, mp3: bytes) -> None:
    visitor.podcasts.published(mp3, title="Matonge")
    seen = {path: visitor.get(path) for path in PATHS}

    with queries() as asked:
        for path, first in seen.items():
            again, head = visitor.get(path), visitor.site.listener.head(path)
            known = visitor.get(path, If_None_Match=first.headers["etag"])
            assert (first.status_code, again.status_code, known.status_code, head.status_code) == (200, 200, 304, 200)
            assert again.content == first.content
            assert head.content == b""

    assert asked == []


def test_what_is_behind_a_question_mark_is_no_page_of_its_own_but_for_players(visitor: Visitor, mp3: bytes) -> None:
    visitor.podcasts.published(mp3, title="Matonge")
    visitor.get(f"/{SLUG}/matonge")
    visitor.get(f"/{SLUG}/matonge/embed")

    with queries() as asked:
        visitor.get(f"/{SLUG}/matonge?utm_source=letter&t=90")
    assert asked == []

    dark = visitor.get(f"/{SLUG}/matonge/embed?theme=dark")
    assert 'data-theme="dark"' in dark.text


def test_a_change_is_seen_at_once(visitor: Visitor, mp3: bytes) -> None:
    episode = visitor.podcasts.published(mp3, title="Matonge", slug="matonge")
    seen = {path: visitor.get(path).headers["etag"] for path in PATHS}

    visitor.change(episode, title="Matonge, after all")

    for path, before in seen.items():
        now = visitor.get(path, If_None_Match=before)
        assert now.status_code == 200, path
        assert "after all" in now.text


def test_a_show_s_colour_is_no_news_for_feeds_but_for_pages(visitor: Visitor) -> None:
    _colour(visitor, "#1d4ed8")
    feed, page = visitor.get(f"/{SLUG}/feed.xml").headers["etag"], visitor.get(f"/{SLUG}/").text

    _colour(visitor, "#14532d")

    assert visitor.get(f"/{SLUG}/feed.xml").headers["etag"] == feed
    assert "site-14532d.css" in visitor.get(f"/{SLUG}/").text
    assert "site-1d4ed8.css" in page


def test_what_is_withdrawn_is_gone_from_memory_too(visitor: Visitor, mp3: bytes) -> None:
    episode = visitor.podcasts.published(mp3, title="Matonge")
    for path in PATHS:
        visitor.get(path)

    visitor.withdraw(episode)

    assert [visitor.get(path).status_code for path in PATHS[2:]] == [410, 200, 410, 410]
    assert f"/{SLUG}/matonge" not in visitor.get(PATHS[0]).text


def test_what_another_process_changes_is_seen_within_a_second(visitor: Visitor, mp3: bytes) -> None:
    episode = visitor.podcasts.published(mp3, title="Matonge", slug="matonge")
    visitor.get(f"/{SLUG}/matonge")
    theirs = Database(visitor.site.settings.database)

    changes = EpisodeChanges(title="Said elsewhere")
    done = theirs.write(edit, episode.id, changes, visitor.site.settings, utcnow())
    theirs.close()

    assert isinstance(done, Done)
    eventually(lambda: "Said elsewhere" in visitor.get(f"/{SLUG}/matonge").text, seconds=1.5)


def test_news_come_in_though_all_places_at_the_database_are_taken(sqlite_place: Place) -> None:
    services = replace(open_services(sqlite_place.settings), limiter=CapacityLimiter(0))

    with closing(services.database), serving(services) as port:
        answer = httpx2.get(f"http://127.0.0.1:{port}/{SLUG}/feed.xml")

    assert answer.status_code == 200


def test_a_page_comes_in_brotli_for_whoever_takes_it_and_in_gzip_for_others(visitor: Visitor) -> None:
    plain = visitor.get(f"/{SLUG}/", Accept_Encoding="identity")
    with visitor.site.listener.stream("GET", f"/{SLUG}/", headers={"Accept-Encoding": "gzip, br"}) as answer:
        raw = b"".join(answer.iter_raw())

    assert answer.headers["content-encoding"] == "br"
    assert brotli.decompress(raw) == plain.content
    assert _encoding(visitor, "gzip, deflate") == "gzip"
    assert _encoding(visitor, "br;q=0.5, gzip") == "gzip"
    assert _encoding(visitor, "br;q=0") is None


@pytest.mark.long_on_postgresql
def test_memory_has_an_end_and_the_oldest_page_leaves_first(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_BYTES", 250)
    known = Pages(library.work.database)

    for path in ("/a", "/b", "/c"):
        known.keep(_scope(path), Response(path), 100, library.show().id, 1)

    assert [known.find(_scope(path)) is not None for path in ("/a", "/b", "/c")] == [False, True, True]


@pytest.mark.long_on_postgresql
def test_a_database_that_was_put_back_takes_pages_along(library: Library) -> None:
    known = Pages(library.work.database)
    _set_generation(library, 9)
    known.refresh()
    known.keep(_scope("/a"), Response("of nine"), 100, library.show().id, 9)
    known.keep(_scope("/b"), Response("of all"), 100, None, 9)
    assert known.find(_scope("/b")) is not None

    _set_generation(library, 3)
    known.refresh()

    assert known.find(_scope("/a")) is known.find(_scope("/b")) is None


def _colour(visitor: Visitor, colour: str) -> None:
    changes = ShowFields(page_colour=colour)
    done = visitor.site.database.write(shows.edit_by_slug, SLUG, changes, visitor.site.settings, utcnow())
    assert isinstance(done, Done), done


def _encoding(visitor: Visitor, accepted: str) -> str | None:
    said: str | None = visitor.get(f"/{SLUG}/", Accept_Encoding=accepted).headers.get("content-encoding")
    return said


def _set_generation(library: Library, generation: int) -> None:
    library.work.database.write(lambda session: session.execute(update(Show).values(generation=generation)))


def _scope(path: str) -> Scope:
    return {"type": "http", "method": "GET", "path": path, "query_string": b""}
