"""The apps and directories that listeners find a show in, and what an address there looks like."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from feeds.checks import Finding, error

_AMAZON = re.compile(r"music\.amazon\.(?:com?\.)?[a-z]{2,3}")  # a shop for each country
_APPLE_ID = re.compile(r"/id(\d+)")  # by which other apps know the show, too


@dataclass(frozen=True, slots=True)
class App:
    """`key`: its name in the database and the API. `hosts`: where its pages are; the first one stands for all."""

    key: str
    name: str
    hosts: tuple[str, ...]

    @property
    def input(self) -> str:
        """The field that a form or a finding names."""
        return f"links.{self.key}"

    @property
    def example(self) -> str:
        """How an address there begins."""
        return f"https://{self.hosts[0]}/"

    def is_at(self, host: str) -> bool:
        return host in self.hosts or (self.key == "amazon" and _AMAZON.fullmatch(host) is not None)


# In the order that listeners see.
APPS = (
    App("apple", "Apple Podcasts", ("podcasts.apple.com", "itunes.apple.com")),
    App("spotify", "Spotify", ("open.spotify.com", "spotify.link")),
    App("antennapod", "AntennaPod", ("antennapod.org",)),
    App("pocketcasts", "Pocket Casts", ("pca.st", "pocketcasts.com", "play.pocketcasts.com")),
    App("overcast", "Overcast", ("overcast.fm",)),
    App("podcastaddict", "Podcast Addict", ("podcastaddict.com",)),
    App("youtube", "YouTube", ("www.youtube.com", "youtube.com", "m.youtube.com", "music.youtube.com")),
    App("amazon", "Amazon Music", ("music.amazon.com",)),
    App("deezer", "Deezer", ("www.deezer.com", "deezer.com", "link.deezer.com")),
    App("boomplay", "Boomplay", ("www.boomplay.com", "boomplay.com")),
    App("castbox", "Castbox", ("castbox.fm",)),
    App("podcastindex", "Podcast Index", ("podcastindex.org",)),
)
BY_KEY = {app.key: app for app in APPS}

# Apps that subscribe to any feed whose address a link brings them. Of a https one a browser without the app shows a
# page; of the others it knows nothing.
_BY_FEED: dict[str, Callable[[str], str]] = {
    "apple": lambda feed: f"podcast://{_bare(feed)}",
    "antennapod": lambda feed: f"https://antennapod.org/deeplink/subscribe?url={quote(feed, safe='')}",
    "pocketcasts": lambda feed: f"pktc://subscribe/{_bare(feed)}",
    "overcast": lambda feed: f"overcast://x-callback-url/add?url={quote(feed, safe='')}",
    "podcastaddict": lambda feed: f"https://podcastaddict.com/feed/{quote(feed, safe='')}",
}
# Apps with a page for each show that Apple knows.
_BY_APPLE_ID: dict[str, Callable[[str], str]] = {
    "pocketcasts": lambda number: f"https://pca.st/itunes/{number}",
    "overcast": lambda number: f"https://overcast.fm/itunes{number}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """To a show in an app."""

    key: str
    name: str  # of the app
    url: str
    is_made: bool  # from the feed's address, or from Apple's number: nobody entered it

    @property
    def needs_app(self) -> bool:
        """Whether it does nothing where the app is not installed."""
        return not self.url.startswith("https:")


def ways(entered: Mapping[str, str], feed: str, *, is_private: bool) -> Iterator[Way]:
    """To the show with this feed: as producers entered them, or else made. `is_private`: no app could fetch it."""
    urls = entered if is_private else {**_made(feed, entered.get("apple", "")), **entered}
    for app in APPS:
        if app.key in urls:
            yield Way(key=app.key, name=app.name, url=urls[app.key], is_made=app.key not in entered)


def _made(feed: str, apple: str) -> dict[str, str]:
    """Ways by app; those that browsers understand too, where Apple's address of the show is known."""
    made = {key: make(feed) for key, make in _BY_FEED.items()}
    if number := _APPLE_ID.search(apple):
        made |= {key: make(number[1]) for key, make in _BY_APPLE_ID.items()}
    return made


def _bare(url: str) -> str:
    """Without the scheme, whose place that of an app takes."""
    return url.partition("://")[2]


def wrong(key: str, address: str) -> Finding | None:
    """What is wrong with the address of a show in this app; None when a browser finds the app there."""
    parts = urlsplit(address)
    if parts.scheme == "https" and BY_KEY[key].is_at(parts.netloc.lower()):
        return None
    return not_there(key)


def not_there(key: str) -> Finding:
    return error(
        BY_KEY[key].input,
        "This is not an address at {app}.",
        "Open the show there, and copy the whole address: it begins with {example}.",
        app=BY_KEY[key].name,
        example=BY_KEY[key].example,
    )
