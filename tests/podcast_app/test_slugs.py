"""Addresses made from titles in any script: never empty, never twice, never one of the site's own."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podcast_app import slugs
from podcast_app.addresses import RESERVED

TITLES = (
    "حكايات من البيت",
    "日本の夜",
    "Привет из Киева",
    "Ώρα για ιστορίες",
    "🎙️🔥",
    "...",
    "feed.xml",
    "embed",
    "fr",
    "studio",
    "Studio!",
    "a" * 300,
    "mot " * 100,
    "É",
    "E\u0301",
    "",
    "   ",
    "../../etc/passwd",
    "50 % & plus",
    "Straße, Łódź, Ørsted",
)


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Été à Łódź", "ete-a-lodz"),
        ("E\u0301te\u0301", "ete"),
        ("Привет", "privet"),
        ("Le marché n° 3 : Matonge", "le-marche-n-3-matonge"),
        ("日本の夜 – Night in Japan", "night-in-japan"),
        ("日本の夜", ""),
        ("...", ""),
    ],
)
def test_letters_that_can_be_transcribed_well_are(title: str, slug: str) -> None:
    assert slugs.from_title(title) == slug


def test_every_title_gets_an_address_of_its_own() -> None:
    taken: set[str] = set()
    for title in TITLES * 2:
        slug = slugs.free(slugs.from_title(title), "episode-1a2b3c", taken.__contains__)
        assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", slug)
        assert slug not in RESERVED | taken
        assert len(slug) <= slugs.LONGEST + len("-99")
        taken.add(slug)


@given(st.text(max_size=400))
def test_no_title_breaks_it(title: str) -> None:
    slug = slugs.from_title(title)

    assert re.fullmatch("[a-z0-9-]{0,80}", slug)
    assert slug == "" or slugs.is_valid(slug)


@pytest.mark.parametrize("slug", ["matonge", "2", "a-b-3"])
def test_a_person_may_choose_small_letters_digits_and_hyphens(slug: str) -> None:
    assert slugs.is_valid(slug)


@pytest.mark.parametrize(
    "slug", ["", "-", "A", "é", "a b", "a/b", "a.b", "-a", "a-", "a--b", "日本", "a" * 81, "a_b", "١"]
)
def test_nothing_else_may_be_chosen(slug: str) -> None:
    assert not slugs.is_valid(slug)
