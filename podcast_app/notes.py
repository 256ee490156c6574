"""Notes: Markdown as the producer wrote it, HTML as listeners get it."""

import html as entities
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

TAGS = {"p", "br", "ol", "ul", "li", "a", "b", "strong", "i", "em", "h3", "h4", "blockquote", "code", "pre", "hr"}

# CommonMark without raw HTML; no tables: 18 kB of `|` take seconds to parse
_PLAIN = MarkdownIt("commonmark", {"html": False, "breaks": True})

# A web address that stands alone becomes a link, as most apps make one of it. "example.org" may be the end of one
# sentence and the beginning of the next, "//" a comment: both stay text.
_LINKING = MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": True}).enable("linkify")
assert _LINKING.linkify is not None
_LINKING.linkify.set({"fuzzy_link": False, "fuzzy_email": False}).add("ftp:", None).add("//", None)

# Longer than any address that servers take. In such a run the search for addresses takes time that grows with its
# square: 19 seconds for 90 kB.
_ENDLESS = re.compile(r"\S{2000}")

# "12:34" or "1:02:03", where a line begins ("[12:34] A song", "12:34 – A song") or alone in parentheses
_TIME = r"(?:\d{1,2}:)?[0-5]?\d:[0-5]\d"
_AT_BEGINNING = re.compile(rf"(?P<before>\s*[(\[]?)(?P<time>{_TIME})(?![\d:])")
_IN_PARENTHESES = re.compile(rf"(?P<before>[(])(?P<time>{_TIME})(?=[)])")

_HEADINGS = {"h1": "h3", "h2": "h3", "h5": "h4", "h6": "h4"}  # the page has its own first two levels


@lru_cache(maxsize=2048)
def html(notes: str, audio: str = "", length_ms: int = 0) -> str:
    """The notes as clean HTML: no script, no picture, no style, links only to the web and to mail; and to moments of
    the audio, if its address is given: `[the song](#t=754)`, and times of it as people write them."""
    markdown = _PLAIN if _ENDLESS.search(notes) else _LINKING
    tokens = markdown.parse(notes)
    for token in tokens:
        token.tag = _HEADINGS.get(token.tag, token.tag)
        if audio and token.children:
            token.children = list(_with_moments(token.children, length_ms))
    rendered = markdown.renderer.render(tokens, markdown.options, {})
    return nh3.clean(
        rendered,
        tags=TAGS,
        attributes={"a": {"href", "title"}},
        attribute_filter=lambda _tag, name, value: _kept(value, audio) if name == "href" else value,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow",
    ).strip()


def plain(notes: str) -> str:
    """The notes as one line of plain text, for a description in a search result."""
    return entities.unescape(" ".join(nh3.clean(html(notes), tags=set()).split()))


def _kept(address: str, audio: str) -> str | None:
    """Links are whole: in an app, nobody knows what an address without its beginning would be relative to."""
    if audio and address.startswith("#t="):
        return audio + address
    return address if address.lower().startswith(("http://", "https://", "mailto:")) else None


def _with_moments(tokens: Iterable[Token], length_ms: int) -> Iterator[Token]:
    """The same line by line, times of an audio of this length being links to `#t=`."""
    depth, begins = 0, True
    for token in tokens:
        depth += token.nesting if token.type in ("link_open", "link_close") else 0
        if token.type != "text" or depth:
            yield token
        else:
            yield from _linked(token, _AT_BEGINNING if begins else None, length_ms)
        # emphasis may begin before the time does
        begins = token.type in ("softbreak", "hardbreak") or (begins and (token.nesting == 1 or not token.content))


def _linked(token: Token, beginning: re.Pattern[str] | None, length_ms: int) -> Iterator[Token]:
    text, at = token.content, 0
    first = beginning.match(text) if beginning else None
    found = [first] if first else []
    found += _IN_PARENTHESES.finditer(text, first.end() if first else 0)
    for match in found:
        start, stop = match.span("time")
        if (second := _second(match["time"])) * 1000 < length_ms:
            yield _text(text[at:start])
            yield Token("link_open", "a", 1, attrs={"href": f"#t={second}"})
            yield _text(text[start:stop])
            yield Token("link_close", "a", -1)
            at = stop
    yield _text(text[at:])


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _second(time: str) -> int:
    """754 for "12:34"."""
    second = 0
    for part in time.split(":"):
        second = second * 60 + int(part)
    return second
