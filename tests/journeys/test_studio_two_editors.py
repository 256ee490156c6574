"""Two people at one episode: what each changes stays, and where both changed the same, somebody chooses."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.producer import WAITING, Producer, everywhere, producing, scripts_or_not
from tests.site import Site

pytestmark = pytest.mark.long


@scripts_or_not
@everywhere
async def test_different_fields_both_stay_and_of_the_same_one_the_second_sees_both_and_chooses(
    site: Site, episode: str, chromium: Browser, language: str, window: str, with_scripts: bool
) -> None:
    async with AsyncExitStack() as windows:
        aline, jean = [
            await windows.enter_async_context(producing(chromium, site, language, window, with_scripts=with_scripts))
            for _ in range(2)
        ]
        await aline.sign_in(role="producer")
        await jean.sign_in()
        for who in (aline, jean):
            await who.open(f"/studio/episodes/{episode}")

        await _save(jean, title="Jean", notes="De Jean.")
        await _save(aline, title="Aline", season="2")
        await expect(aline.page.locator("#title-theirs")).to_contain_text("Jean", timeout=WAITING)
        await expect(aline.page.locator("#title")).to_have_value("Aline")
        assert _saved(site, episode)["title"] == "Jean"
        await _choose(aline, theirs=False)
        await _is_now(site, aline, episode, title="Aline", notes="De Jean.", season=2)

        await jean.open(f"/studio/episodes/{episode}")
        await aline.open(f"/studio/episodes/{episode}")
        site.api.patch(f"/api/v1/episodes/{episode}", json={"persons": [{"name": "Awa"}]})
        await _save(jean, title="Jean encore")
        await _save(aline, title="Aline encore", number="3")
        await expect(aline.page.locator("#title-theirs")).to_contain_text("Jean encore", timeout=WAITING)
        await _choose(aline, theirs=True)
        await _is_now(site, aline, episode, title="Jean encore", season=2, number=3)
        assert [person["name"] for person in _saved(site, episode)["persons"]] == ["Awa"]


async def _save(who: Producer, **typed: str) -> None:
    """By the button: with scripts it would happen by itself a little later."""
    for name, text in typed.items():
        await who.page.locator(f"#{name}").fill(text)
    await who.press("Save")


async def _choose(who: Producer, *, theirs: bool) -> None:
    """With a script there is a button at the field; without, a box to tick before the form is saved again."""
    button = who.page.get_by_role("button", name=who.say("Take theirs" if theirs else "Keep mine"))
    box = who.page.get_by_label(who.say("Keep this one, not mine"))
    if await button.count():
        await button.click()
    elif theirs:
        await box.check()
    await who.press("Save")
    await expect(who.page.locator("#title-theirs")).to_have_count(0)


async def _is_now(site: Site, who: Producer, episode: str, **expected: object) -> None:
    for _ in range(100):
        saved = _saved(site, episode)
        if {name: saved[name] for name in expected} == expected:
            break
        await who.page.wait_for_timeout(100)
    assert {name: saved[name] for name in expected} == expected


def _saved(site: Site, episode: str) -> Mapping[str, Any]:
    saved: Mapping[str, Any] = site.api.get(f"/api/v1/episodes/{episode}").json()
    return saved
