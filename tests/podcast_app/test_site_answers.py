"""How the site answers: what may be kept, what browsers are told not to do, and what it says when something is away."""

import gzip
import re
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import html
from starlette.routing import Match, Route

from media.storage.open import open_storage
from podcast_app import static_files
from podcast_app.app import ROUTES
from podcast_app.security import bucket_origin
from podcast_app.settings import Settings
from tests.podcasts import Place
from tests.postgresql import PostgreSQL
from tests.site import SLUG, free_port, running
from tests.visitor import Visitor, visiting

PAGES = (f"/{SLUG}/", f"/fr/{SLUG}/", f"/{SLUG}/embed", "/nothing/")


@pytest.mark.parametrize("path", [f"/{SLUG}/", f"/{SLUG}/embed", f"{static_files.address('base.css')}"])
def test_what_a_browser_has_is_not_sent_again(shared_visitor: Visitor, path: str) -> None:
    plain = shared_visitor.get(path, Accept_Encoding="identity")
    packed = shared_visitor.get(path, Accept_Encoding="gzip")

    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) == len(gzip.compress(plain.content))
    assert packed.headers["etag"] != plain.headers["etag"]
    for etag in (plain.headers["etag"], packed.headers["etag"]):
        again = shared_visitor.get(path, If_None_Match=f'"other", W/{etag}')
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_sets_no_cookie_and_takes_nothing_from_elsewhere(shared_visitor: Visitor, path: str) -> None:
    answer = shared_visitor.get(path)

    assert "set-cookie" not in answer.headers
    assert _fetched(shared_visitor, path)
    assert [url for url in _fetched(shared_visitor, path) if not url.startswith("/") or url.startswith("//")] == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_forbids_what_it_does_not_need(shared_visitor: Visitor, path: str) -> None:
    headers = shared_visitor.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert "referrer-policy" in headers
    assert "camera=()" in headers["permissions-policy"]
    assert headers["content-security-policy"].startswith("default-src 'none'; base-uri 'none'; form-action ")
    assert ("form-action 'none'" in headers["content-security-policy"]) == path.endswith("embed")  # others search
    assert "unsafe" not in headers["content-security-policy"]
    assert ("frame-ancestors *" in headers["content-security-policy"]) == path.endswith("embed")


def test_the_studio_is_framed_by_nobody_and_tells_nobody_where_it_was(shared_visitor: Visitor) -> None:
    headers = shared_visitor.get("/studio/sign-in").headers

    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "form-action 'self'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"


def test_pages_may_play_what_the_public_base_of_the_bucket_has(sqlite_place: Place) -> None:
    settings = sqlite_place.settings.model_copy(
        update={"port": free_port(), "media_base_url": "https://cdn.example.org/audio"}
    )
    with running(settings, with_worker=False) as site:
        for path in (f"/{SLUG}/", f"/{SLUG}/embed", "/studio/sign-in"):
            policy = site.listener.get(path).headers["content-security-policy"]
            assert "https://cdn.example.org;" in policy.partition("media-src")[2]


def test_pages_may_play_what_a_signed_address_leads_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    url = "s3://podcast?endpoint=http://127.0.0.1:9&public_endpoint=https://files.example.org&region=us-east-1"
    settings = Settings(storage_url=url, data_dir=tmp_path, _env_file=None)

    assert bucket_origin(settings, open_storage(url, None)) == "https://files.example.org"
    assert bucket_origin(Settings(data_dir=tmp_path, _env_file=None), open_storage(None, tmp_path)) == ""


def test_a_static_file_is_kept_for_ever_under_our_version_and_shortly_under_another(shared_visitor: Visitor) -> None:
    ours = shared_visitor.get(static_files.address("base.css"))
    another = shared_visitor.get("/static/000000000000/base.css")

    assert ours.headers["content-type"].startswith("text/css")
    assert ours.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert another.content == ours.content
    assert another.headers["cache-control"] == "public, max-age=60"


@pytest.mark.parametrize("name", ["nothing.css", "../app.py", "%2e%2e/app.py", "..%2fapp.py", "", "/etc/passwd"])
def test_no_other_file_is_reached_through_static_addresses(shared_visitor: Visitor, name: str) -> None:
    assert shared_visitor.get(f"/static/{static_files.version()}/{name}").status_code == 404


def test_every_file_that_a_page_needs_is_there(shared_visitor: Visitor) -> None:
    needed = [name for path in PAGES for name in _fetched(shared_visitor, path)]

    assert len(needed) > 8
    assert {name: shared_visitor.get(name).status_code for name in needed} == dict.fromkeys(needed, 200)


def test_what_is_no_page_answers_in_its_own_way(shared_visitor: Visitor) -> None:
    assert shared_visitor.get("/api/nothing").headers["content-type"] == "application/problem+json"
    assert shared_visitor.get("/favicon.ico").headers["content-type"] == "image/x-icon"
    assert "Disallow: /studio/" in shared_visitor.get("/robots.txt").text


def test_a_page_that_is_sent_something_says_what_it_takes(shared_visitor: Visitor) -> None:
    answer = shared_visitor.site.listener.post(f"/fr/{SLUG}/", data={"a": "b"})

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert "Cette page ne peut pas recevoir" in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_asking_about_a_page_is_answered_as_the_page_without_its_text(shared_visitor: Visitor, path: str) -> None:
    answer, asked_about = shared_visitor.get(path), shared_visitor.site.listener.head(path)

    assert (asked_about.status_code, asked_about.content) == (answer.status_code, b"")
    assert asked_about.headers["content-length"] == answer.headers["content-length"]


def test_a_site_that_has_all_it_needs_says_so(shared_visitor: Visitor) -> None:
    assert shared_visitor.get("/healthz").status_code == 200
    ready = shared_visitor.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"database": "ok", "storage": "ok"})


def test_a_site_whose_storage_is_away_is_not_ready(sqlite_place: Place) -> None:
    with visiting(replace(sqlite_place, port=free_port())) as visitor:
        folder = sqlite_place.data_dir / "storage"
        folder.rename(sqlite_place.data_dir / "away")
        folder.symlink_to(folder)  # leads to itself: nothing can be opened below it

        ready, cover = visitor.get("/readyz"), visitor.get(f"/{SLUG}/cover-{visitor.podcasts.show().cover.id}.jpg")

        assert (ready.status_code, ready.json()) == (503, {"database": "ok", "storage": "away"})
        assert cover.status_code == 503
        assert visitor.get("/healthz").status_code == 200
        assert visitor.get(f"/{SLUG}/").status_code == 200


def test_a_site_whose_database_is_away_asks_readers_to_come_back(
    postgresql_place: Place, postgresql: PostgreSQL
) -> None:
    name = postgresql_place.database_url.rpartition("/")[2]
    with visiting(replace(postgresql_place, port=free_port())) as visitor, postgresql.connect() as server:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        ready, page = visitor.get("/readyz"), visitor.get(f"/fr/{SLUG}/")
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())

        assert (ready.status_code, ready.json()) == (503, {"database": "away", "storage": "ok"})
        assert page.status_code == 503
        assert int(page.headers["retry-after"]) > 0
        assert "Rien n’est perdu." in page.text
        assert visitor.get("/readyz").status_code == 200


def _fetched(visitor: Visitor, path: str) -> list[str]:
    """What a browser asks for because the page says so."""
    page = html.fromstring(visitor.get(path).text)
    named = page.xpath("//@src | //link[@rel='stylesheet' or @rel='icon']/@href")
    return [str(url) for url in named if not url.startswith("data:")]


def test_no_address_with_a_character_0_reaches_a_handler_since_postgresql_would_not_look_for_it() -> None:
    for route in ROUTES:
        assert isinstance(route, Route)
        for name in (name for name in route.param_convertors if name not in ("number", "name")):
            path = re.sub(r"\{(\w+)(:\w+)?\}", lambda part, odd=name: "\0" if part[1] == odd else "7", route.path)
            matched, _ = route.matches({"type": "http", "method": "GET", "path": path, "headers": []})
            assert matched is Match.NONE, route.path
