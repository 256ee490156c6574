"""A picture from a title alone: its words over a calm colour, and a row of bars as if one saw it spoken."""

import hashlib
from typing import Final, NamedTuple

from PIL import Image, ImageDraw

from media import lettering
from media.text import clean_line

TEXT_COLOUR: Final = "#fdf8ef"
LARGEST_TEXT: Final = 0.17  # font size; like all lengths here a share of the picture's side
SMALLEST_TEXT: Final = 0.04
MARGIN: Final = 0.09
TEXT_HEIGHT: Final = 0.52  # from the margin down
BARS: Final = 23


class Palette(NamedTuple):
    """Colours that go together; the text has a contrast of 7:1 and more on both shades."""

    light: str  # in the upper left corner
    dark: str  # in the lower right one
    accent: str


class Box(NamedTuple):
    """A part of a picture, in pixels."""

    left: float
    top: float
    width: float
    height: float


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

    A title in letters that no font has (Chinese ...) is not written; its bars are then taller.
    """
    seed = seed_of(title)
    palette = PALETTES[seed[0] % len(PALETTES)]
    image = shaded(palette.light, palette.dark, (side_px, side_px))
    text = lettering.writable(title)
    middle, height = (0.8, 0.24) if text else (0.5, 0.62)
    across = Box(MARGIN * side_px, (middle - height / 2) * side_px, (1 - 2 * MARGIN) * side_px, height * side_px)
    draw_bars(image, across, seed, palette.accent)
    if text:
        _write(image, text)
    return image


def seed_of(words: str) -> bytes:
    """32 bytes of chance, the same for the same words."""
    return hashlib.sha256(clean_line(words).encode()).digest()


def shaded(light: str, dark: str, size: tuple[int, int]) -> Image.Image:
    """From the light shade in the upper left corner to the dark one, along the diagonal."""
    down = Image.linear_gradient("L").resize(size, Image.Resampling.BICUBIC)
    across = Image.linear_gradient("L").transpose(Image.Transpose.ROTATE_90).resize(size, Image.Resampling.BICUBIC)
    diagonal = Image.blend(down, across, 0.5)
    return Image.composite(Image.new("RGB", size, dark), Image.new("RGB", size, light), diagonal)


def draw_bars(image: Image.Image, box: Box, seed: bytes, accent: str) -> None:
    """Rounded bars around one line, like speech in an editor; one of them is lit."""
    size = (
        round(box.width) * 2,
        round(box.height) * 2,
    )  # drawn twice as large, then reduced: Pillow has no smooth edges
    faint, lit = Image.new("L", size), Image.new("L", size)
    lit_number = BARS // 4 + seed[1] % (BARS // 2)  # among the taller ones
    pitch = size[0] / BARS
    for number in range(BARS):
        half = size[1] * _loudness(seed, number) / 2
        left = (number + 0.2) * pitch
        bar = (left, size[1] / 2 - half, left + 0.6 * pitch, size[1] / 2 + half)
        ImageDraw.Draw(lit if number == lit_number else faint).rounded_rectangle(bar, radius=0.3 * pitch, fill=255)
    at = (round(box.left), round(box.top))
    image.paste(Image.new("RGB", (size[0] // 2, size[1] // 2), TEXT_COLOUR), at, faint.reduce(2).point(_faint))
    image.paste(Image.new("RGB", (size[0] // 2, size[1] // 2), accent), at, lit.reduce(2))


def _faint(value: int) -> float:
    return value * 0.28


def _loudness(seed: bytes, number: int) -> float:
    """Between 0.1 and 1: chance, swelling towards the middle as a phrase does."""
    chance = seed[2 + number] / 255
    swell = 1 - abs(number - BARS // 2) / BARS
    return 0.12 + 0.88 * (0.25 + 0.75 * chance) * swell


def _write(image: Image.Image, text: str) -> None:
    side = image.width
    margin, width = MARGIN * side, (1 - 2 * MARGIN) * side
    largest, smallest = round(LARGEST_TEXT * side), round(SMALLEST_TEXT * side)
    lines = lettering.fitted(text, width, TEXT_HEIGHT * side, largest=largest, smallest=smallest)
    lettering.write(image, lines, margin, margin, width, TEXT_COLOUR, at_right=lines.is_right_to_left)
