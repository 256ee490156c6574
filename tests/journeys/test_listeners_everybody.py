"""Every page that listeners meet, in each of its states, is one that everybody can use."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.routing import Match, Route

from podcast_app import guests, shows, worker
from podcast_app.app import ROUTES
from podcast_app.fields import ShowFields
from podcast_app.models import Episode
from podcast_app.times import utcnow
from tests import everybody
from tests.everybody import WINDOWS
from tests.media.samples import audio, picture
from tests.podcasts import Place
from tests.site import SLUG, free_port, hurried
from tests.visitor import Visitor, add_many, add_show, visiting

LONG = "Anticonstitutionnellement" * 6
NARROW = (320, 240)  # pixels: WCAG 2.2, 1.4.10; the telephones of KaiOS

# What answers GET and is no page: what apps, search engines, browsers and other sites ask for.
NO_PAGES = {
    "/{show}/feed.xml",
    "/{show}/feed-low.xml",
    "/{language}/{show}/feed.xml",
    "/{language}/{show}/feed-low.xml",
    "/healthz",
    "/readyz",
    "/metrics",
    "/robots.txt",
    "/sw.js",
    "/favicon.ico",
    "/sitemap.xml",
    "/sitemap-{number:number}.xml",
    "/opml.xml",
    "/static/{version}/site-{colour}.css",
    "/static/{version}/{name:path}",
    "/oembed",
    "/{show}/cover.{extension}",
    "/{show}/cover-{version}.{extension}",
    "/{show}/{episode}/chapters.json",
    "/{show}/{episode}/waveform.json",
    "/{show}/{episode}/cover.{extension}",
    "/{show}/{episode}/cover-{version}.{extension}",
    "/{show}/manifest.webmanifest",
    "/{show}/feed-qr.svg",
    "/{show}/share-{version}.jpg",
    "/{show}/{episode}/share-{version}.jpg",
    "/{show}/embed/episodes/{number:number}",  # /{show}/embed/episodes, further on
}

Steps = Callable[[Page], Awaitable[None]]


async def as_it_is(_page: Page) -> None:
    """Nothing is done: the page as it opens."""


async def with_its_transcript(page: Page) -> None:
    await page.locator("[data-transcript] summary").click()
    await expect(page.locator("[data-lines] a").first).to_be_visible()


async def with_its_list(page: Page) -> None:
    await page.locator("[data-list] summary").click()
    await expect(page.locator("[data-list] [data-episode]").first).to_be_visible()


async def with_something_kept(page: Page) -> None:
    listing = page.url
    await page.goto(listing.replace("/episodes/kept", "/everything"))
    await page.locator("[data-keep]:not([hidden])").click()
    await expect(page.locator("[data-share-said]")).not_to_be_empty(timeout=20_000)
    await page.goto(listing)
    await expect(page.locator("[data-kept-remove]")).to_be_visible()


@dataclass(frozen=True)
class Look:
    """A page, and what is done there before somebody looks."""

    path: str  # with the names of the library, after what says the language: "/{show}/everything"
    steps: Steps = as_it_is
    languages: tuple[str, ...] = ("en", "fr")

    def __str__(self) -> str:
        return f"{self.path} {self.steps.__name__.replace('as_it_is', '')}".strip()

    def address(self, language: str, names: dict[str, str]) -> str:
        prefix = "/fr" if language == "fr" and not self.path.startswith("/preview/") else ""
        return prefix + self.path.format_map(names | {"show": SLUG, "language": language})


EPISODE = "/{show}/everything"
TABLE = [
    Look("/"),
    # --- a show ---
    Look("/{show}/"),
    Look("/{show}/episodes/2"),
    Look("/{show}/episodes/season-1"),
    Look("/{show}/episodes/season-1/2"),
    Look("/empty/"),
    Look("/serial/"),
    Look("/{show}/search"),
    Look("/{show}/search?q=what"),
    Look("/{show}/search?q=introuvable"),
    Look("/{show}/search?q=%21"),
    Look("/{show}/episodes/kept"),
    Look("/{show}/episodes/kept", with_something_kept),
    # --- an episode ---
    Look(EPISODE),
    Look(EPISODE, with_its_transcript),
    Look("/{show}/nothing"),
    Look("/{show}/trailer"),
    Look("/{show}/rasail"),
    Look("/{show}/long"),
    Look(EPISODE + "/transcript.en.html", languages=("en",)),
    Look("/{show}/everything/transcript.fr.html", languages=("en",)),
    Look("/preview/{guest}?language={language}"),
    # --- the player on other sites ---
    Look("/{show}/embed"),
    Look("/{show}/embed", with_its_list),
    Look("/{show}/embed/episodes"),
    Look("/empty/embed"),
    Look(EPISODE + "/embed"),
    Look(EPISODE + "/embed", with_its_transcript),
    Look(EPISODE + "/embed?size=compact"),
    Look(EPISODE + "/embed?theme=dark"),
    Look(EPISODE + "/embed?theme=light&color=ffff00"),
    Look("/{show}/long/embed"),
    Look("/{show}/rasail/embed"),
    Look("/{show}/withdrawn/embed"),
    # --- what is not there ---
    Look("/no/such/page/at/all"),
    Look("/{show}/never-published"),
    Look("/{show}/withdrawn"),
    Look("/resting/"),
]


def test_every_page_of_listeners_is_looked_at() -> None:
    pages = {_plain(route.path) for route in ROUTES if isinstance(route, Route) and "GET" in (route.methods or ())}
    of_listeners = {path for path in pages if not path.startswith(("/studio", "/api/", "/preview/{token}/"))}
    looked_at = {_route(look.address("en", {"guest": "guest"})) for look in TABLE}

    assert of_listeners - NO_PAGES == looked_at - {""}


def _plain(path: str) -> str:
    """The route without its language and its slash at the end: in_each_language, app.py."""
    return re.sub(r"^/(en|fr)(?=/|$)", "", path).rstrip("/") or "/"


def _route(path: str) -> str:
    """The row of the table of routes that answers for this page; "" for what has none."""
    asked = {"type": "http", "method": "GET", "path": path.partition("?")[0], "root_path": ""}
    found = (route for route in ROUTES if isinstance(route, Route) and route.matches(asked)[0] is Match.FULL)
    return next((_plain(route.path) for route in found), "")


def _rows() -> Iterator[object]:
    for look in TABLE:
        for language in look.languages:
            yield pytest.param(look, language, id=f"{language} {look}")


@dataclass(frozen=True)
class _Library:
    """A site with something of everything, and its names."""

    visitor: Visitor
    names: dict[str, str]

    @asynccontextmanager
    async def reading(self, chromium: Browser, path: str, **said: object) -> AsyncIterator[Page]:
        """A window of its own. At the end the browser has complained of nothing, and asked nobody but the site."""
        context = await chromium.new_context(**said)
        page = await context.new_page()
        troubles = everybody.troubles(page, self.visitor.origin)
        try:
            await page.goto(self.visitor.origin + path)
            yield page
            assert troubles == [], f"{troubles}"
        finally:
            await context.close()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Library]:
    folder = tmp_path_factory.mktemp("everybody")
    with visiting(Place(f"sqlite:///{folder / 'podcast.db'}", folder, free_port())) as visitor:
        yield _Library(visitor, _furnish(visitor, audio(folder / "tone.mp3", "-b:a", "64k", seconds=12).read_bytes()))


@pytest.mark.long
@pytest.mark.parametrize(("look", "language"), list(_rows()))
async def test_everybody_can_use_it(library: _Library, chromium: Browser, look: Look, language: str) -> None:
    async with library.reading(chromium, look.address(language, library.names), reduced_motion="reduce") as page:
        await look.steps(page)

        await _stays_still(page)
        for window in WINDOWS.values():
            await page.set_viewport_size({"width": window.width, "height": window.height})
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme=scheme)
                await everybody.judge(page, _language(look, language))
        for width in NARROW:
            await page.set_viewport_size({"width": width, "height": 640})
            await everybody.fits(page)
        await _can_be_read_twice_as_large(page)
        await _is_seen_in_the_reader_s_own_colours(page)


def _language(look: Look, language: str) -> str:
    """A transcript's page speaks as the episode does."""
    return "fr" if look.path.endswith("transcript.fr.html") else language


async def _stays_still(page: Page) -> None:
    """For who wants no movement, not even while the player waits for sound."""
    await page.evaluate("for (const one of document.querySelectorAll('[data-player]')) one.ariaBusy = true")
    moving = await page.evaluate("document.getAnimations().map(({ animationName }) => animationName)")
    await page.evaluate("for (const one of document.querySelectorAll('[data-player]')) one.ariaBusy = false")
    assert moving == []


async def _can_be_read_twice_as_large(page: Page) -> None:
    """Nothing is cut off, and nobody scrolls sideways (WCAG 2.2, 1.4.4)."""
    await page.set_viewport_size({"width": 640, "height": 800})
    await page.evaluate("document.documentElement.style.fontSize = '200%'")
    await everybody.fits(page)
    cut = await page.evaluate(_CUT)
    await page.evaluate("document.documentElement.style.fontSize = ''")
    assert cut == [], f"{page.url}: {cut}"


async def _is_seen_in_the_reader_s_own_colours(page: Page) -> None:
    await page.emulate_media(forced_colors="active")
    unseen = await page.evaluate(_UNSEEN)
    await page.emulate_media(forced_colors="none")
    assert unseen == [], f"{page.url}: {unseen}"


@pytest.mark.long
async def test_each_part_of_a_page_says_which_language_it_is_in_and_runs_its_way(
    library: _Library, chromium: Browser
) -> None:
    async with library.reading(chromium, f"/fr/{SLUG}/nothing") as page:
        assert await page.locator("html").get_attribute("lang") == "fr"
        await expect(page.get_by_role("heading", level=1)).to_have_attribute("lang", "en")

        await page.goto(f"{library.visitor.origin}/fr/{SLUG}/rasail")
        heading, notes = page.get_by_role("heading", level=1), page.locator(".words")
        for part in (heading, notes):
            await expect(part).to_have_attribute("lang", "ar")
            await expect(part).to_have_css("direction", "rtl")
        await expect(page.get_by_role("heading", name="Télécharger")).to_have_css("direction", "ltr")


@pytest.mark.long
@pytest.mark.parametrize("path", [f"/fr/{SLUG}/everything", f"/fr/{SLUG}/everything/embed", f"/fr/{SLUG}/"])
async def test_all_that_can_be_pressed_is_reached_by_the_keyboard_and_is_seen_to_be(
    library: _Library, chromium: Browser, path: str
) -> None:
    async with library.reading(chromium, path) as page:
        if "everything" in path:
            await with_its_transcript(page)
            await page.locator("h1").click(position={"x": 1, "y": 1}) if "embed" not in path else None
        await page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
        controls = await page.evaluate(_CONTROLS)

        for _ in range(controls + 1):
            await page.keyboard.press("Tab")
            barrier = await page.evaluate(_BARRIER)
            assert barrier is None, f"{page.url}: {barrier}"

        assert await page.evaluate(_NOT_REACHED) == []


@pytest.mark.long
@pytest.mark.parametrize(("prefix", "words"), [("", "{} of 1 minute"), ("/fr", "{} sur 1 minute")])
async def test_one_seeks_by_a_click_or_a_key_without_dragging_and_hears_the_place_in_words(
    library: _Library, chromium: Browser, prefix: str, words: str
) -> None:
    async with library.reading(chromium, f"{prefix}/{SLUG}/number-3") as page:
        bar = page.locator("[data-seek]")
        await bar.click()
        await expect(bar).to_have_attribute("aria-valuetext", _spoken(words, "(29|30) seconde?s"))

        await bar.press("End")
        await bar.press("ArrowLeft")

        await expect(bar).to_have_attribute("aria-valuetext", _spoken(words, "55 seconde?s"))


def _spoken(words: str, now: str) -> re.Pattern[str]:
    """French numbers stay with their units: their spaces are others."""
    return re.compile("^" + words.format(now).replace(" ", r"\s") + "$")


@pytest.mark.long
async def test_on_paper_notes_and_chapters_stand_whole_and_what_only_screens_can_do_is_left_out(
    library: _Library, chromium: Browser
) -> None:
    async with library.reading(chromium, f"/{SLUG}/everything") as page:
        await page.emulate_media(media="print")

        await expect(page.get_by_text("A quarter in Brussels").first).to_be_visible()
        await expect(page.get_by_text("Arriving").last).to_be_visible()
        assert await page.locator("[data-chapters] li").last.evaluate("(one) => one.checkVisibility()")
        for screens_only in (".deck", ".share", ".neighbours", ".foot nav", ".skip"):
            assert not await page.locator(screens_only).first.is_visible(), screens_only


# Text that is cut off. A line that ends in "…" says so itself, and its whole is behind a link.
_CUT = """() => Array.from(document.body.querySelectorAll("*"))
  .filter((one) => one.checkVisibility() && !one.matches("input, textarea, select, svg, svg *, audio, .skip"))
  .filter((one) => {
    const { overflowX, overflowY, textOverflow } = getComputedStyle(one);
    const isCut = (way, all, seen) => way !== "visible" && way !== "auto" && way !== "scroll" && all > seen + 1;
    return textOverflow !== "ellipsis" && one.innerText?.trim() &&
      (isCut(overflowX, one.scrollWidth, one.clientWidth) || isCut(overflowY, one.scrollHeight, one.clientHeight));
  })
  .map((one) => one.outerHTML.slice(0, 200))"""

# Controls that have the colour of what is behind them.
_UNSEEN = """() => {
  const clear = "rgba(0, 0, 0, 0)";
  const behind = (one) => {
    const { backgroundColor } = getComputedStyle(one);
    return backgroundColor === clear && one.parentElement ? behind(one.parentElement) : backgroundColor;
  };
  return Array.from(document.querySelectorAll("a, button, select, summary, input, [data-wave]"))
    .filter((one) => one.checkVisibility() && getComputedStyle(one).color === behind(one))
    .map((one) => one.outerHTML.slice(0, 200));
}"""

_CONTROLS = """() => {
  const all = document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0'], audio");
  const reachable = Array.from(all).filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled);
  for (const one of reachable) one.setAttribute("data-to-reach", "");
  return reachable.length;
}"""

# What is wrong with what has the focus now: without a name, without a sign of it, or behind something else.
_BARRIER = """() => {
  const one = document.activeElement;
  one.removeAttribute("data-to-reach");
  if (one === document.body) return null;
  const name = one.ariaLabel || one.labels?.[0]?.innerText || one.innerText || one.querySelector("img")?.alt;
  const { outlineStyle, outlineWidth } = getComputedStyle(one);
  const isMarked = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  const { x, y, width, height } = one.getClientRects()[0];
  const there = document.elementFromPoint(x + width / 2, y + height / 2);
  const isCovered = !there || !(one.contains(there) || there.contains(one));
  const wrong = { "no name": !name?.trim(), "no sign of focus": !isMarked, "covered": isCovered };
  const found = Object.keys(wrong).filter((what) => wrong[what]);
  return found.length ? `${found}: ${one.outerHTML.slice(0, 200)} behind ${there?.outerHTML.slice(0, 100)}` : null;
}"""

_NOT_REACHED = "() => Array.from(document.querySelectorAll('[data-to-reach]'), (one) => one.outerHTML.slice(0, 200))"


def _furnish(visitor: Visitor, tone: bytes) -> dict[str, str]:
    """A show with an episode of each kind and enough others for pages of them; an empty, a serial and a resting one."""
    visitor.site.database.write(_many, visitor)
    _everything(visitor, tone)
    published = partial(visitor.podcasts.published, publish="2025-01-02T08:00:00Z")
    published(tone, title="Nothing but sound", slug="nothing")
    published(tone, title="Bientôt", slug="trailer", type="trailer", explicit=True)
    published(tone, title=f"{LONG} {LONG}", slug="long", notes=f"{LONG} [{LONG}](https://example.org/{LONG})")
    published(tone, title="رسائل من بروكسل", slug="rasail", notes="عن الرسائل.", language="ar", spoken_language="ar")
    visitor.withdraw(published(tone, title="Withdrawn", slug="withdrawn"))
    _shows(visitor, tone)
    draft = visitor.podcasts.draft(tone, title="Not yet", notes="Soon.", chapters=[{"start_ms": 0, "title": "One"}])
    guest = visitor.site.database.write(guests.make, draft, utcnow())
    return {"guest": guest}


def _many(session: Session, visitor: Visitor) -> None:
    add_many(session, visitor.podcasts.show().id, 45)
    for episode in session.scalars(select(Episode)):
        episode.season = 1


def _everything(visitor: Visitor, tone: bytes) -> None:
    """An episode with all that one can have; the newest."""
    episode = visitor.podcasts.published(
        tone,
        title="Matonge, and what stays",
        slug="everything",
        season=2,
        number=3,
        explicit=True,
        notes="A quarter in Brussels, *slowly*.\n\n## Where\n\n- a hairdresser\n- a market\n\n> What stays?\n\n---\n\n"
        "1. `code`\n\n[The page](https://example.org/matonge)",
        persons=[{"name": "Aline", "role": "host"}, {"name": "Jean", "role": "guest", "url": "https://example.org/j"}],
        chapters=[
            {"start_ms": 0, "title": "Arriving"},
            {"start_ms": 6_000, "title": "Staying", "url": "https://example.org/staying"},
        ],
        translations={"fr": {"title": "Matonge, et ce qui reste", "notes": "Un quartier de Bruxelles, *lentement*."}},
    )
    with hurried():
        worker.catch_up(visitor.podcasts.work, worker.BEHIND)
    path = f"/api/v1/episodes/{episode.id}"
    answers = [
        visitor.site.api.put(f"{path}/transcripts/{language}", content=f"WEBVTT\n\n{lines}".encode())
        for language, lines in (
            ("en", "00:00.000 --> 00:04.000\n<v Aline>What stays?\n\n00:05.000 --> 00:09.000\n<v Jean>The market."),
            ("fr", "00:00.000 --> 00:04.000\n<v Aline>Qu’est-ce qui reste ?"),
        )
    ]
    answers.append(visitor.site.api.put(f"{path}/cover", content=picture("navy", 1400, "PNG")))
    assert [answer.text for answer in answers if answer.is_error] == []


def _shows(visitor: Visitor, tone: bytes) -> None:
    for slug, title in (("empty", "Empty"), ("serial", "A story in order"), ("resting", "Resting")):
        add_show(visitor, slug, title)
    changes = {
        SLUG: ShowFields(author="OIM Bruxelles"),  # or it were English on French pages
        "serial": ShowFields(type="serial"),
        "resting": ShowFields(archived=True),
    }
    for slug, said in changes.items():
        visitor.site.database.write(shows.edit_by_slug, slug, said, visitor.site.settings, utcnow())
    for number in (1, 2):
        sent = {"title": f"Part {number}", "number": str(number), "publish": "now"}
        visitor.site.api.post("/api/v1/shows/serial/episodes", data=sent, files={"audio": ("part.mp3", tone)})
    worker.catch_up(visitor.podcasts.work)
