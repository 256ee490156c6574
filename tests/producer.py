"""Somebody at work in the studio, in a browser: at a desk or on a telephone, in English or in French."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, CDPSession, Error, Locator, Page, expect

from podcast_app import people, words
from podcast_app.access import SESSION_COOKIE
from podcast_app.models import Role
from tests import everybody
from tests.everybody import WINDOWS
from tests.site import Site
from tests.studio import PASSWORD, opened

LANGUAGES = ("en", "fr")
everywhere = pytest.mark.parametrize(
    ("language", "window"), [("en", "desk"), ("en", "phone"), ("fr", "desk"), ("fr", "phone")]
)
scripts_or_not = pytest.mark.parametrize("with_scripts", [True, False], ids=["scripts", "no-scripts"])
WAITING = 20_000  # ms: two cores, many tests


@dataclass(frozen=True)
class Producer:
    """A person's window. Sentences are given in English, and looked for in the person's language."""

    page: Page
    site: Site
    language: str
    troubles: list[str]  # what the browser complained of, and what it asked others for

    def say(self, sentence: str, **values: object) -> str:
        return words.say(self.language, sentence, **values)

    async def open(self, path: str) -> None:
        await self.page.goto(f"{self.site.settings.origin}{path}")

    async def sign_in(self, *, role: Role | None = None) -> None:
        """As an administrator, or with a role as somebody who has it in the first show; in the window's language."""
        email = f"{role or 'administrator'}-{self.language}@example.org"
        with opened(self.site) as studio:
            session = studio.signed_in(email, role=role, language=self.language).client.cookies[SESSION_COOKIE]
        await self.take_session(session)

    async def take_session(self, secret: str) -> None:
        cookie = {"name": SESSION_COOKIE, "value": secret, "url": self.site.settings.origin}
        await self.page.context.add_cookies([cookie])  # type: ignore[list-item]  # its own kind of dictionary

    async def sign_in_elsewhere(self) -> None:
        """As in another tab, from which the person comes back to this one."""
        await self.sign_in()
        await self.page.evaluate("dispatchEvent(new Event('focus'))")

    async def lose_session(self) -> None:
        """On the server, as it ends there."""
        for cookie in await self.page.context.cookies():
            self.site.database.write(people.sign_out, cookie["value"])

    async def make_the_first_account(self) -> None:
        """By the one-time link that the server prints."""
        with opened(self.site) as studio:
            await self.open(studio.first_link())
        for label, text in (("Your name", "Aline"), ("E-mail address", "aline@example.org"), ("Password", PASSWORD)):
            await self.fill(label, text)
        await self.page.locator("#language").select_option(self.language)
        await self.press("Make the account")
        await expect(self.page.get_by_role("heading", level=1)).to_have_text("Diaspora Insights")

    def field(self, language: str, label: str) -> Locator:
        return self.page.get_by_label(words.plain(language, label), exact=True)

    async def fill(self, label: str, text: str) -> None:
        await self.field(self.language, label).fill(text)

    def button(self, label: str, **values: object) -> Locator:
        """The first whose name begins with this: some say to whom they do it."""
        begins = re.compile("^" + re.escape(self.say(label, **values)))
        return self.page.get_by_role("main").get_by_role("button", name=begins).first

    async def press(self, label: str, **values: object) -> None:
        await self.button(label, **values).click()

    async def send(self, label: str) -> None:
        """Press a form's button, and wait for the page that it leads to."""
        async with self.page.expect_navigation(timeout=2 * WAITING):
            await self.press(label)

    async def follow(self, label: str) -> None:
        await self.page.get_by_role("link", name=self.say(label)).first.click()

    async def reads(self, sentence: str, **values: object) -> None:
        """The page says so, somewhere."""
        await expect(self.page.locator("main")).to_contain_text(self.say(sentence, **values), timeout=WAITING)

    async def looks_until(self, sentence: str, **values: str) -> None:
        """As a person does it: look again until the page says so, up to the first {place} that nothing is said of."""
        said, wanted = "", self.say(sentence)
        for name, value in values.items():
            wanted = wanted.replace(f"{{{name}}}", value)
        wanted = wanted.partition("{")[0].strip()
        for _ in range(200):
            said = await self.page.locator("main").inner_text()
            if wanted in said:
                return
            await self.page.wait_for_timeout(100)
            await self.page.goto(self.page.url)
        raise AssertionError(said)

    async def judge(self) -> None:
        """Everybody can use this page as it stands, with all that is folded, and reads it in their language."""
        await everybody.judge(self.page, self.language)

    async def fits(self) -> None:
        await everybody.fits(self.page)


@dataclass(frozen=True)
class Line:
    """What a page's bytes go through, as its browser's tools can make it."""

    devtools: CDPSession
    held: list[str] = field(default_factory=list)

    @classmethod
    async def of(cls, page: Page) -> "Line":
        return cls(await page.context.new_cdp_session(page))

    async def hold(self, *numbers: int) -> None:
        """These parts of a recording leave the browser no further than that, until `let_go`. (`page.route` would answer
        preflights by itself, whatever a bucket says, and carry each part through the test.)"""
        self.devtools.on("Fetch.requestPaused", lambda paused: self.held.append(paused["requestId"]))
        patterns = [{"urlPattern": f"*/api/v1/uploads/*/parts/{number}?*"} for number in numbers]
        await self.devtools.send("Fetch.enable", {"patterns": patterns})

    async def let_go(self) -> None:
        await self.devtools.send("Fetch.disable")
        for request in self.held:
            with suppress(Error):  # it went on by itself, or its page is gone
                await self.devtools.send("Fetch.continueRequest", {"requestId": request})
        self.held.clear()

    async def slowly(self, bytes_per_second: int) -> None:
        """A line like this from now on; -1: as fast as it goes."""
        line = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
        await self.devtools.send("Network.enable")
        await self.devtools.send("Network.emulateNetworkConditions", line)


@asynccontextmanager
async def producing(
    chromium: Browser, site: Site, language: str = "en", window: str = "desk", *, with_scripts: bool = True
) -> AsyncIterator[Producer]:
    """A window of its own. At the end the browser has complained of nothing, and asked nobody but the site."""
    size = WINDOWS[window]
    context = await chromium.new_context(
        viewport={"width": size.width, "height": size.height},
        has_touch=size.has_touch,
        java_script_enabled=with_scripts,
        locale={"en": "en-GB", "fr": "fr-FR"}[language],
        reduced_motion="reduce",
    )
    page = await context.new_page()
    producer = Producer(page, site, language, everybody.troubles(page, site.settings.origin))
    try:
        yield producer
        assert producer.troubles == [], f"{producer.troubles}"
    finally:
        await context.close()
