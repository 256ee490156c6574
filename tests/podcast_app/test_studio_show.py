"""A show's own page: its texts in both languages, its cover, its settings."""

import datetime as dt
import time
from io import BytesIO

import httpx2
import pytest
from lxml import html
from PIL import Image
from sqlalchemy import update
from sqlalchemy.orm import Session

from podcast_app import apps
from podcast_app.models import Show
from podcast_app.times import utcnow
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
    assert "The show has no title." in page.beside("title")
    assert "Choose it again" in page.beside("cover")
    assert page.document.xpath("//main//img/@src")[0] == before


def test_categories_come_from_apples_tree_in_the_order_chosen(studio: Studio, browser: Browser) -> None:
    chosen = {"category.0": "Government", "category.1": "", "category.2": "News > Politics"}

    page = save(browser, browser.open(SETTINGS), **chosen)

    assert [page.form()[f"category.{place}"] for place in range(3)] == ["Government", "News > Politics", ""]
    text = feed(studio.site).text
    assert text.index('text="Government"') < text.index('text="Politics"')
    french = studio.signed_in("fleur@example.org", role="viewer", language="fr").open(SETTINGS)
    assert french.document.xpath("//details[@id='kind']//*[@class='now']/text()") == ["Gouvernement"]


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
    opened, code = browser.open(SETTINGS), {"code.0.purpose": "podcast", "code.0.text": "123"}
    save(browser, opened, copyright="The other", funding_url="https://example.org/give", **code)

    page = save(browser, opened, copyright="Mine")

    assert page.status == 409
    assert page.form()["copyright"] == "Mine"
    assert page.form()["funding_url"] == "https://example.org/give"
    assert page.form()["code.0.text"] == "123"
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


def test_links_of_apps_are_on_the_shows_page_once_they_are_the_apps_own(studio: Studio, browser: Browser) -> None:
    apple = "https://podcasts.apple.com/be/podcast/id1"
    typed = {"links.apple": apple, "links.amazon": "https://music.amazon.fr/podcasts/1"}

    refused = save(browser, browser.open(SETTINGS), **typed, **{"links.spotify": "https://spotify.example/show/1"})
    page = save(browser, refused, **{"links.spotify": ""})

    assert (refused.status, page.status) == (422, 200)
    assert "https://open.spotify.com/" in refused.beside("links.spotify")
    assert refused.form()["links.apple"] == apple
    listing = html.fromstring(studio.site.listener.get(f"/{SLUG}/").text)
    links = {link.text: link.get("href") for link in listing.xpath("//*[@class='subscribe']//ul//a")}
    assert links == {"Apple Podcasts": apple, "Amazon Music": typed["links.amazon"]}


@pytest.mark.parametrize(
    "address",
    [
        "http://podcasts.apple.com/be/podcast/id1",
        "https://podcasts.apple.com.evil.example/",
        "https://podcasts.apple.com@evil.example/",
        "https://music.amazon.evil.example/",
        "javascript:alert(1)",
    ],
)
def test_an_address_that_only_looks_like_the_apps_is_none(address: str) -> None:
    assert apps.wrong("apple", address) is not None
    assert apps.wrong("amazon", address) is not None


def test_who_makes_the_show_is_named_in_its_feeds(studio: Studio, browser: Browser) -> None:
    host = {"person.0.name": "Aline", "person.0.role": "cast/host", "person.0.url": "https://example.org/aline"}

    page = save(browser, browser.open(SETTINGS), **host)

    assert page.form()["person.0.name"] == "Aline"
    named = '<podcast:person role="host" group="cast" href="https://example.org/aline">Aline</podcast:person>'
    assert named in feed(studio.site).text
    assert named in feed(studio.site, "/fr").text
    save(browser, page, **{"person.0.off": "yes"})
    assert named not in feed(studio.site).text


def test_codes_for_directories_stand_in_the_feed_until_they_are_emptied(studio: Studio, browser: Browser) -> None:
    code = {"code.0.purpose": "applepodcastsverify", "code.0.text": "abc & 123"}

    page = save(browser, browser.open(SETTINGS), **code)
    written = '<podcast:txt purpose="applepodcastsverify">abc &amp; 123</podcast:txt>'
    there = feed(studio.site).text
    unsaid = save(browser, page, **{"code.0.text": ""})
    emptied = save(browser, page, **{"code.0.purpose": "", "code.0.text": ""})

    assert written in there
    assert (unsaid.status, emptied.status) == (422, 200)
    assert unsaid.beside("verification") != ""
    assert "podcast:txt" not in feed(studio.site).text


def test_the_mail_address_leaves_the_feed_by_itself(studio: Studio, browser: Browser) -> None:
    page = save(browser, browser.open(SETTINGS), owner_email="show@example.org", email_in_feed="window")
    until = studio.site.show().email_in_feed_until
    assert until is not None
    assert dt.timedelta(hours=47) < until - utcnow() < dt.timedelta(hours=49)
    assert page.form()["email_in_feed"] == "until"
    assert "show@example.org" in feed(studio.site).text

    studio.site.database.write(_its_time_is_over)
    end = time.monotonic() + 20
    while "show@example.org" in feed(studio.site).text:
        assert time.monotonic() < end, "it is still there"
        time.sleep(0.05)

    assert browser.open(SETTINGS).form()["email_in_feed"] == "false"


def test_no_address_is_no_address_to_show(browser: Browser) -> None:
    page = save(browser, browser.open(SETTINGS), owner_email="", email_in_feed="window")

    assert page.status == 422
    assert "no e-mail address" in page.beside("owner_email")


def test_time_zones_and_colours_are_kept_and_given_back(studio: Studio, browser: Browser) -> None:
    chosen = {"zone.0": "Africa/Kigali", "zone.2": " Africa/Kinshasa", "page_colour": "#115588"}

    page = save(browser, browser.open(SETTINGS), **chosen)
    kept = studio.site.show()
    refused = save(browser, page, **{"zone.0": "Kigali"})
    given_back = save(browser, page, **{"zone.0": "", "zone.1": "", "plain.page_colour": "true"})

    offered = page.document.xpath("//select[@id='time_zone']/option/text()")
    assert offered[0] == "Brussels (Europe/Brussels)"
    assert len(set(offered)) == len(offered) < 450
    assert (kept.zones, kept.page_colour) == (["Africa/Kigali", "Africa/Kinshasa"], "#115588")
    assert kept.player_colour == ""
    assert "Africa/Kinshasa" in refused.beside("zones")
    assert given_back.status == 200
    assert (studio.site.show().zones, studio.site.show().page_colour) == ([], "")


def test_a_show_that_moves_says_so_in_its_main_feed_and_goes_on(studio: Studio, browser: Browser) -> None:
    page = save(browser, browser.open(SETTINGS), new_feed_url="https://new.example/feed.xml")

    moved, french = feed(studio.site), feed(studio.site, "/fr")
    save(browser, page, new_feed_url="")

    assert moved.status_code == 200
    assert "<itunes:new-feed-url>https://new.example/feed.xml</itunes:new-feed-url>" in moved.text
    assert "new-feed-url" not in french.text
    assert "new-feed-url" not in feed(studio.site).text


def test_what_directories_would_like_otherwise_stands_beside_its_input(browser: Browser) -> None:
    page = save(browser, browser.open(SETTINGS), copyright="© 2026 IOM")

    assert page.status == 200
    assert "Write only who holds the rights." in page.beside("copyright")
    save(browser, page, copyright="")


def _its_time_is_over(session: Session) -> None:
    session.execute(update(Show).values(email_in_feed_until=utcnow() - dt.timedelta(seconds=1)))
