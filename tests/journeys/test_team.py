"""A team comes together on telephones: invited, signed in, given a key for a machine, and parted again."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from podcast_app import people
from podcast_app.access import SESSION_COOKIE
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from podcast_app.words import plain
from tests.site import SLUG, Site, free_port, running
from tests.studio import PASSWORD, opened

WIDTH = 360  # pixels, of a small telephone
SMALLEST_TARGET = 24  # pixels (WCAG 2.2, 2.5.8)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running(Settings(port=free_port(), data_dir=tmp_path / "data", _env_file=None), with_worker=False) as site:
        yield site


class Phone:
    """Somebody's telephone. Each page that is looked at is one that everybody can use."""

    def __init__(self, context: BrowserContext, page: Page, site: Site, language: str) -> None:
        self.page = page
        self._context = context
        self._site = site
        self._language = language
        self.faults: list[str] = []
        page.on("console", self._note)
        page.on("request", lambda request: self._note_elsewhere(request.url))

    def say(self, sentence: str) -> str:
        return plain(self._language, sentence)

    async def open(self, path: str) -> None:
        await self.page.goto(f"{self._site.settings.origin}{path}")
        await self.look()

    async def press(self, words: str) -> None:
        await self.page.get_by_role("main").get_by_role("button", name=self.say(words)).first.click()

    async def unfold(self, words: str) -> None:
        await self.page.locator("summary", has_text=self.say(words)).first.click()

    async def fill(self, label: str, value: str) -> None:
        await self.page.get_by_label(self.say(label), exact=True).fill(value)

    async def shown_once(self) -> str:
        return await self.page.locator("#shown-once").input_value()

    async def look(self) -> None:
        page = self.page
        assert await page.locator("html").get_attribute("lang") == self._language
        folded = await page.evaluate("Array.from(document.querySelectorAll('details'), (folded) => folded.open)")
        await page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
        found = await Axe().run(page)
        assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
        assert await page.evaluate("document.documentElement.scrollWidth") <= WIDTH, page.url
        assert await page.evaluate(_SMALL_TARGETS, SMALLEST_TARGET) == [], page.url
        await page.evaluate(
            "(all) => document.querySelectorAll('details').forEach((d, i) => { d.open = all[i] })", folded
        )

    async def close(self) -> None:
        await self._context.close()
        assert self.faults == []

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(message.text)

    def _note_elsewhere(self, url: str) -> None:
        if not url.startswith(self._site.settings.origin):
            self.faults.append(url)


_SMALL_TARGETS = """(least) => Array.from(document.querySelectorAll("main button, main summary, main a.button"))
  .filter((target) => target.checkVisibility() && Math.min(target.offsetWidth, target.offsetHeight) < least)
  .map((target) => target.outerHTML)"""


@pytest.mark.long
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_team_comes_together_and_parts_on_telephones(site: Site, chromium: Browser, language: str) -> None:
    boss = await _phone(chromium, site, language)
    await _sign_in_as_administrator(boss, site, language)
    await boss.open(f"/studio/shows/{SLUG}/people")

    link = await _invite(boss, "jean@example.org")
    guest = await _phone(chromium, site, language)
    await _accept(guest, link)
    await boss.open(f"/studio/shows/{SLUG}/people")
    await expect(boss.page.get_by_role("main").get_by_text("jean@example.org")).to_be_visible()

    token = await _make_token(guest)
    assert site.listener.get(f"/api/v1/shows/{SLUG}", headers={"Authorization": f"Bearer {token}"}).status_code == 200

    await _reset_password(boss, guest)
    await _part(boss, guest)
    for phone in (boss, guest):
        await phone.close()


async def _phone(chromium: Browser, site: Site, language: str) -> Phone:
    context = await chromium.new_context(viewport={"width": WIDTH, "height": 740}, locale=language)
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    return Phone(context, await context.new_page(), site, language)


async def _sign_in_as_administrator(boss: Phone, site: Site, language: str) -> None:
    with opened(site) as studio:
        person = studio.account("aline@example.org", language=language)
    secret = site.database.write(people.sign_in, person.id, utcnow())
    await boss.page.context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": site.settings.origin}])


async def _invite(boss: Phone, email: str) -> str:
    await boss.fill("E-mail address, if you know it", email)
    await boss.press("Make a link")
    await boss.look()
    link = await boss.shown_once()
    await boss.press("Copy")
    await expect(boss.page.get_by_text(boss.say("Copied."))).to_be_visible()
    assert await boss.page.evaluate("navigator.clipboard.readText()") == link
    return link


async def _accept(guest: Phone, link: str) -> None:
    await guest.page.goto(link)
    await guest.look()
    await guest.fill("Your name", "Jean")
    await guest.fill("Password", "short")
    await guest.press("Make the account and join")
    await guest.look()  # refused, with what was typed
    await guest.fill("Password", PASSWORD)
    await guest.press("Make the account and join")
    await expect(guest.page.get_by_role("heading", level=1)).to_have_text("Diaspora Insights")
    await guest.page.goto(link)
    await guest.look()  # used up
    guest.faults.clear()  # the browser notes 422 and 410


async def _make_token(guest: Phone) -> str:
    await guest.open(f"/studio/shows/{SLUG}/people")
    await guest.page.get_by_role("link", name=guest.say("Tokens of this show")).click()
    await guest.look()
    await guest.fill("Name", "robot")
    await guest.press("Make a token")
    await guest.look()
    return await guest.shown_once()


async def _reset_password(boss: Phone, guest: Phone) -> None:
    await boss.open("/studio/people")
    await boss.page.get_by_role("link", name="Jean", exact=True).click()
    await boss.look()
    await boss.press("Make a link for a new password")
    await boss.look()
    await guest.page.goto(await boss.shown_once())
    await guest.look()
    await guest.fill("Password", "a fresh row of words")
    await guest.press("Keep this password")
    await guest.open("/studio/account")
    await expect(guest.page.locator(".people > li")).to_have_count(1)


async def _part(boss: Phone, guest: Phone) -> None:
    await boss.open(f"/studio/shows/{SLUG}/people")
    await boss.unfold("Change")
    await boss.press("Take off the show")
    await guest.page.goto(f"{boss.page.url.rpartition('/')[0]}/")
    await expect(guest.page.get_by_text(guest.say("There is nothing here, or it is not yours to see."))).to_be_visible()
    await boss.open("/studio/people")
    await boss.page.get_by_role("link", name="Jean", exact=True).click()
    await boss.unfold(boss.say("{name} leaves").format(name="Jean"))
    await boss.press("Take the account away")
    await boss.look()
    await guest.page.reload()
    await expect(guest.page).to_have_url(re.compile("/studio/sign-in"))
    await guest.look()
    guest.faults.clear()  # the browser notes 404
