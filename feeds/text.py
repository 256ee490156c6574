"""Text and addresses as an XML document can hold them. Nothing here raises, whatever was pasted."""

import re
import unicodedata
from collections.abc import Callable
from itertools import accumulate
from urllib.parse import quote, urlsplit, urlunsplit

# XML 1.0, `Char`, and the C1 controls too: XML allows them, but nobody means them (they are Windows-1252 gone astray)
_NO_TEXT = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPACE = re.compile(r"[ \t\n\f]+")
_WORD = 100  # characters: nothing longer is a word, so a text without spaces is cut between two letters
_JOINED = "\u200c\u200d\ufe0e\ufe0f"  # an emoji of several parts
_ADDRESS = "!#$%&'()*+,-./:;=?@[]_~"  # RFC 3986, what stands for itself


def legal(text: str) -> str:
    """Without characters that XML cannot hold; line ends are `\\n`."""
    return _NO_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def line(text: str) -> str:
    """On one line, without spaces around it (PSP-1: "no leading or trailing spaces")."""
    return spaced(legal(text)).strip()


def identifier(text: str) -> str:
    """As it is, but for the spaces around it: two identifiers may differ by a space or a capital inside."""
    return legal(text).strip()


def spaced(text: str) -> str:
    """With one space wherever there was white space; no-break spaces stay."""
    return _SPACE.sub(" ", text)


def short(text: str, limit: int = 255) -> str:
    """One line of at most `limit` characters (PSP-1: 255 unless an element says otherwise), cut at a word."""
    text = line(text)
    return text if len(text) <= limit else fitting(text, limit - 1, len) + "…"


def brief(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, cut at a word; paragraphs stay."""
    text = legal(text).strip()
    return text if size(text) <= limit else fitting(text, limit - size("…"), size) + "…"


def size(text: str) -> int:
    """Bytes in UTF-8."""
    return len(text.encode())


def fitting(text: str, room: int, measure: Callable[[str], int]) -> str:
    """The longest beginning that measures at most `room` and ends with a word."""
    if measure(text) <= room:
        return text
    end = sum(1 for so_far in accumulate(map(measure, text)) if so_far <= room)
    space = max(text.rfind(mark, max(0, end - _WORD), end + 1) for mark in " \n")
    return text[: space if space > 0 else _between_letters(text, end)].rstrip()


def ascii_url(url: str) -> str:
    """The same address in ASCII (Apple, "Podcast requirements"): IDNA for the host, percent signs for the rest."""
    url = line(url)
    if url.isascii() and " " not in url:
        return url
    try:
        parts = urlsplit(url)
        host = parts.netloc.encode("idna").decode("ascii")
    except ValueError:  # no address at all: the checks say so; here it must only stay ASCII
        return quote(url, safe=_ADDRESS)
    return quote(urlunsplit(parts._replace(netloc=host)), safe=_ADDRESS)


def _between_letters(text: str, end: int) -> int:
    """`end`, or before it, so that no accent or emoji is torn from what it belongs to."""
    while end and (unicodedata.combining(text[end]) or text[end] in _JOINED or text[end - 1] == "\u200d"):
        end -= 1
    return end
