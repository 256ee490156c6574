"""How dates, lengths and sizes are said in the reader's language."""

import datetime as dt
import zoneinfo
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import format_date, format_datetime, format_timedelta, get_timezone_location
from babel.numbers import format_decimal
from babel.units import format_unit

# Dates and numbers in English are written as in Europe: 10 December 2026.
LOCALES = {"en": "en_GB", "fr": "fr"}

RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})


def date(instant: dt.datetime, time_zone: str, language: str) -> str:
    """ "10 December 2026", "10 décembre 2026": the day that it was there."""
    return format_date(_local(instant, time_zone), format="long", locale=LOCALES[language])


def moment(instant: dt.datetime, time_zone: str, language: str) -> str:
    """ "10 Dec 2026, 09:00 (Brussels)": a day and an hour, and where they are so."""
    return f"{clock_time(instant, time_zone, language)} ({city(time_zone, language)})"


def clock_time(instant: dt.datetime, time_zone: str, language: str) -> str:
    """ "10 Dec 2026, 09:00": the same, where the place is said already."""
    here = zoneinfo.ZoneInfo(time_zone)
    return format_datetime(instant, "d MMM y, HH:mm", tzinfo=here, locale=LOCALES[language])


def city(time_zone: str, language: str) -> str:
    """ "Brussels", "Bruxelles" for Europe/Brussels."""
    return get_timezone_location(zoneinfo.ZoneInfo(time_zone), locale=LOCALES[language], return_city=True)


def time_left(instant: dt.datetime, now: dt.datetime, language: str) -> str:
    """ "in 3 days", "in 2 hours": until it comes."""
    return format_timedelta(instant - now, add_direction=True, threshold=1, locale=LOCALES[language])


def day(instant: dt.datetime, time_zone: str) -> str:
    """ "2026-12-10": the same day for machines (HTML, `time`)."""
    return _local(instant, time_zone).date().isoformat()


def duration(milliseconds: int, language: str) -> str:
    """ "1 hr 5 mins", "44 mins", "38 secs"."""
    seconds = round(milliseconds / 1000)
    hours, minutes = divmod(round(seconds / 60), 60)
    if seconds < 60:
        return _unit(seconds, "second", language)
    parts = [_unit(hours, "hour", language)] * (hours > 0) + [_unit(minutes, "minute", language)] * (minutes > 0)
    return " ".join(parts)


def clock(milliseconds: int) -> str:
    """ "1:05:00", "4:07": a place in the audio."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def period(milliseconds: int) -> str:
    """ "PT3900S": a duration for machines (ISO 8601)."""
    return f"PT{round(milliseconds / 1000)}S"


def size(size_bytes: int, language: str) -> str:
    """ "24.3 MB", "24,3 Mo"; small ones in whole kilobytes."""
    if size_bytes < 1_000_000:
        return _unit(max(1, round(size_bytes / 1000)), "kilobyte", language)
    return _unit(round(size_bytes / 1_000_000, 1), "megabyte", language)


def decimal(value: float, language: str) -> str:
    """ "-16.3", "-16,3": one digit behind the mark."""
    return format_decimal(value, format="#,##0.0", locale=LOCALES[language])


_NAMES = {"kg": "Kikongo", "ln": "Lingála", "lua": "Tshiluba"}  # in themselves, which CLDR has not, or writes small


def language_name(language: str) -> str:
    """ "français" for "fr": in itself where that is known, or else in English."""
    base = language.split("-")[0]
    if base in _NAMES:
        return _NAMES[base]
    try:
        return Locale(base).get_language_name(base) or base
    except UnknownLocaleError:
        return str(Locale("en").languages.get(base, base))


def direction(language: str) -> Literal["ltr", "rtl"]:
    """Which way its letters run (HTML, `dir`)."""
    return "rtl" if language.split("-")[0] in RIGHT_TO_LEFT else "ltr"


def locale(language: str) -> str:
    """ "en_GB", "fr_FR": a language and where it is spoken (Open Graph, `og:locale`)."""
    base, _, rest = language.partition("-")
    likely = str(get_global("likely_subtags").get(base, "")).split("_")  # "nl_Latn_NL"
    place = next((part for part in rest.split("-") if len(part) == 2), None) or likely[-1]
    return LOCALES[base] if language == "en" else f"{base}_{place.upper()}".rstrip("_")


def _local(instant: dt.datetime, time_zone: str) -> dt.datetime:
    return instant.astimezone(zoneinfo.ZoneInfo(time_zone))


def _unit(value: float, unit: str, language: str) -> str:
    said = format_unit(value, unit, length="short", locale=LOCALES[language])
    assert said is not None, f"no word for {unit}"
    return said
