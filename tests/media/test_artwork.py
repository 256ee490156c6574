"""Any picture becomes a cover that directories take, or is refused with the reason."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image, ImageCms

from media import artwork, title_cover
from media.artwork import BadPicture, Cover

RED, BLUE = (200, 30, 30), (30, 30, 200)


def saved(image: Image.Image, format_name: str = "PNG", **options: object) -> bytes:
    written = BytesIO()
    image.save(written, format_name, **options)
    return written.getvalue()


def plain(mode: str = "RGB", side: int = 1400, colour: float | tuple[int, ...] = RED) -> Image.Image:
    return Image.new(mode, (side, side), colour)


def noise(side: int) -> bytes:
    return saved(Image.effect_noise((side, side), 150).convert("RGB"), "JPEG", quality=95)


def opened(cover: Cover) -> Image.Image:
    """The cover, after a look at what every cover must be."""
    image = Image.open(BytesIO(cover.data))
    assert (image.format, image.mode) == ("JPEG", "RGB")
    assert image.size == (cover.width, cover.height)
    assert cover.width == cover.height
    assert 1400 <= cover.width <= 3000
    assert len(cover.data) < 512_000
    assert (cover.media_type, cover.extension) == ("image/jpeg", "jpg")
    assert not image.getexif()
    assert not {"exif", "icc_profile", "comment", "xmp"} & set(image.info)
    return image


def assert_colour(image: Image.Image, place: tuple[int, int], expected: tuple[int, int, int]) -> None:
    assert image.getpixel(place) == pytest.approx(expected, abs=4)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (saved(plain(), "JPEG"), RED),
        (saved(plain(), "WEBP", lossless=True), RED),
        (saved(plain("RGBA", colour=(*RED, 0))), (255, 255, 255)),
        (saved(plain("RGBA", colour=(*RED, 128))), (227, 142, 142)),
        (saved(plain("LA", colour=(90, 255))), (90, 90, 90)),
        (saved(plain("L", colour=90)), (90, 90, 90)),
        (saved(plain("L", colour=90), "JPEG"), (90, 90, 90)),
        (saved(plain("I;16", colour=90 * 257)), (90, 90, 90)),
        (saved(plain("1", colour=1)), (255, 255, 255)),
        (saved(plain().quantize(2)), RED),
        (saved(plain("P", colour=0), transparency=0), (255, 255, 255)),
        (saved(plain("CMYK", colour=(0, 255, 255, 0)), "JPEG", quality=95), (255, 0, 0)),
    ],
    ids=["jpeg", "webp", "clear", "half clear", "grey+alpha", "grey", "grey jpeg", "16 bit", "1 bit", "palette",
         "clear palette", "cmyk"],
)  # fmt: skip
def test_a_picture_of_any_kind_becomes_an_rgb_jpeg(data: bytes, expected: tuple[int, int, int]) -> None:
    assert_colour(opened(artwork.cover(data)), (700, 700), expected)


def test_a_picture_that_a_phone_turned_stands_upright_and_says_nothing_of_the_phone() -> None:
    image = plain()
    image.paste(BLUE, (0, 0, 1400, 200))  # above; upright, it is on the right
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise
    exif[0x010F] = "PLANTED phone"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (50.0, 51.0, 1.0)

    cover = artwork.cover(saved(image, "JPEG", exif=exif, comment=b"PLANTED"))

    assert_colour(opened(cover), (1300, 700), BLUE)
    assert_colour(opened(cover), (100, 700), RED)
    assert b"PLANTED" not in cover.data


def test_a_profile_is_applied_and_left_out() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))

    same = artwork.cover(saved(plain(), icc_profile=srgb.tobytes()))
    of_another_space = artwork.cover(saved(plain(), icc_profile=lab.tobytes()))
    broken = artwork.cover(saved(plain(), icc_profile=b"no profile"))

    for cover in (same, of_another_space, broken):
        assert_colour(opened(cover), (700, 700), RED)


def test_a_profile_of_other_primaries_changes_the_numbers() -> None:
    """Green and red change places in this one, as the colours of a wide screen would shift a little."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile = profile.replace(b"rXYZ", b"tXYZ").replace(b"gXYZ", b"rXYZ").replace(b"tXYZ", b"gXYZ")

    cover = artwork.cover(saved(plain(colour=(255, 0, 0)), icc_profile=bytes(profile)))

    assert_colour(opened(cover), (700, 700), (0, 255, 0))


@pytest.mark.parametrize(("side", "expected"), [(1400, 1400), (2000, 2000), (3000, 3000), (4000, 3000)])
def test_a_cover_is_never_larger_than_3000_pixels(side: int, expected: int) -> None:
    assert opened(artwork.cover(saved(plain(side=side), "JPEG"))).width == expected


@pytest.mark.long
def test_even_noise_becomes_light() -> None:
    assert opened(artwork.cover(noise(3000))).width == 1400


def test_quality_goes_before_size() -> None:
    gradient = Image.linear_gradient("L").resize((3000, 3000)).convert("RGB")
    gradient.paste(Image.effect_noise((1000, 1000), 60).convert("RGB"), (0, 0))
    assert len(saved(gradient, "JPEG", quality=90)) > 512_000

    assert opened(artwork.cover(saved(gradient, "JPEG", quality=95))).width == 3000


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        ((1400, 1399), artwork.NOT_SQUARE),
        ((3000, 1500), artwork.NOT_SQUARE),
        ((1399, 1399), artwork.TOO_SMALL),
        ((8000, 8000), artwork.TOO_MANY_PIXELS),
    ],
)
def test_a_picture_of_the_wrong_shape_is_refused_with_its_measures(size: tuple[int, int], sentence: str) -> None:
    data = saved(Image.new("L", size), "PNG")

    with pytest.raises(BadPicture) as told:
        artwork.cover(data)

    assert told.value.sentence == sentence
    assert told.value.values == {"width": size[0], "height": size[1]}
    assert f"{size[0]} x {size[1]}" in str(told.value)


@pytest.mark.parametrize("side", [10_000, 30_000])
def test_a_bomb_is_refused_before_it_is_decoded(side: int) -> None:
    bomb = _png_that_says(side)

    with pytest.raises(BadPicture) as told:
        artwork.cover(bomb)

    assert "than this server opens" in told.value.sentence


def _png_that_says(side: int) -> bytes:
    """A PNG whose header promises that many pixels; nothing follows."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        saved(plain(), "GIF"),
        saved(plain(), "TIFF"),
        saved(plain(), "JPEG")[:3000],
        saved(plain(), "PNG")[:2000],
        b"<svg xmlns='http://www.w3.org/2000/svg' width='1400' height='1400'/>",
    ],
    ids=["empty", "text", "gif", "tiff", "cut jpeg", "cut png", "svg"],
)
def test_what_is_no_whole_jpeg_png_or_webp_is_refused(data: bytes) -> None:
    with pytest.raises(BadPicture) as told:
        artwork.cover(data)

    assert told.value.sentence == artwork.UNREADABLE


def test_a_small_cover_for_inside_the_audio_is_light() -> None:
    small = artwork.small(noise(1400), 600)

    assert Image.open(BytesIO(small)).size == (600, 600)
    assert len(small) < 100_000


def test_a_title_alone_becomes_a_cover() -> None:
    assert opened(artwork.generated("Épisode 3 – Thérèse à Matongé")).width == 3000


@pytest.mark.parametrize("title", ["Diaspora Insights", "صوت الشتات", "🎙️", "", "x" * 300, "\0"])
def test_any_title_is_drawn(title: str) -> None:
    assert title_cover.drawn(title, 300).size == (300, 300)


def test_the_same_title_gives_the_same_picture_and_another_title_another() -> None:
    assert title_cover.drawn("Kin la belle", 300) == title_cover.drawn("Kin la belle", 300)
    assert title_cover.drawn("Kin la belle", 300) != title_cover.drawn("Kin la vie", 300)


def test_accents_are_drawn() -> None:
    pictures = {
        title_cover.drawn(title, 300).tobytes() for title in ("Été", "Ete", "Ét\N{LATIN SMALL LETTER E WITH GRAVE}")
    }

    assert len(pictures) == 3
