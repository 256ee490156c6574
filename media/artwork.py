"""Covers: whatever picture a producer has becomes one that directories take, or is refused with the reason."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Final, Literal

from PIL import Image, ImageCms, ImageOps

from media import title_cover

SMALLEST_PX: Final = 1400  # Apple, "Artwork requirements": 1400 to 3000 pixels, square, RGB
LARGEST_PX: Final = 3000
MOST_BYTES: Final = 512_000  # Apple's advice, for listeners who pay for bytes
MOST_SMALL_BYTES: Final = 100_000  # inside an audio file, paid for with every download
MOST_PIXELS: Final = 50_000_000  # to decode: 150 MB of memory

TOO_MANY_PIXELS: Final = (
    "The picture is {width} x {height} pixels, which is more than this server opens. "
    "Save it smaller, 3000 x 3000 at best, and choose it again."
)
FAR_TOO_MANY_PIXELS: Final = (
    "The picture is far larger than this server opens. Save it smaller, 3000 x 3000 at best, and choose it again."
)
UNREADABLE: Final = (
    "This picture cannot be read: it is damaged, or not a JPEG, PNG or WebP. "
    "Save it as JPEG or PNG from a picture program and choose the new file."
)
NOT_SQUARE: Final = (
    "The picture is {width} x {height} pixels; a cover is square. "
    "Crop it so that both sides are equal, and choose it again."
)
TOO_SMALL: Final = (
    "The picture is {width} x {height} pixels; directories want covers of at least 1400 x 1400. Choose a larger one."
)

# What Pillow's decoders raise over damaged files.
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, OverflowError, MemoryError)


class BadPicture(Exception):
    """The picture cannot be a cover; `sentence` says why and what helps, `values` fill its {places}."""

    def __init__(self, sentence: str, **values: int) -> None:
        super().__init__(sentence.format(**values))
        self.sentence = sentence  # English; French stands in the catalogue
        self.values = values


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """A cover that every directory takes: square, RGB in sRGB, without metadata."""

    data: bytes
    width: int  # pixels
    height: int
    media_type: Literal["image/jpeg"] = "image/jpeg"
    extension: Literal["jpg"] = "jpg"


def cover(data: bytes) -> Cover:
    """The picture as a cover: turned upright, in sRGB, on white where it was transparent. Raises BadPicture."""
    image = _decoded(data)
    width, height = image.size
    if width != height:
        raise BadPicture(NOT_SQUARE, width=width, height=height)
    if width < SMALLEST_PX:
        raise BadPicture(TOO_SMALL, width=width, height=height)
    return _as_cover(_srgb(image))


def generated(title: str) -> Cover:
    """A cover for a show or an episode that has none yet. The same title gives the same bytes."""
    return _as_cover(title_cover.drawn(title, LARGEST_PX))


def small(data: bytes, side_px: int) -> bytes:
    """A cover as a JPEG of at most that side and under 100 kB, to be put inside an audio file. Raises BadPicture."""
    image = _srgb(_decoded(data, enough_px=side_px))
    _, jpeg = _light(image, [(min(side_px, image.width), (85, 75, 65, 50, 35, 20))], MOST_SMALL_BYTES)
    return jpeg


# -- Reading


def _decoded(data: bytes, enough_px: int | None = None) -> Image.Image:
    """The picture upright, whatever its colours. Its size is looked at before anything is decoded.

    Where `enough_px` a side are enough, a larger JPEG is decoded at a half, a quarter or an eighth: at 600 of 3000
    pixels that is a sixteenth of the memory.
    """
    try:
        image = Image.open(BytesIO(data), formats=("JPEG", "PNG", "WEBP"))
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise BadPicture(TOO_MANY_PIXELS, width=width, height=height)
        if enough_px is not None:
            image.draft(image.mode, (enough_px, enough_px))  # does nothing to what is no JPEG
        return ImageOps.exif_transpose(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise BadPicture(FAR_TOO_MANY_PIXELS) from bomb
    except _DAMAGED as damage:
        raise BadPicture(UNREADABLE) from damage


def _srgb(image: Image.Image) -> Image.Image:
    """The picture in RGB, its colours as its own profile means them; what is transparent becomes white."""
    profile = image.info.get("icc_profile")
    flat = _flat(image)
    if profile:
        # A profile that is broken, or of another colour space than the picture, says nothing.
        with suppress(ImageCms.PyCMSError, OSError):
            meant = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(flat, meant, ImageCms.createProfile("sRGB"), outputMode="RGB")
            assert converted is not None  # it is only when done in place
            return converted
    return flat.convert("RGB")


def _flat(image: Image.Image) -> Image.Image:
    """The picture as RGB, CMYK or L: opaque, eight bits to a colour."""
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    if image.mode.startswith("I"):  # sixteen bits of grey, which convert() would cut off at 255
        return image.point(lambda value: value / 257).convert("L")
    return image if image.mode in ("RGB", "CMYK", "L") else image.convert("RGB")


# -- Writing


def _as_cover(image: Image.Image) -> Cover:
    """A square RGB picture of at least 1400 pixels as JPEG: of less quality first, then smaller, until it is light."""
    side = min(image.width, LARGEST_PX)
    smaller_sides = [smaller for smaller in (2400, 2000, 1700, SMALLEST_PX) if smaller < side]
    attempts = [(each, (90, 78, 66)) for each in (side, *smaller_sides)]
    side, jpeg = _light(image, [*attempts, (SMALLEST_PX, (50, 35, 20, 10))], MOST_BYTES)
    return Cover(data=jpeg, width=side, height=side)


def _light(image: Image.Image, attempts: Iterable[tuple[int, tuple[int, ...]]], most_bytes: int) -> tuple[int, bytes]:
    """The first of the attempts (a side, and qualities to try) that is under that size, or else the last one."""
    side, jpeg = 0, b""
    for side, qualities in attempts:
        scaled = image if image.width == side else image.resize((side, side), Image.Resampling.LANCZOS)
        for quality in qualities:
            jpeg = _jpeg(scaled, quality)
            if len(jpeg) < most_bytes:
                return side, jpeg
    return side, jpeg


def _jpeg(image: Image.Image, quality: int) -> bytes:
    """Without the original's EXIF, comments and profile: sRGB is what is meant where none is named."""
    written = BytesIO()
    image.save(written, "JPEG", quality=quality, optimize=True, progressive=True, dpi=(72, 72), exif=b"", comment=b"")
    return written.getvalue()
