"""The home of a show and the page for a new episode, in a browser: dropped files, several at once, lost sessions."""

import base64
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from mutagen.id3 import TIT2
from playwright.async_api import Browser, Page, expect

from podcast_app import people
from podcast_app.access import SESSION_COOKIE
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from tests.media.samples import audio, repeated, tagged
from tests.producer import Line, everywhere, producing
from tests.site import SLUG, Site, free_port, running
from tests.studio import HOME, NEW, opened

pytestmark = pytest.mark.long

WAITING = 30_000  # ms
WINDOWS = {"desktop": (1280, 900), "phone": (360, 740)}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with running(Settings(port=free_port(), data_dir=folder, _env_file=None)) as site:
        yield site


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return audio(tmp_path / "matonge.mp3", "-b:a", "64k", "-metadata", "title=Matonge, un quartier", seconds=3)


@pytest.fixture
async def studio(site: Site, page: Page) -> AsyncIterator[Page]:
    """Somebody who is signed in, and a browser that complains of nothing."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    await _sign_in(site, page)
    yield page
    assert [said for said in complaints if "the server responded with a status of 4" not in said] == []


async def test_a_file_dropped_on_the_home_of_a_show_opens_the_form_in_its_place(
    site: Site, studio: Page, recording: Path
) -> None:
    page, home = studio, site.settings.origin + HOME
    await page.goto(home)

    await _drop(page, recording)

    await expect(page.get_by_label("Title", exact=True)).to_have_value("Matonge, un quartier", timeout=WAITING)
    await expect(page.locator("#title-mark")).to_have_text("from the file")
    await expect(page).to_have_title("New episode – Studio")
    assert page.url.startswith(f"{site.settings.origin}{NEW}?upload=")
    await page.reload()
    await expect(page.get_by_text("Your recording is safe")).to_be_visible()
    await page.go_back()
    await expect(page).to_have_url(home)
    await expect(page.get_by_role("heading", name="Recordings that wait")).to_be_visible()


async def test_what_was_written_is_not_overwritten_by_the_file_and_loses_its_mark(
    site: Site, studio: Page, recording: Path
) -> None:
    page = studio
    await page.goto(site.settings.origin + NEW)
    await page.get_by_label("Title", exact=True).fill("Ma rue")
    await expect(page.locator("[data-saved]")).to_contain_text("Kept in this tab", timeout=WAITING)
    await page.reload()
    await page.get_by_role("button", name="Add somebody").click()
    await page.get_by_label("Full name").fill("Aline")

    await _choose(page, _other(recording, "written"))
    await page.wait_for_selector("input[name=upload_id]", state="attached")
    await expect(page.get_by_label("Title", exact=True)).to_have_value("Ma rue")
    await page.get_by_role("button", name="Save as a draft").click()

    await page.wait_for_url("**/studio/episodes/*")
    await expect(page.get_by_label("Title", exact=True)).to_have_value("Ma rue")
    await expect(page.get_by_label("Full name")).to_have_value("Aline")
    await page.goto(site.settings.origin + NEW)
    await expect(page.get_by_label("Title", exact=True)).to_have_value("")


async def test_several_files_become_a_draft_each(site: Site, studio: Page, recording: Path) -> None:
    page = studio
    broken = recording.parent / "broken.mp3"
    broken.write_bytes(b"This is no recording. " * 2000)
    empty = recording.parent / "empty.mp3"
    empty.write_bytes(b"")
    await page.goto(site.settings.origin + NEW)

    await _choose(page, empty)
    await expect(page.get_by_role("alert").first).to_have_text(re.compile("This file is empty"))
    await _choose(page, _other(recording, "first"), broken, _other(recording, "second"))

    await expect(page.get_by_text("A draft, ready to be looked at.")).to_have_count(2, timeout=WAITING)
    await expect(page.get_by_role("listitem").filter(has_text="broken.mp3").get_by_role("alert")).to_contain_text(
        "audio"
    )
    await expect(page.get_by_label("Title", exact=True)).to_be_hidden()
    await _judged(page)
    await page.get_by_role("link", name="first.mp3").click()
    await expect(page.get_by_label("Title", exact=True)).to_have_value("first")
    await page.goto(site.settings.origin + HOME)
    await expect(page.get_by_role("region", name="What needs attention")).to_contain_text("broken.mp3")


@everywhere
async def test_a_session_that_ends_loses_neither_bytes_nor_words(
    site: Site, chromium: Browser, recording: Path, language: str, window: str
) -> None:
    tone = audio(recording.parent / "t.mp3", "-b:a", "320k", seconds=20)
    sent = repeated(recording.parent / "long.mp3", tone, 14)
    long = tagged(sent, TIT2(text=f"{language} {window}"))  # no other test has the same file
    async with producing(chromium, site, language, window) as producer:
        page, line = producer.page, await Line.of(producer.page)
        await producer.sign_in()
        await producer.open(NEW)
        await line.hold(3)
        await _choose(page, long)
        safe = producer.say("{safe} of {total} parts are safe", safe=2, total=3)
        await expect(page.locator("[data-count]").first).to_have_text(safe, timeout=WAITING)

        await producer.press("Pause")
        await producer.lose_session()
        await producer.press("Go on")
        await producer.fill("Notes", "Écrit sans session.")
        await producer.reads("You were signed out. Sign in in another tab; then it goes on by itself.")
        await producer.reads(
            "You were signed out. What you wrote is still here. Sign in in another tab; then it is saved by itself."
        )
        await expect(page.locator("[data-sign-in]")).to_be_visible()
        await expect(page.locator("[data-text-signed-out] a")).to_be_in_viewport()
        await line.let_go()
        await producer.sign_in_elsewhere()

        await expect(page.locator("[data-saved]")).to_contain_text(producer.say("Saved at {time}", time=""))
        await page.wait_for_selector("input[name=upload_id]", state="attached", timeout=WAITING)
        await expect(page.locator("#notes")).to_have_value("Écrit sans session.")


async def test_300_megabytes_arrive_over_a_bad_line_with_a_reload_in_the_middle(
    site: Site, studio: Page, recording: Path
) -> None:
    page = studio
    tone = audio(recording.parent / "tone.mp3", "-b:a", "320k", seconds=60)
    large = repeated(recording.parent / "large.mp3", tone, 125)
    assert large.stat().st_size > 300_000_000 * 0.99
    await page.goto(site.settings.origin + NEW)
    line = await Line.of(page)
    await line.slowly(25_000_000)
    await _choose(page, large)
    await page.get_by_label("Title", exact=True).fill("Une heure et plus")
    await expect(page.locator("[data-saved]")).to_contain_text("Saved at", timeout=WAITING)
    await expect(page.locator("[data-count]")).to_have_text(re.compile(r"^[123]\d of \d\d parts"), timeout=2 * WAITING)

    page.once("dialog", lambda dialog: dialog.accept())
    await page.reload()
    await expect(page.get_by_label("Title", exact=True)).to_have_value("Une heure et plus")
    await _choose(page, large)
    await expect(page.locator("[data-status]")).to_contain_text("This file was already on its way", timeout=WAITING)
    await page.get_by_role("button", name="Save as a draft").click()

    await page.wait_for_url("**/studio/episodes/*", timeout=4 * WAITING)
    episode = site.api.get(f"/api/v1/episodes/{page.url.rpartition('/')[2]}").json()
    assert (episode["title"], episode["audio"]["size_bytes"]) == ("Une heure et plus", large.stat().st_size)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("window", WINDOWS)
async def test_home_and_the_page_for_a_new_episode_leave_nobody_out(
    site: Site, chromium: Browser, recording: Path, window: str, language: str
) -> None:
    width, height = WINDOWS[window]
    context = await chromium.new_context(viewport={"width": width, "height": height})
    page = await context.new_page()
    await _sign_in(site, page, language)
    site.api.post("/api/v1/uploads", json={"show": SLUG, "filename": "en-route.wav", "size_bytes": 12_000_000})
    site.published(_other(recording, f"out {window} {language}"))
    site.episode(recording, publish="2031-12-10T09:00:00Z", title="À venir")
    for path in (HOME, f"{HOME}?q=venir", f"{HOME}?q=nothing", NEW):
        await page.goto(site.settings.origin + path)
        await _judged(page)
    line = await Line.of(page)
    await line.slowly(20_000)
    await _choose(page, _other(recording, f"axe {window} {language}"))
    await expect(page.get_by_role("progressbar")).to_be_visible(timeout=WAITING)
    await _judged(page)
    await line.slowly(-1)
    await page.wait_for_selector("input[name=upload_id]", state="attached", timeout=WAITING)
    await _judged(page)
    await context.close()


async def _drop(page: Page, file: Path) -> None:
    """As from a folder of this machine, anywhere on the page."""
    dropped = await page.evaluate_handle(
        """([name, content]) => {
          const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
          const carried = new DataTransfer();
          carried.items.add(new File([bytes], name, { type: "audio/mpeg" }));
          return carried;
        }""",
        [file.name, base64.b64encode(file.read_bytes()).decode()],
    )
    for kind in ("dragover", "drop"):
        await page.dispatch_event("main", kind, {"dataTransfer": dropped})


async def _choose(page: Page, *files: Path) -> None:
    await page.locator("[data-file]").set_input_files(list(files))


async def _sign_in(site: Site, page: Page, language: str = "en") -> None:
    with opened(site) as studio:
        email = f"{language}@example.org"
        person = studio.person(email) or studio.account(email, language=language)
    secret = site.database.write(people.sign_in, person.id, utcnow())
    await page.context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": site.settings.origin}])


async def _judged(page: Page) -> None:
    await page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
    found = await Axe().run(page)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def _other(recording: Path, title: str) -> Path:
    """The same sound as another recording."""
    name = recording.parent / f"{title}.mp3"
    return audio(name, "-b:a", "64k", "-metadata", f"title={title}", seconds=3)
