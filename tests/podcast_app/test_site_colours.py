"""A show's own colour on its pages and in its player: always one that can be read."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from podcast_app import shows, static_files
from podcast_app.fields import ShowFields
from podcast_app.site import colours
from podcast_app.times import utcnow
from tests.site import SLUG
from tests.visitor import Visitor


def _both(name: str, file: str) -> list[str]:
    """A colour of ours in a style sheet, in the light and in the dark."""
    return re.findall(rf"{name}:(#[0-9a-f]{{6}})", static_files.text(file))[:2]


PAPERS, SHEETS, PAPERS_OF_EMBED = (
    _both("--paper", "base.css"),
    _both("--sheet", "base.css"),
    _both("--paper", "embed.css"),
)
COLOUR = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@settings(deadline=None)
@given(COLOUR)
@example("#ffff00")
@example("#ffffff")
@example("#000000")
@example("#777777")
def test_any_colour_can_be_read_on_paper_and_on_sheets_and_paper_on_it_light_and_dark(colour: str) -> None:
    """So do the outlines around what has the focus, of which less is asked (WCAG 2.2, 1.4.11)."""
    for place, theme in enumerate(colours.SHEETS):
        mine = colours.readable(colour, theme)
        for behind in (PAPERS[place], SHEETS[place], PAPERS_OF_EMBED[place]):
            assert colours.contrast(mine, behind) >= colours.READABLE, (theme, mine, behind)


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
