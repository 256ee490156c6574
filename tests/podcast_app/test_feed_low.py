"""The feed for slow and costly lines: the same episodes, with small files."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import feedparser
import pytest
from lxml import etree

from feeds import checks
from podcast_app import publishing, shows, worker
from podcast_app.fields import ShowFields
from podcast_app.models import Feed
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from tests.podcasts import Library, Place, at
from tests.site import SLUG, Site, free_port, hurried, running

LOW = f"/{SLUG}/feed-low.xml"
ITUNES = "{http://www.itunes.com/dtds/podcast-1.0.dtd}"
PODCAST = "{https://podcastindex.org/namespace/1.0}"
ATOM = "{http://www.w3.org/2005/Atom}"
EVERYTHING = (*worker.PUBLISHING, *worker.AUDIO, *worker.BEHIND)


@pytest.fixture
def library(sqlite_place: Place) -> Iterator[Library]:
    with at(sqlite_place) as library, hurried():
        yield library


def channel(library: Library, view: str) -> etree._Element:
    found = etree.fromstring(library.xml(view).encode()).find("channel")
    assert found is not None
    return found


def enclosures(library: Library, view: str) -> dict[str, feedparser.FeedParserDict]:
    return {entry.id: entry.enclosures[0] for entry in feedparser.parse(library.xml(view)).entries}


def errors(library: Library, view: str) -> list[str]:
    return [finding.message() for finding in checks.feed(library.xml(view).encode()) if finding.level == "error"]


def test_it_has_the_same_episodes_with_small_files_as_soon_as_they_can_be_fetched(library: Library, mp3: bytes) -> None:
    first = library.published(mp3, title="First", notes="Ours", publish="2026-01-02T03:04:05Z")
    assert enclosures(library, "main-low") == enclosures(library, "main")  # the whole file, until there is a small one

    worker.catch_up(library.work, EVERYTHING)

    whole, low = enclosures(library, "main"), enclosures(library, "main-low")
    assert whole.keys() == low.keys() == {first.guid}
    assert int(low[first.guid].length) < int(whole[first.guid].length)
    assert low[first.guid].href.endswith("/first-low.mp3")
    assert errors(library, "main-low") == errors(library, "main") == errors(library, "fr-low") == []
    entry, light = (feedparser.parse(library.xml(view)).entries[0] for view in ("main", "main-low"))
    for same in ("id", "title", "published", "link", "summary", "itunes_duration"):
        assert light[same] == entry[same], same


def test_directories_are_asked_not_to_list_it_and_the_whole_one_leads_to_it(library: Library) -> None:
    whole, low, french = (channel(library, view) for view in ("main", "main-low", "fr-low"))

    assert (whole.findtext(f"{ITUNES}block"), low.findtext(f"{ITUNES}block")) == (None, "yes")
    own = [link.get("href") for link in low.iter(f"{ATOM}link") if link.get("rel") == "self"]
    assert own == [f"{library.work.settings.origin}{LOW}"]
    assert own[0] in [link.get("href") for link in whole.iter(f"{ATOM}link") if link.get("rel") == "alternate"]
    guids = {found.findtext(f"{PODCAST}guid") for found in (whole, low, french, channel(library, "fr"))}
    assert len(guids) == 4  # each is a feed of its own


@pytest.mark.long
def test_a_withdrawn_episode_leaves_it_with_its_files(library: Library, mp3: bytes) -> None:
    episode = library.published(mp3, title="First")
    worker.catch_up(library.work, EVERYTHING)
    before = enclosures(library, "main-low")

    library.work.database.write(publishing.withdraw, episode.id, library.work.settings, utcnow())
    worker.catch_up(library.work, EVERYTHING)

    assert before
    assert enclosures(library, "main-low") == enclosures(library, "main") == {}
    assert library.objects("public/") == set()


def test_a_light_edition_that_cannot_be_made_leaves_the_whole_file_in_its_place(library: Library, mp3: bytes) -> None:
    library.published(mp3, title="First")
    without = library.work.settings.model_copy(update={"ffmpeg": Path("/nowhere/ffmpeg")})

    worker.catch_up(replace(library.work, settings=without), EVERYTHING)

    assert enclosures(library, "main-low") == enclosures(library, "main") != {}


def test_a_show_that_moves_takes_it_along(library: Library, mp3: bytes) -> None:
    library.published(mp3, title="First")
    work = library.work
    work.database.write(shows.edit_by_slug, SLUG, ShowFields(slug="insights"), work.settings, utcnow())
    worker.catch_up(work)

    feeds: list[Feed] = [library.feed(view) for view in ("main-low", "fr-low")]
    assert [feed.path for feed in feeds] == ["/insights/feed-low.xml", "/fr/insights/feed-low.xml"]
    assert library.objects("feeds/") == {
        f"feeds{library.feed(view).path}" for view in ("main", "fr", "main-low", "fr-low")
    }


@pytest.mark.long
def test_it_is_served_and_checked_as_every_feed(sqlite_place: Place, mp3: bytes) -> None:
    settings = Settings(port=free_port(), data_dir=sqlite_place.data_dir, _env_file=None)
    with running(settings, with_behind=True) as site:
        published = site.published(mp3, title="Matonge")
        entry = _light(site, published)

        got, head = site.listener.get(entry.href), site.listener.head(entry.href)

        assert (got.status_code, head.status_code) == (200, 200)
        assert len(got.content) == int(entry.length)
        assert got.headers["content-type"] == entry.type == "audio/mpeg"
        for path in (LOW, f"/fr{LOW}"):
            feed = site.listener.get(path)
            assert feed.status_code == 200
            assert site.listener.get(path, headers={"If-None-Match": feed.headers["etag"]}).status_code == 304


def _light(site: Site, episode: dict[str, Any]) -> feedparser.FeedParserDict:
    """The small file, once the feed has it."""
    end = time.monotonic() + 30
    while True:
        [entry] = feedparser.parse(site.listener.get(LOW).text).entries
        assert entry.id == episode["guid"]
        if "-low." in entry.enclosures[0].href:
            return entry.enclosures[0]
        assert time.monotonic() < end
        time.sleep(0.05)
