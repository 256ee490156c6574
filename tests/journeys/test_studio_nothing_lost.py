"""What was typed for a published episode outlives a slip and a session that ended; a draft thrown away comes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from podcast_app.settings import Settings
from tests.media.samples import audio
from tests.producer import producing, scripts_or_not
from tests.site import Site, free_port, running
from tests.studio import PASSWORD

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    settings = Settings(port=free_port(), data_dir=tmp_path_factory.mktemp("lost") / "data", _env_file=None)
    with running(settings) as site:
        yield site


@scripts_or_not
@pytest.mark.parametrize(("language", "window"), [("en", "desk"), ("fr", "phone")])
async def test_a_slip_is_seen_at_once_and_a_session_that_ended_costs_one_more_press(
    site: Site, chromium: Browser, tmp_path: Path, language: str, window: str, with_scripts: bool
) -> None:
    made = site.published(audio(tmp_path / "x.mp3", "-b:a", "64k", seconds=5), "x.mp3", title="Matonge")
    async with producing(chromium, site, language, window, with_scripts=with_scripts) as producer:
        page = producer.page
        await producer.sign_in()
        await producer.open(f"/studio/episodes/{made['id']}")
        await producer.fill("Number", "0")
        await producer.press("Save")
        await expect(page.locator(".summary")).to_be_focused()
        await expect(page.locator(".summary")).to_be_in_viewport()
        assert (await page.title()).startswith(producer.say("Error:"))
        if with_scripts:
            await producer.judge()

        await producer.fill("Number", "7")
        await producer.fill("Notes", "Lignes\n\n- une\n- deux")
        await producer.lose_session()
        await producer.press("Save")
        await producer.reads("You are signed out")
        if with_scripts:
            await producer.judge()
        await page.locator("#email").fill(f"administrator-{language}@example.org")
        await page.locator("#password").fill(PASSWORD)
        await producer.press("Sign in")
        await producer.reads("You are signed in again")
        if with_scripts:
            await producer.judge()
        await producer.press("Go on and save")

        await expect(page.locator("#number")).to_have_value("7")
        await expect(page.locator("#notes")).to_have_value("Lignes\n\n- une\n- deux")


@pytest.mark.parametrize(("language", "window"), [("en", "desk"), ("fr", "phone")])
async def test_a_draft_thrown_away_says_where_it_is_and_comes_back(
    site: Site, chromium: Browser, tmp_path: Path, language: str, window: str
) -> None:
    draft = site.episode(audio(tmp_path / "x.mp3", "-b:a", "64k", seconds=5), "x.mp3", title="Trop tôt").json()
    async with producing(chromium, site, language, window) as producer:
        page, path = producer.page, f"/studio/episodes/{draft['id']}"
        await producer.sign_in()
        await producer.open(f"{path}/delete")
        await producer.press("Throw it away")
        until = producer.say("It is in the trash until {day}.").partition("{")[0]
        await expect(page.locator("main")).to_contain_text(until)
        await producer.judge()

        await producer.open(path)
        await producer.reads("In the trash")
        await producer.judge()
        await producer.press("Put it back")

        await expect(page.locator("#title")).to_have_value("Trop tôt")
