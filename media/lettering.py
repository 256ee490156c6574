"""Words in a picture: every letter in a font that has it, shaped and in the direction in which it is read."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import as_file, files
from itertools import groupby
from typing import Final, NamedTuple

from PIL import Image, ImageDraw, ImageFont, features

from media.text import clean_line

BOLD: Final = 700  # the weight of all we write
CAPITALS: Final = 0.714  # height of a capital letter in Noto Sans, as a share of the font size
LONGEST_PIECE: Final = 20  # letters of a word that is too long for a line even in the smallest size
ELLIPSIS: Final = "…"
_GLUED: Final = re.compile(r" (?=[:;!?»%])|(?<=«) ")  # French puts spaces there, and no line ends at them

# The first that has a character writes it. Letters of the second group join or change places, which needs shaping.
_PLAIN: Final = ("NotoSans", "NotoSansEthiopic", "NotoSansArmenian", "NotoSansGeorgian")
_SHAPED: Final = (
    *("NotoSansArabic", "NotoSansHebrew", "NotoSansDevanagari", "NotoSansBengali", "NotoSansGurmukhi"),
    *("NotoSansGujarati", "NotoSansTamil", "NotoSansTelugu", "NotoSansKannada", "NotoSansMalayalam"),
    *("NotoSansSinhala", "NotoSansThai", "NotoSansLao", "NotoSansKhmer", "NotoSansMyanmar"),
)
GOES_ON: Final = "\u00ad"  # a soft hyphen, shown only where a line ends with it
_MEASURED_PX: Final = 200  # the size in which widths are measured; they grow in proportion


class Lines(NamedTuple):
    """Text as it has room somewhere. All lengths in pixels."""

    lines: list[str]
    size: int  # of the font
    leading: float  # from one baseline to the next
    is_right_to_left: bool

    @property
    def height(self) -> float:
        """From the top of the capitals in the first line to the baseline of the last."""
        return self.size * CAPITALS + (len(self.lines) - 1) * self.leading


class _Run(NamedTuple):
    text: str
    family: str
    is_right_to_left: bool


def writable(text: str) -> str:
    """The text without the signs that no font has (emoji); nothing when a letter or a digit is not to be had."""
    words = clean_line(text)
    missing = {character for character in words if not character.isspace() and _family(character) is None}
    if any(unicodedata.category(character)[0] in "LN" for character in missing):
        return ""
    return clean_line("".join(character for character in words if character not in missing))


def is_right_to_left(text: str) -> bool:
    """As its first letter is (Unicode's bidirectional algorithm, P2 and P3)."""
    return next((strong for strong in map(_strong_direction, text) if strong is not None), False)


def width(text: str, size: int) -> float:
    return _measured(text) * size / _MEASURED_PX


def fitted(text: str, width_px: float, height_px: float, *, largest: int, smallest: int) -> Lines:
    """The writable text in the largest size in which it has room; what has none in the smallest is cut off."""
    words = _GLUED.sub("\u00a0", text).split(" ")
    pieces = [piece for word in words for piece in _pieces(word)]
    sizes = range(largest, smallest - 1, -max(1, (largest - smallest) // 16))
    for each in (words, pieces) if pieces != words else (words,):
        for size in sizes:
            found = _set(each, text, width_px, size)
            fits_across = all(width(line, size) <= width_px for line in found.lines)
            if fits_across and found.height <= height_px:
                return found
    found = _set(pieces, text, width_px, smallest)
    most = 1 + max(0, int((height_px - smallest * CAPITALS) / found.leading))
    return found._replace(lines=_cut(found, most, width_px))


def write(
    image: Image.Image, text: Lines, left: float, top: float, width_px: float, colour: str, *, at_right: bool
) -> None:
    """The lines from `top` (of the capitals) down, at the left or the right side of that column."""
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(text.lines):
        at = left + (width_px - width(line, text.size) if at_right else 0)
        baseline = top + text.size * CAPITALS + number * text.leading
        for run in _runs(line, right_to_left=text.is_right_to_left):
            font = _font(run.family, text.size)
            draw.text((at, baseline), run.text, font=font, fill=colour, anchor="ls", direction=_direction(run))
            at += _run_width(run) * text.size / _MEASURED_PX


# -- Lines


def _pieces(word: str) -> list[str]:
    """A word that is too long for a line, cut; all but the last end with a mark that they go on."""
    *pieces, last = re.findall(f".{{1,{LONGEST_PIECE}}}", word) or [""]
    return [*(piece + GOES_ON for piece in pieces), last]


def _set(words: list[str], text: str, width_px: float, size: int) -> Lines:
    lines = [line.replace(GOES_ON, "-") for line in _balanced(words, size, width_px)]
    tall = any(_family(character) in _SHAPED for character in text)
    return Lines(lines, size, size * (1.45 if tall else 1.14), is_right_to_left(text))


def _balanced(words: list[str], size: int, width_px: float) -> list[str]:
    """As few lines as can be, and these about equally long: no word stands alone on the last."""
    lines = _wrapped(words, size, width_px)
    for share in (0.9, 0.8, 0.7, 0.6):
        narrower = _wrapped(words, size, width_px * share)
        if len(narrower) > len(lines) or any(
            width(line.replace(GOES_ON, "-"), size) > width_px * share for line in narrower
        ):
            break
        lines = narrower
    return lines


def _wrapped(words: list[str], size: int, width_px: float) -> list[str]:
    """As many words on each line as have room there; a word that has none stands alone."""
    lines = words[:1]
    for word in words[1:]:
        longer = lines[-1].removesuffix(GOES_ON) + word if lines[-1].endswith(GOES_ON) else f"{lines[-1]} {word}"
        if width(longer.replace(GOES_ON, "-"), size) <= width_px:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _cut(found: Lines, most: int, width_px: float) -> list[str]:
    """The first lines, the last of them with dots at its end, for which a word may have to go."""
    *whole, last = found.lines[:most]
    while " " in last and width(last + ELLIPSIS, found.size) > width_px:
        last = last.rpartition(" ")[0]
    return [*whole, last + ELLIPSIS]


@lru_cache(maxsize=4096)
def _measured(text: str) -> float:
    return sum(_run_width(run) for run in _runs(text, right_to_left=is_right_to_left(text)))


def _run_width(run: _Run) -> float:
    return _font(run.family, _MEASURED_PX).getlength(run.text, direction=_direction(run))


# -- Directions and fonts


def _runs(line: str, *, right_to_left: bool) -> Iterator[_Run]:
    """The line's parts of one font and one direction, in the order in which they stand from left to right."""
    directions = _directions(line, right_to_left=right_to_left)
    of_one_direction = [list(part) for _, part in groupby(range(len(line)), directions.__getitem__)]
    for part in reversed(of_one_direction) if right_to_left else of_one_direction:
        text, leftwards = "".join(line[index] for index in part), directions[part[0]]
        families = _families(text)
        of_one_font = [list(piece) for _, piece in groupby(range(len(text)), families.__getitem__)]
        for piece in reversed(of_one_font) if leftwards else of_one_font:
            yield _Run("".join(text[index] for index in piece), families[piece[0]], leftwards)


def _directions(line: str, *, right_to_left: bool) -> list[bool]:
    """For each character whether it belongs to words that run to the left.

    What has no direction goes with its neighbours when they agree, and with the line when they do not (rules N1, N2 of
    the algorithm); digits go with the letters before them. Within a run the shaper does the rest.
    """
    found: list[bool | None] = []
    before = right_to_left
    for character in line:
        strong = _strong_direction(character)
        is_digit = unicodedata.bidirectional(character) in ("EN", "NSM")
        before = before if strong is None else strong
        found.append(before if is_digit else strong)
    for index, direction in enumerate(found):
        if direction is None:
            previous = found[index - 1] if index else right_to_left
            following = next((later for later in found[index + 1 :] if later is not None), right_to_left)
            found[index] = previous if previous == following else right_to_left
    return [bool(direction) for direction in found]


def _strong_direction(character: str) -> bool | None:
    kind = unicodedata.bidirectional(character)
    return None if kind not in ("L", "R", "AL", "AN") else kind != "L"


def _families(text: str) -> list[str]:
    """For each character the font to write it in: that of its neighbour before it, when that one has it too."""
    found: list[str] = []
    for character in text:
        before = found[-1] if found else None
        stays = before is not None and (_is_invisible(character) or _has_glyph(before, character))
        found.append(before if before is not None and stays else _family(character) or _PLAIN[0])
    return found


def _family(character: str) -> str | None:
    if _is_invisible(character):
        return _PLAIN[0] if _can_shape() else None
    known = (*_PLAIN, *_SHAPED) if _can_shape() else _PLAIN
    return next((family for family in known if _has_glyph(family, character)), None)


def _is_invisible(character: str) -> bool:
    """A mark that only tells the shaper how its neighbours join or turn."""
    return unicodedata.category(character) == "Cf"


@lru_cache(maxsize=4096)
def _has_glyph(family: str, character: str) -> bool:
    """A missing one looks like that of a noncharacter, which no font has."""
    font = ImageFont.truetype(_file(family), 32, layout_engine=ImageFont.Layout.BASIC)
    return bytes(font.getmask(character)) != bytes(font.getmask("\uffff"))


@cache
def _can_shape() -> bool:
    """Pillow brings HarfBuzz and Raqm with it; FriBidi has to be on the machine."""
    return bool(features.check_feature("raqm"))


def _direction(run: _Run) -> str | None:
    if not _can_shape():
        return None
    return "rtl" if run.is_right_to_left else "ltr"


@lru_cache(maxsize=64)
def _font(family: str, size: int) -> ImageFont.FreeTypeFont:
    layout = ImageFont.Layout.RAQM if _can_shape() else ImageFont.Layout.BASIC
    font = ImageFont.truetype(_file(family), size, layout_engine=layout)
    font.set_variation_by_axes([BOLD])
    return font


@cache
def _file(family: str) -> str:
    with as_file(files("manimgx_fonts") / f"{family}[wght].ttf") as path:
        return str(path)
