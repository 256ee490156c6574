"""Titles in pictures: on generated covers and on share cards, in the scripts of the diaspora."""

from io import BytesIO

import pytest
from PIL import Image, ImageChops, features

from media import artwork, lettering, share_card, title_cover
from media.artwork import BadPicture

ARABIC, AMHARIC = "صوت الشتات", "የዲያስፖራ ድምፅ"
MIXED = f"{ARABIC} – Marie-Claire (2026)"
TITLES = ("Diaspora Insights", ARABIC, AMHARIC, MIXED, "中文播客", "🎙️", "", "x" * 300, "\0")


def written(title: str) -> Image.Image:
    """The title alone, white on black."""
    image = Image.new("L", (900, 300))
    lines = lettering.fitted(lettering.writable(title), 860, 260, largest=80, smallest=20)
    lettering.write(image, lines, 20, 20, 860, "white", at_right=lines.is_right_to_left)
    return image


def inked(image: Image.Image) -> tuple[int, int, int, int]:
    box = image.getbbox()
    assert box is not None
    return box


def test_the_machine_shapes_letters() -> None:
    """Or Arabic is not written at all: Pillow needs FriBidi on the machine."""
    assert features.check_feature("raqm")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Épisode 3 – Thérèse à Matongé", "Épisode 3 – Thérèse à Matongé"),
        ("Mwinda na bísó ɛ́ ɔ́ŋ", "Mwinda na bísó ɛ́ ɔ́ŋ"),
        (ARABIC, ARABIC),
        (AMHARIC, AMHARIC),
        (MIXED, MIXED),
        ("Live 🎙️ Kin", "Live Kin"),
        ("中文播客", ""),
        ("Kin 中", ""),
    ],
)
def test_what_can_be_written_is_known_before(text: str, expected: str) -> None:
    assert lettering.writable(text) == expected


def test_arabic_begins_at_the_right_and_its_letters_are_joined() -> None:
    word = "بيت"
    apart = sum(lettering.width(letter, 80) for letter in word)

    left, _, right, _ = inked(written(word))

    assert left > 450
    assert right > 850
    assert lettering.width(word, 80) < 0.8 * apart


def test_latin_words_stand_in_their_own_direction_inside_arabic() -> None:
    """The name runs from left to right, and the word that follows it stands on its left."""
    line, name, word = "مع Marie حوار", "Marie", "حوار"

    whole = written(line)

    start = 880 - lettering.width(line, 80) + lettering.width(f"{word} ", 80)
    part = Image.new("L", whole.size)
    lettering.write(
        part, lettering.fitted(name, 860, 260, largest=80, smallest=20), start, 20, 860, "white", at_right=False
    )
    beyond = ImageChops.subtract(part, whole).point(lambda value: 255 if value > 128 else 0)
    assert beyond.histogram()[255] < 0.1 * part.histogram()[255]


def test_ge_ez_has_its_own_letters() -> None:
    letters = {written(letter).tobytes() for letter in "ሀለሐመ"}

    assert len(letters) == 4


def test_lines_are_about_equally_long_and_french_colons_stay_with_their_word() -> None:
    title = "Thérèse à Matongé : l’été où tout a changé"

    found = lettering.fitted(title, 500, 400, largest=60, smallest=20)

    assert " ".join(found.lines).replace("\u00a0", " ") == title
    assert not any(line.startswith(":") for line in found.lines)
    assert min(lettering.width(line, found.size) for line in found.lines) > 200


def test_what_has_no_room_is_cut_off_with_dots() -> None:
    found = lettering.fitted("word " * 200, 500, 200, largest=60, smallest=20)

    assert found.size == 20
    assert found.height <= 200
    assert found.lines[-1].endswith("…")


@pytest.mark.parametrize("title", TITLES)
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


# -- Share cards


@pytest.fixture(scope="module")
def cover() -> bytes:
    image = Image.new("RGB", (1400, 1400), "#ffdd00")
    return artwork.cover(_saved(image)).data


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("has_cover", [True, False], ids=["with cover", "without"])
def test_a_share_card_is_what_messengers_show(title: str, has_cover: bool, cover: bytes) -> None:
    data = share_card.drawn(title, "Diaspora Insights", cover if has_cover else None)

    card = Image.open(BytesIO(data))
    assert (card.format, card.mode, card.size) == ("JPEG", "RGB", (1200, 630))
    assert len(data) < 100_000


def test_the_cover_stands_where_reading_begins(cover: bytes) -> None:
    french = Image.open(BytesIO(share_card.drawn("Été", "Diaspora Insights", cover)))
    arabic = Image.open(BytesIO(share_card.drawn(ARABIC, "Diaspora Insights", cover)))

    assert french.getpixel((100, 500)) == pytest.approx((255, 221, 0), abs=8)
    assert arabic.getpixel((1100, 500)) == pytest.approx((255, 221, 0), abs=8)


def test_a_title_that_no_font_has_leaves_the_show_s_name() -> None:
    assert share_card.drawn("中文播客", "Diaspora Insights", None) == share_card.drawn("", "Diaspora Insights", None)


@pytest.mark.parametrize("colour", ["white", "black", "yellow", "#00ff00", "#808080", "#123456", "#ff00ff"])
def test_the_words_can_be_read_beside_any_cover(colour: str) -> None:
    """7 to 1 (WCAG 2.2, 1.4.6), measured on the card: the lightest ground is at the upper left of the words."""
    cover = artwork.cover(_saved(Image.new("RGB", (1400, 1400), colour))).data

    card = Image.open(BytesIO(share_card.drawn("", "", cover)))

    ground = max(_luminance(card.getpixel((x, y))) for x in range(650, 1200, 50) for y in range(10, 500, 50))
    assert (_luminance((0xFD, 0xF8, 0xEF)) + 0.05) / (ground + 0.05) >= 7


@pytest.mark.long
def test_even_a_cover_of_noise_makes_a_light_card() -> None:
    noise = artwork.cover(_saved(Image.effect_noise((1400, 1400), 150).convert("RGB"))).data

    assert len(share_card.drawn("word " * 60, "Diaspora Insights", noise)) < 100_000


def test_a_cover_that_cannot_be_read_is_told() -> None:
    with pytest.raises(BadPicture):
        share_card.drawn("Title", "Show", b"no picture")


def _saved(image: Image.Image) -> bytes:
    written = BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def _luminance(colour: tuple[int, int, int]) -> float:
    parts = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_a_word_longer_than_a_line_goes_on_behind_a_hyphen() -> None:
    word = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"

    lines = lettering.fitted(word, 1000, 300, largest=90, smallest=40).lines

    assert len(lines) > 1
    assert all(line.endswith("-") for line in lines[:-1])
    assert "".join(line.removesuffix("-") for line in lines) == word
