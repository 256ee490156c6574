"""Somebody sees what was changed, brings a text back, and finds a draft again in the trash."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.media.samples import audio
from tests.producer import everywhere, producing, scripts_or_not
from tests.site import SLUG, Site

pytestmark = pytest.mark.long


@scripts_or_not
@everywhere
async def test_what_was_changed_or_thrown_away_comes_back(
    site: Site, chromium: Browser, tmp_path: Path, language: str, window: str, with_scripts: bool
) -> None:
    tone = audio(tmp_path / "tone.mp3", "-b:a", "64k")
    made = site.published(tone, title="Matonge", notes="À huit heures.")
    draft = site.episode(tone, title="Not now").json()["id"]
    site.api.patch(f"/api/v1/episodes/{made['id']}", json={"notes": "À neuf heures.", "explicit": True})
    async with producing(chromium, site, language, window, with_scripts=with_scripts) as producer:
        page = producer.page
        await producer.sign_in()

        await producer.open(f"/studio/episodes/{made['id']}")
        await producer.follow("Who changed what, and when")
        notes = page.locator("section", has=page.get_by_role("heading", name=producer.say("Notes")))
        await notes.get_by_role("button").first.click()
        await producer.reads("Brought back what was there before")
        assert site.api.get(f"/api/v1/episodes/{made['id']}").json()["notes"] == "À huit heures."

        await producer.open(f"/studio/episodes/{draft}")
        await page.locator(f"a[href='/studio/episodes/{draft}/delete']").click()
        await producer.send("Throw it away")
        await producer.open(f"/studio/shows/{SLUG}/trash")
        await producer.follow("Delete it for good")
        await producer.follow("Leave it in the trash")
        await producer.press("Put it back")

        await expect(page.get_by_role("heading", name="Not now", level=1)).to_be_visible()
