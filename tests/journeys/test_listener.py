"""A listener's visit, in a browser: find an episode, hear it, read it in French."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from podcast_app.models import Episode
from tests.another_site import LISTEN, overheard
from tests.media.samples import audio
from tests.podcasts import Place
from tests.site import SLUG, free_port
from tests.visitor import Visitor, visiting

WINDOWS = {"desktop": (1280, 900), "phone": (320, 640)}
MARKUP = "<svg onload=\"document.title='c071'\"></title><script>document.title='c071'</script>"


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    folder = tmp_path_factory.mktemp("site")
    with visiting(Place(f"sqlite:///{folder / 'podcast.db'}", folder, free_port())) as visitor:
        yield visitor


@pytest.fixture(scope="module")
def matonge(visitor: Visitor, tmp_path_factory: pytest.TempPathFactory) -> Episode:
    recording = audio(tmp_path_factory.mktemp("audio") / "tone.mp3", "-b:a", "64k", seconds=20)
    visitor.podcasts.published(recording.read_bytes(), title=MARKUP, notes=MARKUP, publish="2026-01-01T08:00:00Z")
    visitor.podcasts.published(recording.read_bytes(), title="رسائل من بروكسل", publish="2026-01-02T08:00:00Z")
    return visitor.podcasts.published(
        recording.read_bytes(),
        title="Matonge, and what stays",
        slug="matonge",
        notes="What *stays*.\n\n## In this episode\n\n- a hairdresser\n- " + "a" * 200,
        publish="2026-06-30T08:00:00Z",
        persons=[{"name": "Aline", "role": "host"}],
        chapters=[{"start_ms": 0, "title": "Arriving"}, {"start_ms": 12_000, "title": "Staying"}],
        translations={"fr": {"title": "Matonge, et ce qui reste", "notes": "Ce qui *reste*."}},
    )


async def test_a_listener_finds_an_episode_hears_it_and_reads_it_in_french(
    visitor: Visitor, matonge: Episode, page: Page
) -> None:
    complaints, asked = overheard(page)

    await page.goto(visitor.origin)
    assert [url for url in asked if "/media/" in url] == []
    await page.get_by_role("link", name="Matonge, and what stays").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Matonge, and what stays")
    assert [url for url in asked if "/media/" in url] == []

    assert 19 < await page.locator("audio").evaluate(LISTEN) < 21

    await page.get_by_role("navigation", name="This podcast").get_by_role("link", name="français").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Matonge, et ce qui reste")
    await expect(page.locator("html")).to_have_attribute("lang", "fr")

    async with page.expect_download() as saved:
        await page.get_by_role("link", name="Pleine qualité").click()
    assert (await saved.value).suggested_filename.endswith(".mp3")
    assert complaints == []
    assert {url.split("/")[2] for url in asked} == {visitor.origin.removeprefix("http://")}
    assert await page.context.cookies() == []


async def test_without_script_a_chapter_opens_the_audio_at_its_moment(
    visitor: Visitor, matonge: Episode, chromium: Browser
) -> None:
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{visitor.origin}/{SLUG}/matonge")

    await page.get_by_text("Chapters").click()
    await page.get_by_role("link", name="Staying").click()

    await page.wait_for_function("document.querySelector('video, audio')?.currentTime >= 12")
    await context.close()


async def test_a_page_is_walked_through_with_the_keyboard(visitor: Visitor, matonge: Episode, page: Page) -> None:
    await page.goto(f"{visitor.origin}/{SLUG}/matonge")

    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Back 15 seconds")).to_be_focused()


@pytest.mark.parametrize(
    ("window", "scheme"),
    [
        ("phone", "light"),  # the rest of all pages and states: test_listeners_everybody.py
        pytest.param("phone", "dark", marks=pytest.mark.long),
        pytest.param("desktop", "light", marks=pytest.mark.long),
        pytest.param("desktop", "dark", marks=pytest.mark.long),
    ],
)
async def test_pages_fit_the_screen_and_leave_nobody_out(
    visitor: Visitor, matonge: Episode, chromium: Browser, window: str, scheme: str
) -> None:
    width, height = WINDOWS[window]
    context = await chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = await context.new_page()
    for path in ("/", f"/{SLUG}/matonge", f"/fr/{SLUG}/matonge", f"/{SLUG}/matonge/embed", "/fr/nothing/"):
        await page.goto(visitor.origin + path)

        judged = await Axe().run(page)

        assert judged.violations_count == 0, f"{path}: {judged.generate_report()}"
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
    await context.close()


async def test_markup_in_a_title_never_runs(visitor: Visitor, matonge: Episode, page: Page) -> None:
    slug = visitor.page(f"/{SLUG}/").xpath("//article//h3/a/@href")[-1]

    for path in (f"/{SLUG}/", slug, f"{slug}/embed"):
        await page.goto(visitor.origin + path)
        await page.wait_for_load_state("networkidle")
        assert await page.title() != "c071"
        assert await page.locator("[onload]").count() == await page.locator("script", has_text="c071").count() == 0
