"""What people and machines may say: cleaned, measured, named when it cannot be used, and never a crash."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.checks import Finding
from podcast_app import fields
from podcast_app.fields import EpisodeChanges, EpisodeFields, NewEpisode, PublishAt, ShowFields, parse

MODELS = (EpisodeFields, NewEpisode, EpisodeChanges, PublishAt, ShowFields)
NAMES = sorted({name for model in MODELS for name in model.model_fields})

NOT_FOR_XML = "\0\x0b\x1e\x7f\ud800\ufffe\uffff"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


def refused(model: type[fields.Model], **said: object) -> list[str]:
    """The fields that are refused. Each says what is wrong and what helps."""
    found = parse(model, said)
    assert isinstance(found, list), found
    for finding in found:
        assert finding.message().endswith(".")
        assert finding.mend or "Write it as" in finding.problem  # both in one sentence
    return [finding.field for finding in found]


def accepted(**said: object) -> EpisodeFields:
    found = parse(EpisodeFields, said)
    assert isinstance(found, EpisodeFields), found
    return found


def test_characters_that_no_document_can_hold_are_taken_out_however_deep() -> None:
    found = accepted(
        title=f"Mat{NOT_FOR_XML}onge",
        notes=f"One{NOT_FOR_XML}\r\nTwo\tthree",
        persons=[{"name": f"An{NOT_FOR_XML}na"}],
        chapters=json.dumps([{"start_ms": 0, "title": "In\x0btro"}]),
        translations={"fr": {"title": f"Mat{NOT_FOR_XML}ongé"}},
    )

    assert found.title == "Matonge"
    assert found.notes == "One\nTwo\tthree"
    assert found.persons[0].name == "Anna"
    assert found.chapters[0].title == "Intro"
    assert found.translations["fr"].title == "Matongé"


def test_a_title_is_one_line_and_composed() -> None:
    assert accepted(title="  E\u0301te\u0301 \n à\tMatonge ").title == "Été à Matonge"


def test_only_what_was_said_is_set_and_an_emptied_field_takes_the_value_away() -> None:
    assert accepted(season="").model_fields_set == {"season"}
    assert accepted(season="").season is None
    assert accepted(season="3").season == 3


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"title": "x" * 1001}, "title"),
        ({"notes": "x" * 100_001}, "notes"),
        ({"title": 5}, "title"),
        ({"notes": ["x"]}, "notes"),
        ({"season": 0}, "season"),
        ({"season": 100_000}, "season"),
        ({"number": "one"}, "number"),
        ({"number": 1.5}, "number"),
        ({"type": "special"}, "type"),
        ({"explicit": "perhaps"}, "explicit"),
        ({"language": "klingon"}, "language"),
        ({"language": "x" * 36}, "language"),
        ({"spoken_language": ""}, "spoken_language"),
        ({"slug": "studio"}, "slug"),
        ({"slug": "a/b"}, "slug"),
        ({"slug": ""}, "slug"),
        ({"persons": [{"name": ""}]}, "persons"),
        ({"persons": [{"name": "Anna", "url": "javascript:alert(1)"}]}, "persons"),
        ({"persons": "not json"}, "persons"),
        ({"persons": [{"name": "Anna"}] * 101}, "persons"),
        ({"chapters": [{"start_ms": -1, "title": "x"}]}, "chapters"),
        ({"chapters": [{"title": "x"}]}, "chapters"),
        ({"chapters": "[" * 100_000}, "chapters"),
        ({"translations": {"klingon": {"title": "x"}}}, "translations"),
        ({"translations": {"fr": {"notes": "x" * 100_001}}}, "translations"),
    ],
)
def test_what_cannot_be_used_is_named_by_its_field(said: dict[str, object], field: str) -> None:
    assert refused(EpisodeFields, **said) == [field]


def test_everything_that_is_wrong_is_said_at_once_and_each_field_once() -> None:
    wrong = {"title": 5, "season": "x", "persons": [{"name": ""}, {"name": ""}]}

    assert sorted(refused(EpisodeFields, **wrong)) == ["persons", "season", "title"]


def test_the_limit_is_said_in_the_finding() -> None:
    [finding] = parse(EpisodeFields, {"notes": "x" * 100_001})
    assert isinstance(finding, Finding)
    assert "100,000" in finding.message()


def test_an_unknown_field_is_named() -> None:
    [finding] = parse(EpisodeFields, {"tittle": "x"})

    assert finding.field == "tittle"
    assert "tittle" in finding.message()


@pytest.mark.parametrize(
    "time",
    [
        "2026-12-10T09:00",
        "2026-12-10",
        "tomorrow",
        "",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1989-12-31T00:00:00Z",
        "2200-01-02T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-12-10T09:00:00+25:00",
        "99999999999999999999",
    ],
)
def test_a_time_without_a_zone_or_out_of_reach_is_none(time: str) -> None:
    assert fields.instant(time) is None
    if time:
        assert refused(NewEpisode, publish=time) == ["publish"]
        assert refused(EpisodeChanges, publish_at=time) == ["publish_at"]


@pytest.mark.parametrize("time", ["2026-12-10T09:00:00+01:00", "2026-12-10T08:00:00Z", "2026-12-10T08:00Z"])
def test_a_time_with_its_zone_is_an_instant(time: str) -> None:
    assert fields.instant(time) == dt.datetime(2026, 12, 10, 8, tzinfo=dt.UTC)


def test_publishing_now_needs_no_time() -> None:
    assert parse(NewEpisode, {"publish": "now"}).publish == "now"
    assert parse(NewEpisode, {"publish": ""}).publish is None


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"title": ""}, "title"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"funding_url": "example"}, "funding_url"),
        ({"categories": ["News"]}, "categories"),
        ({"author": "x" * 256}, "author"),
        ({"description": "x" * 100_001}, "description"),
    ],
)
def test_a_shows_fields_are_named_too(said: dict[str, object], field: str) -> None:
    assert refused(ShowFields, **said) == [field]


@given(st.sampled_from(MODELS), st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=20), JSON, max_size=4))
def test_nothing_that_is_said_breaks_the_reading_of_it(model: type[fields.Model], said: dict[str, object]) -> None:
    found = parse(model, said)

    if isinstance(found, list):
        assert found
        assert all(finding.message() for finding in found)


@given(st.text())
def test_whatever_the_text_it_is_stored_as_every_store_can_hold_it(text: str) -> None:
    found = parse(EpisodeFields, {"title": text, "notes": text})

    if isinstance(found, EpisodeFields):
        for stored in (found.title, found.notes):
            assert "\0" not in stored
            stored.encode()  # no lone surrogate


def test_too_many_chapters_are_called_so() -> None:
    [finding] = parse(EpisodeFields, {"chapters": [{"start_ms": start, "title": "x"} for start in range(1001)]})

    assert isinstance(finding, Finding)
    assert finding.message() == "These are too many chapters. An episode has 1000 at most."


@pytest.mark.parametrize("said", ["owner@example", "a b@example.org", "<x>@example.org", "a@b.org, c@d.org", "x@y.z w"])
def test_a_show_s_e_mail_is_the_address_of_one_person(said: str) -> None:
    found = parse(ShowFields, {"owner_email": said})

    assert isinstance(found, list)
    assert [finding.field for finding in found] == ["owner_email"]
