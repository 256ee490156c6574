"""A show's own page: its texts in both languages, its cover, its settings."""

from io import BytesIO

import httpx2
import pytest
from PIL import Image

from tests.media.samples import picture
from tests.site import SLUG, Site
from tests.studio import HOME, SETTINGS, Browser, Page, Studio


@pytest.fixture
def browser(studio: Studio) -> Browser:
    return studio.signed_in()


def save(browser: Browser, page: Page, cover: bytes = b"", **changes: str) -> Page:
    """Send the show's form as a browser does it: with a file, or with none chosen."""
    named = {name[3:] + ".fr" if name.startswith("fr_") else name: value for name, value in changes.items()}
    files = {"cover": ("cover.jpg" if cover else "", cover)}
    answer = browser.client.post(page.path, data=page.form() | named, files=files, follow_redirects=True)
    return Page(answer)


def feed(site: Site, prefix: str = "", slug: str = SLUG) -> httpx2.Response:
    return site.listener.get(f"{prefix}/{slug}/feed.xml", follow_redirects=True)


def test_the_shows_texts_reach_the_feeds_in_both_languages(studio: Studio, browser: Browser) -> None:
    page = save(browser, browser.open(SETTINGS), description="Told anew.", fr_description="Raconté à neuf.")

    assert page.status == 200
    assert page.form()["description"] == "Told anew."
    assert "Told anew." in feed(studio.site).text
    assert "Raconté à neuf." in feed(studio.site, "/fr").text


def test_saving_a_form_as_it_stands_changes_nothing(studio: Studio, browser: Browser) -> None:
    before = feed(studio.site).headers["etag"]

    assert save(browser, browser.open(SETTINGS)).status == 200

    assert feed(studio.site).headers["etag"] == before


def test_a_new_cover_has_a_new_address_and_is_square_jpeg(studio: Studio, browser: Browser) -> None:
    before = browser.open(SETTINGS).document.xpath("//main//img/@src")[0]

    page = save(browser, browser.open(SETTINGS), picture("navy", 1500, "PNG"))

    after = page.document.xpath("//main//img/@src")[0]
    assert after != before
    assert after in feed(studio.site).text
    assert studio.site.listener.get(after).headers["content-type"] == "image/jpeg"


def test_a_picture_that_cannot_be_a_cover_is_refused_and_the_texts_stay_typed(browser: Browser) -> None:
    page = save(browser, browser.open(SETTINGS), picture("navy", 200), author="Somebody new")

    assert page.status == 422
    assert "1400" in page.beside("cover")
    assert page.form()["author"] == "Somebody new"


def test_a_picture_that_is_not_square_is_cropped_when_a_person_says_so(browser: Browser) -> None:
    drawn = BytesIO()
    Image.new("RGB", (1500, 1400), "navy").save(drawn, "PNG")

    refused = save(browser, browser.open(SETTINGS), drawn.getvalue(), author="Somebody new")
    cropped = save(browser, refused, drawn.getvalue())

    assert refused.status == 422
    assert refused.form()["crop"] == "true"
    assert cropped.status == 200
    assert cropped.form()["author"] == "Somebody new"


def test_loudness_is_evened_out_by_a_switch(studio: Studio, browser: Browser) -> None:
    page = save(browser, browser.open(SETTINGS), even_loudness="true")

    assert page.form()["even_loudness"] == "true"
    assert studio.site.show().even_loudness
    assert save(browser, page, even_loudness="false").form()["even_loudness"] == "false"


def test_a_good_picture_beside_a_refused_field_is_asked_for_again(browser: Browser) -> None:
    before = browser.open(SETTINGS).document.xpath("//main//img/@src")[0]

    page = save(browser, browser.open(SETTINGS), picture("navy", 1400), title="")

    assert page.status == 422
    assert page.beside("title") != ""
    assert "Choose it again" in page.beside("cover")
    assert page.document.xpath("//main//img/@src")[0] == before


def test_categories_come_from_apples_tree_in_the_order_chosen(studio: Studio, browser: Browser) -> None:
    chosen = {"category.0": "Government", "category.1": "", "category.2": "News > Politics"}

    page = save(browser, browser.open(SETTINGS), **chosen)

    assert [page.form()[f"category.{place}"] for place in range(3)] == ["Government", "News > Politics", ""]
    text = feed(studio.site).text
    assert text.index('text="Government"') < text.index('text="Politics"')


def test_a_category_of_nobodys_tree_is_refused_beside_its_list(browser: Browser) -> None:
    page = save(browser, browser.open(SETTINGS), **{"category.0": "Gossip"})

    assert page.status == 422
    assert "Gossip" in page.beside("category.0")


def test_the_mail_address_is_in_the_feed_only_while_that_is_switched_on(studio: Studio, browser: Browser) -> None:
    page = save(browser, browser.open(SETTINGS), owner_email="show@example.org")
    assert "show@example.org" not in feed(studio.site).text

    page = save(browser, page, email_in_feed="true")
    assert "show@example.org" in feed(studio.site).text

    save(browser, page, email_in_feed="false")
    assert "show@example.org" not in feed(studio.site).text


def test_two_people_who_change_the_same_text_see_both(browser: Browser) -> None:
    opened = browser.open(SETTINGS)
    save(browser, opened, copyright="The other", funding_url="https://example.org/give")

    page = save(browser, opened, copyright="Mine")

    assert page.status == 409
    assert page.form()["copyright"] == "Mine"
    assert page.form()["funding_url"] == "https://example.org/give"
    assert "The other" in page.beside("copyright")
    assert save(browser, page).form()["copyright"] == "Mine"


def test_a_recording_in_the_shows_form_is_refused_and_leaves_nothing(browser: Browser) -> None:
    fields, files = browser.open(SETTINGS).form(), {"audio": ("a.mp3", b"ID3")}

    answer = browser.client.post(SETTINGS, data=fields, files=files)

    assert answer.status_code == 400
    assert "takes no recording" in answer.text


def test_who_only_looks_at_the_show_cannot_change_it(studio: Studio) -> None:
    viewer = studio.signed_in("viewer@example.org", role="viewer")

    page = viewer.open(SETTINGS)

    assert (page.status, list(page.form())) == (200, ["seen"])
    assert viewer.open(HOME).status == 200
    assert save(viewer, page, title="Mine").status == 403


def test_a_renamed_show_is_found_at_its_old_address(studio: Studio, browser: Browser) -> None:
    page = save(browser, browser.open(SETTINGS), slug="new-insights")
    try:
        assert page.path == "/studio/shows/new-insights/settings"
        assert browser.open(SETTINGS).status == 200
        assert feed(studio.site).text == feed(studio.site, slug="new-insights").text
    finally:
        save(browser, page, slug=SLUG)  # the site is shared
