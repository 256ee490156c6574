"""Any picture becomes a cover that directories take, or is refused with the reason."""

import random
import struct
import zlib
from contextlib import suppress
from io import BytesIO
from typing import Literal

import pytest
from PIL import Image, ImageCms

from media import artwork
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
        (saved(plain(), "AVIF", speed=10, quality=90), RED),
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
    ids=["jpeg", "webp", "avif", "clear", "half clear", "grey+alpha", "grey", "grey jpeg", "16 bit", "1 bit", "palette",
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
        ((5200, 5200), artwork.TOO_MANY_PIXELS),
    ],
)
def test_a_picture_of_the_wrong_shape_is_refused_with_its_measures(size: tuple[int, int], sentence: str) -> None:
    data = saved(Image.new("L", size), "PNG")

    with pytest.raises(BadPicture) as told:
        artwork.cover(data)

    assert told.value.sentence == sentence
    assert told.value.values == {"width": size[0], "height": size[1]}
    assert f"{size[0]} x {size[1]}" in str(told.value)


def test_a_picture_that_is_not_square_is_cropped_in_the_middle_when_the_producer_says_so() -> None:
    image = Image.new("RGB", (1400, 2000), BLUE)
    image.paste(RED, (0, 300, 1400, 1700))

    cropped = opened(artwork.cover(saved(image), crop=True))

    assert cropped.size == (1400, 1400)
    for place in ((5, 5), (1394, 1394)):
        assert_colour(cropped, place, RED)


def test_a_pixel_that_is_missing_is_made_up_and_not_more() -> None:
    assert opened(artwork.cover(saved(Image.new("L", (1400, 1399))), crop=True)).size == (1400, 1400)

    with pytest.raises(BadPicture) as told:
        artwork.cover(saved(Image.new("L", (1385, 1400))), crop=True)

    assert told.value.sentence == artwork.TOO_SMALL


def test_a_phone_s_photo_of_50_megapixels_is_not_too_large() -> None:
    photo = saved(Image.new("L", (8160, 6144), 90), "JPEG")

    assert opened(artwork.cover(photo, crop=True)).width == 3000


def test_the_measures_of_a_picture_that_lies_on_its_side_are_told_as_people_see_them() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    with pytest.raises(BadPicture) as told:
        artwork.cover(saved(Image.new("L", (2000, 1500)), "JPEG", exif=exif))

    assert told.value.values == {"width": 1500, "height": 2000}


@pytest.mark.parametrize(("size", "expected"), [((100, 300), (100, 300)), ((3000, 1000), (1400, 467))])
def test_the_picture_of_a_chapter_has_any_shape_and_is_light(size: tuple[int, int], expected: tuple[int, int]) -> None:
    made = artwork.picture(saved(Image.linear_gradient("L").resize(size)))

    image = Image.open(BytesIO(made.data))
    assert image.size == (made.width, made.height) == expected
    assert (image.format, image.mode) == ("JPEG", "RGB")
    assert len(made.data) < 200_000


def test_even_noise_becomes_a_light_picture() -> None:
    assert len(artwork.picture(noise(900)).data) < 200_000


def test_a_picture_that_nobody_could_see_is_refused() -> None:
    with pytest.raises(BadPicture) as told:
        artwork.picture(saved(Image.new("L", (99, 2000))))

    assert told.value.sentence == artwork.TOO_SMALL_PICTURE


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
        saved(Image.linear_gradient("L").resize((1400, 1400)), "AVIF", speed=10)[:400],
        saved(plain(side=300), "JPEG") + b"\xff\xda" * 300,
        b"not a picture",
        saved(plain(), "GIF"),
        saved(plain(), "TIFF"),
        saved(plain(), "JPEG")[:3000],
        saved(plain(), "PNG")[:2000],
        b"<svg xmlns='http://www.w3.org/2000/svg' width='1400' height='1400'/>",
    ],
    ids=["empty", "cut avif", "scan upon scan", "text", "gif", "tiff", "cut jpeg", "cut png", "svg"],
)
def test_what_is_no_whole_picture_of_a_kind_we_take_is_refused(data: bytes) -> None:
    with pytest.raises(BadPicture) as told:
        artwork.cover(data)

    assert told.value.sentence == artwork.UNREADABLE


@pytest.mark.parametrize("brands", [b"heic\0\0\0\0mif1heic", b"mif1\0\0\0\0mif1heic"])
def test_a_photo_that_an_iphone_keeps_in_its_own_format_is_refused_with_the_way_out(brands: bytes) -> None:
    with pytest.raises(BadPicture) as told:
        artwork.cover((8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands + bytes(100))

    assert told.value.sentence == artwork.HEIC


@pytest.mark.parametrize("format_name", ["PNG", "WEBP", "AVIF"])
def test_of_an_animation_the_first_picture_is_taken(format_name: str) -> None:
    frames = [plain(side=300), *(Image.new("RGB", (300, 300), (0, 0, number)) for number in range(4))]
    animation = saved(frames[0], format_name, save_all=True, append_images=frames[1:], duration=50)

    assert_colour(Image.open(BytesIO(artwork.picture(animation).data)), (150, 150), RED)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_damage_is_refused_and_never_an_error_of_ours(format_name: str, seed: int) -> None:
    chance = random.Random(seed)
    whole = saved(Image.effect_noise((120, 120), 60).convert("RGB"), format_name)
    for _ in range(25):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 5, 20))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        with suppress(BadPicture):
            artwork.picture(bytes(damaged))


@pytest.mark.parametrize(("kind", "format_name"), [("webp", "WEBP"), ("jpg", "JPEG")])
def test_a_cover_for_pages_has_the_size_that_is_asked_for(kind: Literal["webp", "jpg"], format_name: str) -> None:
    listed = Image.open(BytesIO(artwork.listing(saved(plain(), "JPEG"), 192, kind)))

    assert (listed.format, listed.size) == (format_name, (192, 192))
    assert_colour(listed.convert("RGB"), (96, 96), RED)


def test_a_small_cover_for_inside_the_audio_is_light() -> None:
    small = artwork.small(noise(1400), 600)

    assert Image.open(BytesIO(small)).size == (600, 600)
    assert len(small) < 100_000


def test_a_title_alone_becomes_a_cover() -> None:
    assert opened(artwork.generated("Épisode 3 – Thérèse à Matongé")).width == 3000
