"""A transcript's five forms say the same, in the shape that apps want, and can be read again."""

import json
import re
import unicodedata
from itertools import accumulate

import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.text import clean, clean_line
from media.transcripts import FORMATS, Segment, Transcript, formats, html_fragment, read

AWKWARD = "<>&;-\"'{}[]\\/:: \u00a0\u200f#1é\u0301مرኣ𝄞\u202e"
ANY_TEXT = st.text(
    st.one_of(
        st.sampled_from(AWKWARD), st.characters(codec="utf-8", exclude_categories=["Co"], exclude_characters="\ufffd")
    ),
    min_size=1,
    max_size=99,
)
NAMES = ["Ann", "Bob", "Marie de Groot", "Speaker 2", "Zoé", "أحمد"]


def one_line(text: str) -> str:
    return re.sub("[ \t\n\u2028\u2029]+", " ", clean(text)).strip(" ")


def has_words(text: str) -> bool:
    """An accent on nothing is no word: it would join what stands before it."""
    return bool(text.strip()) and not unicodedata.category(text[0]).startswith("M")


def words(*, without: str = "") -> st.SearchStrategy[str]:
    """What a segment may say; without these characters."""
    return ANY_TEXT.map(lambda text: one_line(text.translate(dict.fromkeys(map(ord, without))))).filter(has_words)


def transcripts(names: st.SearchStrategy[str], said: st.SearchStrategy[str]) -> st.SearchStrategy[Transcript]:
    """One segment after the other, with or without pauses."""
    segment = st.tuples(st.integers(0, 3_600_000), st.integers(1000, 600_000), names, said)
    return st.lists(segment, min_size=1, max_size=6).map(in_order)


def in_order(parts: list[tuple[int, int, str, str]]) -> Transcript:
    starts = accumulate([pause for pause, *_ in parts], initial=0)
    lengths = accumulate([length for _, length, *_ in parts], initial=0)
    begins = [start + so_far for start, so_far in zip(list(starts)[1:], lengths, strict=False)]
    return Transcript(
        segments=tuple(
            Segment(start_ms=start, end_ms=start + length, speaker=name, text=text)
            for start, (_, length, name, text) in zip(begins, parts, strict=True)
        )
    )


def transcript(*said: tuple[str, str]) -> Transcript:
    """Segments of ten seconds each, by speaker and words."""
    return in_order([(0, 10_000, name, text) for name, text in said])


def written(said: Transcript, extension: str, language: str = "en") -> str:
    return FORMATS[extension].write(said, language).decode()


def spoken(said: Transcript) -> str:
    """The words alone: no spaces, no names."""
    text = "".join(one.text for one in said.segments) or said.text
    for name in NAMES:
        text = text.replace(f"{name}: ", "")
    return "".join(text.split())


SPEAKERS = ANY_TEXT.map(clean_line).filter(has_words)


@settings(deadline=None)  # a busy machine is no fault
@given(st.one_of(transcripts(SPEAKERS, words()), transcripts(st.just(""), words(without=":"))))
def test_vtt_reads_back_as_it_was(said: Transcript) -> None:
    assert read(written(said, "vtt").encode(), filename="talk.vtt") == said


@settings(deadline=None)
@given(transcripts(st.one_of(SPEAKERS, st.just("")), words()))
def test_json_reads_back_as_it_was(said: Transcript) -> None:
    assert read(written(said, "json").encode(), filename="talk.json") == said


@settings(deadline=None)
@given(transcripts(st.sampled_from(NAMES), words(without="<{&:")))
def test_srt_reads_back_with_the_same_words_in_the_same_time(said: Transcript) -> None:
    back = read(written(said, "srt").encode(), filename="talk.srt")

    assert spoken(back) == spoken(said)
    assert {one.start_ms for one in said.segments} <= {one.start_ms for one in back.segments}
    assert {one.end_ms for one in said.segments} <= {one.end_ms for one in back.segments}


@settings(deadline=None)
@given(transcripts(st.sampled_from(NAMES), words(without=":")))
def test_html_and_txt_read_back_with_the_same_words(said: Transcript) -> None:
    assert spoken(read(written(said, "html").encode())) == spoken(said)
    assert spoken(read(written(said, "txt").encode(), filename="talk.txt")) == spoken(said)


@settings(deadline=None)
@given(ANY_TEXT, st.sampled_from(["html", "txt"]))
def test_a_text_without_times_keeps_its_words(text: str, extension: str) -> None:
    text = clean(text).strip()
    plain = Transcript(text=text)

    if text:
        back = written(plain, extension)
        shown = "".join(lxml.html.fromstring(back).itertext()) if extension == "html" else back
        assert "".join(shown.split()) == "".join(text.split())


def test_vtt_is_as_apple_wants_it() -> None:
    said = transcript(
        ("Ann & Co", "Fish & chips --> a < b, and then so many words that two lines are needed for them"), ("", "x")
    )

    assert written(said, "vtt") == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:10.000\n"
        "<v Ann &amp; Co>Fish &amp; chips --&gt; a &lt; b, and then so\n"
        "many words that two lines are needed for them\n\n"
        "00:00:10.000 --> 00:00:20.000\nx\n"
    )


def test_srt_is_as_the_namespace_wants_it() -> None:
    long = "When you first get started in podcasting, it is almost guaranteed that you make mistakes"

    assert written(transcript(("Travis", long), ("Travis", "Yes."), ("Sarah", "No.")), "srt") == (
        "1\n00:00:00,000 --> 00:00:05,473\nTravis: When you first get\nstarted in podcasting, it\n\n"
        "2\n00:00:05,473 --> 00:00:10,000\nis almost guaranteed that\nyou make mistakes\n\n"
        "3\n00:00:10,000 --> 00:00:20,000\nYes.\n\n"
        "4\n00:00:20,000 --> 00:00:30,000\nSarah: No.\n"
    )


@settings(deadline=None)
@given(transcripts(st.sampled_from(NAMES), words()))
def test_lines_are_short_enough(said: Transcript) -> None:
    for extension, width in {"vtt": 65, "srt": 32}.items():
        blocks = re.split(r"\n\n", written(said, extension).removeprefix("WEBVTT\n\n"))
        for block in blocks:
            lines = block.strip("\n").split(" --> ")[1].split("\n")[1:]
            assert extension == "vtt" or len(lines) <= 2
            assert all(len(line) <= width or " " not in re.sub("<v .*?>|^.*?: ", "", line) for line in lines)


def test_a_page_shows_turns_and_no_markup_of_the_transcripts_own() -> None:
    said = transcript(("Ann", "<script>alert(1)</script>"), ("Ann", "it's"), ("Bob\" x='", "Yes &amp;"), ("", "…"))

    assert written(said, "html", "fr") == (
        '<div lang="fr" dir="auto">\n'
        "<cite>Ann:</cite>\n"
        '<time datetime="PT0S">0:00</time>\n'
        "<p>&lt;script&gt;alert(1)&lt;/script&gt; it's</p>\n"
        "<cite>Bob\" x=':</cite>\n"
        '<time datetime="PT20S">0:20</time>\n'
        "<p>Yes &amp;amp;</p>\n"
        '<time datetime="PT30S">0:30</time>\n'
        "<p>…</p>\n"
        "</div>\n"
    )


def test_times_lead_to_their_moments_where_there_is_such_an_address() -> None:
    said = transcript(("Ann", "One."), ("Bob", "Two."))

    page = html_fragment.write(said, "en", "/matonge?a=b&t=").decode()

    assert '<a href="/matonge?a=b&amp;t=10"><time datetime="PT10S">0:10</time></a>\n<p>Two.</p>' in page
    assert read(page.encode()) == read(written(said, "html").encode())


def test_a_text_of_turns_names_who_speaks_when_that_changes() -> None:
    said = transcript(("Ann", "One."), ("Ann", "Two."), ("Bob", "Three."), ("Ann", "Four."))

    assert written(said, "txt") == "Ann: One. Two.\n\nBob: Three.\n\nAnn: Four.\n"


def test_a_long_turn_has_paragraphs() -> None:
    sentences = transcript(*[("Ann", "So many words again. " * 10 + "End.")] * 9)
    no_sentences = transcript(*[("Ann", "so many words again " * 10 + "on")] * 9)
    with_music = in_order([(0, 1000, "Ann", "One."), (6000, 1000, "Ann", "Two.")])

    assert [len(paragraph) for paragraph in written(sentences, "txt").split("\n\n")] == [649, 644, 645]
    assert max(len(paragraph) for paragraph in written(no_sentences, "txt").split("\n\n")) < 1500
    assert written(with_music, "txt") == "Ann: One.\n\nTwo.\n"


def test_a_plain_text_is_given_as_it_came() -> None:
    plain = Transcript(text="One <b>\ntwo &amp;\n\n\nThree")

    assert written(plain, "txt") == plain.text + "\n"
    assert written(plain, "html") == (
        '<div lang="en" dir="auto">\n<p>One &lt;b&gt;<br>\ntwo &amp;amp;</p>\n<p>Three</p>\n</div>\n'
    )


def test_an_hour_and_more_is_written_whole() -> None:
    late = in_order([(360_003_004, 1000, "", "Late")])

    assert "100:00:03.004 --> 100:00:04.004" in written(late, "vtt")
    assert "100:00:03,004 --> 100:00:04,004" in written(late, "srt")
    assert ">100:00:03</time>" in written(late, "html")
    assert json.loads(written(late, "json"))["segments"] == [
        {"startTime": 360003.004, "endTime": 360004.004, "body": "Late"}
    ]


@pytest.mark.parametrize("source", ["vtt", "srt", "json"])
def test_five_forms_agree_whichever_of_them_came_in(source: str) -> None:
    said = transcript(("Ann", "Bonjour & bienvenue"), ("Bob", "Merci <3"), ("Ann", "De rien"), ("Bob", "Si, si"))

    back = read(FORMATS[source].write(said, "fr"))

    assert {form.extension: form.write(back, "fr") for form in formats(back)} == {
        form.extension: form.write(said, "fr") for form in formats(said)
    }
