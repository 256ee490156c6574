"""The player on another site, in a browser: heard, resized, steered and read there, whatever that site forbids."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from lxml import html
from playwright.async_api import Browser, Page, expect

from podcast_app import worker
from podcast_app.models import Episode
from podcast_app.site.oembed import COMPACT, TALL
from tests.another_site import LISTEN, another_site, framed, overheard
from tests.everybody import AXE_OPTIONS
from tests.media.samples import audio
from tests.podcasts import Place
from tests.site import SLUG, free_port, hurried
from tests.visitor import Visitor, visiting

VTT = "WEBVTT\n\n00:00.000 --> 00:02.000\n<v Aline>Good morning.\n\n00:12.000 --> 00:15.000\n<v Marc>Here we stay.\n"

# What WordPress's own script (wp-embed.js) does with what a frame tells it, and what its filter makes of the frame.
WORDPRESS = """
<iframe src="{src}#?secret=a1B2c3" data-secret="a1B2c3" sandbox="allow-scripts" width="{width}" height="100"></iframe>
<script>
addEventListener("message", ({{ data, source }}) => {{
  const frame = document.querySelector(`iframe[data-secret="${{data.secret}}"]`);
  if (!frame || source !== frame.contentWindow) return;
  if (data.message === "height") frame.height = Math.min(Math.max(data.value, 200), 1000);
  if (data.message !== "link" || new URL(data.value).host !== new URL(frame.src).host) return;
  if (document.activeElement === frame) location.href = data.value;
}});
</script>
"""

# player.js, as the page around speaks it: JSON in strings. What it hears is kept in `heard`.
STEERING = """
<iframe src="{src}" allow="autoplay" width="640" height="270"></iframe>
<script>
const heard = [];
addEventListener("message", ({{ data }}) => heard.push(JSON.parse(data)));
const ask = (method, value, listener) => document.querySelector("iframe").contentWindow.postMessage(
  JSON.stringify({{ context: "player.js", version: "0.0.11", method, value, listener }}), "*");
const answer = async (event, listener) => {{
  for (;;) {{
    const found = heard.find((one) => one.event === event && one.listener === listener);
    if (found) return found.value;
    await new Promise((again) => setTimeout(again, 10));
  }}
}};
</script>
"""


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    folder = tmp_path_factory.mktemp("site")
    with visiting(Place(f"sqlite:///{folder / 'podcast.db'}", folder, free_port())) as visitor:
        yield visitor


@pytest.fixture(scope="module")
def matonge(visitor: Visitor, tmp_path_factory: pytest.TempPathFactory) -> Episode:
    """The newest of two, with chapters and a transcript."""
    recording = audio(tmp_path_factory.mktemp("audio") / "tone.mp3", "-b:a", "64k", seconds=20).read_bytes()
    episode = visitor.podcasts.published(
        recording,
        title="Matonge, and what stays, in a title that is longer than a small frame is wide",
        slug="matonge",
        publish="2026-06-30T08:00:00Z",
        chapters=[{"start_ms": 0, "title": "Arriving"}, {"start_ms": 12_000, "title": "Staying"}],
    )
    visitor.podcasts.published(recording, title="Before that", slug="before", publish="2026-01-01T08:00:00Z")
    path = f"/api/v1/episodes/{episode.id}/transcripts/en"
    assert visitor.site.api.put(path, content=VTT, headers={"Content-Type": "text/vtt"}).status_code == 200
    return episode


@pytest.fixture(scope="module")
def whole(visitor: Visitor, matonge: Episode) -> Episode:
    """With all that a player can show."""
    with hurried():
        worker.catch_up(visitor.podcasts.work, worker.BEHIND)
    return matonge


async def test_in_wordpress_the_player_is_heard_read_and_as_high_as_it_asks_and_leads_to_the_episode(
    visitor: Visitor, matonge: Episode, page: Page, tmp_path: Path
) -> None:
    complaints, asked = overheard(page)
    src = _frame(visitor, "matonge").get("src")
    with another_site(tmp_path, WORDPRESS.format(src=src, width=320)) as post:
        await page.goto(post)
        player = await framed(page)
        assert await player.evaluate("origin") == "null"
        assert [url for url in asked if url.startswith(visitor.origin) and "/cover-" not in url] == [
            f"{visitor.origin}/{SLUG}/matonge/embed"
        ]
        closed = int(await page.locator("iframe").get_attribute("height"))
        assert 200 <= closed <= TALL
        assert 19 < await player.locator("audio").evaluate(LISTEN) < 21

        await player.get_by_text("Transcript", exact=True).click()
        await player.get_by_role("link", name="Here we stay.").click()
        await expect(player.locator("[data-now]")).to_have_text("0:12")
        await page.wait_for_function(f"document.querySelector('iframe').height > {closed}")
        assert complaints == []

        await player.get_by_role("link", name="Matonge").click()
        await page.wait_for_url(f"{visitor.origin}/{SLUG}/matonge")


@pytest.mark.parametrize("sandbox", ["sandbox='allow-scripts'", pytest.param("", marks=pytest.mark.long)])
async def test_of_all_episodes_one_is_chosen_and_heard_in_the_same_frame(
    visitor: Visitor, matonge: Episode, page: Page, tmp_path: Path, sandbox: str
) -> None:
    complaints, _ = overheard(page)
    frame = f'<iframe {sandbox} src="{visitor.origin}/{SLUG}/embed?theme=dark" width="640" height="270"></iframe>'
    with another_site(tmp_path, frame) as post:
        await page.goto(post)
        player = await framed(page)

        await player.get_by_text("Episodes", exact=True).click()
        await player.get_by_role("link", name="Before that").click()

        await expect(player.get_by_role("heading", name="Before that")).to_be_visible()
        await expect(player.get_by_role("button", name="Pause")).to_be_focused()
        await expect(player.locator("[data-now]")).to_have_text("0:01")
        assert await player.locator("html").get_attribute("data-theme") == "dark"
        await expect(player.get_by_text("Episodes", exact=True)).to_be_visible()
        assert complaints == []


@pytest.mark.long
async def test_a_page_that_forbids_all_but_the_frame_and_all_scripts_has_players_that_work(
    visitor: Visitor, matonge: Episode, chromium: Browser, tmp_path: Path
) -> None:
    page = await (await chromium.new_context(java_script_enabled=False)).new_page()
    complaints, _ = overheard(page)
    policy = f"default-src 'none'; frame-src {visitor.origin}; img-src data:"
    frame = f'<iframe src="{visitor.origin}/fr/{SLUG}/embed" width="320" height="270"></iframe>'
    with another_site(tmp_path, f'<meta http-equiv="Content-Security-Policy" content="{policy}">{frame}') as post:
        await page.goto(post)
        player = page.frame_locator("iframe")
        await expect(player.locator("audio[controls]")).to_be_visible()

        await player.get_by_text("Épisodes", exact=True).click()
        await player.get_by_role("link", name="Tous les épisodes").click()
        await player.get_by_role("link", name="Before that").click()

        await expect(player.get_by_role("heading", name="Before that")).to_be_visible()
        await expect(player.locator("audio")).to_have_attribute("controls", "")
        assert complaints == []
    await page.context.close()


@pytest.mark.long
async def test_the_title_of_a_player_opens_the_episode_in_a_window_of_its_own(
    visitor: Visitor, matonge: Episode, page: Page, tmp_path: Path
) -> None:
    frame = visitor.get(f"/oembed?url={visitor.origin}/{SLUG}/matonge&maxheight=80").json()["html"]
    with another_site(tmp_path, frame) as post:
        await page.goto(post)
        player = await framed(page)
        async with page.context.expect_page() as opened:
            await player.get_by_role("link", name="Matonge, and what stays").click()

    await (await opened.value).wait_for_url(f"{visitor.origin}/{SLUG}/matonge")


async def test_the_page_around_steers_the_player_and_hears_from_it(
    visitor: Visitor, matonge: Episode, page: Page, tmp_path: Path
) -> None:
    src = _frame(visitor, "matonge?t=5").get("src")
    with another_site(tmp_path, STEERING.format(src=src)) as post:
        await page.goto(post)
        ready = await page.evaluate("answer('ready')")
        assert ready["src"] == src
        assert {"play", "pause", "setCurrentTime", "getDuration"} <= set(ready["methods"])
        assert {"ready", "play", "ended", "timeupdate", "progress", "error"} <= set(ready["events"])

        for hostile in ("null", "'{'", "{}", "[]", "JSON.stringify({context: 'player.js', method: 'constructor'})"):
            await page.evaluate(f"document.querySelector('iframe').contentWindow.postMessage({hostile}, '*')")
        assert await _asked(page, "getPaused") is True
        assert round(await _asked(page, "getDuration")) == 20  # known before anything is loaded
        assert await _asked(page, "getCurrentTime") == 5
        for setting, value in (("setVolume", 50), ("setLoop", True), ("setCurrentTime", 12), ("setVolume", 900)):
            await page.evaluate("([method, value]) => ask(method, value)", [setting, value])
        await page.evaluate("ask('mute')")
        assert await _asked(page, "getVolume") == 50
        assert await _asked(page, "getLoop") is True
        assert await _asked(page, "getMuted") is True
        assert await page.evaluate("heard.filter((one) => one.listener === undefined).length") == 1  # it was not asked

        await page.evaluate(
            "['play', 'timeupdate', 'pause', 'ready'].forEach((e) => ask('addEventListener', e, 'my ' + e))"
        )
        await page.evaluate("ask('play')")
        await page.evaluate("answer('play', 'my play')")
        now = await page.evaluate("answer('timeupdate', 'my timeupdate')")
        assert now["seconds"] >= 12
        assert 19 < now["duration"] < 21
        await page.evaluate("ask('removeEventListener', 'timeupdate', 'my timeupdate'), ask('pause')")
        await page.evaluate("answer('pause', 'my pause')")
        assert (await page.evaluate("answer('ready', 'my ready')"))["src"] == src


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_players_fit_their_frames_at_every_width_and_leave_nobody_out(
    visitor: Visitor, whole: Episode, chromium: Browser, scheme: str
) -> None:
    page = await (await chromium.new_context(color_scheme=scheme)).new_page()
    for path in (f"/{SLUG}/matonge/embed", f"/fr/{SLUG}/embed", f"/{SLUG}/embed?color=ffee00&theme=light"):
        for size, height in (("tall", TALL), ("compact", COMPACT)):
            for width in (240, 320, 360, 500, 640, 900, 1200):
                await page.set_viewport_size({"width": width, "height": height})
                await page.goto(f"{visitor.origin}{path}{'&' if '?' in path else '?'}size={size}")

                needed = await page.evaluate("[document.body.scrollWidth, document.body.scrollHeight]")

                assert needed[0] <= width, (path, size, width)
                assert needed[1] <= height, (path, size, width)
            judged = await Axe().run(page, options=AXE_OPTIONS)
            assert judged.violations_count == 0, f"{path} {size}: {judged.generate_report()}"
    await page.context.close()


def _frame(visitor: Visitor, pasted: str) -> html.HtmlElement:
    """What other sites are told to put there."""
    said = visitor.get(f"/oembed?url={visitor.origin}/{SLUG}/{pasted}")
    return html.fragment_fromstring(said.json()["html"])


async def _asked(page: Page, method: str) -> float | bool:
    said: float | bool = await page.evaluate(
        "(method) => (ask(method, undefined, method), answer(method, method))", method
    )
    return said
