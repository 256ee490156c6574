"""A recording that is sent in parts, in a browser: over reloads, dead connections, closed buckets and odd proxies."""

import asyncio
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from axe_playwright_python.async_playwright import Axe
from mutagen.id3 import TIT2
from playwright.async_api import BrowserContext, Dialog, Page, Request, Route, expect

from podcast_app import fingerprint, people
from podcast_app.access import SESSION_COOKIE
from podcast_app.models import Upload
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from tests.commands import started
from tests.media.samples import audio, repeated, tagged
from tests.producer import WAITING, Line
from tests.s3_servers import S3Server
from tests.site import SLUG, Site, free_port, running
from tests.studio import opened

PARTS = 3  # of five MiB, the last one small
PATH = f"/studio/shows/{SLUG}/new"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with _site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def long_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audio")
    tone = audio(folder / "tone.mp3", "-b:a", "320k", seconds=20)
    return repeated(folder / "long.mp3", tone, 14)


@pytest.fixture
def recording(long_recording: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Three parts; no other test has the same file."""
    return _recording(long_recording, tmp_path, request.node.name)


@pytest.mark.long
async def test_two_tabs_with_the_same_file_send_one_upload(site: Site, recording: Path, page: Page) -> None:
    first = await _opened(site, page)
    await first.line.hold(3)
    await first.choose(recording)
    await first.until_safe(2)

    second = await _opened(site, await page.context.new_page())
    await second.line.hold(3)
    await second.choose(recording)
    await expect(second.page.locator("[data-status]")).to_contain_text("This file was already on its way: 2 of 3")
    await second.line.let_go()
    await second.until_the_form()
    await first.line.let_go()  # a part of what is complete by now

    await first.until_the_form()
    assert first.page.url == second.page.url
    assert first.stored() == recording.read_bytes()


@pytest.mark.long
async def test_another_file_of_the_same_name_and_size_is_never_mixed(site: Site, recording: Path, page: Page) -> None:
    other = recording.parent / "other" / recording.name
    other.parent.mkdir()
    other.write_bytes(recording.read_bytes().replace(b"\0" * 8, b"\0\1" * 4))
    uploader = await _opened(site, page)
    await uploader.line.hold(3)
    await uploader.choose(recording)
    await uploader.until_safe(2)
    begun = uploader.upload()["id"]

    await page.reload()
    await uploader.choose(other)
    await expect(page.locator("[data-status]")).to_contain_text("Another file of the same name and size")
    await uploader.line.let_go()

    await uploader.until_the_form()
    assert not page.url.endswith(str(begun))
    assert uploader.stored() == other.read_bytes()


@pytest.mark.long
async def test_a_recording_that_is_here_already_is_taken_at_once(site: Site, recording: Path, page: Page) -> None:
    uploader = await _opened(site, page)
    await uploader.choose(recording)
    await uploader.until_the_form()
    form = page.url

    uploader = await _opened(site, page)
    sent = uploader.puts()
    await uploader.choose(recording)

    await uploader.until_the_form()
    await expect(page.locator("[data-status]")).to_have_text("This recording is here already, whole.")
    assert page.url == form
    assert sent == []


@pytest.mark.long
async def test_addresses_that_are_over_are_asked_for_anew(long_recording: Path, tmp_path: Path, page: Page) -> None:
    recording = _recording(long_recording, tmp_path, "matonge")
    with _site(tmp_path / "site", upload_address_seconds=5) as site:
        uploader = await _opened(site, page)
        answers: list[int] = []
        page.on("response", lambda answer: answers.append(answer.status) if answer.request.method == "PUT" else None)
        await uploader.line.hold(3)
        await uploader.choose(recording)
        await uploader.until_safe(2)

        await asyncio.sleep(5.1)
        await uploader.line.let_go()

        await uploader.until_the_form()
        assert answers == [204, 204, 403, 204]
        assert uploader.stored() == recording.read_bytes()


async def test_it_is_paused_cancelled_and_can_begin_anew(site: Site, recording: Path, page: Page) -> None:
    uploader = await _opened(site, page)
    await uploader.line.hold(3)
    await uploader.choose(recording)
    await uploader.until_safe(2)
    await uploader.press("Pause")
    await expect(page.locator("[data-status]")).to_have_text("Paused. What is safe stays safe.")
    sent = uploader.puts()
    upload_id = uploader.upload()["id"]

    page.once("dialog", Dialog.dismiss)
    await uploader.press("Cancel it")
    await expect(page.get_by_role("button", name="Go on")).to_be_visible()
    assert sent == []

    await uploader.press("Go on")
    await expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.once("dialog", Dialog.accept)
    await uploader.press("Cancel it")

    await expect(page.get_by_label("Audio file")).to_be_focused()
    assert site.api.get(f"/api/v1/uploads/{upload_id}").status_code == 404


@pytest.mark.long
async def test_leaving_the_page_while_it_runs_is_asked_first(site: Site, recording: Path, page: Page) -> None:
    uploader = await _opened(site, page)
    await uploader.line.hold(3)
    await uploader.choose(recording)
    await uploader.until_safe(2)
    await page.get_by_text("Write on meanwhile").click()  # browsers ask only for who did something

    async with page.expect_event("dialog") as asked:
        await page.close(run_before_unload=True)

    assert (await asked.value).type == "beforeunload"
    await (await asked.value).dismiss()


@pytest.mark.long
async def test_a_dead_connection_is_waited_for(site: Site, recording: Path, page: Page) -> None:
    uploader = await _opened(site, page)
    await uploader.line.hold(3)
    await uploader.choose(recording)
    await uploader.until_safe(2)

    await page.context.set_offline(True)
    await uploader.line.let_go()
    await expect(page.locator("[data-status]")).to_contain_text("No connection. It goes on by itself", timeout=WAITING)
    await page.context.set_offline(False)

    await uploader.until_the_form()
    assert uploader.stored() == recording.read_bytes()


@pytest.mark.long
async def test_a_page_instead_of_an_answer_is_not_taken_for_a_part(site: Site, recording: Path, page: Page) -> None:
    uploader = await _opened(site, page)

    async def portal(route: Route) -> None:
        await route.fulfill(status=200, content_type="text/html", body="<h1>Welcome to our Wi-Fi</h1>")

    await page.route("**/parts/3?*", portal)
    await uploader.choose(recording)
    await expect(page.locator("[data-status]")).to_contain_text("Does this Wi-Fi want you to sign in?", timeout=WAITING)
    await expect(page.get_by_text(f"2 of {PARTS} parts are safe")).to_be_visible()
    await page.unroute_all()

    await uploader.until_the_form()
    assert uploader.stored() == recording.read_bytes()


@pytest.mark.long
async def test_a_proxy_that_refuses_the_size_of_a_part_is_named(site: Site, recording: Path, page: Page) -> None:
    uploader = await _opened(site, page)

    async def strict(route: Route) -> None:
        await route.fulfill(status=413, content_type="text/html", body="<h1>413 Request Entity Too Large</h1>")

    await page.route("**/parts/3?*", strict)
    await uploader.choose(recording)
    await expect(page.get_by_role("alert")).to_contain_text("refuses parts of 5.2 MB", timeout=WAITING)
    await expect(page.get_by_role("alert")).to_contain_text("client_max_body_size")
    await page.unroute_all()

    await uploader.choose(recording)
    await uploader.until_the_form()


@pytest.mark.long
async def test_another_recording_for_an_episode_travels_in_parts_and_then_replaces_it(
    site: Site, recording: Path, tmp_path: Path, page: Page
) -> None:
    first = audio(tmp_path / "first.mp3", "-b:a", "64k", seconds=4)
    made = site.published(first, first.name, title="Matonge")
    await page.set_viewport_size({"width": 320, "height": 640})
    uploader = await _opened(site, page)
    await page.goto(f"{site.settings.origin}/studio/episodes/{made['id']}/audio")
    await uploader.line.hold(3)
    await uploader.choose(recording)
    await page.get_by_role("button", name="Replace the recording").click()
    await uploader.until_safe(2)
    await _judged(page)

    await page.reload()
    sent = uploader.puts()
    await uploader.choose(recording)
    await page.get_by_role("button", name="Replace the recording").click()
    await expect(page.locator("[data-status]")).to_contain_text("This file was already on its way: 2 of 3")
    await page.context.clear_cookies()
    await uploader.line.let_go()
    await expect(page.locator("[data-status]")).to_contain_text("You were signed out.", timeout=WAITING)
    await _sign_in(site, page.context)
    await page.evaluate("dispatchEvent(new Event('focus'))")  # back from the other tab

    taken = page.locator(".state-scheduled").or_(page.get_by_text("It was first.mp3"))  # on its way, or there
    await expect(taken).to_be_visible(timeout=2 * WAITING)
    assert sent == ["3"]
    assert uploader.upload()["filename"] == recording.name


async def test_what_is_no_audio_is_refused_in_the_readers_language_and_another_can_be_chosen(
    site: Site, recording: Path, page: Page, tmp_path: Path
) -> None:
    nonsense = tmp_path / "notes.mp3"
    nonsense.write_bytes(b"Ceci n'est pas un enregistrement. " * 1000)
    uploader = await _opened(site, page, language="fr")

    await uploader.choose(nonsense)
    await expect(page.get_by_role("alert")).to_contain_text("audio", timeout=WAITING)
    await expect(page.get_by_role("alert")).to_contain_text("fichier")
    await uploader.line.hold(3)
    await uploader.choose(recording)
    await expect(page.get_by_role("alert")).to_have_text("")
    await expect(page.get_by_text(f"Morceaux en sûreté\xa0: 2 sur {PARTS}")).to_be_visible(timeout=WAITING)
    await expect(page.locator("[data-status]")).to_have_text("L’envoi est en cours.")
    await uploader.line.let_go()

    await uploader.until_the_form()


@pytest.mark.long
async def test_the_fingerprint_is_that_of_the_command_line(site: Site, recording: Path, page: Page) -> None:
    uploader = await _opened(site, page)

    await uploader.choose(recording)
    await uploader.until_the_form()

    assert uploader.upload()["fingerprint"] == fingerprint.recording(recording).fingerprint


@pytest.mark.long
async def test_a_file_that_changes_meanwhile_is_not_sent_on(site: Site, recording: Path, page: Page) -> None:
    uploader = await _opened(site, page)
    await uploader.line.hold(3)
    await uploader.choose(recording)
    await uploader.until_safe(2)

    with recording.open("ab") as file:
        file.write(b"\0" * 100)
    await uploader.line.let_go()

    await expect(page.get_by_role("alert")).to_contain_text("cannot be read any more", timeout=WAITING)


async def test_parts_go_straight_to_a_bucket_that_lets_browsers_in(
    moto: S3Server, recording: Path, tmp_path: Path, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _site_on(moto, tmp_path, monkeypatch) as site:
        moto.client().put_bucket_cors(
            Bucket=moto.bucket,
            CORSConfiguration={"CORSRules": [{"AllowedOrigins": [site.settings.origin], "AllowedMethods": ["PUT"]}]},
        )
        uploader = await _opened(site, page)
        addresses = uploader.puts(whole=True)

        await uploader.choose(recording)

        await uploader.until_the_form()
        moto.client().delete_bucket_cors(Bucket=moto.bucket)
        assert [address for address in addresses if not address.startswith(moto.endpoint)] == []
        assert len(addresses) == PARTS
        assert uploader.stored() == recording.read_bytes()


@pytest.mark.long
async def test_a_bucket_that_lets_no_browser_in_is_gone_round(
    rclone: S3Server, recording: Path, tmp_path: Path, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _site_on(rclone, tmp_path, monkeypatch) as site:
        uploader = await _opened(site, page)
        await uploader.line.hold(3)

        await uploader.choose(recording)

        await expect(page.get_by_text("the browser was not let into the bucket")).to_be_visible(timeout=WAITING)
        await uploader.line.let_go()
        await uploader.until_the_form()
        assert uploader.stored() == recording.read_bytes()


@pytest.mark.long
async def test_a_server_that_is_killed_and_started_again_costs_the_parts_under_way_at_most(
    recording: Path, tmp_path: Path, page: Page
) -> None:
    port = free_port()
    with running(Settings(port=port, data_dir=tmp_path / "data", _env_file=None), with_worker=False) as site:
        await _sign_in(site, page.context)
    with _serving(tmp_path / "data", port) as process:
        uploader = await _uploader(site, page)
        await page.goto(site.settings.origin + PATH)
        await uploader.line.slowly(3_000_000)
        await uploader.choose(recording)
        await uploader.until_safe(1)
        process.kill()

    await expect(page.locator("[data-status]")).to_contain_text("The site does not answer.", timeout=WAITING)
    sent = uploader.puts()
    with _serving(tmp_path / "data", port):
        await uploader.line.slowly(-1)
        await uploader.until_the_form()

    assert len(sent) <= PARTS - 1


@pytest.mark.long
async def test_a_connection_that_is_dead_without_a_word_is_given_up(site: Site, recording: Path, page: Page) -> None:
    uploader = await _opened(site, page)
    await uploader.line.hold(3)
    await uploader.choose(recording)
    await uploader.until_safe(2)
    sent = uploader.puts()

    uploader.line.held.clear()  # it stays where it is
    await asyncio.sleep(31)
    await uploader.line.let_go()

    await uploader.until_the_form()
    assert sent == ["3"]


@pytest.mark.long
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_the_page_fits_a_small_screen_and_leaves_nobody_out(
    site: Site, long_recording: Path, tmp_path: Path, page: Page, language: str
) -> None:
    recording = _recording(long_recording, tmp_path, f"axe-{language}")
    await page.set_viewport_size({"width": 320, "height": 640})
    uploader = await _opened(site, page, language=language)
    await _judged(page)

    await uploader.line.hold(3)
    await uploader.choose(recording)
    await expect(page.get_by_role("progressbar")).to_be_visible(timeout=WAITING)
    await _judged(page)
    await page.locator("[data-pause]").click()
    await _judged(page)
    await page.reload()
    await _judged(page)


@dataclass(frozen=True)
class Uploader:
    """The page, as somebody uses it."""

    site: Site
    page: Page
    line: Line

    async def choose(self, file: Path) -> None:
        await self.page.locator("input[type=file]").set_input_files(file)

    async def press(self, name: str) -> None:
        await self.page.locator("[data-sending]").get_by_role("button", name=name).click()

    async def until_safe(self, least: int) -> None:
        """Until so many parts are safe, and not all."""
        some = "|".join(map(str, range(least, PARTS)))
        await expect(self.page.locator("[data-count]")).to_contain_text(
            re.compile(f"^({some}) of {PARTS} parts are safe"), timeout=WAITING
        )

    async def until_the_form(self) -> None:
        """Until the recording is whole, and the form is about it."""
        await self.page.wait_for_selector("input[name=upload_id]", state="attached", timeout=2 * WAITING)

    def puts(self, *, whole: bool = False) -> list[str]:
        """The parts that are sent from now on: their numbers, or their whole addresses."""
        sent: list[str] = []

        def note(request: Request) -> None:
            if request.method == "PUT":
                sent.append(request.url if whole else request.url.partition("?")[0].rpartition("/")[2])

        self.page.on("request", note)
        return sent

    def upload(self) -> dict[str, object]:
        """The newest, as the API has it."""
        newest = self.site.api.get("/api/v1/uploads?limit=1").json()["items"][0]["id"]
        answer: dict[str, object] = self.site.api.get(f"/api/v1/uploads/{newest}").json()
        return answer

    def stored(self) -> bytes:
        """The original that the form in front of us is about, or the newest."""
        upload_id = self.page.url.rpartition("upload=")[2] if "upload=" in self.page.url else self.upload()["id"]
        upload = self.site.database.read(lambda session: session.get(Upload, upload_id))
        assert upload.state == "complete"
        return self.site.storage.read(upload.key, 0, upload.size_bytes + 1)


async def _opened(site: Site, page: Page, language: str = "en") -> Uploader:
    await _sign_in(site, page.context, language)
    await page.goto(site.settings.origin + PATH)
    return await _uploader(site, page)


async def _uploader(site: Site, page: Page) -> Uploader:
    return Uploader(site, page, await Line.of(page))


async def _sign_in(site: Site, context: BrowserContext, language: str = "en") -> None:
    """As an administrator who reads this language."""
    with opened(site) as studio:
        email = f"{language}@example.org"
        person = studio.person(email) or studio.account(email, language=language)
    secret = site.database.write(people.sign_in, person.id, utcnow())
    await context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": site.settings.origin}])


async def _judged(page: Page) -> None:
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320


def _recording(source: Path, folder: Path, title: str) -> Path:
    return tagged(Path(shutil.copy(source, folder / "matonge.mp3")), TIT2(text=title))


@contextmanager
def _site(folder: Path, **settings: object) -> Iterator[Site]:
    with running(Settings(port=free_port(), data_dir=folder, _env_file=None, **settings)) as site:
        yield site


@contextmanager
def _site_on(server: S3Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    with _site(folder / "site", storage_url=server.storage_url()) as site:
        yield site


@contextmanager
def _serving(data_dir: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """A web process of its own, ready."""
    with started("web", "--port", str(port), data_dir=data_dir) as process:
        end = time.monotonic() + 60
        while not _is_ready(port):
            assert time.monotonic() < end
            time.sleep(0.05)
        yield process


def _is_ready(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    except httpx2.TransportError:
        return False
