"""On a telephone somebody sees what was changed, brings a text back, and finds a draft again in the trash."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from podcast_app import people
from podcast_app.access import SESSION_COOKIE
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from podcast_app.words import plain
from tests.media.samples import audio
from tests.site import SLUG, Site, free_port, running
from tests.studio import opened

WIDTH = 360  # pixels, of a small telephone


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running(Settings(port=free_port(), data_dir=tmp_path / "data", _env_file=None)) as site:
        yield site


@pytest.mark.long
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_what_was_changed_or_thrown_away_comes_back(
    site: Site, chromium: Browser, tmp_path: Path, language: str
) -> None:
    made = site.published(audio(tmp_path / "tone.mp3", "-b:a", "64k"), title="Matonge", notes="À huit heures.")
    draft = site.episode(tmp_path / "tone.mp3", title="Not now").json()["id"]
    site.api.patch(f"/api/v1/episodes/{made['id']}", json={"notes": "À neuf heures.", "explicit": True})
    site.listener.get(f"/{SLUG}/feed.xml", headers={"User-Agent": "iTMS"})
    page = await _signed_in(chromium, site, language)

    await _open(page, f"/studio/episodes/{made['id']}")
    await page.get_by_role("link", name=plain(language, "Who changed what, and when")).click()
    await _look(page)
    notes = page.locator("section", has=page.get_by_role("heading", name=plain(language, "Notes")))
    await notes.get_by_role("button").click()
    await expect(page.get_by_text(plain(language, "Brought back what was there before"))).to_be_visible()
    assert site.api.get(f"/api/v1/episodes/{made['id']}").json()["notes"] == "À huit heures."

    await _open(page, f"/studio/episodes/{draft}/delete")
    await page.get_by_role("button", name=plain(language, "Throw it away")).click()
    await _open(page, f"/studio/shows/{SLUG}/trash")
    await page.get_by_role("link", name=plain(language, "Delete it for good")).click()
    await _look(page)
    await page.get_by_role("link", name=plain(language, "Leave it in the trash")).click()
    await page.get_by_role("button", name=plain(language, "Put it back")).click()

    await expect(page.get_by_role("heading", name="Not now", level=1)).to_be_visible()
    await page.context.close()


async def _signed_in(chromium: Browser, site: Site, language: str) -> Page:
    with opened(site) as studio:
        person = studio.account("aline@example.org", language=language)
    secret = site.database.write(people.sign_in, person.id, utcnow())
    origin = site.settings.origin
    context = await chromium.new_context(base_url=origin, viewport={"width": WIDTH, "height": 740}, locale=language)
    await context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": origin}])
    return await context.new_page()


async def _open(page: Page, path: str) -> None:
    await page.goto(path)
    await _look(page)


async def _look(page: Page) -> None:
    """Everybody can use it, and nothing of it lies beside the telephone."""
    await page.wait_for_load_state()
    found = await Axe().run(page)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
    assert await page.evaluate("document.documentElement.scrollWidth") <= WIDTH, page.url
