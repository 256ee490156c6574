"""A producer's first day: from the one-time link, over a line that breaks, to an episode in the feed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from mutagen.id3 import TIT2
from playwright.async_api import Browser, Dialog, Locator, Page, Request, expect

from podcast_app.models import Upload
from podcast_app.settings import Settings
from tests.media.samples import audio, repeated, tagged
from tests.producer import WAITING, Line, Producer, everywhere, producing
from tests.site import SLUG, Site, free_port, running

PARTS = 3  # of five MiB, the last one small


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Nobody has an account here yet."""
    with running(Settings(port=free_port(), data_dir=tmp_path / "data", _env_file=None)) as site:
        yield site


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audio")
    tone = audio(folder / "tone.mp3", "-b:a", "320k", seconds=20)
    return tagged(repeated(folder / "matonge.mp3", tone, 14), TIT2(text="Matonge, un quartier"))


@pytest.mark.parametrize(
    ("language", "window"),
    [
        ("en", "desk"),
        *(pytest.param(*where, marks=pytest.mark.long) for where in (("en", "phone"), ("fr", "desk"), ("fr", "phone"))),
    ],
)
async def test_from_the_first_link_over_a_reload_to_an_episode_in_the_feed(
    site: Site, recording: Path, chromium: Browser, language: str, window: str
) -> None:
    async with producing(chromium, site, language, window) as producer:
        page, line = producer.page, await Line.of(producer.page)
        await producer.make_the_first_account()
        await producer.follow("New episode")

        await line.hold(2, 3)
        await page.locator("[data-file]").set_input_files(recording)
        await _until_safe(producer, 1)
        await producer.fill("Notes", "Écrit pendant l’envoi.")
        await expect(page.locator("[data-saved]")).to_contain_text(producer.say("Saved at {time}", time=""))
        page.on("dialog", Dialog.accept)
        await page.reload()

        await producer.reads(
            "{name} was on its way. Choose the same file again, and it goes on where it was.", name=recording.name
        )
        await expect(producer.field(language, "Notes")).to_have_value("Écrit pendant l’envoi.")
        sent = _parts_that_are_sent(page)
        await page.locator("[data-file]").set_input_files(recording)
        await _until_safe(producer, 1)
        await producer.fill("Season", "4")
        for button, promise in _PROMISES.items():
            await producer.press(button)
            await expect(page.locator("[data-pending]")).to_have_text(producer.say(promise))
        await line.let_go()
        await page.wait_for_url("**/studio/episodes/*", timeout=2 * WAITING)
        assert sorted(sent) == ["2", "3"]
        assert _original(site) == recording.read_bytes()

        await expect(page.locator("#title")).to_have_value("Matonge, un quartier")
        await expect(page.locator("#title-mark")).to_have_text(producer.say("from the file"))
        await producer.fill("Title", "Matonge, mon quartier")
        await producer.send("Save and publish now")
        await producer.looks_until("Published on {moment}.")
        await _is_out(producer, "Matonge, mon quartier", "Écrit pendant l’envoi.")


# The last button that was pressed is the one that counts.
_PROMISES = {
    "Save and publish now": "It is published as soon as the recording is here. You can write on until then.",
    "Save as a draft": "It is saved as a draft as soon as the recording is here. You can write on until then.",
}


@pytest.mark.long
@everywhere
async def test_the_same_without_a_script(
    site: Site, recording: Path, chromium: Browser, language: str, window: str
) -> None:
    async with producing(chromium, site, language, window, with_scripts=False) as producer:
        page = producer.page
        await producer.make_the_first_account()
        await producer.follow("New episode")
        await page.locator("#audio").set_input_files(recording)
        await producer.fill("Season", "quatre")
        await producer.press("Save as a draft")
        await expect(page.locator("#season")).to_have_attribute("aria-invalid", "true")
        await producer.reads(
            "Your recording is safe: {name}, {size}.",
            name=recording.name,
            size="11,2 Mo" if language == "fr" else "11.2 MB",
        )
        await producer.fill("Season", "4")
        await producer.press("Save as a draft")

        await expect(page.locator("#title")).to_have_value("Matonge, un quartier")
        await producer.fill("Notes", "Une promenade avec **Aline**.")
        await producer.send("Save and publish now")
        await producer.looks_until("Published on {moment}.")
        await _is_out(producer, "Matonge, un quartier", "avec <strong>Aline</strong>")


@pytest.mark.long
@everywhere
async def test_the_same_with_the_keyboard_alone(
    site: Site, recording: Path, chromium: Browser, language: str, window: str
) -> None:
    async with producing(chromium, site, language, window) as producer:
        keys = _Keyboard(producer)
        page = producer.page
        await producer.make_the_first_account()

        await keys.press(page.get_by_role("link", name=producer.say("New episode")).first)
        await page.wait_for_url("**/new")
        await keys.reach(page.locator("[data-file]"))
        async with page.expect_file_chooser() as asked:
            await page.keyboard.press("Space")
        await (await asked.value).set_files(recording)
        await page.wait_for_selector("input[name=upload_id]", state="attached", timeout=WAITING)
        await keys.write(page.locator("#title"), "Écrit à la main")
        await keys.press(producer.button("Save as a draft"))
        await page.wait_for_url("**/studio/episodes/*")

        await keys.write(page.locator("#notes"), "Sans souris.")
        async with page.expect_navigation(timeout=WAITING):
            await keys.press(producer.button("Save and publish now"))
        await producer.looks_until("Published on {moment}.")
        await _is_out(producer, "Écrit à la main", "Sans souris.")


@pytest.mark.long
@everywhere
@pytest.mark.parametrize("path", ["", "new", "settings", "people", "directories", "episode"])
async def test_one_walks_through_a_page_with_the_tab_key_and_out_of_it(
    site: Site, recording: Path, chromium: Browser, language: str, window: str, path: str
) -> None:
    short = audio(recording.parent / "short.mp3", "-b:a", "64k")
    episode = site.episode(short, title="Une promenade").json()["id"]
    async with producing(chromium, site, language, window) as producer:
        await producer.sign_in()
        await producer.open(f"/studio/episodes/{episode}" if path == "episode" else f"/studio/shows/{SLUG}/{path}")

        stops = await _Keyboard(producer).walk()

        reachable = await producer.page.evaluate(_FOCUSABLE)
        assert [stop for stop in reachable if stop not in stops] == []
        assert stops == [stop for stop in reachable if stop in stops], "another order than that of the page"


class _Keyboard:
    """Somebody who has nothing else. Whatever they come to is seen, and seen to be where they are."""

    def __init__(self, producer: Producer) -> None:
        self._page = producer.page

    async def reach(self, target: Locator) -> None:
        wanted = await target.element_handle()
        for _ in range(150):
            if await self._page.evaluate("(wanted) => document.activeElement === wanted", wanted):
                return
            await self._step()
        raise AssertionError(f"the keyboard does not come to {target}")

    async def press(self, target: Locator) -> None:
        await self.reach(target)
        await self._page.keyboard.press("Enter")

    async def write(self, target: Locator, text: str) -> None:
        await self.reach(target)
        await self._page.keyboard.press("Control+a")
        await self._page.keyboard.type(text)

    async def walk(self) -> list[str]:
        """Through the whole page, until it is left: what was come to, in this order."""
        stops: list[str] = []
        for _ in range(400):
            await self._step()
            stop: str | None = await self._page.evaluate(_STOP)
            if stop is None or (stops and stop == stops[0] != stops[-1]):
                return stops
            if not stops or stop != stops[-1]:  # players and dates have several stops of their own
                stops.append(stop)
        raise AssertionError(f"nobody comes out of {stops[-1]}")

    async def _step(self) -> None:
        await self._page.keyboard.press("Tab")
        assert await self._page.evaluate(_HIDDEN_FOCUS) is None


_NAME = """(one) => {
  const name = one.id || one.name || one.getAttribute("href") || one.textContent.trim().slice(0, 40);
  return `${one.tagName}#${name}`;
}"""

_STOP = f"""() => {{
  const one = document.activeElement;
  return !one || one === document.body ? null : ({_NAME})(one);
}}"""

# The element with the focus, if one could not tell that it has it: nothing drawn around it, or out of sight.
_HIDDEN_FOCUS = """() => {
  const one = document.activeElement;
  if (!one || one === document.body || one.matches("iframe, audio")) return null;
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  const isMarked = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  const isSeen = box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return isMarked && isSeen ? null : one.outerHTML.slice(0, 300);
}"""

_FOCUSABLE = f"""() => Array
  .from(document.querySelectorAll("a[href], button, input, select, textarea, summary, audio, iframe"))
  .filter((one) => one.checkVisibility({{ visibilityProperty: true }}) && !one.matches(":disabled, [tabindex='-1']"))
  .map({_NAME}).filter((stop, index, all) => stop !== all[index - 1])"""


async def _until_safe(producer: Producer, parts: int) -> None:
    count = producer.say("{safe} of {total} parts are safe", safe=parts, total=PARTS)
    await expect(producer.page.locator("[data-count]")).to_have_text(count, timeout=WAITING)


def _parts_that_are_sent(page: Page) -> list[str]:
    """Their numbers, from now on."""
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method == "PUT":
            sent.append(request.url.partition("?")[0].rpartition("/")[2])

    page.on("request", note)
    return sent


def _original(site: Site) -> bytes:
    """The newest recording, as it is kept."""
    newest = site.api.get("/api/v1/uploads?limit=1").json()["items"][0]["id"]
    upload = site.database.read(lambda session: session.get(Upload, newest))
    assert upload.state == "complete"
    return site.storage.read(upload.key, 0, upload.size_bytes + 1)


async def _is_out(producer: Producer, title: str, notes: str) -> None:
    """In the feed, on the page, and heard there by a stranger."""
    site, page = producer.site, producer.page
    feed = site.listener.get(f"/{SLUG}/feed.xml").text
    assert f"<title>{title}</title>" in feed
    assert notes in feed
    address = await page.locator(".state a").first.get_attribute("href")
    assert address is not None
    if producer.page.context.browser is not None:
        stranger = await producer.page.context.browser.new_page()
        await stranger.goto(address)
        await expect(stranger.get_by_role("heading", level=1)).to_have_text(title)
        assert await stranger.locator("audio").evaluate(_LISTEN)
        await stranger.close()


# Plays until something was heard. Our pages let nobody compile a script, so Playwright's own waiting is refused there.
_LISTEN = """audio => new Promise((heard, failed) => {
  audio.ontimeupdate = () => audio.currentTime > 0.2 && heard(true);
  audio.onerror = () => failed(audio.error.message);
  audio.play().catch(failed);
})"""
