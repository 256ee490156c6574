import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from media.text import clean, clean_line

# Half of it the characters that hurt, which a fair choice among a million would hardly ever bring.
AWKWARD = (
    "\0\t\n\r\x0b\x0c\x1e\x1f\x7f\x85\x9f\u2028 e\u0301\u202e\u2066"
    "\ud800\udfff\ufdd0\ufeff\ufffe\uffff\U0001fffe\U0010ffff"
)
ANY_TEXT = st.text(st.one_of(st.sampled_from(AWKWARD), st.characters(categories=None)))  # surrogates too


@given(ANY_TEXT)
def test_cleaned_text_fits_into_xml_and_comes_back_unchanged(text: str) -> None:
    element = etree.Element("title")
    element.text = clean(text)

    assert (etree.fromstring(etree.tostring(element, encoding="UTF-8")).text or "") == clean(text)


@given(ANY_TEXT)
def test_cleaned_text_fits_into_postgresql(text: str) -> None:
    assert b"\0" not in clean(text).encode("utf-8")  # a surrogate would not encode


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert clean_line(clean_line(text)) == clean_line(text)
    assert clean(clean_line(text)) == clean_line(text)


@given(ANY_TEXT)
def test_a_clean_line_is_one_line_without_space_at_its_ends(text: str) -> None:
    line = clean_line(text)

    assert line == line.strip()
    assert len(line.splitlines()) <= 1
    assert "  " not in line


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_ordinary_text_is_kept(text: str) -> None:
    assert clean(text) == unicodedata.normalize("NFC", text)


def test_line_ends_of_every_system_become_one() -> None:
    assert clean("a\r\nb\rc\nd\te") == "a\nb\nc\nd\te"


def test_an_accent_typed_apart_joins_its_letter() -> None:
    assert clean("e\u0301te\u0301") == "été"
    assert clean("e\0\u0301") == "é"


def test_a_line_keeps_what_arabic_needs_and_loses_what_reverses() -> None:
    assert clean_line("  بودكاست\u200f \u202eexe\u202c\n 3 ") == "بودكاست\u200f exe 3"
