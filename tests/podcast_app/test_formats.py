"""Dates, lengths and sizes, as readers of each language write them; and the numbers of long lists."""

import datetime as dt

import pytest

from podcast_app import formats
from podcast_app.site.paging import PER_PAGE, Paging, pages

NEW_YEAR = dt.datetime(2026, 12, 31, 23, 30, tzinfo=dt.UTC)


def test_a_date_is_that_of_the_place() -> None:
    assert formats.date(NEW_YEAR, "Europe/Brussels", "en") == "1 January 2027"
    assert formats.date(NEW_YEAR, "America/Toronto", "fr") == "31 décembre 2026"
    assert formats.day(NEW_YEAR, "Africa/Kigali") == "2027-01-01"


def test_a_moment_says_where_it_is_that_hour() -> None:
    assert formats.moment(NEW_YEAR, "Europe/Brussels", "en") == "1 Jan 2027, 00:30 (Brussels)"
    assert formats.moment(NEW_YEAR, "Europe/Brussels", "fr") == "1 janv. 2027, 00:30 (Bruxelles)"


@pytest.mark.parametrize(
    ("milliseconds", "english", "french"),
    [
        (400, "0 secs", "0 s"),
        (59_400, "59 secs", "59 s"),
        (59_600, "1 min", "1 min"),
        (2_640_000, "44 mins", "44 min"),
        (3_599_000, "1 hr", "1 h"),
        (7_500_000, "2 hrs 5 mins", "2 h 5 min"),
    ],
)
def test_a_length_is_said_as_people_say_it(milliseconds: int, english: str, french: str) -> None:
    assert formats.duration(milliseconds, "en") == english
    assert _with_plain_spaces(formats.duration(milliseconds, "fr")) == french


def test_a_length_for_machines_is_in_seconds() -> None:
    assert formats.period(3_900_400) == "PT3900S"


@pytest.mark.parametrize(("milliseconds", "said"), [(0, "0:00"), (247_900, "4:07"), (3_900_000, "1:05:00")])
def test_a_place_in_the_audio_is_written_as_on_a_clock(milliseconds: int, said: str) -> None:
    assert formats.clock(milliseconds) == said


def test_a_size_is_said_in_the_units_of_the_language() -> None:
    assert formats.size(24_345_678, "en") == "24.3 MB"
    assert _with_plain_spaces(formats.size(24_345_678, "fr")) == "24,3 Mo"
    assert formats.size(64_300, "en") == "64 kB"
    assert formats.size(3, "en") == "1 kB"


@pytest.mark.parametrize(
    ("language", "name"),
    [("fr", "français"), ("en", "English"), ("nl-BE", "Nederlands"), ("lua", "Tshiluba"), ("ain", "Ainu")],
)
def test_a_language_is_called_as_it_calls_itself(language: str, name: str) -> None:
    assert formats.language_name(language) == name


@pytest.mark.parametrize(
    ("number", "last", "offered"),
    [
        (1, 1, [1]),
        (1, 3, [1, 2, 3]),
        (2, 5, [1, 2, 3, None, 5]),
        (25, 70, [1, None, 10, None, 20, None, 24, 25, 26, None, 30, None, 40, None, 50, None, 60, None, 70]),
    ],
)
def test_a_long_list_offers_both_ends_what_is_near_and_steps_between(
    number: int, last: int, offered: list[int | None]
) -> None:
    assert Paging(number, last).numbers == offered


@pytest.mark.parametrize(("count", "last"), [(0, 1), (1, 1), (PER_PAGE, 1), (PER_PAGE + 1, 2)])
def test_a_list_has_as_many_pages_as_it_fills(count: int, last: int) -> None:
    assert pages(count) == last


def _with_plain_spaces(said: str) -> str:
    return said.replace("\u202f", " ").replace("\xa0", " ")
