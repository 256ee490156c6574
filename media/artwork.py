"""Covers: whatever picture a producer has becomes one that directories take, or is refused with the reason."""

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Final, Literal

from PIL import ExifTags, Image, ImageCms, ImageOps

from media import title_cover

SMALLEST_PX: Final = 1400  # Apple, "Artwork requirements": 1400 to 3000 pixels, square, RGB
ALMOST_PX: Final = 1386  # where a square is cut out: 1 % less, made larger again, is seen by nobody
LARGEST_PX: Final = 3000
MOST_BYTES: Final = 512_000  # Apple's advice, for listeners who pay for bytes
SMALLEST_PICTURE_PX: Final = 100  # of a chapter or a person, on each side
LARGEST_PICTURE_PX: Final = 1400
MOST_PICTURE_BYTES: Final = 200_000
MOST_SMALL_BYTES: Final = 100_000  # inside an audio file, paid for with every download
MOST_PIXELS: Final = 26_000_000  # to decode: 450 MB of memory at worst (WebP), so one picture at a time
MOST_PIXELS_OF_A_JPEG: Final = 52_000_000  # 220 MB, as it is decoded at half its size; a phone's 50 megapixels fit
MOST_SCANS: Final = 200  # of a progressive JPEG; usual are ten, and each costs the time of a whole picture
FORMATS: Final = ("JPEG", "PNG", "WEBP", "AVIF")
HEIC_BRANDS: Final = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))

TOO_MANY_PIXELS: Final = (
    "The picture is {width} x {height} pixels, which is more than this server opens. "
    "Save it smaller, 3000 x 3000 at best, and choose it again."
)
FAR_TOO_MANY_PIXELS: Final = (
    "The picture is far larger than this server opens. Save it smaller, 3000 x 3000 at best, and choose it again."
)
UNREADABLE: Final = (
    "This picture cannot be read: it is damaged, or not a JPEG, PNG, WebP or AVIF. "
    "Save it as JPEG or PNG from a picture program and choose the new file."
)
HEIC: Final = (
    "This is a photo in the HEIC format of iPhones, which this server does not open. "
    "On the phone, choose it from Photos and not from Files: it is then sent as JPEG. "
    "On a computer, open it in a picture program and save it as JPEG."
)
NOT_SQUARE: Final = (
    "The picture is {width} x {height} pixels; a cover is square. "
    "Crop it so that both sides are equal, and choose it again."
)
TOO_SMALL: Final = (
    "The picture is {width} x {height} pixels; directories want covers of at least 1400 x 1400. Choose a larger one."
)
TOO_SMALL_PICTURE: Final = (
    "The picture is {width} x {height} pixels; at least 100 x 100 are needed to see something. Choose a larger one."
)

# What Pillow's decoders raise over damaged files.
_DAMAGED = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, OverflowError, MemoryError),
    *(RuntimeError, struct.error),
)


class BadPicture(Exception):
    """The picture cannot be used; `sentence` says why and what helps, `values` fill its {places}."""

    def __init__(self, sentence: str, **values: int) -> None:
        super().__init__(sentence.format(**values))
        self.sentence = sentence  # English; French stands in the catalogue
        self.values = values


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """A picture as everybody can show it: RGB in sRGB, without metadata. One of a show or an episode is square."""

    data: bytes
    width: int  # pixels
    height: int
    media_type: Literal["image/jpeg"] = "image/jpeg"
    extension: Literal["jpg"] = "jpg"


def cover(data: bytes, *, crop: bool = False) -> Cover:
    """The picture as a cover: turned upright, in sRGB, on white where it was transparent. Raises BadPicture.

    One that is not square is refused, or with `crop` cut to the square in its middle.
    """
    image = _looked_at(data)
    width, height = _upright_size(image)
    if width != height and not crop:
        raise BadPicture(NOT_SQUARE, width=width, height=height)
    if min(width, height) < (ALMOST_PX if crop else SMALLEST_PX):
        raise BadPicture(TOO_SMALL, width=width, height=height)
    return _as_cover(_middle_square(_rgb(image, LARGEST_PX)))


def picture(data: bytes) -> Cover:
    """The picture of a chapter or a person, of any shape: at most 1400 pixels a side, 200 kB. Raises BadPicture."""
    image = _looked_at(data)
    width, height = _upright_size(image)
    if min(width, height) < SMALLEST_PICTURE_PX:
        raise BadPicture(TOO_SMALL_PICTURE, width=width, height=height)
    upright = _rgb(image, LARGEST_PICTURE_PX)
    attempts = [(side, (85, 75, 65)) for side in (LARGEST_PICTURE_PX, 1000, 700)]
    return _light(upright, [*attempts, (500, (65, 50, 35, 20))], MOST_PICTURE_BYTES)


def generated(title: str) -> Cover:
    """A cover for a show or an episode that has none yet. The same title gives the same bytes."""
    return _as_cover(title_cover.drawn(title, LARGEST_PX))


def small(data: bytes, side_px: int) -> bytes:
    """A cover as a JPEG of at most that side and under 100 kB, to be put inside an audio file. Raises BadPicture."""
    return _light(opened(data, side_px), [(side_px, (85, 75, 65, 50, 35, 20))], MOST_SMALL_BYTES).data


def listing(data: bytes, side_px: int, kind: Literal["webp", "jpg"]) -> bytes:
    """A cover for pages, in that size. Raises BadPicture.

    WebP is half of JPEG for 10 ms of work; AVIF would save a fifth of that again, for 300 ms (docs/decisions.md).
    """
    if kind == "jpg":
        return small(data, side_px)
    written = BytesIO()
    _scaled(opened(data, side_px), side_px).save(written, "WEBP", quality=80, method=4)
    return written.getvalue()


def opened(data: bytes, enough_px: int) -> Image.Image:
    """The picture upright, in sRGB, at least that large where it is; for drawing. Raises BadPicture."""
    return _rgb(_looked_at(data), enough_px)


# -- Reading


def _looked_at(data: bytes) -> Image.Image:
    """The picture before it is decoded: what it says of itself is small enough to go on."""
    if _is_heic(data):
        raise BadPicture(HEIC)
    if data.startswith(b"\xff\xd8") and data.count(b"\xff\xda") > MOST_SCANS:
        raise BadPicture(UNREADABLE)
    with _readable():
        image = Image.open(BytesIO(data), formats=FORMATS)
    width, height = image.size
    is_jpeg = image.format in ("JPEG", "MPO")  # MPO: a phone's JPEG with a second picture behind the first
    if width * height > (MOST_PIXELS_OF_A_JPEG if is_jpeg else MOST_PIXELS):
        raise BadPicture(TOO_MANY_PIXELS, width=width, height=height)
    return image


def _is_heic(data: bytes) -> bool:
    """By the brands in its first box (ISO 14496-12); AVIF has the same box with other brands."""
    brands = {data[at : at + 4] for at in range(8, min(64, int.from_bytes(data[:4], "big")), 4)}
    return data[4:8] == b"ftyp" and not brands & {b"avif", b"avis"} and bool(brands & HEIC_BRANDS)


def _upright_size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    with _readable():
        lies = image.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
    return (height, width) if lies else (width, height)


def _rgb(image: Image.Image, enough_px: int) -> Image.Image:
    """Decoded, upright, in sRGB; of an animation the first picture.

    Where `enough_px` a side are enough, a larger JPEG is decoded at a half, a quarter or an eighth: at 600 of 3000
    pixels that is a sixteenth of the memory.
    """
    with _readable():
        image.draft(image.mode, (enough_px, enough_px))  # does nothing to what is no JPEG
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return _srgb(image)


@contextmanager
def _readable() -> Iterator[None]:
    """What Pillow says of damage and of bombs becomes BadPicture."""
    try:
        yield
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
        return _on_white(image if image.mode in ("RGBA", "LA") else image.convert("RGBA"))
    if image.mode.startswith("I"):  # sixteen bits of grey, which convert() would cut off at 255
        return image.point(lambda value: value / 257).convert("L")
    return image if image.mode in ("RGB", "CMYK", "L") else image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """Pasted, because a blend of two pictures would hold both and the result, 200 MB each."""
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image)
    return white


def _middle_square(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image if image.width == image.height else image.crop((left, top, left + side, top + side))
    return square if side >= SMALLEST_PX else square.resize((SMALLEST_PX, SMALLEST_PX), Image.Resampling.LANCZOS)


# -- Writing


def _as_cover(image: Image.Image) -> Cover:
    """A square RGB picture of at least 1400 pixels as JPEG: of less quality first, then smaller, until it is light."""
    sides = [side for side in (LARGEST_PX, 2400, 2000, 1700) if side < image.width]
    largest = min(image.width, LARGEST_PX)
    attempts = [(side, (90, 78, 66)) for side in dict.fromkeys((largest, *sides, SMALLEST_PX))]
    return _light(image, [*attempts, (SMALLEST_PX, (50, 35, 20, 10))], MOST_BYTES)


def _light(image: Image.Image, attempts: Iterable[tuple[int, tuple[int, ...]]], most_bytes: int) -> Cover:
    """The first of the attempts (the longer side, and qualities to try) that is under that size, or else the last."""
    made = None
    for side, qualities in attempts:
        scaled = _scaled(image, side)
        for quality in qualities:
            made = Cover(data=_jpeg(scaled, quality), width=scaled.width, height=scaled.height)
            if len(made.data) < most_bytes:
                return made
    assert made is not None, "somebody tries something"
    return made


def _scaled(image: Image.Image, longer_side: int) -> Image.Image:
    """With its longer side at most that long."""
    share = longer_side / max(image.size)
    if share >= 1:
        return image
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    """Without the original's EXIF, comments and profile: sRGB is what is meant where none is named."""
    written = BytesIO()
    image.save(written, "JPEG", quality=quality, optimize=True, progressive=True, dpi=(72, 72), exif=b"", comment=b"")
    return written.getvalue()
