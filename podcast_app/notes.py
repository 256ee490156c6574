"""Notes: Markdown as the producer wrote it, HTML as listeners get it."""

import html as entities
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt

TAGS = {"p", "br", "ol", "ul", "li", "a", "b", "strong", "i", "em", "h3", "h4", "blockquote", "code", "pre", "hr"}

# CommonMark without raw HTML; no tables: 18 kB of `|` take seconds to parse
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True})
_HEADINGS = {"h1": "h3", "h2": "h3", "h5": "h4", "h6": "h4"}  # the page has its own first two levels


@lru_cache(maxsize=2048)
def html(notes: str) -> str:
    """The notes as clean HTML: no script, no picture, no style, links only to the web and to mail."""
    tokens = _MARKDOWN.parse(notes)
    for token in tokens:
        token.tag = _HEADINGS.get(token.tag, token.tag)
    rendered = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return nh3.clean(
        rendered,
        tags=TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow",
    ).strip()


def plain(notes: str) -> str:
    """The notes as one line of plain text, for a description in a search result."""
    return entities.unescape(" ".join(nh3.clean(html(notes), tags=set()).split()))
