"""A show's colour in place of ours: as it was chosen, or as near to it as can be read on light and on dark sheets."""

import re
from functools import lru_cache
from typing import Literal

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from podcast_app import answers, static_files

Theme = Literal["light", "dark"]

OURS = "#9a3b1b"  # of a show that has no other (static/base.css, --accent)
PAPER = "#fbf8f2"  # behind everything (--paper)
READABLE = 4.5  # contrast of text with what is behind it (WCAG 2.2, 1.4.3)
# The less favourable of the two that words stand on (static/base.css, --sheet), and what a colour is mixed with.
SHEETS: dict[Theme, tuple[str, str]] = {"light": ("#f3ecdf", "#000000"), "dark": ("#241e18", "#ffffff")}
STEPS = 40

_COLOUR = re.compile(r"[0-9a-f]{6}")


async def serve(request: Request) -> Response:
    """The style sheet of listeners' pages in a show's colour."""
    colour = request.path_params["colour"]
    if not _COLOUR.fullmatch(colour):
        raise HTTPException(404)
    return _sheet(colour, is_ours=request.path_params["version"] == static_files.version())


@lru_cache(maxsize=64)  # some 25 kB each
def _sheet(colour: str, *, is_ours: bool) -> answers.Kept:
    sheet = static_files.text("site.css") + style(f"#{colour}")
    return answers.Kept(sheet.encode(), "text/css", {"Cache-Control": answers.FOREVER if is_ours else answers.SHORTLY})


def address(colour: str) -> str:
    """Where it is, for "#rrggbb"; the plain one's for ""."""
    plain = static_files.address("site.css")
    return plain.replace("site.css", f"site-{colour.removeprefix('#')}.css") if colour else plain


def style(colour: str, theme: Theme | None = None) -> str:
    """CSS that puts "#rrggbb" in the place of our own accent; without a theme, in the one that the reader has."""
    if theme is not None:
        return _rule(readable(colour, theme))
    dark = _rule(readable(colour, "dark"))
    return f"{_rule(readable(colour, 'light'))}@media (prefers-color-scheme:dark){{{dark}}}"


def readable(colour: str, theme: Theme) -> str:
    """The colour, darkened or lightened as little as makes words in it readable on sheets of this theme."""
    sheet, towards = SHEETS[theme]
    mixed = (_mixed(colour, towards, step / STEPS) for step in range(STEPS + 1))
    return next(each for each in mixed if contrast(each, sheet) >= READABLE)


def of_bars(colour: str) -> str:
    """What a browser puts around a page in this colour, "" for our own: dark enough for white words in every theme."""
    return readable(colour or OURS, "light")


def contrast(one: str, other: str) -> float:
    """From 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    shares = [part / 255 for part in _parts(colour)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_parts(colour), _parts(other), strict=True)
    return "#" + "".join(f"{round(mine + (theirs - mine) * share):02x}" for mine, theirs in pairs)


def _parts(colour: str) -> bytes:
    return bytes.fromhex(colour.removeprefix("#"))


def _rule(colour: str) -> str:
    return f":root:root{{--accent:{colour}}}"
