"""A show's settings, its way into the directories, and a second show, in a browser: on a desk and on a phone."""

import re
from collections.abc import AsyncIterator, Iterator

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Dialog, Page, expect

from podcast_app.access import SESSION_COOKIE
from podcast_app.settings import Settings
from tests.media.samples import picture
from tests.site import SLUG, Site, free_port, running
from tests.studio import opened

pytestmark = pytest.mark.long

HOME = f"/studio/shows/{SLUG}/"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("settings")
    with running(Settings(port=free_port(), data_dir=folder / "data", _env_file=None)) as site:
        yield site


@pytest.fixture(params=[("en", 1280, "light"), ("fr", 360, "dark")], ids=("desk", "phone"))
async def studio(site: Site, chromium: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """An administrator's window, in which nothing may go wrong unseen."""
    language, width, scheme = request.param
    with opened(site) as browsers:
        person = browsers.signed_in(f"aline-{language}@example.org", language=language)
        secret = person.client.cookies[SESSION_COOKIE]
    context = await chromium.new_context(
        base_url=site.settings.origin, viewport={"width": width, "height": 800}, color_scheme=scheme
    )
    await context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": site.settings.origin}])
    page, troubles = await context.new_page(), list[str]()
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "request",
        lambda asked: None if asked.url.startswith((site.settings.origin, "blob:")) else troubles.append(asked.url),
    )
    yield page
    assert troubles == []
    await context.close()


async def test_settings_directories_and_shows_are_usable_by_everybody(site: Site, studio: Page) -> None:
    for path in ("settings", "directories"):
        await looked(studio, HOME + path)
    for path in ("/studio/new-show", "/studio/shows/"):
        await looked(studio, path)


async def test_a_part_is_unfolded_by_the_keyboard_and_a_category_found_by_its_name(studio: Page) -> None:
    await studio.goto(f"{HOME}settings")
    find = studio.get_by_role("searchbox")
    await expect(find).to_be_hidden()

    await studio.locator("#kind > summary").focus()
    await studio.keyboard.press("Enter")
    await find.fill("politi")  # in both languages
    await studio.keyboard.press("Enter")  # sends nothing
    choices = studio.locator("[id='category.0'] option")
    await expect(choices.filter(has_text=re.compile("politi", re.IGNORECASE))).to_have_count(1)
    await expect(choices.nth(2)).to_have_count(0)  # what is chosen stays beside it

    await studio.locator("[id='category.0']").select_option("News > Politics")
    await find.fill("")
    await studio.locator("form[action$=settings] button:not([type])").click()
    await expect(studio.locator("[id='category.0']")).to_have_value("News > Politics")
    await expect(studio.locator("#kind .now")).to_be_visible()


async def test_leaving_asks_first_when_something_was_typed_and_not_sent(studio: Page) -> None:
    asked = list[str]()

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    studio.on("dialog", stay)
    await studio.goto(f"{HOME}settings")
    await studio.locator("#description").fill("Long, and not sent.")
    await studio.locator(f"a[href='{HOME}']:visible").first.click()

    await expect(studio.locator("#description")).to_have_value("Long, and not sent.")
    assert asked == ["beforeunload"]
    await studio.locator("form[action$=settings] button:not([type])").click()
    await expect(studio.locator(".good")).to_be_visible()
    await studio.locator(f"a[href='{HOME}']:visible").first.click()
    await studio.wait_for_url(f"**{HOME}")
    assert asked == ["beforeunload"]


async def test_a_cover_is_looked_at_before_it_is_sent(studio: Page) -> None:
    await studio.goto(f"{HOME}settings")
    cover = studio.locator("[data-cover-check]")
    before = await cover.locator("img").get_attribute("src")

    await studio.locator("#cover").set_input_files(
        {"name": "small.png", "mimeType": "image/png", "buffer": picture("navy", 300, "PNG")}
    )
    await expect(cover.get_by_role("status")).to_contain_text("300 × 300")
    await studio.locator("#cover").set_input_files(
        {"name": "wide.jpg", "mimeType": "image/jpeg", "buffer": picture("navy", 1500, height=1400)}
    )
    await expect(cover.get_by_role("status")).to_contain_text("1500 × 1400")
    await expect(cover.locator("img")).to_have_attribute("src", re.compile("^blob:"))
    await cover.get_by_role("checkbox").check()
    await studio.locator("form[action$=settings] button:not([type])").click()

    await expect(studio.locator("p[role=status]").first).to_be_visible()
    after = await cover.locator("img").get_attribute("src")
    assert after is not None
    assert after != before
    assert after.startswith("/")


async def test_the_address_of_the_feed_is_copied_and_a_link_pasted(site: Site, studio: Page) -> None:
    await studio.goto(f"{HOME}directories")
    await studio.locator("[data-copy-button]").click()
    await expect(studio.locator("[data-copy-said]")).not_to_be_empty()

    link = studio.locator("[id='links.apple']")
    await link.fill("https://podcasts.apple.com/be/podcast/id1")
    await link.press("Enter")

    await expect(studio.locator("section[aria-labelledby=apple] .mark")).to_be_visible()
    await studio.goto(f"/{SLUG}/")
    await expect(studio.get_by_role("link", name="Apple Podcasts")).to_have_attribute(
        "href", "https://podcasts.apple.com/be/podcast/id1"
    )


async def looked(page: Page, address: str) -> None:
    """With axe, everything unfolded, and for what sticks out of the window."""
    await page.goto(address)
    await page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
    found = await Axe().run(page)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
    assert page.viewport_size is not None
    assert await page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], page.url
