"""Ranges, conditions and encodings, against slow and obvious answers."""

import datetime as dt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from podcast_app.listening import conditions, ranges
from podcast_app.listening.encodings import takes_gzip

FIELDS = st.one_of(
    st.from_regex(r"\Abytes= ?[0-9]{0,3}-[0-9]{0,3}\Z"),
    st.from_regex(r"\A(bytes|Bytes|items)=[0-9]{0,2}-[0-9]{0,25}(,[0-9]{0,2}-[0-9]{0,2})?\Z"),
    st.text(alphabet="bytes=0123456789-, \t+.e_²", max_size=20),
).map(str.encode)

AT = dt.datetime(2026, 12, 10, 8, 0, tzinfo=dt.UTC)


def slowly(field: str, size_bytes: int) -> list[int] | None:
    """The places asked for, one by one, as RFC 9110 tells it."""
    unit, _, specifier = field.partition("=")
    first, dash, last = specifier.lstrip(" ").partition("-")
    is_number = all(character in "0123456789" for character in first + last)
    if unit.lower() != "bytes" or not dash or not is_number or first + last == "":
        return None
    if first and last and int(last) < int(first):
        return None
    places = range(size_bytes)
    if not first:
        return [place for place in places if place >= size_bytes - int(last)]
    return [place for place in places if place >= int(first) and (not last or place <= int(last))]


@given(FIELDS, st.integers(0, 120))
@example(b"bytes=0-0", 10)
@example(b"bytes=-0", 10)
@example(b"bytes=10-", 10)
@example(b"bytes=9-10", 10)
@example(b"bytes=5-4", 10)
@example(b"bytes=50-40", 10)
@example(b"bytes=0-99999999999999999999", 10)
@example(b"bytes= 0-1", 10)
@example(b"bytes=0-1,2-3", 10)
@example(b"bytes=-5", 0)
def test_a_range_is_what_the_slow_and_obvious_way_finds(field: bytes, size_bytes: int) -> None:
    found = ranges.asked(field, size_bytes)

    assert (None if found is None else list(found)) == slowly(field.decode(), size_bytes)


def test_a_number_with_thousands_of_digits_is_not_understood() -> None:
    assert ranges.asked(b"bytes=0-" + b"9" * 60_000, 10) is None


@given(st.binary(max_size=60))
def test_no_field_breaks_the_reading_of_it(field: bytes) -> None:
    ranges.asked(field, 10)
    conditions.named(field, (b'"x"',))
    conditions.is_matched(field, b'"x"')
    conditions.changed_after(field, AT)
    takes_gzip(field)


@given(st.text(alphabet="MonTueDec GMT+-:0123456789,", max_size=40).map(str.encode))
def test_what_is_no_date_says_nothing(field: bytes) -> None:
    instant = conditions.instant(field)

    assert instant is None or instant.tzinfo is not None


@pytest.mark.parametrize(
    "field", [b"Thu, 10 Dec 2026 08:00:00 GMT", b"Thursday, 10-Dec-26 08:00:00 GMT", b"Thu Dec 10 08:00:00 2026"]
)
def test_all_three_forms_of_a_date_are_read(field: bytes) -> None:
    assert conditions.instant(field) == AT


@pytest.mark.parametrize(
    ("field", "named"),
    [
        (b'"x"', b'"x"'),
        (b'W/"x"', b'"x"'),
        (b'"a", W/"b" ,"x"', b'"x"'),
        (b'"a,\\", "x-gzip"', b'"x-gzip"'),
        (b"*", b'"x-gzip"'),
        (b"x", None),
        (b'"X"', None),
        (b'"y"', None),
        (b'"', None),
        (b"", None),
    ],
)
def test_an_etag_is_named_in_any_form_and_only_as_it_is(field: bytes, named: bytes | None) -> None:
    assert conditions.named(field, (b'"x-gzip"', b'"x"')) == named


@pytest.mark.parametrize(
    ("field", "is_matched"),
    [(b'"x"', True), (b'"a", "x"', True), (b"*", True), (b'W/"x"', False), (b'"a"', False), (b"x", False)],
)
def test_a_weak_etag_does_not_match_strongly(field: bytes, is_matched: bool) -> None:
    assert conditions.is_matched(field, b'"x"') is is_matched


@pytest.mark.parametrize(
    ("field", "takes"),
    [
        (b"gzip, deflate, br", True),
        (b"GZIP;q=0.5", True),
        (b"x-gzip", True),
        (b"*", True),
        (b"br, *;q=0.1", True),
        (b"gzip ; q=1.0, identity; q=0.5", True),
        (b"", False),
        (b"identity", False),
        (b"br", False),
        (b"gzip;q=0", False),
        (b"gzip;q=0.000, *", False),
        (b"*;q=0", False),
        (b"gzip;q=0.5, identity", False),
        (b"gzip;q=much", False),
    ],
)
def test_gzip_is_sent_to_whoever_takes_it(field: bytes, takes: bool) -> None:
    assert takes_gzip(field) is takes


def test_the_oracle_itself_knows_the_standards_examples() -> None:
    assert slowly("bytes=0-499", 10_000) == list(range(500))
    assert slowly("bytes=-500", 10_000) == list(range(9500, 10_000))
    assert slowly("bytes=9500-", 10_000) == list(range(9500, 10_000))
