"""HTML: of the Podcasting 2.0 namespace (`<cite>`, `<time>`, `<p>`), and simpler pages, of which the words are kept.

Where a page says what its main part is, the words are those: what stands around it is the way to other pages.
"""

import html
import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

from lxml import etree

from media.text import clean_line
from media.transcripts import layout
from media.transcripts.cues import Cue, Part, milliseconds, segments
from media.transcripts.transcript import Transcript

_Kind = Literal["name", "time", "words", "line end", "paragraph end"]

_HIDDEN: Final = re.compile("head|noscript|script|style|svg|template|textarea|title")
_LINES: Final = re.compile("br|dd|dt|li|td|th|tr")
_PARAGRAPHS: Final = re.compile(
    "address|article|aside|blockquote|body|div|dl|footer|h[1-6]|header|hr|html|main|nav|ol|p|pre|section|table|ul"
)
_MARKED: Final[Mapping[str, _Kind]] = {"cite": "name", "time": "time"}
_INLINE: Final = re.compile("!doctype|a|b|cite|em|i|span|strong|time")
_BEGINNING: Final = re.compile(
    r"\s*(?:<\?xml[^<>]*>\s*)?(?:<!--.*?-->\s*)?<(!?[a-z][a-z0-9]*)\b", re.IGNORECASE | re.DOTALL
)
_SPACE: Final = re.compile("[ \t\n]+")


class _Piece(NamedTuple):
    kind: _Kind
    text: str = ""


def is_one(text: str) -> bool:
    """By its first element, if HTML has such: "<laughs>" begins a text."""
    found = _BEGINNING.match(text)
    name = found[1].lower() if found else ""
    return any(kind.fullmatch(name) for kind in (_HIDDEN, _LINES, _PARAGRAPHS, _INLINE))


def read(text: str) -> Transcript:
    """With segments where lines begin with times, else as text. What is no markup are words."""
    pieces = _pieces(text)
    cues = _cues(pieces)
    return Transcript(segments=segments(cues)) if cues else Transcript(text=_text(pieces))


def write(transcript: Transcript, language: str, moment: str = "") -> bytes:
    """Elements for somebody's page. All words are escaped: what a transcript says is never markup.

    `moment`: where its times lead, the address of a moment but for the seconds at its end; "": nowhere.
    """
    turns = (_turn(turn, moment) for turn in layout.paragraphs(transcript))
    body = turns if transcript.is_timed else _paragraphs(transcript.text)
    return "\n".join([f'<div lang="{html.escape(language)}" dir="auto">', *body, "</div>", ""]).encode()


def _pieces(text: str) -> list[_Piece]:
    page = _Page()
    parser = etree.HTMLParser(target=page, encoding="utf-8")  # type: ignore[arg-type]  # its stubs ask for comment()
    parser.feed(text.encode())
    parser.close()
    return page.pieces


class _Page:
    """What lxml's parser meets, as pieces. A name or a time stands at the beginning of a line, or it is words."""

    def __init__(self) -> None:
        self.pieces: list[_Piece] = []
        self._together: list[str] = []
        self._is_empty = True  # or only space is together
        self._marked: str | None = None  # "cite" or "time", while we are in it
        self._hidden = 0
        self._has_main = self._is_beside = False  # beside: after one

    def start(self, tag: str, _attributes: object) -> None:
        if tag == "main":
            self._enter_main()
        self._hidden += _HIDDEN.fullmatch(tag) is not None
        if end := _end(tag):
            self._end_line(end)
        elif tag in _MARKED and self._is_at_beginning():
            self._keep("words")
            self._marked = tag

    def end(self, tag: str) -> None:
        self._hidden -= _HIDDEN.fullmatch(tag) is not None
        if end := _end(tag):
            self._end_line(end)
        elif tag == self._marked:
            self._keep(_MARKED[tag])
        self._is_beside |= tag == "main"

    def data(self, text: str) -> None:
        if not self._hidden and not self._is_beside:
            self._together.append(text)
            self._is_empty = self._is_empty and not text.strip()

    def close(self) -> None:
        self._keep("words")

    def _enter_main(self) -> None:
        if not self._has_main:  # what stood before it is not in it
            self.pieces, self._together, self._is_empty, self._marked = [], [], True, None
        self._has_main, self._is_beside = True, False

    def _is_at_beginning(self) -> bool:
        return self._is_empty and not (self.pieces and self.pieces[-1].kind == "words")

    def _end_line(self, kind: _Kind) -> None:
        self._keep("words")
        self.pieces.append(_Piece(kind))

    def _keep(self, kind: _Kind) -> None:
        text = _SPACE.sub(" ", "".join(self._together))
        self._together, self._is_empty, self._marked = [], True, None
        if text.strip():
            self.pieces.append(_Piece(kind, text))


def _end(tag: str) -> _Kind | None:
    """What ends where this element begins, and where it ends."""
    if _LINES.fullmatch(tag):
        return "line end"
    return "paragraph end" if _PARAGRAPHS.fullmatch(tag) else None


def _cues(pieces: list[_Piece]) -> list[Cue]:
    """One from each time on. What stands before the first is said with it."""
    speaker, parts = None, list[Part]()
    cues: list[tuple[int, list[Part]]] = []
    for kind, text in pieces:
        start_ms = milliseconds(text.strip(" []()")) if kind == "time" else None
        if start_ms is not None:
            parts = [] if cues else parts
            cues.append((start_ms, parts))
        elif kind == "name":
            speaker = _name(text)
        elif text:
            parts.append(Part(speaker, text))
    return [Cue(start_ms, None, tuple(parts)) for start_ms, parts in cues]


def _name(text: str) -> str:
    return clean_line(text).rstrip(" :")


def _text(pieces: list[_Piece]) -> str:
    """Paragraphs parted by an empty line. A name stands before what follows it, be that in the next paragraph."""
    name, ends, said = "", set[_Kind](), list[str]()
    for kind, text in pieces:
        if kind == "name":
            name = f"{_name(text)}: "
        elif text:
            between = "\n\n" if "paragraph end" in ends else "\n" if ends else ""
            said += [between, name, text.lstrip(" ") if between or name else text]
            name, ends = "", set()
        else:
            ends.add(kind)
    return "".join(said).replace(" \n", "\n").strip()


def _turn(turn: layout.Paragraph, moment: str) -> str:
    name = f"<cite>{_escaped(turn.speaker)}:</cite>\n" if turn.speaker else ""
    seconds = turn.start_ms // 1000
    time = f'<time datetime="PT{seconds}S">{layout.short_clock(turn.start_ms)}</time>'
    if moment:
        time = f'<a href="{html.escape(moment)}{seconds}">{time}</a>'
    return f"{name}{time}\n<p>{_escaped(turn.text)}</p>"


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        yield "<p>" + _escaped(paragraph.strip("\n")).replace("\n", "<br>\n") + "</p>"


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)
