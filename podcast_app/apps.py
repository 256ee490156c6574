"""The apps and directories that listeners find a show in, and what an address there looks like."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from feeds.checks import Finding, error

_AMAZON = re.compile(r"music\.amazon\.(?:com?\.)?[a-z]{2,3}")  # a shop for each country


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
    App("youtube", "YouTube", ("www.youtube.com", "youtube.com", "m.youtube.com", "music.youtube.com")),
    App("pocketcasts", "Pocket Casts", ("pca.st", "pocketcasts.com", "play.pocketcasts.com")),
    App("amazon", "Amazon Music", ("music.amazon.com",)),
    App("deezer", "Deezer", ("www.deezer.com", "deezer.com", "link.deezer.com")),
    App("boomplay", "Boomplay", ("www.boomplay.com", "boomplay.com")),
    App("antennapod", "AntennaPod", ("antennapod.org",)),
    App("overcast", "Overcast", ("overcast.fm",)),
    App("castbox", "Castbox", ("castbox.fm",)),
    App("podcastaddict", "Podcast Addict", ("podcastaddict.com",)),
    App("podcastindex", "Podcast Index", ("podcastindex.org",)),
)
BY_KEY = {app.key: app for app in APPS}


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
