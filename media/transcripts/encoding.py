"""The characters of a text file, in whichever of the usual ways a tool has written them."""

import codecs
import unicodedata
from collections.abc import Mapping
from typing import Final

from media.text import clean
from media.transcripts import refusals
from media.transcripts.transcript import Unreadable

_MARKS: Final[Mapping[bytes, str]] = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_OTHER_FILES: Final[Mapping[bytes, str]] = {  # what people choose by mistake, by its first bytes
    b"PK\x03\x04": refusals.OFFICE,  # .docx, .odt
    b"\xd0\xcf\x11\xe0": refusals.OFFICE,  # .doc
    rb"{\rtf": refusals.OFFICE,
    b"%PDF": refusals.PDF,
}
_LOOKED_AT: Final = 4096  # bytes, and then characters: a text shows early what it is
_FORGIVEN: Final = 3  # characters that mean nothing, and 2 % of what was looked at
_WORD_ENDS: Final = {ord("\v"): "\n", ord("\f"): "\n"}  # word processors end lines and pages with them
_NO_CHARACTERS: Final = frozenset(["Cc", "Co"])  # controls; private use, of which chance makes many


def decoded(data: bytes) -> str:
    """The file's text, through media.text. Raises Unreadable when it is no text."""
    for beginning, refusal in _OTHER_FILES.items():
        if data.startswith(beginning):
            raise Unreadable(refusal)
    text = _characters(data).translate(_WORD_ENDS)
    start = text[:_LOOKED_AT]
    if sum(map(_means_nothing, start)) > _FORGIVEN + len(start) // 50:
        raise Unreadable(refusals.NOT_TEXT)
    return clean(text)


def _characters(data: bytes) -> str:
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    if name := _utf_16(data[:_LOOKED_AT]):
        return data.decode(name, "replace")
    if b"\0" in data[:_LOOKED_AT]:
        raise Unreadable(refusals.NOT_TEXT)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _with_broken_letters(data)


def _utf_16(start: bytes) -> str:
    """Which of both, if it is one: spaces, digits and line ends have a zero on one side, and always on the same."""
    left, right = start[::2].count(0), start[1::2].count(0)
    few, many = sorted((left, right))
    if many < max(4, len(start) // 40) or few * 10 > many:
        return ""
    return "utf-16-be" if left > right else "utf-16-le"


def _with_broken_letters(data: bytes) -> str:
    """Windows-1252; or UTF-8, when more letters beyond ASCII can be read so than not: one is soon cut in half."""
    text = data.decode("utf-8", "replace")
    is_mostly_read = sum(character > "\x7f" for character in text) > 2 * text.count("\ufffd")
    return text if is_mostly_read else data.decode("windows-1252", "replace")


def _means_nothing(character: str) -> bool:
    return character not in "\t\n\r" and (character == "\ufffd" or unicodedata.category(character) in _NO_CHARACTERS)
