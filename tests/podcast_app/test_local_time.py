"""Times on a clock that is put forward and back."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.checks import Finding
from podcast_app import words
from podcast_app.studio import local_time

BRUSSELS = ZoneInfo("Europe/Brussels")
ZONES = ("Europe/Brussels", "Africa/Kigali", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "UTC")


@pytest.mark.parametrize(
    ("said", "utc"),
    [
        ("2026-12-10T09:00", ["2026-12-10T08:00"]),  # chosen in summer, it is winter there all the same
        ("2026-07-10T09:00", ["2026-07-10T07:00"]),
        ("2026-03-29T02:30", []),
        ("2026-10-25T02:30", ["2026-10-25T00:30", "2026-10-25T01:30"]),
    ],
)
def test_a_time_means_one_instant_or_none_or_two(said: str, utc: list[str]) -> None:
    local = local_time.read(said)

    assert local is not None
    assert [f"{instant:%Y-%m-%dT%H:%M}" for instant in local_time.instants(local, BRUSSELS)] == utc


@pytest.mark.parametrize("said", ["", "tomorrow", "2026-12-10T09:00+01:00", "2026-13-01T09:00", "0001-01-01T00:00"])
def test_what_is_no_local_time_is_said_to_be_none(said: str) -> None:
    assert local_time.instant(said, "", BRUSSELS, "en") == local_time.NO_TIME


def test_the_hour_that_is_not_there_is_refused() -> None:
    refused = local_time.instant("2026-03-29T02:30", "", BRUSSELS, "fr")

    assert isinstance(refused, Finding)
    assert "does not exist" in refused.problem
    assert "horloges de Bruxelles" in words.problem("fr", refused)


def test_the_hour_that_comes_twice_is_asked_for_and_then_taken() -> None:
    asked, first, second = (local_time.instant("2026-10-25T02:30", which, BRUSSELS, "en") for which in ("", "0", "1"))

    assert isinstance(asked, Finding)
    assert isinstance(first, dt.datetime)
    assert isinstance(second, dt.datetime)
    assert second - first == dt.timedelta(hours=1)


@given(st.integers(0, 100_000_000), st.sampled_from(ZONES))
def test_every_instant_is_among_those_that_its_own_clock_time_may_mean(minutes: int, zone: str) -> None:
    instant, here = dt.datetime(1991, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes), ZoneInfo(zone)

    shown = local_time.read(local_time.written(instant, here))

    assert shown is not None
    assert instant in local_time.instants(shown, here)
