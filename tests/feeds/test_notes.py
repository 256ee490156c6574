"""Notes become a description: few tags, 4000 bytes, whole words, whole elements."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds.notes import description

PAGE = "https://radio.example/voix/therese"
ONWARD = f'<p>… <a href="{PAGE}">{PAGE}</a></p>'


def parsed(html: str) -> etree._Element:
    """Strictly: what is not well formed fails here."""
    return etree.fromstring(f"<div>{html}</div>".encode())


def test_short_notes_with_allowed_tags_stay_as_they_are() -> None:
    notes = '<p>Un <b>mot</b>, <em>deux</em> &amp; <a href="https://x.example/">trois</a>.</p><ul><li>quatre</li></ul>'

    assert description(notes, PAGE) == notes


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        ("<h2>Liens</h2><p>a</p>", "<p>Liens</p><p>a</p>"),
        ("<blockquote><p>a</p></blockquote>", "<p>a</p>"),
        ("<p>a<code>b</code></p>", "<p>ab</p>"),
        ("<p>a<script>b</script><style>c</style>d</p>", "<p>ad</p>"),
        ("<p>a<!-- b -->c</p>", "<p>ac</p>"),
        ('<p><a href="javascript:x">a</a></p>', "<p>a</p>"),
        ('<p><a href="/relative">a</a></p>', "<p>a</p>"),
        ('<p class="x" onclick="y">a</p>', "<p>a</p>"),
        ('<p><img src="https://x.example/a.png" alt="b">a</p>', "<p>a</p>"),
        ("<p>1 < 2 & 3</p>", "<p>1 &lt; 2 &amp; 3</p>"),
        ("</div><p>a</p>", "<p>a</p>"),
        ("", ""),
    ],
)
def test_what_psp_1_does_not_allow_is_taken_off_and_its_text_kept(notes: str, expected: str) -> None:
    assert description(notes, PAGE) == expected


def test_lines_of_one_paragraph_become_paragraphs() -> None:
    notes = "<p><b>00:00 Début<br>12:30 Fin</b></p>"

    assert description(notes, PAGE) == "<p><b>00:00 Début</b></p><p><b>12:30 Fin</b></p>"


def test_notes_of_exactly_4000_bytes_are_whole() -> None:
    notes = f"<p>{'é' * 1996}a</p>"
    assert len(notes.encode()) == 4000

    assert description(notes, PAGE) == notes


def test_notes_of_4001_bytes_are_cut_and_lead_to_the_page() -> None:
    notes = f"<p>{'é' * 1997}</p>"
    assert len(notes.encode()) == 4001

    short = description(notes, PAGE)

    assert short.endswith(ONWARD)
    assert len(short.encode()) <= 4000


def test_the_cut_falls_between_words_and_wastes_little() -> None:
    notes = "<ul>" + "<li>Bruxelles <em>et</em> Luxembourg</li>" * 200 + "</ul>"

    short = description(notes, PAGE)

    assert set(re.findall(r"\w+", re.sub("<[^>]*>|https[^<]*", " ", short))) <= {"Bruxelles", "et", "Luxembourg"}
    assert 3900 < len(short.encode()) <= 4000
    assert parsed(short).xpath("//li[not(normalize-space())]") == []


def test_an_entity_is_never_cut_in_two() -> None:
    short = description(f"<p>{'&amp;' * 2000}</p>", PAGE)

    assert "".join(parsed(short)[0].itertext()).strip("&") == ""
    assert len(short.encode()) <= 4000


def test_an_emoji_of_several_parts_is_never_cut_in_two() -> None:
    family = "👨\u200d👩\u200d👧"

    short = description(f"<p>{family * 400}</p>", PAGE)

    assert parsed(short)[0].text.replace(family, "") == ""


TAGS = ("p", "ul", "li", "b", "i", "a", "table", "td", "h2", "div", "script")
PIECES = [f"{start}{tag}>" for tag in TAGS for start in ("<", "</")] + [
    "<br>",
    "<!--",
    "-->",
    "]]>",
    "&",
    "&nbsp;",
    "<",
]
LONG = ['<a href="https://x.example/?a=1&amp;b=2">', "word ", "日本語" * 40, "😀" * 30, "a" * 300, "\x00", "\ud800"]
MARKUP = st.lists(st.sampled_from(PIECES + LONG), max_size=60).map("".join)


@settings(deadline=None)  # a busy machine is no fault
@given(notes=MARKUP | st.text())
def test_whatever_comes_in_what_goes_out_is_well_formed_and_fits(notes: str) -> None:
    short = description(notes, PAGE)

    assert len(short.encode()) <= 4000
    tags = {element.tag for element in parsed(short).iterdescendants()}
    assert tags <= {"p", "ol", "ul", "li", "a", "b", "i", "strong", "em"}
