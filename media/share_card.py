"""What a messenger shows of a link: the cover, and beside it the title and the show, legible on a small screen."""

import colorsys
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from PIL import Image

from media import artwork, lettering, title_cover
from media.title_cover import TEXT_COLOUR, Box

WIDTH_PX: Final = 1200  # Open Graph; other shapes are cut
HEIGHT_PX: Final = 630
MOST_BYTES: Final = 100_000
RENDERER: Final = 1  # goes up when the same words and cover give another card, so that its address changes

MARGIN_PX: Final = 56
TITLE_PX: Final = (84, 34)  # font sizes, from the largest down
WIDE_TITLE_PX: Final = (112, 48)  # where no cover stands beside it
SHOW_PX: Final = (34, 26)
BARS: Final = (458, 70)  # pixels
CONTRAST: Final = 7.0  # of the text with the ground (WCAG 2.2, 1.4.6)


def drawn(title: str, show: str, cover: bytes | None) -> bytes:
    """The card as a JPEG under 100 kB. `show` may be empty; without a cover the words have the whole width.

    What no font can write (Chinese ...) is left out. Raises artwork.BadPicture when the cover cannot be read.
    """
    picture = None if cover is None else artwork.opened(cover, HEIGHT_PX).resize((HEIGHT_PX, HEIGHT_PX))
    name, words = lettering.writable(show), lettering.writable(title)
    if not words or words == name:
        name, words = "", words or name
    seed = title_cover.seed_of(show or title)
    light, dark, accent = _of_picture(picture) if picture else title_cover.PALETTES[seed[0] % len(title_cover.PALETTES)]
    card = title_cover.shaded(light, dark, (WIDTH_PX, HEIGHT_PX))
    at_right = lettering.is_right_to_left(words)
    if picture:
        card.paste(picture, (WIDTH_PX - HEIGHT_PX if at_right else 0, 0))
    room = _beside(picture, at_right=at_right)
    title_cover.draw_bars(card, _foot(room, at_right=at_right), seed, accent)
    _write(card, room, words, name, accent, at_right=at_right)
    return _light(card)


def _beside(picture: Image.Image | None, *, at_right: bool) -> Box:
    """The room for words: what the picture leaves, within its margins."""
    taken = HEIGHT_PX if picture else 0
    left = MARGIN_PX if at_right else taken + MARGIN_PX
    return Box(left, MARGIN_PX, WIDTH_PX - taken - 2 * MARGIN_PX, HEIGHT_PX - 2 * MARGIN_PX)


def _foot(room: Box, *, at_right: bool) -> Box:
    width, height = BARS
    return Box(room.left + (room.width - width if at_right else 0), room.top + room.height - height, width, height)


def _write(card: Image.Image, room: Box, title: str, show: str, accent: str, *, at_right: bool) -> None:
    """The show on top, and the title below it."""
    top = room.top
    if show:
        largest, smallest = SHOW_PX
        name = lettering.fitted(show, room.width, 2.2 * largest, largest=largest, smallest=smallest)
        lettering.write(card, name, room.left, top, room.width, accent, at_right=at_right)
        top += name.height + 40
    if title:
        largest, smallest = TITLE_PX if room.width < WIDTH_PX / 2 else WIDE_TITLE_PX
        height = _foot(room, at_right=at_right).top - 44 - top
        words = lettering.fitted(title, room.width, height, largest=largest, smallest=smallest)
        lettering.write(card, words, room.left, top, room.width, TEXT_COLOUR, at_right=at_right)


# -- Colours

Colour = tuple[float, float, float]  # red, green, blue, from 0 to 1


def _of_picture(picture: Image.Image) -> tuple[str, str, str]:
    """Two dark shades and a light accent of the picture's strongest colour; the ground of the words is made of them."""
    hue, strength = max(_colours(picture))[1:]
    light = _dark_enough(hue, min(strength, 0.5))
    red, green, blue = light
    accent = colorsys.hls_to_rgb(hue, 0.8, min(strength, 0.75))
    return _hex(light), _hex((red * 0.5, green * 0.5, blue * 0.5)), _hex(accent)


def _colours(picture: Image.Image) -> Iterator[Colour]:
    """The picture's eight main colours: how much each counts, its hue and its strength."""
    few = picture.resize((64, 64)).quantize(8)
    palette = few.getpalette() or []
    for number, index in few.getcolors() or []:
        assert isinstance(index, int), "of a palette"
        red, green, blue = (part / 255 for part in palette[3 * index : 3 * index + 3])
        hue, lightness, strength = colorsys.rgb_to_hls(red, green, blue)
        seen = strength * (1 - abs(2 * lightness - 1))  # what is nearly black or white has no colour to the eye
        yield number * (0.02 + seen), hue, strength


def _dark_enough(hue: float, strength: float) -> Colour:
    """The lightest shade of the colour on which the text has its contrast."""
    shades = (colorsys.hls_to_rgb(hue, lightness / 100, strength) for lightness in range(34, 4, -1))
    return next(shade for shade in shades if 1.0 / (_luminance(shade) + 0.05) >= CONTRAST + 1)


def _luminance(colour: Colour) -> float:
    """As WCAG 2 defines it."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)


def _light(card: Image.Image) -> bytes:
    """Of less quality first; a cover of pure noise comes out as a sketch."""
    for quality in (88, 80, 70, 60, 50, 40, 30, 20, 10):
        written = BytesIO()
        card.save(written, "JPEG", quality=quality, optimize=True, progressive=True)
        if written.tell() < MOST_BYTES:
            break
    return written.getvalue()
