"""What pages say of themselves to machines: to messengers, search engines, feed readers and phones."""

import json

import pytest
from lxml import html
from sqlalchemy.orm import Session

from podcast_app import pages
from podcast_app.models import Episode
from podcast_app.site import pages as site_pages
from podcast_app.site import places
from podcast_app.site.listing import listing
from podcast_app.site.places import Place
from tests.site import SLUG
from tests.visitor import Visitor, add_show

PUBLIC = "https://podcast.example.org"
VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\n<v Aline>Bonjour Matonge\n"


@pytest.fixture(scope="module")
def matonge(shared_visitor: Visitor, mp3: bytes) -> Episode:
    episode = shared_visitor.podcasts.published(
        mp3,
        title='Matonge & </script><b>"what stays"',
        slug="matonge",
        notes="Along the Chaussée de Wavre. " * 20,
        season=2,
        number=7,
        spoken_language="ln",
        publish="2026-07-01T22:30:00Z",
        persons=[
            {"name": "Aline", "role": "host", "url": "https://aline.example.org/"},
            {"name": "Mukiza", "role": "audio engineer", "group": "audio production"},
        ],
        translations={"fr": {"title": "Matonge, et ce qui reste", "notes": "Le long de la chaussée."}},
    )
    sent = shared_visitor.site.api.put(
        f"/api/v1/episodes/{episode.id}/transcripts/ln",
        content=VTT,
        headers={"Content-Type": "text/vtt", "X-Filename": "matonge.vtt"},
    )
    assert sent.status_code in (200, 201), sent.text
    return shared_visitor.podcasts.episode(episode.id)


@pytest.fixture
def public(shared_visitor: Visitor, matonge: Episode) -> html.HtmlElement:
    """The episode's page on a site that everybody reaches."""

    def page(session: Session) -> str:
        place = places.episode(session, SLUG, matonge.slug, None)
        assert isinstance(place, Place)
        return pages.html("episode.html", "en", **site_pages.episode_page(place, PUBLIC).words)

    return html.fromstring(shared_visitor.podcasts.work.database.read(page))


def test_a_messenger_learns_what_an_episode_is_and_plays_it(public: html.HtmlElement, matonge: Episode) -> None:
    said = _said(public)

    assert matonge.audio is not None
    assert said["og:type"] == "article"
    assert said["article:published_time"] == "2026-07-01T22:30:00Z"
    assert said["og:audio"] == said["og:audio:secure_url"] == said["twitter:player:stream"]
    assert said["og:audio"] == f"{PUBLIC}/media/{matonge.audio.id}/{matonge.audio.name}"
    assert said["og:audio:type"] == said["twitter:player:stream:content_type"] == "audio/mpeg"
    assert said["twitter:card"] == "player"
    assert said["twitter:player"] == f"{PUBLIC}/{SLUG}/matonge/embed"
    assert int(said["twitter:player:width"]) > int(said["twitter:player:height"]) > 0


def test_a_player_is_not_offered_to_others_over_a_plain_line(shared_visitor: Visitor, matonge: Episode) -> None:
    said = _said(shared_visitor.page(f"/{SLUG}/matonge"))

    assert said["twitter:card"] == "summary_large_image"
    assert not {name for name in said if name.startswith("twitter:player") or name.endswith("secure_url")}


def test_a_page_names_its_language_and_the_others_as_messengers_do(shared_visitor: Visitor, matonge: Episode) -> None:
    english, french = _said(shared_visitor.page(f"/{SLUG}/")), _said(shared_visitor.page(f"/fr/{SLUG}/matonge"))

    assert (english["og:locale"], english["og:locale:alternate"]) == ("en_GB", "fr_FR")
    assert (french["og:locale"], french["og:locale:alternate"]) == ("fr_FR", "en_GB")


def test_a_description_is_as_long_as_it_is_read(public: html.HtmlElement) -> None:
    said = _said(public)

    assert 100 < len(said["description"]) <= 200
    assert said["description"] == said["og:description"]


def test_the_first_feed_of_a_page_is_the_one_in_its_language_and_small_files_have_their_own(
    shared_visitor: Visitor, matonge: Episode
) -> None:
    feeds = shared_visitor.page(f"/fr/{SLUG}/matonge").xpath("//link[@type='application/rss+xml']")

    paths = [feed.get("href").removeprefix(shared_visitor.origin) for feed in feeds]
    assert paths == [f"/fr/{SLUG}/feed.xml", f"/{SLUG}/feed.xml", f"/fr/{SLUG}/feed-low.xml"]
    assert feeds[2].get("title") == "Diaspora Insights (version légère, pour les connexions lentes ou chères)"
    assert [shared_visitor.get(path).status_code for path in paths] == [200, 200, 200]


def test_a_search_engine_learns_all_of_an_episode(public: html.HtmlElement, matonge: Episode) -> None:
    said = _linked_data(public)

    assert said["@context"] == "https://schema.org"
    assert said["@type"] == "PodcastEpisode"
    assert said["url"] == public.xpath("//link[@rel='canonical']/@href")[0]
    assert said["datePublished"] == "2026-07-01T22:30:00Z"
    assert said["timeRequired"] == "PT2S"
    assert (said["episodeNumber"], said["inLanguage"]) == (7, "ln")
    assert said["partOfSeason"] == {"@type": "PodcastSeason", "seasonNumber": 2}
    assert said["partOfSeries"] == {
        "@type": "PodcastSeries",
        "name": "Diaspora Insights",
        "url": f"{PUBLIC}/{SLUG}/",
        "webFeed": f"{PUBLIC}/{SLUG}/feed.xml",
    }
    assert said["actor"] == [
        {"@type": "Person", "name": "Aline", "jobTitle": "host", "url": "https://aline.example.org/"}
    ]
    assert said["contributor"] == [{"@type": "Person", "name": "Mukiza", "jobTitle": "audio engineer"}]
    assert said["author"] == {"@type": "Organization", "name": "IOM Belgium and Luxembourg"}
    assert said["accessibilityFeature"] == "transcript"


def test_a_search_engine_learns_what_the_audio_is_and_where_it_can_be_read(public: html.HtmlElement) -> None:
    audio = _linked_data(public)["associatedMedia"]

    assert isinstance(audio, dict)
    assert audio["@type"] == "AudioObject"
    assert audio["contentUrl"] == _said(public)["og:audio"]
    assert (audio["encodingFormat"], audio["bitrate"], audio["duration"]) == ("audio/mpeg", "64 kbit/s", "PT2S")
    assert audio["contentSize"].endswith(" kB")
    assert audio["transcript"] == f"{PUBLIC}/{SLUG}/matonge/transcript.ln.txt"


def test_a_title_cannot_end_the_data_that_names_it(public: html.HtmlElement, matonge: Episode) -> None:
    assert _linked_data(public)["name"] == 'Matonge & </script><b>"what stays"'
    assert public.xpath("//head//b") == []
    assert len(public.xpath("//head/script")) >= 1


def test_a_search_engine_learns_what_a_show_is(shared_visitor: Visitor) -> None:
    said = _linked_data(shared_visitor.page(f"/fr/{SLUG}/"))

    assert said["@type"] == "PodcastSeries"
    assert said["webFeed"] == f"{shared_visitor.origin}/fr/{SLUG}/feed.xml"
    assert said["author"] == said["publisher"] == {"@type": "Organization", "name": "IOM Belgium and Luxembourg"}
    assert said["inLanguage"] == "en"
    assert str(said["description"]).startswith("Des conversations par et pour la diaspora")
    assert shared_visitor.get(str(said["image"])).headers["content-type"] == "image/jpeg"


def test_a_link_that_we_made_is_nobodys_word_that_the_same_show_is_there(shared_visitor: Visitor) -> None:
    spotify = "https://open.spotify.com/show/2"
    changed = shared_visitor.site.api.patch(f"/api/v1/shows/{SLUG}", json={"links": {"spotify": spotify}})
    assert changed.status_code == 200, changed.text

    found = shared_visitor.podcasts.work.database.read(listing, SLUG, None, 1, None, PUBLIC)

    assert not isinstance(found, places.Nothing)
    assert sum(way.is_made for way in found.show.links) == 5
    assert json.loads(found.head.linked_data)["sameAs"] == [spotify]


def test_what_is_not_known_of_an_episode_is_not_said(shared_visitor: Visitor, mp3: bytes) -> None:
    shared_visitor.podcasts.published(mp3, title="Plain")

    said = _linked_data(shared_visitor.page(f"/{SLUG}/plain"))

    assert not {"episodeNumber", "partOfSeason", "actor", "contributor", "accessibilityFeature"} & set(said)
    assert "null" not in json.dumps(said)


def test_the_list_of_shows_says_what_it_is_and_has_them_for_apps(visitor: Visitor) -> None:
    add_show(visitor, "second", "Second")

    page = visitor.page("/fr/")

    said = _said(page)
    assert said["description"] == said["og:description"] == "Des podcasts à écouter : Diaspora Insights, Second."
    assert (said["og:site_name"], said["og:locale"]) == (visitor.origin.removeprefix("http://"), "fr_FR")
    assert visitor.get(said["og:image"]).headers["content-type"] == "image/jpeg"
    for way in ("//header", "//footer"):
        assert page.xpath(f"{way}//a[@rel='alternate'][@lang='en']/@href") == ["/"], way
    assert page.xpath("//footer//a[@type='text/x-opml']/@href") == ["/opml.xml"]
    (discovery,) = page.xpath("//link[@type='application/json+oembed']/@href")
    assert visitor.get(discovery).json()["type"] == "link"

    for slug in (SLUG, "second"):
        assert visitor.site.api.patch(f"/api/v1/shows/{slug}", json={"archived": True}).status_code == 200
    empty = visitor.page("/")
    assert "the first podcast is on its way" in empty.xpath("string(//main)")
    assert empty.xpath("//*[@type='text/x-opml']") == []
    assert page.xpath("//link[@rel='canonical']/@href") == [f"{visitor.origin}/fr/"]
    assert page.xpath("//link[@hreflang='x-default']/@href") == [f"{visitor.origin}/"]
    assert page.xpath("//link[@type='text/x-opml']/@href") == [f"{visitor.origin}/opml.xml"]


def _said(page: html.HtmlElement) -> dict[str, str]:
    return {meta.get("property") or meta.get("name"): meta.get("content") for meta in page.xpath("//meta[@content]")}


def _linked_data(page: html.HtmlElement) -> dict[str, object]:
    (block,) = page.xpath("//script[@type='application/ld+json']")
    said: dict[str, object] = json.loads(block.text)
    return said
