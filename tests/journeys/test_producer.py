"""A producer's first day, in a browser: from the one-time link to a published episode, and back."""

from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, expect

from podcast_app.settings import Settings
from tests.media.samples import audio
from tests.site import SLUG, Site, free_port, running
from tests.studio import PASSWORD, opened

WINDOWS = {"desktop": (1280, 900), "phone": (320, 700)}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Nobody has an account here yet."""
    with running(Settings(port=free_port(), data_dir=tmp_path / "data", _env_file=None)) as site:
        yield site


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return audio(tmp_path / "matonge.mp3", "-b:a", "64k", "-metadata", "title=Matonge, un quartier", seconds=5)


@pytest.fixture
async def without_scripts(chromium: Browser) -> AsyncIterator[Page]:
    context = await chromium.new_context(java_script_enabled=False)
    yield await context.new_page()
    await context.close()


@pytest.mark.long
async def test_from_the_first_link_to_an_episode_that_plays_without_a_script_in_the_studio(
    site: Site, recording: Path, without_scripts: Page, page: Page
) -> None:
    studio = without_scripts
    await _make_the_first_account(studio, site)

    await studio.get_by_role("link", name="New episode").click()
    await studio.get_by_label("Audio file").set_input_files(recording)
    await studio.get_by_role("button", name="Save as a draft").click()
    await expect(studio.get_by_label("Title", exact=True)).to_have_value("Matonge, un quartier")
    await studio.get_by_label("Notes", exact=True).fill("A walk with **Aline**.")
    await studio.get_by_role("button", name="Save and publish now").click()
    await _until_published(studio)

    await page.goto(await _public_address(studio))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Matonge, un quartier")
    await expect(page.locator("strong", has_text="Aline")).to_be_visible()
    await _plays(page)

    await studio.get_by_label("Title", exact=True).fill("Matonge, my quarter")
    await studio.get_by_role("button", name="Save", exact=True).click()
    await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Matonge, my quarter")

    await studio.get_by_role("link", name="Withdraw this episode").click()
    await studio.get_by_role("button", name="Withdraw it").click()
    await expect(studio.locator(".state")).to_contain_text("Withdrawn on")
    answer = await page.reload()
    assert answer is not None
    assert answer.status == 410


@pytest.mark.long
@pytest.mark.parametrize("window", WINDOWS)
async def test_every_page_of_the_studio_is_usable_by_everybody(
    site: Site, recording: Path, chromium: Browser, window: str
) -> None:
    width, height = WINDOWS[window]
    context = await chromium.new_context(viewport={"width": width, "height": height})
    with opened(site) as studio:
        looked = _Looked(context, width)
        page = await context.new_page()
        for path in ("/studio/sign-in", studio.first_link(), "/studio/setup/used-up", "/studio/no/such/page"):
            await looked.at(page, f"{site.settings.origin}{path}")
        await _make_the_first_account(page, site)

        home = f"{site.settings.origin}/studio/shows/{SLUG}/"
        for path in ("", "new", "settings"):
            await looked.at(page, home + path)
        await looked.at(page, f"{site.settings.origin}/studio/account")

        await page.goto(f"{home}new")
        await page.get_by_label("Audio file").set_input_files(recording)
        await page.get_by_label("Season").fill("two")
        await page.get_by_role("button", name="Save as a draft").click()
        await expect(page.get_by_role("alert").first).to_be_visible()
        await looked.at(page)  # with what was refused
        await page.get_by_label("Season").fill("2")
        await page.get_by_role("button", name="Save as a draft").click()
        await page.wait_for_url("**/studio/episodes/*")
        await looked.at(page)  # a draft
        await page.get_by_label("Day and time").fill("2031-10-26T02:30")
        await page.get_by_role("button", name="Save and schedule").click()
        await expect(page.get_by_role("alert").first).to_be_visible()
        await looked.at(page)  # asked which of the two hours
        await _change_elsewhere(site, page)
        await page.get_by_label("Title", exact=True).fill("Mine")
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.get_by_role("heading", name="Somebody else changed this meanwhile")).to_be_visible()
        await looked.at(page)  # somebody else changed it too
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.locator("[data-status]")).to_contain_text("Saved at")
        episode = page.url
        await looked.at(page, f"{episode}/delete")
        await page.goto(episode)
        await page.get_by_role("button", name="Save and publish now").click()
        await _until_published(page)
        await looked.at(page)
        await _look_at_its_parts(looked, page, episode, recording)
        await looked.at(page, f"{episode}/withdraw")
        await page.get_by_role("button", name="Withdraw it").click()
        await looked.at(page)
    await context.close()


async def _look_at_its_parts(looked: "_Looked", page: Page, episode: str, recording: Path) -> None:
    """The pages of its transcripts, its cover and its recording; empty, filled, and with what was refused."""
    vtt = b"WEBVTT\n\n00:00.000 --> 00:04.000\nBonjour.\n"
    await looked.at(page, f"{episode}/transcripts")
    for name, data in (("broken.srt", b"1\n00:00:00,000 --> 00:00:0x,000\nBonjour.\n"), ("matonge.vtt", vtt)):
        await page.get_by_label("File").set_input_files({"name": name, "mimeType": "text/plain", "buffer": data})
        await page.get_by_role("button", name="Add this transcript").click()
        await looked.at(page)
    await looked.at(page, f"{episode}/cover")
    await page.get_by_label("A new cover").set_input_files(
        {"name": "wide.jpg", "mimeType": "image/jpeg", "buffer": wide_picture()}
    )
    await page.get_by_role("button", name="Save this cover").click()
    await looked.at(page)  # offered to be cropped
    await looked.at(page, f"{episode}/audio")
    await page.get_by_role("button", name="Replace the recording").click()
    await looked.at(page)  # nothing was chosen
    await page.get_by_label("Audio file").set_input_files(recording)
    await page.get_by_role("button", name="Replace the recording").click()
    await looked.at(page)  # on its way, or there already


def wide_picture() -> bytes:
    drawn = BytesIO()
    Image.new("RGB", (1500, 1400), "navy").save(drawn, "JPEG")
    return drawn.getvalue()


class _Looked:
    """Looks at pages with axe, and for what sticks out of a narrow window."""

    def __init__(self, context: BrowserContext, width: int) -> None:
        self._context = context
        self._width = width

    async def at(self, page: Page, address: str | None = None) -> None:
        if address is not None:
            await page.goto(address)
        await page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
        found = await Axe().run(page)
        assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
        assert await page.evaluate("document.documentElement.scrollWidth") <= self._width, page.url


async def _make_the_first_account(page: Page, site: Site) -> None:
    with opened(site) as studio:
        await page.goto(f"{site.settings.origin}{studio.first_link()}")
    await page.get_by_label("Your name").fill("Aline")
    await page.get_by_label("E-mail address").fill("aline@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Make the account").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Diaspora Insights")


async def _until_published(studio: Page) -> None:
    """As a person does it: look again until it is out."""
    for _ in range(100):
        if "Published on" in await studio.locator(".state").inner_text():
            return
        await studio.wait_for_timeout(100)
        await studio.goto(studio.url)
    raise AssertionError(await studio.locator("main").inner_text())


async def _public_address(studio: Page) -> str:
    address = await studio.locator(".state").get_by_role("link").first.get_attribute("href")
    assert address is not None
    return address


async def _plays(page: Page) -> None:
    await page.evaluate("""async () => {
      const audio = document.querySelector("audio");
      const moved = new Promise((done) => {
        audio.addEventListener("timeupdate", () => audio.currentTime > 0.3 && done());
      });
      await audio.play();
      await moved;
    }""")


async def _change_elsewhere(site: Site, page: Page) -> None:
    answer = site.api.patch(f"/api/v1/episodes/{page.url.rpartition('/')[2]}", json={"title": "Another's"})
    assert answer.status_code == 200, answer.text
