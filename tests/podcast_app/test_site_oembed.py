"""oEmbed: somebody pastes an address, and another site shows the player."""

from urllib.parse import quote

import httpx2
import pytest
from lxml import html

from podcast_app.models import Episode
from podcast_app.site import oembed
from podcast_app.site.oembed import Pasted
from tests.site import SLUG
from tests.visitor import Visitor

ORIGIN = "https://podcast.example.org"


@pytest.fixture(scope="module")
def matonge(shared_visitor: Visitor, mp3: bytes) -> Episode:
    return shared_visitor.podcasts.published(
        mp3, title='Matonge & "friends"', slug="matonge", translations={"fr": {"title": "Le quartier", "notes": ""}}
    )


def test_a_page_is_discovered_as_a_player_in_a_frame(shared_visitor: Visitor, matonge: Episode) -> None:
    (discovery,) = shared_visitor.page(f"/{SLUG}/matonge").xpath("//link[@type='application/json+oembed']/@href")

    answer = shared_visitor.get(discovery)

    assert answer.headers["access-control-allow-origin"] == "*"
    said = answer.json()
    assert (said["version"], said["type"], said["title"]) == ("1.0", "rich", 'Matonge & "friends"')
    assert said["provider_url"] == f"{shared_visitor.origin}/"
    frame = html.fragment_fromstring(said["html"])
    assert said["html"].endswith("></iframe>")
    assert frame.tag == "iframe"
    assert frame.get("title") == 'Matonge & "friends" – Diaspora Insights'
    assert (frame.get("width"), frame.get("height")) == (str(said["width"]), str(said["height"]))
    assert frame.get("src") == f"{shared_visitor.origin}/{SLUG}/matonge/embed"
    assert shared_visitor.get(frame.get("src")).status_code == 200
    assert shared_visitor.get(said["thumbnail_url"]).headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("url", "pasted"),
    [
        (f"{ORIGIN}/show/matonge", Pasted("show", "matonge", None)),
        (f"  {ORIGIN}/show/matonge/ ", Pasted("show", "matonge", None)),
        (f"{ORIGIN}/show/matonge?utm_source=mail#t=30", Pasted("show", "matonge", None)),
        (f"{ORIGIN}/fr/show/matonge", Pasted("show", "matonge", "fr")),
        (f"{ORIGIN}/fr/show/matonge/embed?theme=dark", Pasted("show", "matonge", "fr")),
        (f"{ORIGIN}/show/embed", Pasted("show", None, None)),
        (f"{ORIGIN}/show/", Pasted("show", None, None)),
        (f"{ORIGIN}/fr/", Pasted(None, None, "fr")),
        (ORIGIN, Pasted(None, None, None)),
        ("http://podcast.example.org/show/matonge", Pasted("show", "matonge", None)),
        ("HTTPS://Podcast.Example.org:443/show/matonge", Pasted("show", "matonge", None)),
        ("https://www.podcast.example.org/show/matonge", Pasted("show", "matonge", None)),
        ("podcast.example.org/show/matonge", Pasted("show", "matonge", None)),
        ("https://podcast.example.org.evil.example/show/matonge", None),
        ("https://evil.example/podcast.example.org/show", None),
        ("https://podcast.example.org@evil.example/show", None),
        ("https://podcast.example.org:8443/show/matonge", None),
        ("https://podcast.example.org:port/show", None),
        ("https://[::1", None),
        ("javascript:alert(1)", None),
        (f"{ORIGIN}/show/matonge/transcript/more", None),
    ],
)
def test_an_address_is_understood_in_whichever_form_it_was_copied(url: str, pasted: Pasted | None) -> None:
    assert oembed.read(url, ORIGIN) == pasted


def test_an_address_under_www_is_ours_when_our_own_has_it() -> None:
    assert oembed.read("https://example.org/show/matonge", "https://www.example.org") == Pasted("show", "matonge", None)


def test_the_french_address_gets_the_french_player(shared_visitor: Visitor, matonge: Episode) -> None:
    said = _ask(shared_visitor, f"/fr/{SLUG}/matonge").json()

    assert said["title"] == "Le quartier"
    assert f"/fr/{SLUG}/matonge/embed" in said["html"]


def test_the_address_of_a_show_gets_its_newest_episode(shared_visitor: Visitor, matonge: Episode) -> None:
    said = _ask(shared_visitor, "/").json()

    assert said["title"] == "Diaspora Insights"
    assert f'src="{shared_visitor.origin}/{SLUG}/embed"' in said["html"]


@pytest.mark.parametrize(
    ("limits", "width", "height", "is_compact"),
    [
        ("", 640, 184, False),
        ("&maxwidth=400&maxheight=1000", 400, 184, False),
        ("&maxheight=100", 640, 76, True),
        ("&maxwidth=200&maxheight=50", 200, 50, True),
        ("&maxwidth=-1&maxheight=many", 640, 184, False),
        ("&maxwidth=0&maxheight=999999", 640, 184, False),
    ],
)
def test_a_player_keeps_within_the_place_that_there_is(
    shared_visitor: Visitor, matonge: Episode, limits: str, width: int, height: int, is_compact: bool
) -> None:
    said = _ask(shared_visitor, f"/{SLUG}/matonge", limits).json()

    assert (said["width"], said["height"]) == (width, height)
    assert ("size=compact" in said["html"]) == is_compact


def test_a_thumbnail_keeps_within_it_too(shared_visitor: Visitor, matonge: Episode) -> None:
    assert _ask(shared_visitor, f"/{SLUG}/matonge", "&maxwidth=300").json()["thumbnail_width"] <= 300
    assert "thumbnail_url" not in _ask(shared_visitor, f"/{SLUG}/matonge", "&maxwidth=100").json()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("url=", 400),
        (f"url={quote('https://elsewhere.example/matonge')}", 404),
        ("url=%00", 404),
        ("format=xml&url=x", 501),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(shared_visitor: Visitor, query: str, status: int) -> None:
    answer = shared_visitor.get(f"/oembed?{query}", Accept_Language="fr")

    assert answer.status_code == status
    assert answer.json()["error"].endswith((".", "json."))
    assert answer.headers["access-control-allow-origin"] == "*"


def _ask(visitor: Visitor, path: str, more: str = "") -> httpx2.Response:
    return visitor.get(f"/oembed?url={quote(visitor.origin + path, safe='')}{more}")
