"""An episode's page in a browser: words are never lost, whatever happens while they are typed."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser as Chromium
from playwright.async_api import Dialog, Locator, Page, Route, expect

from podcast_app import people
from podcast_app.access import SESSION_COOKIE
from podcast_app.settings import Settings
from tests.media.samples import audio
from tests.site import Site, free_port, running
from tests.studio import Browser, Studio, opened

pytestmark = pytest.mark.long

WINDOWS = {"desk": (1280, 900), "phone": (360, 740)}


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    settings = Settings(port=free_port(), data_dir=tmp_path / "data", _env_file=None)
    with running(settings) as site, opened(site) as studio:
        yield studio


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return audio(tmp_path_factory.mktemp("audio") / "matonge.mp3", "-b:a", "64k", seconds=20).read_bytes()


@pytest.fixture
async def desk(chromium: Chromium) -> AsyncIterator[Page]:
    context = await chromium.new_context(viewport={"width": 1280, "height": 900})
    yield await context.new_page()
    await context.close()


async def test_no_word_is_lost_by_a_reload_a_lost_line_or_a_lost_session(
    studio: Studio, recording: bytes, desk: Page
) -> None:
    aline = studio.signed_in()
    path = aline.upload(recording, title="Matonge").path
    await _arrive(desk, studio, aline, path)

    await desk.locator("#title").fill("Typed just before a reload")
    await desk.reload()
    await expect(desk.locator("#title")).to_have_value("Typed just before a reload")
    await _is_saved(desk)
    assert _saved(aline, path)["title"] == "Typed just before a reload"

    await desk.context.set_offline(True)
    await desk.locator("#notes").fill("Typed in a tunnel.")
    await expect(_status(desk)).to_contain_text("the site cannot be reached")
    await desk.context.set_offline(False)
    await _is_saved(desk)
    assert _saved(aline, path)["notes"] == "Typed in a tunnel."

    studio.site.database.write(people.sign_out, aline.client.cookies[SESSION_COOKIE])
    await desk.locator("#notes").fill("Typed after the session ended.")
    await expect(_status(desk).get_by_role("link")).to_contain_text("Sign in")
    again = studio.signed_in()
    await _give_session(desk, studio, again)  # as in another tab
    await desk.evaluate("dispatchEvent(new Event('focus'))")
    await _is_saved(desk)
    assert _saved(again, path)["notes"] == "Typed after the session ended."


async def test_people_who_type_into_the_same_field_choose(studio: Studio, recording: bytes, desk: Page) -> None:
    aline = studio.signed_in()
    path = aline.upload(recording, title="Matonge").path
    await _arrive(desk, studio, aline, path)
    theirs = desk.locator("#title-theirs")

    _change(studio.site, path, title="Jean's title", notes="Jean's notes")
    await desk.locator("#title").fill("Aline's title")
    await expect(theirs).to_contain_text("Jean's title")
    await expect(desk.locator("#notes")).to_have_value("Jean's notes")
    assert _saved(aline, path)["title"] == "Jean's title"
    await theirs.get_by_role("button", name="Keep mine").click()
    await _is_saved(desk)
    assert _saved(aline, path)["title"] == "Aline's title"

    _change(studio.site, path, title="Jean's better title", persons=[{"name": "Jean"}])
    await desk.locator("#title").fill("Aline's better title")
    await theirs.get_by_role("button", name="Take theirs").click()
    await expect(desk.locator("#title")).to_have_value("Jean's better title")
    await desk.locator("#season").fill("2")
    await desk.locator("#season").blur()
    await _until(desk, "sessionStorage.length === 0")  # nothing is left to be saved
    now = _saved(aline, path)
    assert (now["title"], now["season"], now["person.0.name"]) == ("Jean's better title", "2", "Jean")


async def test_who_types_on_while_a_slow_line_saves_never_meets_their_own_words(
    studio: Studio, recording: bytes, desk: Page
) -> None:
    aline = studio.signed_in()
    path = aline.upload(recording, title="Matonge").path
    await _arrive(desk, studio, aline, path)

    async def slowly(route: Route) -> None:
        if "json" not in route.request.headers["accept"]:
            await route.continue_()
        else:
            answer = await route.fetch()  # it is saved, and the answer comes late
            await desk.wait_for_timeout(1500)
            await route.fulfill(response=answer)

    async def in_vain(route: Route) -> None:
        await route.fetch()  # it is saved, and the answer never comes
        await route.abort()

    await desk.route(f"**{path}", slowly)
    await desk.locator("#title").fill("One")
    await desk.locator("#title").blur()
    await desk.locator("#title").fill("One, two")
    await desk.get_by_role("button", name="Save", exact=True).click()
    await expect(desk.locator("form[data-episode]")).not_to_have_attribute("data-saved", "")
    assert _saved(aline, path)["title"] == "One, two"

    await desk.unroute(f"**{path}")
    await desk.route(f"**{path}", in_vain, times=1)
    await desk.locator("#title").fill("One, two, three")
    await expect(_status(desk)).to_contain_text("the site cannot be reached")
    await desk.locator("#title").fill("One, two, three, four")
    await desk.evaluate("dispatchEvent(new Event('online'))")
    await _until(desk, "sessionStorage.length === 0")
    assert _saved(aline, path)["title"] == "One, two, three, four"
    await expect(desk.locator("#title-theirs")).to_have_count(0)


async def test_people_come_back_after_a_reload_as_they_were_typed(studio: Studio, recording: bytes, desk: Page) -> None:
    aline = studio.signed_in()
    path = aline.upload(recording, title="Matonge", then="publish").path
    studio.site.wait_for(path.rpartition("/")[2], "published")
    _change(studio.site, path, persons=[{"name": "Aline", "role": "host", "url": "https://example.org/aline"}])
    await _arrive(desk, studio, aline, path)
    desk.on("dialog", Dialog.accept)

    await desk.get_by_role("button", name="Add somebody").click()
    await desk.keyboard.type("Jean")
    await desk.get_by_label("Take off").first.check()
    await desk.reload()

    await expect(desk.get_by_label("Full name")).to_have_count(2)
    await expect(desk.get_by_label("Full name").last).to_have_value("Jean")
    await expect(desk.get_by_label("Take off").first).to_be_checked()
    await desk.get_by_role("button", name="Save", exact=True).click()
    await _is_saved(desk)
    episode = studio.site.api.get(f"/api/v1{path.removeprefix('/studio')}").json()
    assert [person["name"] for person in episode["persons"]] == ["Jean"]


async def test_an_episode_is_written_and_published_with_the_keyboard_alone(
    studio: Studio, recording: bytes, desk: Page
) -> None:
    aline = studio.signed_in()
    path = aline.upload(recording, title="Matonge").path
    await _arrive(desk, studio, aline, path)

    await desk.locator("#content").focus()
    await desk.keyboard.press("Tab")
    while not await desk.get_by_role("link", name="Past the preview").evaluate("(link) => link.matches(':focus')"):
        await desk.keyboard.press("Tab")
    await desk.keyboard.press("Enter")
    await desk.keyboard.press("Tab")
    assert await desk.evaluate("document.activeElement.closest('#episode') !== null")

    await desk.locator("#title").focus()
    await desk.keyboard.press("Control+a")
    await desk.keyboard.type("Written by hand")
    await desk.keyboard.press("Tab")  # the toolbar is one stop
    await desk.keyboard.press("ArrowRight")
    await expect(desk.get_by_role("button", name="Italic")).to_be_focused()
    await desk.keyboard.press("ArrowLeft")
    await desk.keyboard.press("Enter")
    await expect(desk.locator("#notes")).to_be_focused()
    await desk.keyboard.type("bold")
    await expect(desk.locator("#notes")).to_have_value("**bold**")

    await desk.get_by_role("button", name="Add somebody").focus()
    await desk.keyboard.press("Enter")
    await desk.keyboard.type("Jean Bizimana")
    await desk.keyboard.press("Tab")
    await desk.keyboard.type("trans")

    await desk.get_by_role("button", name="+ Chapter here").focus()
    await desk.keyboard.press("Enter")
    await desk.keyboard.type("The beginning")
    await expect(desk.locator("#chapters")).to_have_value("00:00 The beginning")
    await expect(desk.frame_locator("iframe").locator(".chapters")).to_contain_text("The beginning")

    await desk.get_by_role("button", name="Save and publish now").focus()
    await desk.keyboard.press("Enter")
    episode = studio.site.wait_for(path.rpartition("/")[2], "published")
    assert episode["title"] == "Written by hand"
    assert [(each["name"], each["role"]) for each in _list(episode["persons"])] == [("Jean Bizimana", "translator")]
    assert [each["title"] for each in _list(episode["chapters"])] == ["The beginning"]


async def test_what_is_public_changes_by_its_button_only(studio: Studio, recording: bytes, desk: Page) -> None:
    aline = studio.signed_in()
    path = aline.upload(recording, title="Matonge", then="publish").path
    studio.site.wait_for(path.rpartition("/")[2], "published")
    await _arrive(desk, studio, aline, path)
    asked: list[str] = []

    async def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.accept()

    desk.on("dialog", leave)
    await desk.locator("#title").focus()
    await desk.keyboard.press("Home")
    await desk.keyboard.type("New: ")
    await expect(_status(desk)).to_contain_text("Not saved yet")
    await desk.reload()

    assert asked == ["beforeunload"]
    await expect(_status(desk)).to_contain_text("Not saved yet")
    typed = await desk.locator("#title").input_value()
    assert typed == "New: Matonge"

    await _arrive(desk, studio, studio.signed_in("jean@example.org", role="producer"), path)
    await expect(desk.locator("#title")).to_have_value("Matonge")  # what Aline typed in this tab is not Jean's
    await _arrive(desk, studio, aline, path)
    await expect(desk.locator("#title")).to_have_value(typed)

    assert _saved(aline, path)["title"] == "Matonge"
    await desk.get_by_role("button", name="Save", exact=True).click()
    await _is_saved(desk)
    assert _saved(aline, path)["title"] == typed
    assert set(asked) == {"beforeunload"}


async def test_a_draft_that_somebody_publishes_meanwhile_says_what_saves_it_now(
    studio: Studio, recording: bytes, desk: Page
) -> None:
    aline = studio.signed_in()
    path = aline.upload(recording, title="Matonge").path
    await _arrive(desk, studio, aline, path)
    episode = path.rpartition("/")[2]
    studio.site.api.post(f"/api/v1/episodes/{episode}/publish")
    studio.site.wait_for(episode, "published")

    await desk.locator("#title").fill("Matonge, corrected")

    await expect(_status(desk)).to_contain_text("published meanwhile")
    await desk.get_by_role("button", name="Save", exact=True).click()
    await _is_saved(desk)
    assert _saved(aline, path)["title"] == "Matonge, corrected"


async def test_chapters_begin_where_one_hears_them_and_the_end_is_heard_by_one_press(
    studio: Studio, recording: bytes, desk: Page
) -> None:
    aline = studio.signed_in()
    path = aline.upload(recording, title="Matonge").path
    await _arrive(desk, studio, aline, path)

    await desk.locator("#chapters").fill("00:03 Market")
    await desk.get_by_role("button", name="Set to the current time").click()
    await expect(desk.get_by_text("Listen first")).to_be_visible()
    await expect(desk.locator("#chapters")).to_have_value("00:03 Market")

    await desk.get_by_role("link", name="Play the last ten seconds").click()
    await _until(desk, "document.querySelector('[data-recording]').currentTime > 10")
    await desk.evaluate("document.querySelector('[data-recording]').pause()")
    await desk.get_by_role("button", name="Set to the current time").click()
    await expect(desk.locator("#chapters")).to_have_value(re.compile(r"00:1\d Market"))
    await expect(desk.get_by_text("Listen first")).to_be_hidden()

    await desk.locator("#chapters").fill("00:00 Start\n00:02 Market")
    await desk.evaluate("""async () => {
      const audio = document.querySelector("[data-chapters] audio");
      const ready = new Promise((done) => audio.addEventListener("seeked", done));
      audio.load();
      await new Promise((done) => audio.addEventListener("loadedmetadata", done));
      audio.currentTime = 5;
      await ready;
    }""")
    await desk.get_by_role("button", name="Set to the current time").click()
    await expect(desk.locator("#chapters")).to_have_value("00:00 Start\n00:05 Market")
    await desk.keyboard.press("Control+z")
    await expect(desk.locator("#chapters")).to_have_value("00:00 Start\n00:02 Market")


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_the_page_is_usable_by_everybody(
    studio: Studio, recording: bytes, chromium: Chromium, window: str, language: str
) -> None:
    width, height = WINDOWS[window]
    context = await chromium.new_context(viewport={"width": width, "height": height})
    page, heard = await context.new_page(), []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: heard.append(request.url) if not _is_ours(request.url, studio) else None)
    aline = studio.signed_in(language=language)
    path = aline.upload(recording, title="Matonge", notes="With **Aline**.").path
    _change(studio.site, path, persons=[{"name": "Jean", "role": "guest"}])

    await _arrive(page, studio, aline, path)
    await page.locator(".preview details").evaluate("(folded) => folded.open = true")
    await expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_have_text("Matonge")
    await _looks_well(page, width)
    await page.locator("[data-query='as=feed']").click()
    await expect(page.frame_locator("iframe").locator("pre")).to_contain_text("<title>Matonge</title>")
    await page.locator("#publish_at").evaluate("(input) => input.closest('details').open = true")
    await page.locator("#publish_at").fill("2031-10-26T02:30")
    await _looks_well(page, width)
    assert heard == []

    _change(studio.site, path, title="Jean's")
    await page.locator("#title").fill("Aline's")
    await expect(page.locator("#title-theirs")).to_contain_text("Jean's")
    await page.locator("#season").fill("x")
    await expect(page.locator("[data-marked]")).to_have_count(1)
    await _looks_well(page, width)
    await page.locator("form[action$='/guests'] button").click()
    await expect(page.locator("#shown-once")).to_be_visible()
    await _looks_well(page, width)
    await page.goto(await page.locator("#shown-once").input_value())
    await _looks_well(page, width)
    await context.close()


def _is_ours(url: str, studio: Studio) -> bool:
    return url.startswith((studio.site.settings.origin, "data:", "blob:", "about:"))


def _list(value: object) -> list[dict[str, str]]:
    assert isinstance(value, list)
    return value


async def _looks_well(page: Page, width: int) -> None:
    found = await Axe().run(page)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def _arrive(page: Page, studio: Studio, browser: Browser, path: str) -> None:
    await _give_session(page, studio, browser)
    await page.goto(studio.site.settings.origin + path)


async def _give_session(page: Page, studio: Studio, browser: Browser) -> None:
    session = browser.client.cookies[SESSION_COOKIE]
    await page.context.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": studio.site.settings.origin}])


def _status(page: Page) -> Locator:
    return page.locator("[data-status]")


async def _is_saved(page: Page) -> None:
    await expect(_status(page)).to_contain_text("Saved at", timeout=10_000)


async def _until(page: Page, expression: str) -> None:
    """Asked from outside: the page's own policy lets nothing be evaluated in it."""
    for _ in range(100):
        if await page.evaluate(expression):
            return
        await page.wait_for_timeout(100)
    raise AssertionError(expression)


def _saved(browser: Browser, path: str) -> dict[str, str]:
    return browser.open(path).form()


def _change(site: Site, path: str, **fields: object) -> None:
    """As somebody else does it."""
    answer = site.api.patch(f"/api/v1{path.removeprefix('/studio')}", json=fields)
    assert answer.status_code == 200, answer.text
