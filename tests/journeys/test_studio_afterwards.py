"""What producers do afterwards: replace a recording, withdraw an episode, let a colleague in, list the show."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.media.samples import audio
from tests.producer import everywhere, producing, scripts_or_not
from tests.site import SLUG, Site
from tests.studio import PASSWORD

pytestmark = pytest.mark.long


@scripts_or_not
@everywhere
async def test_a_recording_is_replaced_and_brought_back_and_then_the_episode_is_withdrawn(
    site: Site, chromium: Browser, tmp_path: Path, language: str, window: str, with_scripts: bool
) -> None:
    first = audio(tmp_path / "premier.mp3", "-b:a", "64k", seconds=5)
    better = audio(tmp_path / "mieux.mp3", "-b:a", "64k", seconds=8)
    made = site.published(first, first.name, title="Matonge")
    async with producing(chromium, site, language, window, with_scripts=with_scripts) as producer:
        page = producer.page
        await producer.sign_in()
        await producer.open(f"/studio/episodes/{made['id']}")
        await producer.follow("Listen closely, or replace the recording")

        await page.locator("#audio").set_input_files(better)
        async with page.expect_navigation():  # when it is there: with scripts it travels in parts
            await producer.send("Replace the recording")
        await producer.looks_until("It was {name}, {size}.", name=first.name)
        assert _seconds_in_feed(site, made) == "8"
        async with page.expect_navigation():
            await page.locator("button[value=bring-back]").click()
        await producer.looks_until("It was {name}, {size}.", name=better.name)
        assert _seconds_in_feed(site, made) == "5"

        await producer.follow("Back to the episode")
        await producer.follow("Withdraw this episode")
        await producer.press("Withdraw it")
        await expect(page.locator(".state-withdrawn")).to_be_visible()
        assert site.listener.get(str(made["url"])).status_code == 410
        assert str(made["guid"]) not in site.listener.get(f"/{SLUG}/feed.xml").text


@scripts_or_not
@everywhere
async def test_somebody_is_invited_joins_and_lists_the_show(
    site: Site, chromium: Browser, language: str, window: str, with_scripts: bool
) -> None:
    async with AsyncExitStack() as windows:
        boss, guest = [
            await windows.enter_async_context(producing(chromium, site, language, window, with_scripts=with_scripts))
            for _ in range(2)
        ]
        await boss.sign_in()
        await boss.open(f"/studio/shows/{SLUG}/people")
        await boss.send("Make a link")
        await guest.page.goto(await boss.page.locator("#shown-once").input_value())
        await guest.fill("Your name", "Marie")
        await guest.fill("E-mail address", f"marie-{language}-{window}-{with_scripts}@example.org")
        await guest.fill("Password", PASSWORD)
        await guest.send("Make the account and join")
        await expect(guest.page.get_by_role("heading", level=1)).to_have_text("Diaspora Insights")

        await guest.open(f"/studio/shows/{SLUG}/directories")
        link = f"https://podcasts.apple.com/{language}/podcast/id{len(window) + with_scripts}"
        await guest.page.locator("[id='links.apple']").fill(link)
        async with guest.page.expect_navigation():
            await guest.page.locator("[id='links.apple']").press("Enter")
        await expect(guest.page.locator("section[aria-labelledby=apple] .mark")).to_be_visible()
        assert f'href="{link}"' in site.listener.get(f"/{SLUG}/").text


def _seconds_in_feed(site: Site, episode: dict[str, object]) -> str:
    item = site.listener.get(f"/{SLUG}/feed.xml").text.partition(str(episode["guid"]))[2].partition("</item>")[0]
    return item.partition("<itunes:duration>")[2].partition("<")[0]
