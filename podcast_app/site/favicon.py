"""The site's small picture as /favicon.ico, for those who look for it without reading a page: the bars of icon.svg."""

import re
from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw
from starlette.requests import Request
from starlette.responses import Response

from podcast_app import answers, static_files

SIDES = (16, 32)  # pixels, as browsers show it
FINER = 8  # times: drawn so large, and then made small, which smooths the edges
KEPT = "public, max-age=86400"  # its address never changes

# The whole drawing: a sheet with round corners, and bars from top to bottom.
_SHEET = re.compile(r'<rect width="(\d+)" height="\d+" rx="(\d+)" fill="(#\w+)"/>')
_BAR = re.compile(r"M([\d.]+) ([\d.]+)v([\d.]+)")
_STROKE = re.compile(r'stroke="(#\w+)" stroke-width="([\d.]+)" stroke-linecap="round"')


async def serve(request: Request) -> Response:
    return answers.kept(request, _icon(), "image/x-icon", cache_control=KEPT)


@cache
def _icon() -> bytes:
    """Both sizes in one file, each with the few colours that it takes."""
    small, large = (_drawn(side) for side in SIDES)
    file = BytesIO()
    large.save(file, "ICO", append_images=[small], sizes=[image.size for image in (small, large)])
    return file.getvalue()


def _drawn(side_px: int) -> Image.Image:
    svg = static_files.text("icon.svg")
    sheet, stroke = _SHEET.search(svg), _STROKE.search(svg)
    assert sheet is not None, "icon.svg is drawn in another way than is read here"
    assert stroke is not None, "icon.svg is drawn in another way than is read here"
    scale = side_px * FINER / float(sheet[1])
    half = float(stroke[2]) / 2 * scale
    image = Image.new("RGBA", (side_px * FINER, side_px * FINER))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, *(side - 1 for side in image.size)), float(sheet[2]) * scale, sheet[3])
    for bar in _BAR.finditer(svg):
        x, top, height = (float(number) * scale for number in bar.groups())
        draw.rounded_rectangle((x - half, top - half, x + half - 1, top + height + half - 1), half, stroke[1])
    return image.resize((side_px, side_px), Image.Resampling.BOX)
