"""Ways to a show in apps: what producers entered, and what can be made without an account anywhere."""

from urllib.parse import parse_qs, unquote, urlsplit

from podcast_app import apps

FEED = "https://podcast.example.org/fr/diaspora-insights/feed.xml"
APPLE = "https://podcasts.apple.com/be/podcast/diaspora-insights/id1234567890?l=fr"
SPOTIFY = "https://open.spotify.com/show/1"


def test_a_show_that_nobody_listed_anywhere_is_opened_in_apps_by_its_feed() -> None:
    made = _ways({})

    assert list(made) == ["apple", "antennapod", "pocketcasts", "overcast", "podcastaddict"]
    assert all(way.is_made for way in made.values())
    assert made["apple"].url == "podcast://podcast.example.org/fr/diaspora-insights/feed.xml"
    assert made["pocketcasts"].url == "pktc://subscribe/podcast.example.org/fr/diaspora-insights/feed.xml"
    for key in ("antennapod", "overcast"):
        assert parse_qs(urlsplit(made[key].url).query)["url"] == [FEED]
    assert unquote(made["podcastaddict"].url.removeprefix("https://podcastaddict.com/feed/")) == FEED


def test_a_link_that_does_nothing_without_the_app_is_told_apart() -> None:
    assert [key for key, way in _ways({}).items() if way.needs_app] == ["apple", "pocketcasts", "overcast"]


def test_what_producers_entered_takes_the_place_of_what_could_be_made() -> None:
    entered = {"deezer": "https://www.deezer.com/show/1", "spotify": SPOTIFY, "antennapod": "https://antennapod.org/x"}

    ways = _ways(entered)

    assert list(ways)[:3] == ["apple", "spotify", "antennapod"]
    assert {key: way.url for key, way in ways.items() if not way.is_made} == entered


def test_a_show_that_apple_knows_has_pages_in_other_apps_too() -> None:
    ways = _ways({"apple": APPLE})

    assert ways["pocketcasts"].url == "https://pca.st/itunes/1234567890"
    assert ways["overcast"].url == "https://overcast.fm/itunes1234567890"
    assert ways["pocketcasts"].is_made
    assert not any(way.needs_app for way in ways.values())


def test_nothing_is_made_of_an_address_that_no_app_can_reach() -> None:
    assert [way.key for way in apps.ways({"apple": APPLE}, "http://127.0.0.1/show/feed.xml", is_private=True)] == [
        "apple"
    ]


def _ways(entered: dict[str, str]) -> dict[str, apps.Way]:
    return {way.key: way for way in apps.ways(entered, FEED, is_private=False)}
