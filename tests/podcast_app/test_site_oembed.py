"""oEmbed: somebody pastes an address, and another site shows the player."""

import re
from dataclasses import replace
from urllib.parse import quote

import httpx2
import pytest
from lxml import html

from podcast_app.addresses import Addresses
from podcast_app.models import Episode
from podcast_app.site import oembed, places
from podcast_app.site.look import Look
from podcast_app.site.oembed import COMPACT, TALL, WIDTH, Pasted
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
    assert said["provider_name"] == shared_visitor.origin.removeprefix("http://")
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
        (f"{ORIGIN}/show/matonge?utm_source=mail#notes", Pasted("show", "matonge", None)),
        (f"{ORIGIN}/show/matonge?utm_source=mail#t=1:30", Pasted("show", "matonge", look=Look(start="1:30"))),
        (f"{ORIGIN}/show/matonge?t=90", Pasted("show", "matonge", look=Look(start="90"))),
        (f"{ORIGIN}/fr/show/matonge", Pasted("show", "matonge", "fr")),
        (f"{ORIGIN}/fr/show/matonge/embed?theme=dark", Pasted("show", "matonge", "fr", look=Look(theme="dark"))),
        (f"{ORIGIN}/show/matonge/embed?lang=fr", Pasted("show", "matonge", "fr")),
        (f"{ORIGIN}/show/matonge?t=1m5s", Pasted("show", "matonge", look=Look(start="65"))),
        (f"{ORIGIN}/show/matonge/transcript.fr-BE.vtt", Pasted("show", "matonge", "fr")),
        (f"{ORIGIN}/show/matonge/chapters.json", Pasted("show", "matonge")),
        (f"{ORIGIN}/media/0a1b/matonge.mp3?download#t=30", Pasted(audio="0a1b", look=Look(start="30"))),
        (f"{ORIGIN}/show/feed.xml", Pasted("show")),
        (f"{ORIGIN}/fr/show/feed-low.xml", Pasted("show", language="fr")),
        (f"{ORIGIN}/show/episodes/3", Pasted("show")),
        (f"{ORIGIN}/show/episodes/season-2/3", Pasted("show")),
        (f"{ORIGIN}/fr/show/episodes/kept", Pasted("show", language="fr")),
        (f"{ORIGIN}/show/search?q=matonge", Pasted("show")),
        (f"{ORIGIN}/show/embed/episodes/2", Pasted("show")),
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


def test_the_address_of_the_audio_gets_the_player_of_its_episode(shared_visitor: Visitor, matonge: Episode) -> None:
    said = _ask(shared_visitor, f"/media/{matonge.audio.id}/whatever.mp3#t=75").json()

    assert said["title"] == 'Matonge & "friends"'
    assert html.fragment_fromstring(said["html"]).get("src") == f"{shared_visitor.origin}/{SLUG}/matonge/embed?t=75"
    assert _ask(shared_visitor, "/media/nothing/x.mp3").status_code == 404


def test_a_player_is_passed_on_as_it_was_made_to_look(shared_visitor: Visitor, matonge: Episode) -> None:
    said = _ask(shared_visitor, f"/{SLUG}/matonge/embed?theme=dark&color=2266CC&size=compact").json()

    src = html.fragment_fromstring(said["html"]).get("src")
    assert src == f"{shared_visitor.origin}/{SLUG}/matonge/embed?theme=dark&color=2266cc&size=compact"
    assert said["height"] == COMPACT


def test_wordpress_takes_the_frame_and_can_name_it(shared_visitor: Visitor, matonge: Episode) -> None:
    """What it does with the HTML of a site that it does not know (wp_filter_oembed_result)."""
    said = _ask(shared_visitor, f"/{SLUG}/matonge?t=5").json()

    (frame,) = re.findall(r"(?s)(?:<blockquote>.*?</blockquote>)?.*(<iframe.*?></iframe>)", said["html"])
    (src,) = re.findall(r""" src=['"](.*?)['"]""", frame)
    assert frame == said["html"]
    assert src == f"{shared_visitor.origin}/{SLUG}/matonge/embed?t=5"
    assert said["height"] >= 200  # no frame of WordPress's is lower
    # what it leaves of the attributes
    assert {"src", "title", "width", "height", "frameborder"} <= set(html.fragment_fromstring(frame).keys())


def test_what_is_copied_has_a_link_in_it_for_where_frames_are_taken_out(
    shared_visitor: Visitor, matonge: Episode
) -> None:
    place = shared_visitor.site.database.read(places.episode, SLUG, "matonge", "fr")

    frame = html.fragment_fromstring(oembed.snippet(place, Addresses(ORIGIN)))
    of_show = html.fragment_fromstring(oembed.snippet(replace(place, episode=None), Addresses(ORIGIN), height=COMPACT))

    assert (frame.tag, frame.get("loading"), frame.get("height")) == ("iframe", "lazy", str(TALL))
    assert frame.get("title") == "Le quartier – Diaspora Insights"
    assert frame.get("src") == f"{ORIGIN}/fr/{SLUG}/matonge/embed"
    assert [link.get("href") for link in html.fragments_fromstring(frame.text)] == [f"{ORIGIN}/fr/{SLUG}/matonge"]
    assert of_show.get("src") == f"{ORIGIN}/fr/{SLUG}/embed?size=compact"


def test_the_address_of_a_show_gets_its_newest_episode(shared_visitor: Visitor, matonge: Episode) -> None:
    said = _ask(shared_visitor, "/").json()

    assert said["title"] == "Diaspora Insights"
    assert f'src="{shared_visitor.origin}/{SLUG}/embed"' in said["html"]


@pytest.mark.parametrize(
    ("limits", "width", "height", "is_compact"),
    [
        ("", WIDTH, TALL, False),
        ("&maxwidth=400&maxheight=1000", 400, TALL, False),
        ("&maxheight=100", WIDTH, COMPACT, True),
        ("&maxwidth=200&maxheight=50", 200, 50, True),
        ("&maxwidth=-1&maxheight=many", WIDTH, TALL, False),
        ("&maxwidth=0&maxheight=999999", WIDTH, TALL, False),
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
