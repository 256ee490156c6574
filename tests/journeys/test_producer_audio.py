"""A producer and one recording, in a browser without scripts: heard before and after, written down, replaced."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from podcast_app.access import SESSION_COOKIE
from podcast_app.settings import Settings
from tests.media.samples import audio
from tests.site import SLUG, Site, free_port, running
from tests.studio import opened

pytestmark = pytest.mark.long

VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\n<v Aline>Matong\xc3\xa9, c'est ici.\n"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    settings = Settings(port=free_port(), data_dir=tmp_path / "data", _env_file=None)
    with running(settings, with_behind=True) as site:
        yield site


@pytest.fixture
async def studio(chromium: Browser, site: Site) -> AsyncIterator[Page]:
    """Somebody who is signed in, and whose browser runs no script."""
    context = await chromium.new_context(java_script_enabled=False)
    with opened(site) as browsers:
        secret = browsers.signed_in().client.cookies[SESSION_COOKIE]
    await context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": site.settings.origin}])
    yield await context.new_page()
    await context.close()


async def test_a_recording_is_heard_written_down_replaced_and_brought_back(
    site: Site, studio: Page, page: Page, tmp_path: Path
) -> None:
    quiet = audio(tmp_path / "quiet.wav", "-af", "volume=-30dB", seconds=5)
    better = audio(tmp_path / "better.mp3", "-b:a", "64k", seconds=8)
    await studio.goto(f"{site.settings.origin}/studio/shows/{SLUG}/settings")
    await studio.locator("details:has(#even_loudness) > summary").click()
    await studio.get_by_label("Even out loudness").check()
    await studio.get_by_role("button", name="Save").click()

    await studio.goto(f"{site.settings.origin}/studio/shows/{SLUG}/new")
    await studio.get_by_label("Audio file").set_input_files(quiet)
    await studio.get_by_label("Title", exact=True).fill("Matonge")
    await studio.get_by_role("button", name="Save as a draft").click()
    await studio.get_by_role("textbox", name="Chapters").fill("00:00 Welcome\n0:02 The market\n0:07 Far too late")
    await studio.get_by_role("button", name="Save", exact=True).click()
    await expect(studio.locator("#chapters-worth-1")).to_contain_text("begins after the end of the audio")

    await studio.get_by_role("link", name="Listen closely, or replace the recording").click()
    await _until(studio, "Evened out: listeners hear it")
    for name in ("As it was recorded", "As listeners get it"):
        await _can_be_played(studio, page, studio.get_by_label(name))

    await studio.get_by_role("link", name="Back to the episode").click()
    await studio.get_by_role("link", name="Add or change a transcript").click()
    file = {"name": "matonge.vtt", "mimeType": "text/vtt", "buffer": VTT}
    await studio.get_by_label("File").set_input_files(file)
    await studio.get_by_label("Language").select_option("fr")
    await studio.get_by_role("button", name="Add this transcript").click()
    await expect(studio.get_by_text("matonge.vtt")).to_be_visible()
    await studio.get_by_role("link", name="Back to the episode").click()
    await studio.get_by_role("button", name="Save and publish now").click()
    await _until(studio, "Published on")

    await studio.get_by_role("link", name="Listen closely, or replace the recording").click()
    await _until(studio, "A light file: MP3, mono ready")
    await studio.get_by_label("Audio file").set_input_files(better)
    await studio.get_by_role("button", name="Replace the recording").click()
    await _until(studio, "It was quiet.wav")
    await studio.get_by_role("button", name="Bring it back").click()
    await _until(studio, "It was better.mp3")


async def _until(studio: Page, words: str) -> None:
    """As a person does it: look again until it is so."""
    for _ in range(200):
        said = " ".join((await studio.locator("main").inner_text()).split())
        if words in said:
            return
        await studio.wait_for_timeout(150)
        await studio.goto(studio.url)
    raise AssertionError(said)


async def _can_be_played(studio: Page, page: Page, player: Locator) -> None:
    """By the same person, in a window with scripts that can tell."""
    await page.context.add_cookies(await studio.context.cookies())
    await page.goto(studio.url)
    address = await player.get_attribute("src")
    await page.evaluate(
        """async (address) => {
          const audio = document.querySelector(`audio[src="${address}"]`);
          const moved = new Promise((done, fail) => {
            audio.addEventListener("timeupdate", () => audio.currentTime > 0.2 && done());
            audio.addEventListener("error", () => fail(audio.error.message));
          });
          await audio.play();
          await moved;
          audio.pause();
        }""",
        address,
    )
