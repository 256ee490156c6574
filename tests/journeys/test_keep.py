"""An episode is kept on a listener's device, in a browser: heard without a network, and removed again; or sent on."""

import asyncio
import re
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from podcast_app import behind, bucket_check, worker
from podcast_app.models import Episode
from podcast_app.settings import Settings
from tests.media.samples import audio
from tests.podcasts import Place
from tests.s3_servers import S3Server
from tests.site import SLUG, free_port, hurried, running
from tests.visitor import Visitor, visiting

PATIENCE_SECONDS = 15

LISTING, MATONGE, KEPT = f"/{SLUG}/", f"/{SLUG}/matonge", f"/{SLUG}/episodes/kept"

# Plays from this second on until something was heard of what follows.
LISTEN_FROM = """(audio, second) => new Promise((heard, failed) => {
  audio.ontimeupdate = () => Math.abs(audio.currentTime - second - 0.5) < 0.4 && heard(audio.duration);
  audio.onerror = () => failed(new Error(audio.error.message));
  audio.onloadedmetadata = () => { audio.currentTime = second; };
  audio.play().catch(failed);
})"""

# What a page of ours has left in this browser.
LEFT = """async () => ({
  workers: (await navigator.serviceWorker.getRegistrations()).length,
  caches: await caches.keys(),
  noted: Object.keys(localStorage).filter((name) => !name.startsWith("/media/")), // the player's own, after it played
  cookies: document.cookie,
})"""
NOTHING = {"workers": 0, "caches": [], "noted": [], "cookies": ""}

AS_KEPT = "async (path) => (await caches.match(path)).text()"

# The audio that is kept of all episodes.
RECORDINGS = """async () => {
  const kept = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
  const requests = await Promise.all(kept.map((cache) => cache.keys()));
  return requests.flat().map(({ url }) => new URL(url).pathname).filter((path) => path.startsWith("/media/"));
}"""

# The day on which the site was asked about a kept episode is over.
LONG_AGO = """async (key) => {
  const cache = await caches.open(`kept ${key}`);
  const record = await (await cache.match("/sw/record")).json();
  await cache.put("/sw/record", new Response(JSON.stringify({ ...record, looked: 0 })));
}"""

# The telephone's own way to send files, as far as the page can tell: `sent` holds them. Browsers refuse where the press
# was too long ago; here, as often as `tooLate` says.
SHARING = """
  window.sent = [];
  window.tooLate = 1;
  navigator.canShare = ({ files }) => files.every(({ type }) => type === "audio/mpeg");
  navigator.share = async ({ files }) => {
    if (tooLate-- > 0) throw new DOMException("too late", "NotAllowedError");
    for (const file of files) sent.push([file.name, file.type, file.size]);
  };
"""


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    folder = tmp_path_factory.mktemp("site")
    with visiting(Place(f"sqlite:///{folder / 'podcast.db'}", folder, free_port())) as visitor:
        yield visitor


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return audio(tmp_path_factory.mktemp("audio") / "tone.mp3", "-b:a", "128k", seconds=30).read_bytes()


@pytest.fixture(scope="module")
def matonge(visitor: Visitor, recording: bytes) -> Episode:
    """With the edition for slow lines that everything plays."""
    episode = visitor.podcasts.published(
        recording, title="Matonge: what stays", slug="matonge", translations={"fr": {"title": "Matonge, ce qui reste"}}
    )
    with hurried():
        worker.catch_up(visitor.podcasts.work, (*worker.PUBLISHING, behind.make_low_mp3))
    return visitor.podcasts.episode(episode.id)


@dataclass
class _Line:
    """What lies between a browser and the site. Pages link among themselves, so they stay on it."""

    origin: str = ""
    bytes_per_second: float = inf

    async def carry(self, site: int, reader: StreamReader, writer: StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", site)
        with suppress(ConnectionError):  # whoever closes a page hangs up
            await asyncio.gather(self._through(reader, back), self._through(there, writer))

    async def _through(self, reader: StreamReader, writer: StreamWriter) -> None:
        while block := await reader.read(2000):
            await asyncio.sleep(len(block) / self.bytes_per_second)
            writer.write(block)
            await writer.drain()
        writer.close()


@pytest.fixture
async def line(visitor: Visitor) -> AsyncIterator[_Line]:
    """To the visitor's site."""
    line = _Line()
    async with await asyncio.start_server(partial(line.carry, visitor.site.settings.port), "127.0.0.1", 0) as server:
        line.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield line


@pytest.fixture
async def phone(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """Somebody's own browser, in which nothing of ours is."""
    context = await chromium.new_context(viewport={"width": 360, "height": 740}, has_touch=True)
    yield context
    await context.close()


@pytest.fixture
async def page(phone: BrowserContext) -> Page:
    return await phone.new_page()


async def test_an_episode_that_is_kept_plays_without_a_network_until_it_is_removed(
    visitor: Visitor, matonge: Episode, phone: BrowserContext, page: Page
) -> None:
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    await page.goto(visitor.origin + MATONGE)
    await expect(page.get_by_role("button", name="Keep this episode")).to_have_count(1)
    assert await page.evaluate(LEFT) == NOTHING
    assert [url for url in asked if "/media/" in url or "sw.js" in url or "keep" in url] == []

    await _keep(page)
    assert (await page.evaluate(LEFT))["caches"] == [f"kept {MATONGE}"]
    await page.goto(f"{visitor.origin}/fr{LISTING}")
    await expect(page.get_by_role("link", name="Gardés sur cet appareil (1)")).to_be_visible()

    await phone.set_offline(True)
    await page.goto(visitor.origin + LISTING)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Kept on this device")
    assert 29 < await page.locator("audio").evaluate(LISTEN_FROM, 20) < 31
    await page.goto(f"{visitor.origin}/fr/")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Gardés sur cet appareil")
    await page.goto(visitor.origin + LISTING)
    await page.get_by_role("link", name="Matonge: what stays").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Matonge: what stays")
    assert 29 < await page.locator("audio").evaluate(LISTEN_FROM, 20) < 31  # whichever edition it asks for
    await page.get_by_role("link", name="français").first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Matonge, ce qui reste")
    await expect(page.get_by_role("button", name="Retirer de cet appareil")).to_be_visible()

    await page.goto(visitor.origin + KEPT)
    await page.get_by_role("button", name="Remove Matonge: what stays from this device").click()
    await expect(page.get_by_role("status")).to_have_text("Matonge: what stays was removed from this device.")
    await expect(page.get_by_text("Nothing is kept here.")).to_be_visible()
    assert await page.evaluate(LEFT) == NOTHING


async def test_the_audio_itself_is_sent_on_under_a_readable_name(
    visitor: Visitor, matonge: Episode, phone: BrowserContext, page: Page
) -> None:
    await page.goto(visitor.origin + MATONGE)
    await expect(page.get_by_role("button", name="Send the audio")).to_have_count(0)  # this browser cannot
    await phone.add_init_script(SHARING)
    await page.reload()
    light = next(made for made in matonge.audio.editions if made.name == "low-mp3") if matonge.audio else None
    assert light is not None

    await page.get_by_role("button", name="Send the audio").click()
    await page.get_by_role("button", name="Send now").click()
    await expect(page.get_by_text("Handed on.")).to_be_visible()

    assert await page.evaluate("sent") == [
        ["Matonge what stays – Diaspora Insights.mp3", "audio/mpeg", light.size_bytes]
    ]
    assert await page.evaluate(LEFT) == NOTHING


async def test_an_address_is_copied_with_the_present_moment(
    visitor: Visitor, matonge: Episode, phone: BrowserContext, page: Page
) -> None:
    await phone.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.goto(visitor.origin + MATONGE)
    await page.locator("audio").evaluate(LISTEN_FROM, 12)

    await page.get_by_role("checkbox", name="Start at 0:12").check()
    await page.get_by_role("button", name="Copy").first.click()

    await expect(page.get_by_text("Copied.")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == f"{visitor.origin}{MATONGE}?t=12"


@pytest.mark.long
async def test_what_was_withdrawn_leaves_the_device_at_the_next_visit(
    visitor: Visitor, recording: bytes, phone: BrowserContext, page: Page
) -> None:
    gone = visitor.podcasts.published(recording, title="Too much said", slug="too-much")
    await page.goto(f"{visitor.origin}/{SLUG}/too-much")
    await _keep(page)
    visitor.withdraw(gone)

    await page.goto(f"{visitor.origin}/{SLUG}/too-much")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await page.evaluate("caches.keys()"):
            await asyncio.sleep(0.05)

    await page.goto(visitor.origin + KEPT)
    await _until_nothing_is_left(page)


@pytest.mark.long
async def test_a_kept_page_says_what_the_site_says_and_is_looked_after_once_a_day(
    visitor: Visitor, recording: bytes, phone: BrowserContext, page: Page
) -> None:
    changed = visitor.podcasts.published(recording, title="Before", slug="changed")
    here = f"{visitor.origin}/{SLUG}/changed"
    await page.goto(here)
    await _keep(page)
    visitor.change(changed, title="After")
    await page.evaluate(LONG_AGO, f"/{SLUG}/changed")

    await page.goto(visitor.origin + KEPT)  # another page: the day is over
    async with asyncio.timeout(PATIENCE_SECONDS):
        while "After" not in await page.evaluate(AS_KEPT, f"/{SLUG}/changed"):
            await asyncio.sleep(0.05)

    await phone.set_offline(True)
    await page.goto(here)
    await expect(page.get_by_role("heading", level=1)).to_have_text("After")


@pytest.mark.long
async def test_the_recording_that_replaced_a_kept_one_takes_its_place_when_it_is_kept_and_not_before(
    visitor: Visitor, recording: bytes, phone: BrowserContext, page: Page
) -> None:
    episode = visitor.podcasts.published(recording, title="Spoken again", slug="again")
    here = f"{visitor.origin}/{SLUG}/again"
    await page.goto(here)
    await _keep(page)
    [old] = await page.evaluate(RECORDINGS)
    sent = {"audio": ("again.mp3", recording[: len(recording) // 2])}
    assert visitor.site.api.post(f"/api/v1/episodes/{episode.id}/audio", files=sent).is_success
    worker.catch_up(visitor.podcasts.work)

    await page.reload()
    cut_off = f"**{await page.locator('audio').get_attribute('src')}"
    await phone.route(cut_off, lambda route: route.abort())
    await page.get_by_role("button", name="Keep this episode").click()
    await expect(page.get_by_text("This did not work.")).to_be_visible()
    assert await page.evaluate(RECORDINGS) == [old]

    await phone.unroute(cut_off)
    await _keep(page)
    [new] = await page.evaluate(RECORDINGS)
    assert new != old


@pytest.mark.long
async def test_a_device_without_room_is_told_so_and_keeps_nothing(
    visitor: Visitor, matonge: Episode, phone: BrowserContext, page: Page
) -> None:
    browser = await phone.new_cdp_session(page)
    for quota in (1000, 180_000):  # too little from the first, and too little on the way
        await page.goto(visitor.origin + MATONGE)
        await browser.send("Storage.overrideQuotaForOrigin", {"origin": visitor.origin, "quotaSize": quota})

        await page.get_by_role("button", name="Keep this episode").click()

        await expect(page.get_by_text("There is not enough room on this device")).to_be_visible()
        assert await page.evaluate(LEFT) == NOTHING


@pytest.mark.long
async def test_keeping_is_cancelled_and_leaves_nothing(
    line: _Line, matonge: Episode, phone: BrowserContext, page: Page
) -> None:
    await page.goto(line.origin + MATONGE)
    line.bytes_per_second = 20_000
    await page.get_by_role("button", name="Keep this episode").click()

    await page.get_by_role("button", name="Cancel").click()

    await expect(page.get_by_text("Cancelled. Nothing of it stays here.")).to_be_visible()
    await expect(page.get_by_role("button", name="Keep this episode")).to_be_visible()
    assert await page.evaluate(LEFT) == NOTHING


@pytest.mark.long
async def test_what_was_half_kept_when_the_page_was_closed_is_swept_at_the_next_visit(
    line: _Line, matonge: Episode, phone: BrowserContext, page: Page
) -> None:
    await page.goto(line.origin + MATONGE)
    line.bytes_per_second = 20_000
    await page.get_by_role("button", name="Keep this episode").click()
    await expect(page.get_by_role("button", name=re.compile(r"Cancel \([1-9]"))).to_be_visible()
    await page.close()
    page = await phone.new_page()
    line.bytes_per_second = inf

    await page.goto(line.origin + KEPT)

    await expect(page.get_by_text("Nothing is kept here.")).to_be_visible()
    await _until_nothing_is_left(page)


@pytest.mark.long
async def test_a_kept_episode_comes_from_a_bucket_too_and_others_play_from_there_as_before(
    moto: S3Server, recording: bytes, tmp_path: Path, page: Page, phone: BrowserContext
) -> None:
    settings = Settings(
        port=free_port(), data_dir=tmp_path, storage_url=moto.storage_url(prefix="kept"), _env_file=None
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in moto.environment.items():
            patch.setenv(name, value)
        moto.client().put_bucket_cors(Bucket=moto.bucket, CORSConfiguration=bucket_check.rules(settings))
        with running(settings) as site:
            urls = [site.published(recording, title=title)["url"] for title in ("One", "Another")]
            await page.goto(str(urls[0]))

            await _keep(page)

            await page.goto(str(urls[1]))
            assert 29 < await page.locator("audio").evaluate(LISTEN_FROM, 20) < 31
            await phone.set_offline(True)
            await page.goto(str(urls[0]))
            assert 29 < await page.locator("audio").evaluate(LISTEN_FROM, 20) < 31
        moto.client().delete_bucket_cors(Bucket=moto.bucket)


async def _keep(page: Page) -> None:
    await page.get_by_role("button", name="Keep this episode").click()
    await expect(page.get_by_text("Kept: it plays without a network now.")).to_be_visible()


async def _until_nothing_is_left(page: Page) -> None:
    """Asked again and again: pages of ours let nobody compile a script, so Playwright cannot wait by itself."""
    left: object = None
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (left := await page.evaluate(LEFT)) != NOTHING:
                await asyncio.sleep(0.05)
    assert left == NOTHING
