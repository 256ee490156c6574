"""A listener's visit, in a browser: find an episode, hear it, read it in French; hear it on another site."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Frame, Page, expect

from podcast_app.models import Episode
from tests.media.samples import audio
from tests.podcasts import Place
from tests.site import SLUG, free_port
from tests.visitor import Visitor, visiting

WINDOWS = {"desktop": (1280, 900), "phone": (320, 640)}
MARKUP = "<svg onload=\"document.title='c071'\"></title><script>document.title='c071'</script>"

# Plays until something was heard, and gives the length in seconds. Our pages allow nobody to compile a script, so that
# Playwright's own waiting for a condition is refused there.
LISTEN = """audio => new Promise((heard, failed) => {
  audio.ontimeupdate = () => audio.currentTime > 0.2 && heard(audio.duration);
  audio.onerror = () => failed(audio.error.message);
  audio.play().catch(failed);
})"""


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
    complaints, asked = _overheard(page)

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


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("window", list(WINDOWS))
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
        assert await page.locator("main svg[onload], main script").count() == 0


@pytest.mark.parametrize("sandbox", ["", pytest.param('sandbox="allow-scripts"', marks=pytest.mark.long)])
async def test_the_player_is_heard_on_another_site(
    visitor: Visitor, matonge: Episode, page: Page, tmp_path: Path, sandbox: str
) -> None:
    frame = visitor.get(f"/oembed?url={visitor.origin}/{SLUG}/matonge").json()["html"]
    _post(tmp_path, frame.replace("<iframe", f"<iframe {sandbox}"))
    complaints, asked = _overheard(page)

    with _another_site(tmp_path) as origin:
        await page.goto(f"{origin}/post.html")
        player = await _framed(page)
        await expect(player.get_by_role("heading", name="Matonge, and what stays")).to_be_visible()
        assert await player.locator("img").evaluate("picture => picture.naturalWidth") > 0
        assert [url for url in asked if "/media/" in url] == []
        # the whole player is seen, whatever the browser's own controls look like
        assert await player.evaluate("document.documentElement.scrollHeight <= innerHeight")

        assert 19 < await player.locator("audio").evaluate(LISTEN) < 21
        assert complaints == []
        assert await page.context.cookies() == []


async def test_the_title_of_the_player_leads_to_the_episode(
    visitor: Visitor, matonge: Episode, page: Page, tmp_path: Path
) -> None:
    frame = visitor.get(f"/oembed?url={visitor.origin}/{SLUG}/matonge&maxheight=80").json()["html"]
    _post(tmp_path, frame)

    with _another_site(tmp_path) as origin:
        await page.goto(f"{origin}/post.html")
        player = await _framed(page)
        async with page.context.expect_page() as opened:
            await player.get_by_role("link", name="Matonge, and what stays").click()

    await expect((await opened.value).get_by_role("heading", level=1)).to_have_text("Matonge, and what stays")


def _overheard(page: Page) -> tuple[list[str], list[str]]:
    """What the browser complains of, and the addresses that it asks for, from now on."""
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    return complaints, asked


def _post(folder: Path, frame: str) -> None:
    """Somebody's page with the player in it, and an icon, which browsers would look for."""
    (folder / "post.html").write_text(f'<!doctype html><link rel="icon" href="data:,">{frame}', encoding="utf-8")


async def _framed(page: Page) -> Frame:
    frame = await (await page.wait_for_selector("iframe")).content_frame()
    await frame.wait_for_load_state("networkidle")
    return frame


class _Quiet(SimpleHTTPRequestHandler):
    log_message: Callable[..., None] = staticmethod(lambda *_said: None)


@contextmanager
def _another_site(folder: Path) -> Iterator[str]:
    """The origin of a server that has nothing to do with ours."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
