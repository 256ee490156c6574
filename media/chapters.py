"""Chapters as people and programs write them: a line each, timestamps in notes, JSON chapters 1.2."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Final

from media.probe.chapter_list import MOST, NO_TIME, tidy, web_address
from media.probe.facts import Chapter
from media.text import clean, clean_line

__all__ = ["MOST", "Unreadable", "as_json", "from_notes", "read", "tidy", "written"]

WITHOUT_TIME: Final = "Line {line} does not begin with a time. Write it as 12:34 Title."
WITHOUT_TITLE: Final = "Line {line} has a time and no title. Write it as 12:34 Title."
SAME_TIME: Final = "Line {line} has the same time as an earlier line. Give each chapter a time of its own."
TOO_MANY: Final = "Line {line} is one chapter too many: an episode can have {most}. Remove those that matter least."

_FEWEST_IN_NOTES: Final = 3  # Apple, "Chapters on Apple Podcasts"; it also wants the first at the beginning

# No pattern here can run twice over the same text: notes may be 100 kB of digits and colons.
_CLOCK: Final = r"(?:([0-9]{1,4}):)?([0-9]{1,4}):([0-9]{2})(?:[.,]([0-9]{1,9}))?(?![^\W_]|:[0-9])"
_TIME: Final = re.compile(rf"[(\[]?{_CLOCK}[)\]]?")
_UNTIL: Final = re.compile(r" ?[-–—→]+>? ?[(\[]?(?:[0-9]{1,4}:){1,2}[0-9]{2}(?:[.,][0-9]{1,9})?(?![^\W_]|:[0-9])[)\]]?")
_SEPARATOR: Final = re.compile(r"(?:[.,]| ?[-–—:|=>→]+)(?: |(?![0-9]))")  # "- 5 reasons", but "-5 degrees"
_LIST_MARKS: Final = " -–—*+•·▪>#"
_NUMBERED: Final = re.compile(r"[0-9]{1,4}[.)] ")
_LINK: Final = re.compile(r"\[([^\[\]]*+)\]\(<?([^\s()<>]*+)>?[^()]*+\)|<(https?:[^\s<>]*+)>", re.IGNORECASE)
_MARKUP: Final = re.compile(r"\\([!-/:-@\[-`{-~])|[*`]+|~~|(?<![^\W_])_+|_+(?![^\W_])")


class Unreadable(Exception):
    """The text is no list of chapters. The sentence names the line, and what helps.

    `sentence` is English, with {names} that `values` fill; who shows it may translate it first. str() is English.
    """

    def __init__(self, sentence: str, *, line: int, **values: int) -> None:
        super().__init__(sentence, line, values)
        self.sentence = sentence
        self.line = line  # from 1
        self.values = {"line": line, **values}

    def __str__(self) -> str:
        return self.sentence.format(**self.values)


def written(chapters: Iterable[Chapter]) -> str:
    """A line each: `1:02:03 Title <https://example.org>`. Pictures and ends have no place there."""
    return "\n".join(map(_line, chapters))


def read(text: str) -> tuple[Chapter, ...]:
    """The chapters of such lines, by start; times and dashes as people write them. Raises Unreadable."""
    found: dict[int, Chapter] = {}
    for number, line in enumerate(clean(text).split("\n"), 1):
        if not (words := clean_line(line)):
            continue
        chapter = _chapter(words)
        if chapter is None:
            raise Unreadable(WITHOUT_TIME, line=number)
        if not (chapter.title or chapter.url):
            raise Unreadable(WITHOUT_TITLE, line=number)
        if chapter.start_ms in found:
            raise Unreadable(SAME_TIME, line=number)
        if len(found) == MOST:
            raise Unreadable(TOO_MANY, line=number, most=MOST)
        found[chapter.start_ms] = chapter
    return tidy(found.values(), None)


def from_notes(notes_text: str, duration_ms: int | None) -> tuple[Chapter, ...]:
    """The chapters that the notes (Markdown, or plain) list with their times, as Apple sees them; else none.

    Times stand in front of all titles, or behind all of them: a concert "at 18:30" is no chapter.
    """
    # only in a line with a colon can a time be, and whole feeds are built from notes
    lines = [_markdown(line) for line in clean(notes_text).split("\n") if ":" in line]
    for chapter_of in (_chapter, _chapter_behind):
        found = [replace(chapter, url=chapter.url or url) for text, url in lines if (chapter := chapter_of(text))]
        titled = tidy([chapter for chapter in found if chapter.title], duration_ms)
        if _is_list(found) and len(titled) >= _FEWEST_IN_NOTES:
            return titled
    return ()


def as_json(
    chapters: Iterable[Chapter], *, title: str = "", show: str = "", pictures: Mapping[int, str] | None = None
) -> dict[str, object]:
    """JSON chapters 1.2 (podcast namespace); `pictures` has absolute addresses by the chapter's start."""
    named = {"title": title, "podcastName": show}
    return {
        "version": "1.2.0",
        **{name: text for name, text in named.items() if text},
        "chapters": [_chapter_as_json(chapter, (pictures or {}).get(chapter.start_ms)) for chapter in chapters],
    }


# -- Lines


def _line(chapter: Chapter) -> str:
    """The plainest line that is read as this chapter, should the title look like a dash, a time or a link."""
    start, link = _clock(chapter.start_ms), f" <{chapter.url}>" if chapter.url else ""
    plain = f"{start} {chapter.title}{link}" if chapter.title else f"{start}{link}"
    marked = f"{start} - {chapter.title}{link}"
    wanted = Chapter(start_ms=chapter.start_ms, title=chapter.title, url=chapter.url)
    forms = (plain, marked, f"{plain} <>", f"{marked} <>")
    return next((form for form in forms if _chapter(form) == wanted), plain)


def _clock(start_ms: int) -> str:
    seconds, milliseconds = divmod(start_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    part = f".{milliseconds:03}" if milliseconds else ""
    return f"{hours}:{minutes:02}:{seconds:02}{part}" if hours else f"{minutes:02}:{seconds:02}{part}"


def _chapter(line: str) -> Chapter | None:
    """From a clean line that begins with a time; an end behind it ("00:00 - 01:30 Intro") is where the next begins."""
    line = line.lstrip(_LIST_MARKS)
    numbered = _NUMBERED.match(line)
    found = _TIME.match(line, numbered.end() if numbered else 0)
    start_ms = _milliseconds(found) if found else None
    if found is None or start_ms is None:
        return None
    at = found.end()
    for passed in (_UNTIL, _SEPARATOR):
        match = passed.match(line, at)
        at = match.end() if match else at
    title, url = _linked(line[at:].strip())
    return Chapter(start_ms=start_ms, title=title, url=url)


def _linked(text: str) -> tuple[str, str | None]:
    """The title, and the address behind it in angle brackets; empty ones say that there is none."""
    title, bracket, address = f" {text}".rpartition(" <")
    if bracket and address.endswith(">") and (address == ">" or web_address(address[:-1])):
        return title.strip(), address[:-1] or None
    return text, None


def _milliseconds(time: re.Match[str]) -> int | None:
    """Minutes may be more than 59 where no hours stand before them."""
    hours, minutes, seconds = (int(part or 0) for part in time.groups()[:3])
    start_ms = ((hours * 60 + minutes) * 60 + seconds) * 1000 + int((time[4] or "").ljust(3, "0")[:3])
    is_time = seconds < 60 and (minutes < 60 or time[1] is None) and start_ms < NO_TIME
    return start_ms if is_time else None


# -- Notes


def _markdown(line: str) -> tuple[str, str | None]:
    """The line without its markup, and the first link of the web in it but that of a time."""
    links = _LINK.findall(line)
    addresses = (plain or address for text, address, plain in links if not _TIME.match(text))
    plain = _LINK.sub(r"\1", line)
    return clean_line(_MARKUP.sub(r"\1", plain)), next(filter(None, map(web_address, addresses)), None)


def _chapter_behind(line: str) -> Chapter | None:
    """From a clean line that ends with a time."""
    title, _, last = line.lstrip(_LIST_MARKS).rpartition(" ")
    found = _TIME.fullmatch(last)
    start_ms = _milliseconds(found) if found else None
    return None if start_ms is None else Chapter(start_ms=start_ms, title=title.rstrip(_LIST_MARKS + ":|=→"))


def _is_list(chapters: list[Chapter]) -> bool:
    """Whether they begin at the beginning and go on from there."""
    starts = [chapter.start_ms for chapter in chapters]
    return starts[:1] == [0] and all(before < after for before, after in pairwise(starts))


# -- JSON


def _chapter_as_json(chapter: Chapter, picture: str | None) -> dict[str, object]:
    end_seconds = None if chapter.end_ms is None else chapter.end_ms / 1000
    said = {"title": chapter.title, "url": chapter.url, "img": picture, "endTime": end_seconds}
    return {"startTime": chapter.start_ms / 1000, **{name: value for name, value in said.items() if value}}
