"""A picture from a title alone: its words over a calm colour, and a row of bars as if one saw it spoken."""

import hashlib
import re
import unicodedata
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Final, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from media.text import clean_line

TEXT_COLOUR: Final = "#fdf8ef"
LARGEST_TEXT: Final = 0.17  # font size; like all lengths here a share of the picture's side
SMALLEST_TEXT: Final = 0.04
LINE_HEIGHT: Final = 1.12  # times the font size
MARGIN: Final = 0.09
TEXT_HEIGHT: Final = 0.52  # from the margin down
LONGEST_PIECE: Final = 20  # letters of a word that is too long for a line even in the smallest text
BARS: Final = 23


class Palette(NamedTuple):
    """Colours that go together; the text has a contrast of 7:1 and more on both shades."""

    light: str  # in the upper left corner
    dark: str  # in the lower right one
    accent: str


PALETTES: Final = (
    Palette("#17596b", "#0c3540", "#f4b860"),
    Palette("#41407f", "#23224a", "#f49d7c"),
    Palette("#6d3a66", "#3c1d3a", "#f2c078"),
    Palette("#245b45", "#12362a", "#f2b880"),
    Palette("#87402f", "#4f2219", "#f6c98f"),
    Palette("#1f4f7a", "#0f2b47", "#f2a65a"),
    Palette("#575421", "#333112", "#f0c36d"),
    Palette("#7a3048", "#431527", "#f5b7a0"),
)


def drawn(title: str, side_px: int) -> Image.Image:
    """A square RGB picture. The same title gives the same picture, on every machine with these versions of the fonts.

    A title in letters that the font has not (Arabic, Chinese ...) is not written; its bars are then taller.
    """
    words = clean_line(title)
    seed = hashlib.sha256(words.encode()).digest()
    palette = PALETTES[seed[0] % len(PALETTES)]
    image = _shaded(palette, side_px)
    text = _writable(words)
    _draw_bars(image, seed, palette, tall=not text)
    if text:
        _draw_text(image, text)
    return image


def _shaded(palette: Palette, side_px: int) -> Image.Image:
    """From the light shade to the dark one, along the diagonal."""
    down = Image.linear_gradient("L").resize((side_px, side_px), Image.Resampling.BICUBIC)
    across = down.transpose(Image.Transpose.ROTATE_90)
    diagonal = Image.blend(down, across, 0.5)
    size = (side_px, side_px)
    return Image.composite(Image.new("RGB", size, palette.dark), Image.new("RGB", size, palette.light), diagonal)


def _draw_bars(image: Image.Image, seed: bytes, palette: Palette, *, tall: bool) -> None:
    """Rounded bars around one line, like speech in an editor; one of them is lit."""
    side = image.width * 2  # drawn twice as large, then reduced: Pillow does not smooth edges
    middle, highest = (0.5, 0.62) if tall else (0.8, 0.24)
    mask, lit = Image.new("L", (side, side)), Image.new("L", (side, side))
    pitch = (1 - 2 * MARGIN) / BARS
    lit_number = BARS // 4 + seed[1] % (BARS // 2)  # among the taller ones
    for number in range(BARS):
        height = highest * _loudness(seed, number)
        left = MARGIN + (number + 0.2) * pitch
        box = [side * part for part in (left, middle - height / 2, left + 0.6 * pitch, middle + height / 2)]
        target = lit if number == lit_number else mask
        ImageDraw.Draw(target).rounded_rectangle(box, radius=0.3 * pitch * side, fill=255)
    faint = mask.reduce(2).point(lambda value: value * 0.28)
    image.paste(TEXT_COLOUR, mask=faint)
    image.paste(palette.accent, mask=lit.reduce(2))


def _loudness(seed: bytes, number: int) -> float:
    """Between 0.1 and 1: chance, swelling towards the middle as a phrase does."""
    chance = seed[2 + number] / 255
    swell = 1 - abs(number - BARS // 2) / BARS
    return 0.12 + 0.88 * (0.25 + 0.75 * chance) * swell


def _draw_text(image: Image.Image, text: str) -> None:
    side = image.width
    size, lines = _fitted(text, side)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        top = MARGIN * side + number * size * LINE_HEIGHT
        draw.text((MARGIN * side, top), line, font=_font(size), fill=TEXT_COLOUR)


def _fitted(text: str, side_px: int) -> tuple[int, list[str]]:
    """The largest font size in which the text has room, and its lines; what has none in the smallest is cut off."""
    width, height = side_px * (1 - 2 * MARGIN), side_px * TEXT_HEIGHT
    smallest = round(SMALLEST_TEXT * side_px)
    for size in range(round(LARGEST_TEXT * side_px), smallest, -side_px // 100):
        lines = _wrapped(text.split(), size, width)
        fits_across = all(_font(size).getlength(line) <= width for line in lines)
        if fits_across and len(lines) * size * LINE_HEIGHT <= height:
            return size, lines
    pieces = [piece for word in text.split() for piece in re.findall(f".{{1,{LONGEST_PIECE}}}", word)]
    lines = _wrapped(pieces, smallest, width)
    most = int(height / (smallest * LINE_HEIGHT))
    return smallest, lines if len(lines) <= most else [*lines[: most - 1], "…"]


def _wrapped(words: list[str], size: int, width: float) -> list[str]:
    """As many words on each line as have room there; a word that has none stands alone."""
    font = _font(size)
    lines = words[:1]
    for word in words[1:]:
        longer = f"{lines[-1]} {word}"
        if font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _writable(text: str) -> str:
    """The text without the signs that the font has not (emoji); nothing when it has not all letters and digits."""
    missing = {character for character in text if not character.isspace() and not _has_glyph(character)}
    if any(unicodedata.category(character)[0] in "LN" for character in missing):
        return ""
    return clean_line("".join(character for character in text if character not in missing))


def _has_glyph(character: str) -> bool:
    """A missing one looks like that of a noncharacter, which no font has."""
    font = _font(32)
    return bytes(font.getmask(character)) != bytes(font.getmask("\uffff"))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Source Sans Pro has Latin with all accents, Greek and Cyrillic; Pillow's own font has ASCII alone."""
    file = files("font_source_sans_pro") / "files" / "SourceSansPro-Bold.ttf"
    return ImageFont.truetype(BytesIO(file.read_bytes()), size, layout_engine=ImageFont.Layout.BASIC)
