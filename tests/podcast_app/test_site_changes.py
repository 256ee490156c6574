"""What listeners find after somebody published, renamed, withdrew, or wrote something nasty."""

from dataclasses import replace

import pytest
from lxml import html

from media import artwork
from podcast_app import covers, shows
from podcast_app.fields import ShowFields
from podcast_app.site.paging import PER_PAGE
from podcast_app.times import utcnow
from tests.podcasts import Place
from tests.site import SLUG, free_port
from tests.visitor import Visitor, add_many, queries, visiting

MARKUP = '"><svg onload="document.title=\'c071\'"> </title></script><b>'


def test_a_show_without_episodes_says_so_kindly(visitor: Visitor) -> None:
    assert "the first episode is on its way" in visitor.page(f"/{SLUG}/").text_content()
    assert "le premier épisode arrive" in visitor.page(f"/fr/{SLUG}/").text_content()
    assert "the first episode is on its way" in visitor.page(f"/{SLUG}/embed").text_content()


@pytest.mark.long_on_postgresql
def test_an_episode_is_found_and_read_on_each_kind_of_database(place: Place, mp3: bytes) -> None:
    with visiting(replace(place, port=free_port())) as visitor:
        episode = visitor.podcasts.published(mp3, title="Matonge")

        (found,) = visitor.page(f"/{SLUG}/").xpath("//h3/a/@href")

        assert visitor.page(found).xpath("//h1")[0].text == "Matonge"
        assert visitor.page(f"/{SLUG}/embed").xpath("//audio/@src") == [f"/media/{episode.audio.id}/matonge.mp3"]


def test_an_episode_is_shown_once_it_is_published_and_no_sooner(visitor: Visitor, mp3: bytes) -> None:
    draft = visitor.podcasts.episode(visitor.podcasts.draft(mp3, title="A draft"))
    scheduled = visitor.podcasts.episode(visitor.podcasts.draft(mp3, title="Later", publish="2099-01-01T08:00:00Z"))

    for slug in (draft.slug, scheduled.slug):
        assert visitor.get(f"/{SLUG}/{slug}").status_code == 404
        assert visitor.get(f"/{SLUG}/{slug}/embed").status_code == 404
        assert visitor.get(f"/oembed?url={visitor.origin}/{SLUG}/{slug}").status_code == 404
    assert visitor.page(f"/{SLUG}/").xpath("//h3") == []


def test_a_withdrawn_episode_is_gone_and_says_so(visitor: Visitor, mp3: bytes) -> None:
    episode = visitor.podcasts.published(mp3, title="Regretted")

    visitor.withdraw(episode)

    page, embed = visitor.get(f"/fr/{SLUG}/regretted"), visitor.get(f"/{SLUG}/regretted/embed")
    assert (page.status_code, embed.status_code) == (410, 410)
    assert "Cet épisode n’est plus disponible." in page.text
    assert "frame-ancestors *" in embed.headers["content-security-policy"]
    assert visitor.get(f"/oembed?url={visitor.origin}/{SLUG}/regretted").status_code == 410
    assert visitor.get(f"/{SLUG}/regretted/cover.jpg").status_code == 410
    assert visitor.page(f"/{SLUG}/").xpath("//h3") == []


def test_the_old_address_of_a_renamed_episode_leads_to_the_new_one(visitor: Visitor, mp3: bytes) -> None:
    episode = visitor.podcasts.published(mp3, title="First name")

    visitor.change(episode, slug="second-name")

    assert _leads_to(visitor, f"/{SLUG}/first-name") == f"/{SLUG}/second-name"
    assert _leads_to(visitor, f"/fr/{SLUG}/first-name/embed?theme=dark") == f"/fr/{SLUG}/second-name/embed?theme=dark"
    moved = visitor.get(f"/oembed?maxwidth=300&url={visitor.origin}/{SLUG}/first-name")
    assert moved.status_code == 301
    assert visitor.get(moved.headers["location"]).json()["width"] == 300


def test_a_renamed_show_is_found_under_its_old_name_with_all_its_pages(visitor: Visitor, mp3: bytes) -> None:
    visitor.podcasts.published(mp3, title="Matonge")
    cover = visitor.page(f"/{SLUG}/").xpath("//header//img/@src")[0]

    visitor.rename_show("voices")

    assert _leads_to(visitor, f"/fr/{SLUG}/") == "/fr/voices/"
    assert _leads_to(visitor, f"/{SLUG}/matonge") == "/voices/matonge"
    assert _leads_to(visitor, f"/{SLUG}/embed") == "/voices/embed"
    assert visitor.get(cover).status_code == 200


def test_a_name_that_comes_back_does_not_lead_in_circles(visitor: Visitor) -> None:
    visitor.rename_show("voices")
    kept = visitor.get(f"/{SLUG}/").headers["cache-control"]

    visitor.rename_show(SLUG)

    assert _leads_to(visitor, "/voices/") == f"/{SLUG}/"
    assert visitor.get(f"/{SLUG}/").status_code == 200
    assert kept == "public, max-age=300"  # or browsers would keep the first redirect for ever


def test_a_show_in_french_has_french_pages_without_a_prefix_and_english_ones_with(visitor: Visitor, mp3: bytes) -> None:
    visitor.podcasts.published(mp3, title="Sortie", language="fr")
    answer = visitor.site.api.patch(f"/api/v1/shows/{SLUG}", json={"translations": {"fr": {"title": ""}}})
    assert answer.status_code == 200, answer.text
    answer = visitor.site.api.patch(f"/api/v1/shows/{SLUG}", json={"language": "fr"})
    assert answer.status_code == 200, answer.text

    assert visitor.page(f"/{SLUG}/sortie").get("lang") == "fr"
    assert visitor.page(f"/en/{SLUG}/sortie").get("lang") == "en"
    assert _leads_to(visitor, f"/fr/{SLUG}/sortie") == f"/{SLUG}/sortie"
    assert html.fromstring(visitor.get(f"/{SLUG}/nothing").text).get("lang") == "fr"


def test_several_shows_are_listed_on_the_first_page(visitor: Visitor) -> None:
    database, storage = visitor.site.database, visitor.site.storage
    picture = covers.store(database, storage, artwork.generated("Second"))
    second = ShowFields(
        slug="second", title="Second", description="Another one.", author="IOM", categories=(("Arts", None),)
    )
    made = database.write(shows.create, second, picture, visitor.site.settings, utcnow())
    assert not hasattr(made, "findings"), made

    assert visitor.page("/").xpath("//h2/a/@href") == [f"/{SLUG}/", "/second/"]
    assert visitor.page("/fr/").xpath("//h2/a/@href") == [f"/fr/{SLUG}/", "/fr/second/"]
    assert _leads_to(visitor, "/en/") == "/"


@pytest.mark.parametrize("path", ["", "/x", "/x/embed"])
def test_markup_in_texts_is_shown_as_text(visitor: Visitor, mp3: bytes, path: str) -> None:
    visitor.podcasts.published(
        mp3,
        title=MARKUP,
        notes=f"{MARKUP}\n\n[click](javascript:alert(1))",
        slug="x",
        persons=[{"name": MARKUP}],
        chapters=[{"start_ms": 0, "title": MARKUP}],
    )

    page = visitor.page(f"/{SLUG}{path or '/'}")

    assert MARKUP in page.text_content()
    assert page.xpath("//@onload | //b[not(@data-chapter)] | //a[starts-with(@href, 'javascript')]") == []
    discovered = visitor.get(f"/oembed?url={visitor.origin}/{SLUG}/x").json()
    assert html.fragment_fromstring(discovered["html"]).get("title") == f"{MARKUP} – Diaspora Insights"
    assert discovered["title"] == MARKUP


def test_a_long_show_is_read_page_by_page_to_its_first_episode(visitor: Visitor) -> None:
    visitor.site.database.write(add_many, visitor.podcasts.show().id, 2 * PER_PAGE + 1)

    first = visitor.page(f"/{SLUG}/")
    second = visitor.page(first.xpath("//link[@rel='next']/@href")[0])
    third = visitor.page(second.xpath("//nav//a[@rel='next']/@href")[0])

    titles = [title.text_content() for page in (first, second, third) for title in page.xpath("//h3")]
    assert titles == [f"Number {number}" for number in range(2 * PER_PAGE + 1, 0, -1)]
    assert third.xpath("//link[@rel='next']") == []
    assert second.xpath("//link[@rel='prev']/@href") == [f"/{SLUG}/"]
    assert second.xpath("//link[@rel='canonical']/@href") == [f"{visitor.origin}/{SLUG}/episodes/2"]


@pytest.mark.long
def test_the_first_of_2100_episodes_is_three_clicks_away(visitor: Visitor) -> None:
    visitor.site.database.write(add_many, visitor.podcasts.show().id, 2100)
    page = visitor.page(f"/{SLUG}/")

    page = visitor.page(page.xpath("//nav[@class='paging']//li[last()]/a/@href")[0])

    assert page.xpath("//h3")[-1].text_content() == "Number 1"
    assert visitor.page(page.xpath("//h3/a/@href")[-1]).xpath("//h1")[0].text == "Number 1"


@pytest.mark.parametrize("count", [2, PER_PAGE])
def test_a_listing_costs_ten_queries_however_many_episodes_it_names(visitor: Visitor, count: int) -> None:
    visitor.site.database.write(add_many, visitor.podcasts.show().id, count)

    with queries() as sent:
        visitor.page(f"/{SLUG}/")

    assert len(sent) == 10, sent


def _leads_to(visitor: Visitor, path: str) -> str:
    answer = visitor.get(path)
    assert answer.status_code == 301, f"{path}: {answer.status_code}"
    location = answer.headers["location"]
    assert location.startswith(visitor.origin)
    return location.removeprefix(visitor.origin)
