"""Chapters as lines of text, as timestamps in notes, and as JSON."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.chapters import Unreadable, as_json, from_notes, read, tidy, written
from media.probe import Chapter, Picture

PICTURE = Picture(media_type="image/jpeg", data=b"\xff\xd8\xff")
THREE = (
    Chapter(start_ms=0, title="Intro"),
    Chapter(start_ms=90_000, title="Matonge, le marché"),
    Chapter(start_ms=3_723_250, title="Fin", url="https://example.org/a?b=1"),
)
IN_LINES = "00:00 Intro\n01:30 Matonge, le marché\n1:02:03.250 Fin <https://example.org/a?b=1>"

# Titles made of what could be taken for something else: dashes, times, brackets, links.
TRICKY = st.lists(
    st.sampled_from(["-", "–", ":", "|", ".", ",", ">", "<>", "<https://a.org>", "https://b.org", "12:34", "(1:02)"])
    | st.sampled_from(["5", "1.", "[", ")", "Title", "é", "\u0338", "\u200f", "->", "\t", "  ", "http://c>", "<"]),
    max_size=6,
).map(" ".join)
TITLES = TRICKY | TRICKY.map(lambda title: title.replace(" ", "")) | st.text(max_size=30)
LINKS = st.none() | st.sampled_from(["https://example.org/é?a=<b>&c", "http://a.org>", "HTTP://A.ORG/ <", "ftp://x"])
CHAPTERS = st.builds(
    Chapter,
    start_ms=st.integers(0, 0xFFFFFFFF) | st.integers(0, 200).map(lambda seconds: seconds * 1000),
    title=TITLES,
    url=LINKS | st.text(max_size=8).map("https://a".__add__),
)


# -- Lines


def test_chapters_are_a_line_each() -> None:
    assert written(THREE) == IN_LINES


def test_what_was_written_is_read() -> None:
    assert read(IN_LINES) == THREE


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("12:34", "00:00 12:34"),
        ("- Intro", "00:00 - - Intro"),
        ("Lire <https://a.org>", "00:00 Lire <https://a.org> <>"),
        ("12:34 <>", "00:00 12:34 <> <>"),
        ("- <>", "00:00 - - <> <>"),
    ],
)
def test_a_title_that_looks_like_something_else_is_marked_as_a_title(title: str, line: str) -> None:
    odd = (Chapter(start_ms=0, title=title),)

    assert written(odd) == line
    assert read(line) == odd


@given(st.lists(CHAPTERS, max_size=8))
def test_any_chapters_survive_being_written_and_read(made: list[Chapter]) -> None:
    wanted = tidy(made, None)

    assert read(written(wanted)) == wanted


@pytest.mark.parametrize(
    "line",
    [
        "01:30 Marché",
        "1:30 Marché",
        "00:01:30 Marché",
        "0:01:30.000 Marché",
        "00:01:30,000 Marché",
        "01:30\tMarché",
        "  01:30 – Marché  ",
        "01:30: Marché",
        "01:30. Marché",
        "01:30-Marché",
        "01:30 | Marché",
        "01:30 -> Marché",
        "(01:30) Marché",
        "(01:30)Marché",
        "[01:30] - Marché",
        "- 01:30 Marché",
        "• (01:30) Marché",
        "2. 01:30 Marché",
        "01:30 - 02:45 Marché",
        "01:30–02:45: Marché",
        "[00:01:30.000 --> 00:02:45.000] Marché",
        "[00:01:30.000] --> [00:02:45.000] Marché",
        "01:30 Marché <>",
    ],
)
def test_a_line_is_read_as_people_write_it(line: str) -> None:
    assert read(line) == (Chapter(start_ms=90_000, title="Marché"),)


@pytest.mark.parametrize(
    ("line", "start_ms", "title"),
    [
        ("75:30 Après", 4_530_000, "Après"),
        ("00:07.25 Après", 7250, "Après"),
        ("100:00:00 Après", 360_000_000, "Après"),
        ("00:00 -5 degrés", 0, "-5 degrés"),
        ("00:00 - 5 degrés", 0, "5 degrés"),
        ("00:00 .NET", 0, ".NET"),
        ("00:00 <3 Bruxelles", 0, "<3 Bruxelles"),
        ("00:00 À 18:30 place Flagey", 0, "À 18:30 place Flagey"),
    ],
)
def test_times_and_titles_that_are_odd_are_themselves(line: str, start_ms: int, title: str) -> None:
    assert read(line) == (Chapter(start_ms=start_ms, title=title),)


def test_lines_may_be_from_windows_empty_and_out_of_order() -> None:
    assert read("\ufeff\r\n01:30 Matonge, le marché\r\n\r\n00:00 Intro\r\n") == THREE[:2]


def test_no_lines_are_no_chapters() -> None:
    assert read(" \n\n") == ()


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("00:00 Intro\n\nFin", 3, "Line 3 does not begin with a time. Write it as 12:34 Title."),
        ("90 Intro", 1, "Line 1 does not begin with a time. Write it as 12:34 Title."),
        ("00:60 Intro", 1, "Line 1 does not begin with a time. Write it as 12:34 Title."),
        ("1:60:00 Intro", 1, "Line 1 does not begin with a time. Write it as 12:34 Title."),
        ("9999:00:00 Intro", 1, "Line 1 does not begin with a time. Write it as 12:34 Title."),
        ("12:34pm Intro", 1, "Line 1 does not begin with a time. Write it as 12:34 Title."),
        ("12:34:56:78 Intro", 1, "Line 1 does not begin with a time. Write it as 12:34 Title."),
        ("00:00 Intro\n01:00 -", 2, "Line 2 has a time and no title. Write it as 12:34 Title."),
        ("00:00 A\n1:00 B\n01:00 C", 3, "Line 3 has the same time as an earlier line. Give each chapter a time of its"),
    ],
)
def test_a_line_that_is_no_chapter_is_named(text: str, line: int, sentence: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(text)

    assert refused.value.line == line
    assert str(refused.value).startswith(sentence)


def test_as_many_chapters_are_read_as_an_episode_can_have() -> None:
    lines = [f"{number}:00 Part {number}" for number in range(1001)]

    assert len(read("\n".join(lines[:1000]))) == 1000
    with pytest.raises(Unreadable, match="Line 1001 is one chapter too many: an episode can have 1000"):
        read("\n".join(lines))


# -- Notes


@pytest.mark.parametrize(
    "form",
    [
        "{time} {title}",
        "{time} - {title}",
        "({time}) {title}",
        "({time}) – {title}",
        "- {time} {title}",
        "* {time} {title}",
        "1. **{time}** {title}",
        "**{time} - {title}**",
        "_{time}_ {title}",
        "`{time}` {title}",
        "### {time} {title}",
        "> {time} {title}",
        "[{time}](https://example.org/watch?t=1) {title}",
        "- [{time}](<https://example.org/>) - **{title}**",
        "{title} {time}",
        "- {title} ({time})",
        "{title} – {time}",
        "**{title}:** {time}",
    ],
)
@pytest.mark.parametrize("times", [("0:00", "1:30", "61:00"), ("00:00:00", "00:01:30", "01:01:00")])
def test_times_in_the_notes_are_chapters(form: str, times: tuple[str, ...]) -> None:
    titles = ("Intro", "Le marché", "Fin")
    lines = [form.format(time=time, title=title) for time, title in zip(times, titles, strict=True)]
    notes = "\n".join(["Trois voix de Matonge, à 18:30 précises.", "", *lines, "", "Merci !"])

    found = from_notes(notes, None)

    assert found == tuple(
        Chapter(start_ms=start_ms, title=title) for start_ms, title in zip((0, 90_000, 3_660_000), titles, strict=True)
    )


def test_a_link_in_the_line_is_the_chapters_link() -> None:
    notes = "0:00 Intro\n1:00 Avec [Ana *Silva*](https://ana.example)\n2:00 Lire <https://example.org/_a_>\n"

    assert [(chapter.title, chapter.url) for chapter in from_notes(notes, None)] == [
        ("Intro", None),
        ("Avec Ana Silva", "https://ana.example"),
        ("Lire", "https://example.org/_a_"),
    ]


def test_a_link_that_is_not_of_the_web_is_left_out() -> None:
    found = from_notes("0:00 [Intro](javascript:alert)\n1:00 B\n2:00 C", None)

    assert found[0] == Chapter(start_ms=0, title="Intro")


def test_escaped_marks_are_what_they_say() -> None:
    assert from_notes(r"0:00 2 \* 3 snake_case" "\n1:00 B\n2:00 C", None)[0].title == "2 * 3 snake_case"


@pytest.mark.parametrize(
    "notes",
    [
        "",
        "0:00 Intro\n1:00 Fin",
        "0:10 Intro\n1:00 Milieu\n2:00 Fin",
        "0:00 Intro\n2:00 Milieu\n1:00 Fin",
        "0:00 Intro\n1:00 Milieu\n1:00 Fin",
        "0:00\n1:00\n2:00",
        "Le concert de 18:30 et celui de 20:00, puis 0:00, 1:00 et 2:00",
    ],
)
def test_what_apple_would_not_take_is_no_list_of_chapters(notes: str) -> None:
    assert from_notes(notes, None) == ()


def test_chapters_of_the_notes_end_with_the_sound() -> None:
    notes = "0:00 A\n1:00 B\n2:00 C\n3:00 D"

    assert [chapter.title for chapter in from_notes(notes, 150_000)] == ["A", "B", "C"]
    assert from_notes(notes, 100_000) == ()


HOSTILE_LENGTH = 400_000  # characters
HOSTILE = ["0:0", " ", "0:00 [x](a "]
MORE_HOSTILE = ["00:00", "00:00 ", "1:1:1:", "0", "-", "0:00 -", "0:00 - 0:00 - ", "[", "[0:00](", "[x](x", "<https:"]
MORE_HOSTILE += [" <", "0:00 <https://a.org>", "*", "_", "\\", "(", "1. "]


@pytest.mark.parametrize("piece", [*HOSTILE, *(pytest.param(piece, marks=pytest.mark.long) for piece in MORE_HOSTILE)])
def test_hostile_text_of_any_kind_comes_to_an_end(piece: str) -> None:
    """At a cost that grows with the square of the length it would not: the limit of time for a test would stop it."""
    run = piece * (HOSTILE_LENGTH // len(piece))

    from_notes(f"{run}\n0:00 {run}x\n{run} 0:00", None)

    for line in (f"{run}>", f"0:00 {run}x"):
        with suppress(Unreadable):
            written(read(line))


# -- JSON


def test_chapters_are_json_as_the_podcast_namespace_has_them() -> None:
    given = (replace(THREE[0], end_ms=60_500), *THREE[1:])

    said = as_json(given, title="Trois voix", show="Récits", pictures={90_000: "https://pod.example/c.jpg"})

    assert json.loads(json.dumps(said)) == {
        "version": "1.2.0",
        "title": "Trois voix",
        "podcastName": "Récits",
        "chapters": [
            {"startTime": 0.0, "title": "Intro", "endTime": 60.5},
            {"startTime": 90.0, "title": "Matonge, le marché", "img": "https://pod.example/c.jpg"},
            {"startTime": 3723.25, "title": "Fin", "url": "https://example.org/a?b=1"},
        ],
    }


def test_no_chapters_are_json_too() -> None:
    assert as_json(()) == {"version": "1.2.0", "chapters": []}


def test_json_has_the_form_of_the_official_example(corpora: Path) -> None:
    example = json.loads((corpora / "chapters/podcast-namespace/example.json").read_text(encoding="utf-8"))
    known = {name for chapter in example["chapters"] for name in chapter} | {"url", "img", "endTime"}

    said = json.loads(json.dumps(as_json(THREE)))

    assert said["version"] == "1.2.0"
    assert {name for chapter in said["chapters"] for name in chapter} <= known
    assert type(example["chapters"]) is type(said["chapters"])


# -- A list in order


def test_tidy_chapters_are_in_order_and_keep_what_is_safe() -> None:
    found = tidy(
        [
            Chapter(start_ms=1000, title="Late"),
            Chapter(start_ms=0, end_ms=500, title=" A \n title ", url="https://example.org", picture=PICTURE),
            Chapter(start_ms=0, title="The same start"),
            Chapter(start_ms=500, title="", url="javascript:alert(1)"),
            Chapter(start_ms=600, title="Script", url="javascript:alert(1)"),
            Chapter(start_ms=-1, title="Before"),
            Chapter(start_ms=2000, title="Behind"),
        ],
        2000,
    )

    assert found == (
        Chapter(start_ms=0, end_ms=500, title="A title", url="https://example.org", picture=PICTURE),
        Chapter(start_ms=600, title="Script"),
        Chapter(start_ms=1000, title="Late"),
    )


@given(st.lists(CHAPTERS, max_size=8), st.none() | st.integers(0, 0xFFFFFFFF))
def test_what_is_tidy_stays_as_it_is(made: list[Chapter], duration_ms: int | None) -> None:
    once = tidy(made, duration_ms)

    assert tidy(once, duration_ms) == once
