"""A show's own colour on its pages and in its player: always one that can be read."""

import re

from hypothesis import given
from hypothesis import strategies as st

from podcast_app import shows, static_files
from podcast_app.fields import ShowFields
from podcast_app.site import colours
from podcast_app.times import utcnow
from tests.site import SLUG
from tests.visitor import Visitor

COLOUR = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(COLOUR)
def test_words_in_any_colour_can_be_read_on_light_and_on_dark(colour: str) -> None:
    for theme, (sheet, _) in colours.SHEETS.items():
        assert colours.contrast(colours.readable(colour, theme), sheet) >= colours.READABLE


def test_sheets_are_those_of_the_style_sheet() -> None:
    assert all(f"--sheet:{sheet};" in static_files.text("base.css") for sheet, _ in colours.SHEETS.values())


def test_a_colour_that_can_be_read_stays_as_it_was_chosen() -> None:
    assert colours.readable("#1d4ed8", "light") == "#1d4ed8"
    assert colours.readable("#1d4ed8", "dark") != "#1d4ed8"
    assert colours.contrast("#000000", "#ffffff") == 21


def test_a_show_s_pages_and_its_player_are_in_its_colours(visitor: Visitor) -> None:
    plain = visitor.page(f"/{SLUG}/")
    chosen = ShowFields(page_colour="#1d4ed8", player_colour="#14532d")
    visitor.site.database.write(shows.edit_by_slug, SLUG, chosen, visitor.site.settings, utcnow())

    listing, player = visitor.page(f"/{SLUG}/"), visitor.page(f"/{SLUG}/embed")
    (address,) = listing.xpath("//link[@rel='stylesheet']/@href")
    sheet = visitor.get(address)

    assert plain.xpath("//link[@rel='stylesheet']/@href") == [static_files.address("site.css")]
    assert sheet.headers["content-type"] == "text/css; charset=utf-8"
    assert "--accent:#1d4ed8" in sheet.text
    assert "--accent:#14532d" in player.findtext(".//style")
    assert visitor.get(re.sub("[0-9a-f]{6}", "red", address)).status_code == 404
