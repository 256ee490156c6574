"""Notes: Markdown as the producer wrote it, HTML as listeners get it."""

import html as entities
import re
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt

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

_HEADINGS = {"h1": "h3", "h2": "h3", "h5": "h4", "h6": "h4"}  # the page has its own first two levels


@lru_cache(maxsize=2048)
def html(notes: str) -> str:
    """The notes as clean HTML: no script, no picture, no style, links only to the web and to mail."""
    markdown = _PLAIN if _ENDLESS.search(notes) else _LINKING
    tokens = markdown.parse(notes)
    for token in tokens:
        token.tag = _HEADINGS.get(token.tag, token.tag)
    rendered = markdown.renderer.render(tokens, markdown.options, {})
    return nh3.clean(
        rendered,
        tags=TAGS,
        attributes={"a": {"href", "title"}},
        attribute_filter=_kept,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow",
    ).strip()


def plain(notes: str) -> str:
    """The notes as one line of plain text, for a description in a search result."""
    return entities.unescape(" ".join(nh3.clean(html(notes), tags=set()).split()))


def _kept(_tag: str, name: str, value: str) -> str | None:
    """Links are whole: in an app, nobody knows what an address without its beginning would be relative to."""
    is_whole = value.lower().startswith(("http://", "https://", "mailto:"))
    return value if name != "href" or is_whole else None
