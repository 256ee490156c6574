"""A list of chapters as players want it, out of whatever a file, a person or a program wrote."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from media.probe.facts import Chapter
from media.text import clean_line

MOST: Final = 1000
NO_TIME: Final = 0xFFFFFFFF  # ID3v2 Chapter Frame Addendum, 3.1: look at the byte offset instead; nobody writes one
_WEB: Final = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)


def tidy(chapters: Iterable[Chapter], duration_ms: int | None) -> tuple[Chapter, ...]:
    """By start, the first one at each, with clean words and safe links; inside the duration where it is known."""
    last_ms = duration_ms if duration_ms is not None else NO_TIME - 1
    found: dict[int, Chapter] = {}
    for chapter in sorted(chapters, key=lambda chapter: chapter.start_ms):
        title, url = clean_line(chapter.title), web_address(chapter.url)
        if (title or url) and 0 <= chapter.start_ms < last_ms and len(found) < MOST:
            end_ms = min(chapter.end_ms, last_ms) if chapter.end_ms and chapter.end_ms < NO_TIME else None
            end_ms = end_ms if end_ms and end_ms > chapter.start_ms else None
            found.setdefault(chapter.start_ms, replace(chapter, end_ms=end_ms, title=title, url=url))
    return tuple(found.values())


def web_address(text: str | None) -> str | None:
    """The address, if it is one of the web: http or https, without spaces."""
    address = clean_line(text or "")
    return address if _WEB.fullmatch(address) else None
