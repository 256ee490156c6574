"""A show's list: the newest whole, seasons by themselves, and every page of it at the same cost."""

import pytest
from lxml import html
from sqlalchemy import update
from sqlalchemy.orm import Session

from podcast_app.models import Episode, EpisodeId, Show, ShowId
from podcast_app.site.listing import Listing, listing
from podcast_app.site.paging import PER_PAGE
from tests.site import SLUG
from tests.visitor import Visitor, add_many

WITHOUT, FIRST, SECOND = 2, PER_PAGE + 2, 1  # episodes of no season, of the first one (two pages), of the second


@pytest.fixture(scope="module")
def reader(shared_visitor: Visitor) -> Visitor:
    """Of a show with two seasons."""
    shared_visitor.site.database.write(_add_seasons, shared_visitor.podcasts.show().id)
    return shared_visitor


def test_a_show_with_seasons_leads_to_each_from_all_of_its_lists(reader: Visitor) -> None:
    first, second = f"/{SLUG}/episodes/season-1", f"/{SLUG}/episodes/season-2"

    for here in (f"/{SLUG}/", first, second):
        offered = reader.page(here).xpath("//nav[@aria-label='Seasons']//a")
        assert [link.get("href") for link in offered] == [f"/{SLUG}/", first, second]
        assert [link.get("href") for link in offered if link.get("aria-current") == "page"] == [here]


def test_a_season_is_listed_alone_page_by_page(reader: Visitor) -> None:
    first = reader.page(f"/{SLUG}/episodes/season-1")
    second = reader.page(first.xpath("//link[@rel='next']/@href")[0])

    newest = WITHOUT + FIRST
    assert _titles(first) + _titles(second) == [f"Number {number}" for number in range(newest, WITHOUT, -1)]
    assert second.xpath("//link[@rel='canonical']/@href") == [f"{reader.origin}/{SLUG}/episodes/season-1/2"]
    assert second.xpath("//link[@rel='prev']/@href") == [f"/{SLUG}/episodes/season-1"]
    assert first.xpath("//title")[0].text == "Diaspora Insights – Season 1"


def test_a_season_is_french_where_the_page_is(reader: Visitor) -> None:
    page = reader.page(f"/fr/{SLUG}/episodes/season-2")

    assert page.xpath("//h2")[0].text_content() == "Saison 2"
    assert f"/{SLUG}/episodes/season-2" in page.xpath("//footer//a/@href")
    (discovery,) = page.xpath("//link[@type='application/json+oembed']/@href")
    assert reader.get(discovery).json()["title"] == "Diaspora Insights"


def test_a_season_of_a_serial_show_begins_at_its_beginning(visitor: Visitor) -> None:
    visitor.site.database.write(_add_seasons, visitor.podcasts.show().id)
    visitor.site.database.write(lambda session: session.execute(update(Show).values(type="serial")))

    page = visitor.page(f"/{SLUG}/episodes/season-1")

    assert _titles(page) == [f"Number {number}" for number in range(WITHOUT + 1, WITHOUT + 1 + PER_PAGE)]
    assert page.xpath("//a[@rel='next']")[0].text == "Newer"
    assert _titles(visitor.page(f"/{SLUG}/"))[0] == f"Number {WITHOUT + FIRST + SECOND}"


@pytest.mark.parametrize(
    "path", ["season-3", "season-0", "season-1/3", "season-2/2", "season-1/0", "season-x", "season-9999999999"]
)
def test_a_season_or_a_page_of_it_that_there_is_not_is_no_page(reader: Visitor, path: str) -> None:
    assert reader.get(f"/{SLUG}/episodes/{path}").status_code == 404


@pytest.mark.parametrize(
    ("asked", "leads_to"), [("season-1/1", "season-1"), ("season-01", "season-1"), ("season-1/2/", "season-1/2")]
)
def test_another_way_to_write_a_season_leads_to_the_one(reader: Visitor, asked: str, leads_to: str) -> None:
    answer = reader.get(f"/{SLUG}/episodes/{asked}")

    assert answer.status_code == 301
    assert answer.headers["location"] == f"{reader.origin}/{SLUG}/episodes/{leads_to}"


def test_one_season_is_no_choice(visitor: Visitor) -> None:
    show_id = visitor.podcasts.show().id
    visitor.site.database.write(add_many, show_id, 2)
    visitor.site.database.write(lambda session: session.execute(update(Episode).values(season=1)))

    assert visitor.page(f"/{SLUG}/").xpath("//nav[@aria-label='Seasons']") == []
    assert _titles(visitor.page(f"/{SLUG}/episodes/season-1")) == ["Number 2", "Number 1"]


def test_the_newest_stands_whole_before_the_others_on_the_first_page_alone(reader: Visitor) -> None:
    first, further, season = (_listing(reader, season, number) for season, number in ((None, 1), (None, 2), (2, 1)))

    assert first.newest is not None
    assert first.newest.title == f"Number {WITHOUT + FIRST + SECOND}"
    assert len(first.episodes) == PER_PAGE - 1
    assert first.episodes[0].title == f"Number {WITHOUT + FIRST + SECOND - 1}"
    assert further.newest is None
    assert season.newest is None
    assert [episode.title for episode in season.episodes] == [f"Number {WITHOUT + FIRST + SECOND}"]


def test_each_line_of_a_list_says_when_how_long_and_how_large(reader: Visitor) -> None:
    (line,) = reader.page(f"/{SLUG}/episodes/season-2").xpath("//article/p[@class='when']")

    assert line.text_content().split() == ["26", "January", "2020", "1", "min", "1", "kB"]


def _add_seasons(session: Session, show_id: ShowId) -> None:
    add_many(session, show_id, WITHOUT + FIRST + SECOND)
    for number in range(WITHOUT + 1, WITHOUT + FIRST + SECOND + 1):
        session.get_one(Episode, EpisodeId(f"e{number}")).season = 1 if number <= WITHOUT + FIRST else 2


def _listing(reader: Visitor, season: int | None, number: int) -> Listing:
    found = reader.site.database.read(listing, SLUG, season, number, None, reader.origin)
    assert isinstance(found, Listing)
    return found


def _titles(page: html.HtmlElement) -> list[str]:
    return [title.text_content() for title in page.xpath("//h3")]
