"""An episode's cover in the studio: its own or the show's, cropped when a person says so."""

from io import BytesIO

import pytest
from PIL import Image

from podcast_app.models import User
from tests.studio import Browser, Page, Studio


@pytest.fixture
def browser(studio: Studio) -> Browser:
    return studio.signed_in()


@pytest.fixture
def page(browser: Browser, mp3: bytes) -> Page:
    """Of a draft."""
    draft = browser.upload(mp3, title="Matonge")
    return browser.open(f"{draft.path}/cover")


def picture(width: int, height: int, colour: str = "navy") -> bytes:
    drawn = BytesIO()
    Image.new("RGB", (width, height), colour).save(drawn, "PNG")
    return drawn.getvalue()


def choose(browser: Browser, page: Page, data: bytes, **typed: str) -> Page:
    return browser.attach(page, page.path, {"cover": ("cover.png" if data else "", data)}, **typed)


def shown(browser: Browser, page: Page) -> Image.Image:
    answer = browser.client.get(page.document.xpath("//main//img/@src")[0])
    assert answer.headers["cache-control"] == "no-store"
    return Image.open(BytesIO(answer.content))


def test_a_draft_shows_the_shows_cover_until_it_has_its_own_and_goes_back(browser: Browser, page: Page) -> None:
    of_show = shown(browser, page)

    chosen = choose(browser, page, picture(1400, 1400))
    own, episode = shown(browser, chosen), browser.open(page.path.removesuffix("/cover"))
    back = browser.press(chosen, f"{page.path}/remove")

    assert "This is the show's cover" in page.text
    assert "a cover of its own" in chosen.text
    assert own.convert("RGB").getpixel((700, 700)) == pytest.approx((0, 0, 128), abs=3)
    assert "its own" in episode.text
    assert shown(browser, back).tobytes() == of_show.tobytes()


def test_a_picture_that_is_not_square_is_refused_and_cropped_when_a_person_says_so(
    browser: Browser, page: Page
) -> None:
    wide = picture(2000, 1400)

    refused = choose(browser, page, wide)
    cropped = choose(browser, refused, wide)

    assert page.document.xpath("//input[@name='crop']") == []
    assert refused.status == 422
    assert "2000 x 1400" in refused.beside("cover")
    assert refused.form_to(page.path) == {"crop": "true"}
    assert cropped.status == 200
    assert shown(browser, cropped).size == (1400, 1400)


def test_without_a_picture_one_is_asked_for(browser: Browser, page: Page) -> None:
    refused = choose(browser, page, b"")

    assert refused.status == 422
    assert "No picture was chosen" in refused.beside("cover")


def test_who_only_looks_sees_the_cover_and_changes_nothing(studio: Studio, browser: Browser, page: Page) -> None:
    viewer = studio.signed_in("viewer@example.org", role="viewer")
    outside = studio.account("outside@example.org", is_administrator=False)
    assert isinstance(outside, User)

    assert shown(viewer, viewer.open(page.path)).size[0] >= 1400
    files = {"cover": ("cover.png", picture(1400, 1400))}
    assert viewer.client.post(page.path, files=files).status_code == 403
    assert viewer.client.post(f"{page.path}/remove").status_code == 403
    assert studio.signed_in("outside@example.org").open(page.path.replace("cover", "picture")).status == 404
