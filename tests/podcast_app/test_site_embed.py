"""The player for other sites."""

import base64
import hashlib
import re

import brotli
import pytest
from lxml import html

from podcast_app import worker
from podcast_app.models import Episode
from podcast_app.site import colours
from podcast_app.site.embed import LISTED
from tests.site import SLUG, hurried
from tests.visitor import Visitor, add_many, queries

VTT = "WEBVTT\n\n00:00.000 --> 00:02.000\n<v Aline>Bonjour.\n\n00:02.500 --> 00:06.000\nYes.\n"
MOST_BYTES = 8000  # in Brotli: what the audience pays before it has heard anything


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


@pytest.fixture(scope="module")
def whole(shared_visitor: Visitor, mp3: bytes) -> Episode:
    """With all that a player can show: chapters, transcripts in two languages, light versions."""
    episode = shared_visitor.podcasts.published(
        mp3,
        title="Letters from Brussels, and what came back",
        slug="whole",
        publish="2026-05-01T08:00:00Z",
        chapters=[{"start_ms": n * 200, "title": f"Chapter {n}, and what it tells of"} for n in range(8)],
    )
    with hurried():
        worker.catch_up(shared_visitor.podcasts.work, worker.BEHIND)
    for language in ("en", "fr"):
        path = f"/api/v1/episodes/{episode.id}/transcripts/{language}"
        assert shared_visitor.site.api.put(path, content=VTT, headers={"Content-Type": "text/vtt"}).status_code < 300
    return episode


def test_an_embed_shows_cover_title_and_a_player(shared_visitor: Visitor, matonge: Episode) -> None:
    page = shared_visitor.page(f"/{SLUG}/matonge/embed")

    (title,) = page.xpath("//h1/a")
    assert title.text == "Matonge"
    assert title.get("href") == f"/{SLUG}/matonge"
    assert page.xpath("//base/@target") == ["_blank"]
    (audio,) = page.xpath("//audio[@controls]")
    assert (audio.get("preload"), audio.get("src")) == ("none", f"/media/{matonge.audio.id}/matonge.mp3")
    assert shared_visitor.get(page.xpath("//img/@src")[0]).headers["content-type"] == "image/webp"


def test_an_embed_may_be_framed_by_anybody_and_runs_what_stands_in_it(
    shared_visitor: Visitor, matonge: Episode
) -> None:
    answer = shared_visitor.get(f"/{SLUG}/matonge/embed")

    policy = _policy(answer.headers["content-security-policy"])
    assert policy["frame-ancestors"] == "*"
    assert policy["default-src"] == "'none'"
    # in a frame without an origin nothing is 'self'
    assert all(shared_visitor.origin in policy[name].split() for name in ("img-src", "media-src", "connect-src"))
    assert "x-frame-options" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("query", ["", "?color=2266cc", "?theme=dark&lang=fr"])
def test_the_policy_allows_the_style_and_the_script_that_stand_in_an_embed_and_the_transcripts(
    shared_visitor: Visitor, matonge: Episode, query: str
) -> None:
    answer = shared_visitor.get(f"/{SLUG}/matonge/embed{query}")

    policy = _policy(answer.headers["content-security-policy"])
    style = _digest(answer.text, "<style>", "</style>")
    first = _digest(answer.text, "<script>", "</script>")
    script = _digest(answer.text, '<script type="module">', "</script>")
    assert policy["style-src"] == f"{style} {shared_visitor.origin}/static/"
    assert policy["script-src"] == f"{first} {script} {shared_visitor.origin}/static/"


def test_an_embed_is_one_light_document(shared_visitor: Visitor, whole: Episode) -> None:
    for path in (f"/{SLUG}/whole/embed", f"/{SLUG}/embed?theme=dark&color=2266cc", f"/fr/{SLUG}/whole/embed?list=1"):
        answer = shared_visitor.get(path)

        assert len(brotli.compress(answer.content)) <= MOST_BYTES, path
        page = html.fromstring(answer.text)
        assert page.xpath("//link[not(@rel='canonical' or @href='data:,')] | //script/@src | //iframe") == []
        assert page.xpath("//audio/@preload") == ["none"]
        assert page.xpath("//img/@loading") == ["lazy"]


def test_the_other_site_chooses_the_look(shared_visitor: Visitor, matonge: Episode) -> None:
    answer = shared_visitor.get(f"/{SLUG}/matonge/embed?theme=dark&size=compact&color=22AA6F&lang=fr&t=1:30")

    page = html.fromstring(answer.text)
    assert (page.get("data-theme"), page.get("lang")) == ("dark", "fr")
    assert page.xpath("//*[@class='tabs']") == []
    assert page.xpath("//h1/a/text()") == ["Matonge, le quartier"]
    assert page.xpath("//audio/@src")[0].endswith("#t=1:30")


@pytest.mark.parametrize(
    "query",
    [
        "list=yes",
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


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
@pytest.mark.parametrize("colour", ["ffee00", "000033", "808080"])
def test_words_in_the_colour_of_the_other_site_can_be_read_in_each_theme(
    shared_visitor: Visitor, matonge: Episode, theme: str, colour: str
) -> None:
    style = shared_visitor.page(f"/{SLUG}/matonge/embed?theme={theme}&color={colour}").xpath("string(//style)")

    papers = dict(zip(("light", "dark"), re.findall(r"--paper:(#\w{6})", style), strict=False))
    accents = re.findall(r":root:root{--accent:(#\w{6})}", style)
    shown = [papers[theme]] if theme != "auto" else list(papers.values())
    assert len(accents) == len(shown)
    for paper, accent in zip(shown, accents, strict=True):
        assert colours.contrast(paper, accent) >= 4.5


def test_the_embed_of_a_show_plays_its_newest_episode_and_offers_the_others(
    shared_visitor: Visitor, matonge: Episode, newest: Episode
) -> None:
    page = shared_visitor.page(f"/fr/{SLUG}/embed?theme=dark&t=5")

    assert page.xpath("//h1/a/@href") == [f"/fr/{SLUG}/newest"]
    assert page.get("lang") == "fr"
    listed = page.xpath("//*[@data-list]//a/@href")
    assert listed == [f"/fr/{SLUG}/embed/episodes?theme=dark&list=1"]  # a moment is one episode's
    assert page.xpath("//@data-list") == listed


def test_an_episode_in_the_list_leads_to_its_player_in_the_same_look(
    shared_visitor: Visitor, matonge: Episode, newest: Episode
) -> None:
    page = shared_visitor.page(f"/{SLUG}/embed/episodes?color=2266CC&lang=fr")

    titles = page.xpath("//*[@data-episodes]//a")
    assert [title.text for title in titles[:2]] == ["Newest", "Matonge, le quartier"]
    assert page.get("lang") == "fr"
    player = shared_visitor.page(titles[1].get("href"))
    assert player.xpath("//h1/a/text()") == ["Matonge, le quartier"]
    assert player.xpath("//@data-list")  # and from there to the others again
    assert titles[1].get("href") == f"/fr/{SLUG}/matonge/embed?color=2266cc&lang=fr&list=1"


def test_a_long_list_is_read_page_by_page(visitor: Visitor) -> None:
    visitor.site.database.write(add_many, visitor.podcasts.show().id, LISTED + 1)

    first = visitor.page(f"/{SLUG}/embed/episodes?theme=dark")
    second = visitor.page(first.xpath("//a[@rel='next']/@href")[0])

    titles = [title.text for page in (first, second) for title in page.xpath("//*[@data-episodes]//li/a")]
    assert titles == [f"Number {number}" for number in range(LISTED + 1, 0, -1)]
    assert second.get("data-theme") == "dark"
    assert second.xpath("//a[@rel='prev']/@href") == [f"/{SLUG}/embed/episodes?theme=dark&list=1"]
    assert visitor.get(f"/{SLUG}/embed/episodes/3").status_code == 404


def test_an_unchanged_player_or_list_asks_the_database_nothing(shared_visitor: Visitor, matonge: Episode) -> None:
    paths = [f"/{SLUG}/embed?theme=dark", f"/{SLUG}/embed/episodes?theme=dark"]
    before = [shared_visitor.get(path).text for path in paths]

    with queries() as sent:
        assert [shared_visitor.get(path).text for path in paths] == before

    assert sent == []
    assert shared_visitor.get(f"/{SLUG}/embed/episodes?theme=light").text != before[1]
    with queries() as sent:  # what somebody made up takes no room in memory
        assert [shared_visitor.get(f"{paths[0]}&made=up").text for _ in "12"] == before[:1] * 2
    assert len(sent) > 0


def test_a_player_of_what_is_no_longer_says_so_in_its_own_look(shared_visitor: Visitor, mp3: bytes) -> None:
    shared_visitor.withdraw(shared_visitor.podcasts.published(mp3, title="Regretted"))

    gone = shared_visitor.get(f"/{SLUG}/regretted/embed?theme=dark")
    never = shared_visitor.get(f"/fr/{SLUG}/nothing/embed")

    assert (gone.status_code, never.status_code) == (410, 404)
    page = html.fromstring(gone.text)
    assert page.get("data-theme") == "dark"
    assert page.xpath("//h1/text()") == ["This episode is no longer available."]
    assert page.xpath("//link[@rel='canonical'] | //script | //img") == []
    assert html.fromstring(never.text).get("lang") == "fr"
    for answer in (gone, never):
        assert _policy(answer.headers["content-security-policy"])["frame-ancestors"] == "*"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["access-control-allow-origin"] == "*"


def test_a_script_of_ours_may_be_imported_by_a_frame_without_an_origin(shared_visitor: Visitor, whole: Episode) -> None:
    (script,) = shared_visitor.page(f"/{SLUG}/whole/embed").xpath("//@data-script")

    answer = shared_visitor.get(script)

    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["access-control-allow-origin"] == "*"


def _digest(text: str, start: str, end: str) -> str:
    inside = text.partition(start)[2].partition(end)[0]
    return f"'sha256-{base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()}'"


def _policy(header: str) -> dict[str, str]:
    return dict(part.strip().split(" ", 1) for part in header.split(";"))
