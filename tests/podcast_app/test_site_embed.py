"""The player for other sites."""

import base64
import gzip
import hashlib

import pytest
from lxml import html

from podcast_app.models import Episode
from tests.site import SLUG
from tests.visitor import Visitor

MOST_BYTES = 6000  # packed: what the audience pays before it has heard anything


@pytest.fixture(scope="module")
def matonge(shared_visitor: Visitor, mp3: bytes) -> Episode:
    return shared_visitor.podcasts.published(
        mp3,
        title="Matonge",
        publish="2026-06-30T08:00:00Z",
        translations={"fr": {"title": "Matonge, le quartier", "notes": ""}},
    )


@pytest.fixture(scope="module")
def newest(shared_visitor: Visitor, mp3: bytes) -> Episode:
    return shared_visitor.podcasts.published(mp3, title="Newest", publish="2026-07-01T08:00:00Z")


def test_an_embed_shows_cover_title_and_a_player(shared_visitor: Visitor, matonge: Episode) -> None:
    page = shared_visitor.page(f"/{SLUG}/matonge/embed")

    (title,) = page.xpath("//h1/a")
    assert title.text == "Matonge"
    assert title.get("href") == f"/{SLUG}/matonge"
    assert (title.get("target"), title.get("rel")) == ("_blank", "noopener")
    (audio,) = page.xpath("//audio[@controls]")
    assert (audio.get("preload"), audio.get("src")) == ("none", f"/media/{matonge.audio.id}/matonge.mp3")
    assert shared_visitor.get(page.xpath("//img/@src")[0]).headers["content-type"] == "image/jpeg"


def test_an_embed_may_be_framed_by_anybody_and_runs_nothing(shared_visitor: Visitor, matonge: Episode) -> None:
    answer = shared_visitor.get(f"/{SLUG}/matonge/embed")

    policy = _policy(answer.headers["content-security-policy"])
    assert policy["frame-ancestors"] == "*"
    assert policy["default-src"] == "'none'"
    assert "script-src" not in policy
    assert "x-frame-options" not in answer.headers
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("query", ["", "?color=2266cc"])
def test_the_style_inside_an_embed_is_the_one_that_its_policy_allows(
    shared_visitor: Visitor, matonge: Episode, query: str
) -> None:
    answer = shared_visitor.get(f"/{SLUG}/matonge/embed{query}")

    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert _policy(answer.headers["content-security-policy"])["style-src"] == f"'sha256-{digest}'"


def test_an_embed_is_one_light_document(shared_visitor: Visitor, matonge: Episode) -> None:
    answer = shared_visitor.get(f"/{SLUG}/matonge/embed")

    assert len(gzip.compress(answer.content)) < MOST_BYTES
    assert html.fromstring(answer.text).xpath("//link | //script") == []


def test_the_other_site_chooses_the_look(shared_visitor: Visitor, matonge: Episode) -> None:
    answer = shared_visitor.get(f"/{SLUG}/matonge/embed?theme=dark&size=compact&color=22AA6F&lang=fr&t=1:30")

    page = html.fromstring(answer.text)
    assert (page.get("data-theme"), page.get("data-size"), page.get("lang")) == ("dark", "compact", "fr")
    assert "--accent:#22aa6f" in answer.text
    assert page.xpath("//h1/a/text()") == ["Matonge, le quartier"]
    assert page.xpath("//audio/@src")[0].endswith("#t=1:30")


@pytest.mark.parametrize(
    "query",
    [
        "theme=%22%3E%3Cscript%3E",
        "color=red;}*{display:none",
        "color=12345",
        "size=9",
        "lang=xx",
        "t=%22onload=1",
        "t=-5",
        "theme&color&size&lang&t",
    ],
)
def test_a_wish_that_cannot_be_read_counts_as_not_said(shared_visitor: Visitor, matonge: Episode, query: str) -> None:
    assert (
        shared_visitor.get(f"/{SLUG}/matonge/embed?{query}").text == shared_visitor.get(f"/{SLUG}/matonge/embed").text
    )


def test_the_embed_of_a_show_plays_its_newest_episode(
    shared_visitor: Visitor, matonge: Episode, newest: Episode
) -> None:
    page = shared_visitor.page(f"/fr/{SLUG}/embed")

    assert page.xpath("//h1/a/@href") == [f"/fr/{SLUG}/newest"]
    assert page.get("lang") == "fr"


def _policy(header: str) -> dict[str, str]:
    return dict(part.strip().split(" ", 1) for part in header.split(";"))
