"""Directories that come for a feed are noted, once for each generation; nothing else of anybody is."""

import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from podcast_app.listening import front
from podcast_app.listening.readers import KEPT, NAMES, Fetch, keep, reader
from podcast_app.models import FeedFetch, ShowId
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from tests.podcast_app.listeners import Listener, listening
from tests.podcasts import Library, Place, at

FEED = "/diaspora-insights/feed.xml"


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("readers"))
    with pytest.MonkeyPatch.context() as patch, listening(settings) as listener:
        patch.setattr(front, "ASKED_EVERY", 0.05)
        yield listener


def written(library: Library, *names: str) -> list[tuple[str, int, str]]:
    """View, generation and reader of what was noted of these."""

    def load(session: Session) -> list[tuple[str, int, str]]:
        rows = session.scalars(select(FeedFetch).where(FeedFetch.reader.in_(names)))
        return sorted((row.view, row.generation, row.reader) for row in rows)

    return library.work.database.read(load)


def wait_for(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("iTMS", "Apple Podcasts"),
        ("Spotify/1.0", "Spotify"),
        ("Amazon Music Podcast", "Amazon Music"),
        ("PocketCasts/1.0 (Pocket Casts Feed Parser; +http://pocketcasts.com/)", "Pocket Casts"),
        ("Podcastindex.org/v0.3.3 (Aggrivate)", "Podcast Index"),
        ("Aggrivator (PodcastIndex.org)/v0.1.7", "Podcast Index"),
        ("Overcast/1.0 Podcast Sync (1 subscribers; feed-id=1234567; +http://overcast.fm/)", "Overcast"),
        ("FeedFetcher-Google; (+http://www.google.com/feedfetcher.html)", "YouTube"),
        ("Feedly/1.0 (+http://www.feedly.com/fetcher.html; like FeedFetcher-Google)", None),
        ("Spotify/8.9.18 iOS/17.4 (iPhone15,2)", None),
        ("Podcasts/1630.4 CFNetwork/1485 Darwin/23.1.0", None),
        ("AppleCoreMedia/1.0.0.21E219 (iPhone; U; CPU OS 17_4 like Mac OS X; en_us)", None),
        ("AntennaPod/3.4.0", None),
        ("", None),
    ],
)
def test_a_fetcher_is_known_by_its_name_and_a_listener_s_app_is_nobody(agent: str, name: str | None) -> None:
    assert reader(agent.encode()) == name
    assert name is None or name in NAMES


def test_the_first_of_each_reader_is_written_down(listener: Listener) -> None:
    library, apple, spotify = listener.podcasts, {"User-Agent": "iTMS"}, {"User-Agent": "Spotify/1.0"}

    etag = listener.get(FEED, apple).headers["etag"]
    again = listener.get(FEED, {**apple, "If-None-Match": etag})
    listener.get(FEED, spotify, method="HEAD")
    french = listener.get(f"/fr{FEED}", {**spotify, "If-None-Match": "*"})

    assert (again.status, french.status) == (304, 304)
    wait_for(lambda: len(written(library, "Apple Podcasts", "Spotify")) == 2)
    assert written(library, "Apple Podcasts", "Spotify") == [
        ("fr", library.feed("fr").generation, "Spotify"),
        ("main", library.feed().generation, "Apple Podcasts"),
    ]


def test_who_is_known_already_costs_the_database_nothing(listener: Listener) -> None:
    castro = {"User-Agent": "Tentacles"}
    listener.get(FEED, castro)
    wait_for(lambda: written(listener.podcasts, "Castro") != [])

    with listener.queries() as queries:
        for agent in (castro, {"User-Agent": "AntennaPod/3.4.0"}, {}):
            listener.get(FEED, agent)
        time.sleep(0.2)

    assert queries == []


def test_feeds_are_served_as_ever_while_nothing_can_be_written(listener: Listener) -> None:
    library, overcast = listener.podcasts, {"User-Agent": "Overcast/1.0 Podcast Sync"}
    library.work.database.write(rename, "feed_fetches", "away")

    answers = [listener.get(FEED, overcast).status]
    time.sleep(0.2)
    answers.append(listener.get(FEED, overcast).status)
    library.work.database.write(rename, "away", "feed_fetches")

    assert answers == [200, 200]
    wait_for(lambda: written(library, "Overcast") != [])


def rename(session: Session, old: str, new: str) -> None:
    session.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))


def test_of_two_processes_the_first_counts_and_old_generations_are_forgotten(sqlite_place: Place) -> None:
    with at(sqlite_place) as library:
        show, now = library.show().id, utcnow()

        def come(*fetches: tuple[ShowId, int]) -> None:
            library.work.database.write(keep, [Fetch(of, "main", number, "Spotify", now) for of, number in fetches])

        come((show, 1), (show, 1), (ShowId("none"), 1), (show, 2))
        assert written(library, "Spotify") == [("main", 1, "Spotify"), ("main", 2, "Spotify")]

        come((show, 1 + KEPT))
        assert written(library, "Spotify") == [("main", 2, "Spotify"), ("main", 1 + KEPT, "Spotify")]
