"""An episode's notes as `description` takes them: a few tags, 4000 bytes, and never broken HTML."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from lxml import etree

from feeds import text

LIMIT_BYTES = 4000  # PSP-1, item `description`

_KEPT = frozenset({"p", "ol", "ul", "li", "a", "b", "i", "strong", "em"})  # PSP-1, item `description`
_PARAGRAPHS = frozenset(
    {
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "div",
        "blockquote",
        "pre",
        "section",
        "article",
        "tr",
        "dt",
        "dd",
        "figcaption",
    }
)
_BLOCKS = _PARAGRAPHS | {"p", "ol", "ul", "li", "table", "dl", "figure"}
_DROPPED = frozenset({"script", "style", "head", "template", "iframe", "object", "svg", "math"})
_SCHEMES = ("https://", "http://", "mailto:")


@dataclass(frozen=True, slots=True)
class _Open:
    tag: str
    markup: str


@dataclass(frozen=True, slots=True)
class _Close:
    tag: str

    @property
    def markup(self) -> str:
        return f"</{self.tag}>"


@dataclass(frozen=True, slots=True)
class _Text:
    text: str

    @property
    def markup(self) -> str:
        return escape(self.text, quote=False)


_Token = _Open | _Close | _Text


def description(notes_html: str, page_url: str) -> str:
    """The notes with the tags that PSP-1 allows, at most 4000 bytes; what is cut ends with a link to the page."""
    tokens = list(_tokens(notes_html))
    whole = _written(tokens)
    if text.size(whole) <= LIMIT_BYTES:
        return whole
    address = escape(text.ascii_url(page_url))
    # the address itself is the link's text: it needs no language
    onward = f'<p>… <a href="{address}">{address}</a></p>'
    return _written(_cut(tokens, LIMIT_BYTES - text.size(onward))) + onward


def is_cut(notes_html: str) -> bool:
    """Whether `description` has to leave out some of the notes."""
    return text.size(_written(list(_tokens(notes_html)))) > LIMIT_BYTES


def _tokens(notes_html: str) -> Iterator[_Token]:
    source = f"<div>{text.legal(notes_html)}</div>".encode()
    root = etree.fromstring(source, etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True))
    for body in root.iter("body"):
        ours, *escaped = body  # notes that close our `div` go on behind it
        yield from _inside(ours, ())
        yield from _said(ours.tail)
        for part in escaped:
            yield from _element(part, ())
            yield from _said(part.tail)


def _element(element: etree._Element, around: tuple[_Open, ...]) -> Iterator[_Token]:
    """The element without what PSP-1 does not allow. `around`: what is open, outermost first."""
    if element.tag == "br":
        yield from _new_paragraph(around)
    elif opening := _opening(element):
        yield opening
        yield from _inside(element, (*around, opening))
        yield _Close(opening.tag)
    elif element.tag not in _DROPPED and isinstance(element.tag, str):  # no str: a comment
        yield from _inside(element, around)
        yield from _said(" " if element.tag in _BLOCKS or element.tag == "td" else None)


def _inside(element: etree._Element, around: tuple[_Open, ...]) -> Iterator[_Token]:
    yield from _said(element.text)
    for child in element:
        yield from _element(child, around)
        yield from _said(child.tail)


def _said(words: str | None) -> Iterator[_Text]:
    if words:
        yield _Text(text.spaced(words))


def _opening(element: etree._Element) -> _Open | None:
    """How the element is opened in `description`; None when only what it holds is kept."""
    if element.tag == "a":
        return _link(element)
    if element.tag in _KEPT:
        return _Open(str(element.tag), f"<{element.tag}>")
    if element.tag in _PARAGRAPHS and not any(child.tag in _BLOCKS for child in element.iterdescendants()):
        return _Open("p", "<p>")
    return None


def _link(element: etree._Element) -> _Open | None:
    address = text.ascii_url(str(element.get("href", "")))
    return _Open("a", f'<a href="{escape(address)}">') if address.lower().startswith(_SCHEMES) else None


def _new_paragraph(around: tuple[_Open, ...]) -> Iterator[_Token]:
    """`br` is not allowed, and chapters written one a line would run together without it."""
    starts = [index for index, opening in enumerate(around) if opening.tag == "p"]
    if not starts:
        yield _Text(" ")
        return
    paragraph = around[starts[-1] :]
    yield from (_Close(opening.tag) for opening in reversed(paragraph))
    yield from paragraph


def _cut(tokens: list[_Token], limit_bytes: int) -> list[_Token]:
    """As many tokens as fit, the last text cut at a word, everything closed that was opened."""
    kept: list[_Token] = []
    still_open: list[_Open] = []
    room = limit_bytes
    for token in tokens:
        cost = text.size(token.markup)
        match token:
            case _Open():
                cost += len(_Close(token.tag).markup)  # set aside now, so that closing always fits
                if cost > room:
                    break
                still_open.append(token)
            case _Close():
                cost = 0
                still_open.pop()
            case _Text() if cost > room:
                kept.append(_Text(text.fitting(token.text, room, lambda part: text.size(escape(part, quote=False)))))
                break
        kept.append(token)
        room -= cost
    return [*_without_empty_end(kept, still_open), *(_Close(opening.tag) for opening in reversed(still_open))]


def _without_empty_end(kept: list[_Token], still_open: list[_Open]) -> list[_Token]:
    """No list item or paragraph that was opened just before the cut, and holds nothing."""
    while kept and (isinstance(kept[-1], _Open) or kept[-1] in (_Text(""), _Text(" "))):
        if isinstance(kept.pop(), _Open):
            still_open.pop()
    return kept


def _written(tokens: list[_Token]) -> str:
    return "".join(token.markup for token in tokens).strip()
