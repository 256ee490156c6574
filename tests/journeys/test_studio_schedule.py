"""A time to go out: on the clocks of several places, on nights when clocks change, and when it has passed in vain."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy.orm import Session

from podcast_app.models import Episode
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from tests.producer import Producer, everywhere, producing, scripts_or_not
from tests.site import SLUG, Site, free_port, running

pytestmark = pytest.mark.long

MISSING = "2031-03-30T02:30"  # in Brussels the clocks jump over it
TWICE = "2031-10-26T02:30"  # and there they come to it twice
RED = "rgb(163, 22, 33)"
SHOW = f"/studio/shows/{SLUG}"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running(Settings(port=free_port(), data_dir=tmp_path / "data", _env_file=None)) as site:
        yield site


@scripts_or_not
@everywhere
async def test_an_episode_is_scheduled_whatever_the_clocks_do_and_taken_off(
    site: Site, episode: str, chromium: Browser, language: str, window: str, with_scripts: bool
) -> None:
    async with producing(chromium, site, language, window, with_scripts=with_scripts) as producer:
        page = producer.page
        await producer.sign_in()
        await producer.open(f"/studio/episodes/{episode}")
        await page.locator("summary", has_text=producer.say("Publish later")).click()

        await page.locator("#publish_at").fill(MISSING)
        if with_scripts:
            await expect(page.locator("[data-missing]")).to_be_visible()
        await producer.press("Save and schedule")
        await expect(page.locator("#publish_at")).to_have_attribute("aria-invalid", "true")
        await expect(page.locator("#publish_at")).to_have_value(MISSING)

        await page.locator("#publish_at").fill(TWICE)
        if not with_scripts:
            await producer.press("Save and schedule")
        await page.get_by_label(producer.say("The second, an hour later")).check()
        await producer.press("Save and schedule")

        await expect(page.locator(".state-scheduled")).to_contain_text("2031")
        assert _due(site, episode) == "2031-10-26T01:30:00Z"
        clocks = [" ".join(each.split()) for each in await page.locator("[data-clocks] dd").all_inner_texts()]
        assert len(clocks) == 4
        assert [("2:30" in clock, "1:30" in clock) for clock in clocks[:1] + clocks[3:]] == [
            (True, False),
            (False, True),
        ]

        await producer.press("Take off the schedule")
        await producer.reads("A draft: nobody outside the studio sees it.")
        assert _due(site, episode) is None


@everywhere
async def test_what_should_have_gone_out_is_red_on_every_page(
    site: Site, episode: str, chromium: Browser, language: str, window: str
) -> None:
    site.database.write(_hold_up, episode)
    async with producing(chromium, site, language, window) as producer:
        page = producer.page
        await producer.sign_in()
        for path in ("/", "/new", "/settings", "/people", "/directories", "/trash"):
            await producer.open(SHOW + path)
            await _is_red(producer)
        for path in ("/studio/account", "/studio/people", f"/studio/episodes/{episode}"):
            await producer.open(path)
            await _is_red(producer)

        await page.locator(".overdue").get_by_role("link", name="Matonge").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Matonge")
        site.database.write(_let_go, episode)
        site.wait_for(episode, "published")
        await producer.open(f"{SHOW}/")
        await expect(page.locator(".overdue")).to_have_count(0)


async def _is_red(producer: Producer) -> None:
    told = producer.page.locator(".overdue")
    await expect(told).to_contain_text(producer.say("It should have gone out on {moment}, and has not:").split("{")[0])
    assert await told.evaluate("(told) => getComputedStyle(told).backgroundColor") == RED


def _due(site: Site, episode: str) -> object:
    return site.api.get(f"/api/v1/episodes/{episode}").json()["publish_at"]


def _hold_up(session: Session, episode_id: str) -> None:
    """No worker takes it up for hours."""
    episode = session.get_one(Episode, episode_id)
    episode.state, episode.publish_at = "scheduled", utcnow() - dt.timedelta(minutes=9)
    episode.try_again_at = utcnow() + dt.timedelta(hours=9)


def _let_go(session: Session, episode_id: str) -> None:
    session.get_one(Episode, episode_id).try_again_at = None
