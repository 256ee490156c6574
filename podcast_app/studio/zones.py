"""When an episode goes out, on the clocks of those who make it and of those who listen."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from podcast_app import formats
from podcast_app.models import Show
from podcast_app.studio import local_time

# Where the makers of our first shows and their listeners live; each show may name its own.
USUAL = ("Europe/Brussels", "Africa/Kinshasa", "Africa/Kigali", "Africa/Nouakchott")


@dataclass(frozen=True, slots=True)
class Clock:
    """The clocks of one place at the time in question."""

    zone: str
    city: str
    said: str  # "10 Dec 2026, 10:00"; "" as long as there is no time
    then: str  # "10:00"
    today: str  # what they show at the show's same hour as clocks stand today

    @property
    def moves(self) -> bool:
        """Whether its distance to the show's clock changes between now and then."""
        return self.then != self.today


def offered(language: str, *chosen: str) -> list[tuple[str, str]]:
    """The time zones that a form offers: name, and what people call it. What is chosen is among them."""
    places = {name: f"{city} ({name})" for name, city in _places(language)}
    return [*((name, name) for name in chosen if name not in places), *places.items()]


@cache
def _places(language: str) -> Sequence[tuple[str, str]]:
    """Each zone once, by the city that it is named after: those that are usual here first."""
    table = resources.files("tzdata").joinpath("zoneinfo/zone.tab").read_text()  # IANA; other spellings are not in it
    named = {line.split("\t")[2] for line in table.splitlines() if not line.startswith("#")}
    cities = {name: formats.city(name, language) for name in (*USUAL, *named)}
    return sorted(cities.items(), key=lambda each: (each[0] not in USUAL, each[1].casefold()))


def clocks(show: Show, at: dt.datetime | None, language: str, now: dt.datetime) -> list[Clock]:
    """The show's own zone first, then those that it cares about."""
    return list(_clocks(show, at, language, now))


def _clocks(show: Show, at: dt.datetime | None, language: str, now: dt.datetime) -> Iterator[Clock]:
    own = ZoneInfo(show.time_zone)
    for name in dict.fromkeys((show.time_zone, *_cared_for(show))):
        zone = ZoneInfo(name)
        if at is None:
            yield Clock(name, formats.city(name, language), "", "", "")
        else:
            shift = (_offset(zone, now) - _offset(own, now)) - (_offset(zone, at) - _offset(own, at))
            then, today = local_time.clock(at, zone), local_time.clock(at + shift, zone)
            yield Clock(name, formats.city(name, language), formats.clock_time(at, name, language), then, today)


def _cared_for(show: Show) -> Sequence[str]:
    return show.zones or USUAL


def _offset(zone: ZoneInfo, at: dt.datetime) -> dt.timedelta:
    return at.astimezone(zone).utcoffset() or dt.timedelta()
