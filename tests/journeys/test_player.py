"""The player, in a browser, with real sound: by hand, by keyboard, on slow lines, without script, with a transcript."""

import json
import re
from collections.abc import Sequence

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Locator, Page, Route, expect

from podcast_app import behind, search, worker
from podcast_app.models import Episode
from tests.media.samples import audio
from tests.site import SLUG, hurried
from tests.visitor import Visitor

SECONDS = 70
SAID = [("Aline", 0, "We begin on the Chaussée"), ("Aline", 4, "de Wavre."), ("Jean", 8, "In Lubumbashi <b>too</b>.")]
SAID += [("Aline", start, f"Line {start}.") for start in range(12, SECONDS, 3)]
ODD = "♪ L’ÉTÉ, Straße, œdème ææ đðħıłŋøœþ ɓɖɗɛəɣƙɔʋƴ ٣٤ الـمكتبة أحمد ٱلى"  # letters that people write otherwise
ENDLESS = "https://example.org/" + "a-song-of-the-congo" * 9  # a chapter, as programs name them
SPARING = "Object.defineProperty(navigator, 'connection', { get: () => ({ saveData: true }) })"

# Resolves when the sound has gone on beyond what was asked for.
HEARD = """(audio, second) => new Promise((heard) => {
  const look = () => !audio.paused && audio.currentTime > second && heard(audio.currentTime);
  audio.addEventListener("timeupdate", look);
  look();
})"""

# What one presses and what is smaller than a finger needs (WCAG 2.2, 2.5.8).
SMALL = """player => [...player.querySelectorAll("button, input, select, summary, ol a")]
  .filter((target) => target.checkVisibility())
  .filter((target) => Math.min(target.getBoundingClientRect().width, target.getBoundingClientRect().height) < 24)
  .map((target) => target.outerHTML)"""


@pytest.fixture(scope="module")
def visitor(shared_visitor: Visitor) -> Visitor:
    return shared_visitor


@pytest.fixture(scope="module")
def episode(visitor: Visitor, tmp_path_factory: pytest.TempPathFactory) -> Episode:
    recording = audio(tmp_path_factory.mktemp("audio") / "tone.mp3", "-b:a", "64k", "-ar", "24000", seconds=SECONDS)
    made = visitor.podcasts.published(
        recording.read_bytes(),
        title="Matonge",
        slug="matonge",
        persons=[{"name": "N" * 90, "role": "host"}],
        chapters=[
            {"start_ms": 0, "title": "Arriving"},
            {"start_ms": 40_000, "title": "Staying"},
            {"start_ms": 69_000, "title": ENDLESS},
        ],
    )
    with hurried():
        worker.catch_up(visitor.podcasts.work, (behind.make_low_mp3, behind.make_low_opus))
    for language, lines in (("en", SAID), ("fr", [("Aline", 0, "Nous commençons."), ("Aline", 5.4, ODD)])):
        put = visitor.site.api.put(f"/api/v1/episodes/{made.id}/transcripts/{language}", content=_transcript(lines))
        assert put.status_code == 200, put.text
    return visitor.podcasts.episode(made.id)


@pytest.mark.long
async def test_without_script_the_browser_s_own_player_chapters_and_transcripts_are_there(
    visitor: Visitor, episode: Episode, chromium: Browser
) -> None:
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()

    player = await _opened(page, visitor)

    await expect(player.locator("audio[controls]")).to_be_visible()
    assert await player.get_by_role("button").count() == 0
    await player.get_by_text("Chapters").click()
    await expect(player.get_by_role("link", name="Staying")).to_be_visible()
    await player.get_by_text("Transcript").click()
    await expect(player.get_by_role("link", name="read").first).to_be_visible()
    await expect(player.get_by_role("link", name="Staying")).to_be_hidden()  # one at a time
    await context.close()


async def test_nothing_is_fetched_or_kept_before_play_and_then_the_place_is_and_all_of_it_by_keyboard(
    visitor: Visitor, episode: Episode, page: Page
) -> None:
    asked = _media(page)
    player = await _opened(page, visitor)
    bar = player.get_by_role("slider", name="Place in the episode")
    order = ["Back 15 seconds", "Play", "Forward 30 seconds", "Place in the episode", "Speed", "Mute", "Volume"]
    await player.get_by_role("button", name=order[0]).focus()
    for name in order[1:]:
        await page.keyboard.press("Tab")
        await expect(player.locator(":focus")).to_have_accessible_name(name)

    places = {"ArrowRight": "5 seconds", "l": "35 seconds", "Home": "0 seconds", "PageUp": "1 minute"}
    places |= {"j": "45 seconds", "ArrowLeft": "40 seconds"}
    for key, place in places.items():
        await bar.press(key)
        await expect(bar).to_have_attribute("aria-valuetext", f"{place} of 1 minute 10 seconds")
    await expect(player.locator("[data-chapter]")).to_have_text("Staying")
    await expect(player.locator("[data-now]")).to_have_text("from 0:40")
    await bar.press("m")
    await expect(player.get_by_role("button", name="Mute", pressed=True)).to_be_visible()
    assert (asked, await _kept(page)) == ([], {})

    await bar.press(" ")
    await _heard(player, 40.2)
    await bar.press("k")
    await expect(player.get_by_role("button", name="Play")).to_be_visible()
    assert 40 < float((await _kept(page))[f"/media/{episode.audio.id}/matonge.mp3"]) < 42
    await player.get_by_label("Speed").select_option("1.5")
    await page.locator("h1").click()
    await page.keyboard.press("k")
    assert await player.locator("audio").evaluate("audio => audio.paused")

    await page.reload()
    await expect(player.locator("[data-now]")).to_have_text(re.compile("from 0:4[01]"))
    await expect(player.locator("[data-left]")).to_have_text(re.compile("−0:(29|30)"))
    assert await player.locator("audio").evaluate("audio => audio.playbackRate") == 1.5
    await bar.press("End")
    await player.get_by_role("button", name="Play").click()
    await expect(player.get_by_role("button", name="Play")).to_be_visible()
    assert await _kept(page) == {"speed": "1.5"}


async def test_an_address_and_a_chapter_lead_to_their_moment_and_the_device_s_own_keys_know_it(
    visitor: Visitor, episode: Episode, page: Page
) -> None:
    player = await _opened(page, visitor, "?t=0:05.4&transcript=fr#transcript")
    now = player.locator("[data-now]")
    await expect(now).to_have_text("from 0:05")
    await expect(player.locator("[data-lines] [aria-current]")).to_have_text(ODD)
    moments = {"50.5": "from 0:50", "1m5s": "from 1:05", "0h1m": "from 1:00", "npt:0:00:30,40": "from 0:30"}
    beyond_the_end = {"71": "0:00", "9" * 400: "0:00"}
    for moment, said in (moments | beyond_the_end | {"0:30": "from 0:30"}).items():
        await page.evaluate("moment => { location.hash = `t=${moment}` }", moment)
        await expect(now).to_have_text(said)
    await page.evaluate("location.hash = 't=soon'")
    await player.locator("audio").evaluate("audio => { audio.currentTime = 1e999 }")
    await expect(now).to_have_text("from 0:30")

    await player.get_by_text("Chapters").click()
    await player.get_by_role("link", name="Staying").click()
    await _heard(player, 40.1)
    assert await player.locator(".chapters [aria-current=true]").inner_text() == "0:40\nStaying"

    told = await page.evaluate(
        "(({ title, artist, album, artwork: [cover] }) => [title, artist, album, cover.src])"
        "(navigator.mediaSession.metadata)"
    )
    assert told[:3] == ["Matonge", "Diaspora Insights", "Staying"]
    assert (await page.request.get(told[3])).headers["content-type"] == "image/jpeg"

    await player.evaluate("player => player.after(new Audio(player.querySelector('audio').src))")
    await page.locator("[data-player] + audio").evaluate("audio => audio.play()")
    await expect(player.get_by_role("button", name="Play")).to_be_visible()  # one at a time


async def test_on_a_sparing_line_a_light_version_that_plays_is_chosen_and_a_switch_leads_back(
    visitor: Visitor, episode: Episode, page: Page
) -> None:
    asked = _media(page)
    await page.add_init_script(SPARING)
    await page.route(re.compile("/media/.*opus"), lambda route: route.abort())
    player = await _opened(page, visitor)
    switch = player.get_by_role("button", name=re.compile(r"Light version, \d+ kB instead of 5\d+ kB"))
    await expect(switch).to_have_attribute("aria-pressed", "true")
    assert asked == []

    await player.locator("[data-seek]").press("PageUp")
    await player.get_by_role("button", name="Play").click()
    await _heard(player, 60.1)
    assert [name.rpartition("-")[2] for name in dict.fromkeys(asked)] == ["low.opus", "low.mp3"]

    await switch.click()
    await _heard(player, 60.3)
    await expect(switch).to_have_attribute("aria-pressed", "false")
    assert asked[-1] == "matonge.mp3"
    assert (await _kept(page))["light"] == "0"


@pytest.mark.long
@pytest.mark.parametrize(("broken", "played"), [("nothing", "matonge-low.opus"), ("low", "matonge.mp3")])
async def test_what_does_not_play_gives_way_to_the_next_edition_at_the_same_place(
    visitor: Visitor, episode: Episode, page: Page, broken: str, played: str
) -> None:
    await page.add_init_script(SPARING)
    await page.route(re.compile(rf"/media/.*{broken}"), lambda route: route.abort())
    player = await _opened(page, visitor)
    await player.locator("[data-seek]").press("PageUp")

    await player.get_by_role("button", name="Play").click()

    await _heard(player, 60.1)
    assert (await player.locator("audio").evaluate("audio => audio.src")).endswith(f"/{played}")


@pytest.mark.long
async def test_when_nothing_plays_it_is_said_kindly_and_another_press_tries_again(
    visitor: Visitor, episode: Episode, page: Page
) -> None:
    async def refuse(route: Route) -> None:
        await route.abort()

    await page.route("**/media/**", refuse)
    player = await _opened(page, visitor)

    await player.get_by_role("button", name="Play").click()
    await expect(player.get_by_role("status").first).to_contain_text("This does not play here, alas.")
    await expect(player.get_by_role("link", name=re.compile(r"Download \(5\d+ kB\)"))).to_be_visible()

    await page.unroute("**/media/**", refuse)
    await player.get_by_role("button", name="Play").click()
    await _heard(player, 0.1)


@pytest.mark.long
async def test_a_line_that_is_gone_is_waited_for(visitor: Visitor, episode: Episode, page: Page) -> None:
    player = await _opened(page, visitor, "#t=20")
    await page.context.set_offline(True)
    await player.get_by_role("button", name="Play").click()
    await expect(player.get_by_role("status").first).to_contain_text("The connection is gone.")
    await expect(player.get_by_role("button", name="Pause")).to_be_visible()

    await page.context.set_offline(False)

    await _heard(player, 20.1)
    await expect(player.get_by_role("status").first).not_to_contain_text("The connection is gone.")


@pytest.mark.long
async def test_what_plays_before_the_script_has_come_goes_on_from_there(
    visitor: Visitor, episode: Episode, page: Page
) -> None:
    async def late(route: Route) -> None:
        await _heard(player, 0.5)
        await route.continue_()

    await page.route("**/site.js", late)
    player = page.locator("[data-player]")
    await page.add_init_script(
        "new MutationObserver((_, all) => { const audio = document.querySelector('audio');"
        "if (audio) { all.disconnect(); audio.play(); } }).observe(document, { childList: true, subtree: true })"
    )

    await _opened(page, visitor)

    await expect(player.get_by_role("button", name="Pause")).to_be_visible()
    await expect(player.locator("[data-now]")).to_have_text("0:02")


@pytest.mark.long
async def test_one_player_at_a_time_is_heard_in_all_windows(visitor: Visitor, episode: Episode, page: Page) -> None:
    other = await page.context.new_page()
    players = [await _opened(one, visitor) for one in (page, other)]
    for player in players:
        await player.get_by_role("button", name="Play").click()
        await _heard(player, 0.1)

    await expect(players[0].get_by_role("button", name="Play")).to_be_visible()
    await expect(players[1].get_by_role("button", name="Pause")).to_be_visible()


async def test_a_transcript_comes_when_it_is_opened_follows_the_sound_and_is_searched(
    visitor: Visitor, episode: Episode, page: Page
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    player = await _opened(page, visitor)
    assert not any("transcript" in url for url in asked)

    await player.get_by_text("Transcript").click()
    lines = player.get_by_role("region", name="Transcript")
    await expect(lines.get_by_role("link")).to_have_count(len(SAID))
    assert await lines.get_attribute("lang") == "en"
    assert await lines.locator("p b").all_inner_texts() == ["Aline", "Jean", "Aline"]
    await expect(lines).to_contain_text("In Lubumbashi <b>too</b>.")

    await lines.get_by_role("link", name="Line 60.").click()
    await _heard(player, 60.1)
    current = lines.locator("[aria-current]")
    await expect(current).to_have_text("Line 60.")
    await expect(current).to_be_in_viewport()

    search_field = player.get_by_role("searchbox")
    await search_field.fill("chaussee DE wavre")
    await expect(player.locator("[data-count]")).to_have_text("1 of 1")
    await expect(lines.locator("[data-found]")).to_have_text(["We begin on the Chaussée", "de Wavre."])
    await expect(player.get_by_label("Follow the sound")).not_to_be_checked()
    await search_field.fill("line 1")
    await expect(player.locator("[data-count]")).to_have_text("1 of 3")
    await search_field.press("Enter")
    await expect(player.locator("[data-count]")).to_have_text("2 of 3")
    await expect(lines.locator("[data-found=here]")).to_have_text("Line 15.")
    await search_field.fill("nowhere")
    await expect(player.locator("[data-count]")).to_have_text("Not found")
    await search_field.press("Escape")
    await expect(search_field).to_have_value("")
    await expect(lines.locator("[data-found]")).to_have_count(0)

    await player.get_by_label("Language of the transcript").select_option("français")
    await expect(lines).to_contain_text("Nous commençons.")
    assert await lines.get_attribute("lang") == "fr"
    for asked_for in ("l'ete", search.folded(ODD)):  # as the site's search does
        await search_field.fill("-")
        await search_field.fill(asked_for)
        await expect(player.locator("[data-count]")).to_have_text("1 of 1")


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("prefix", ["", "/fr"])
@pytest.mark.parametrize("width", [240, 320, 1280])
async def test_the_player_fits_every_screen_and_leaves_nobody_out(
    visitor: Visitor, episode: Episode, chromium: Browser, width: int, prefix: str, scheme: str
) -> None:
    context = await chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = await context.new_page()
    player = await _opened(page, visitor, "?t=69.5#transcript", prefix)
    await expect(player.locator("[data-lines] a").first).to_be_visible()

    for tab in (None, "[data-chapters] summary"):
        if tab:
            await player.locator(tab).click()
        judged = await Axe().run(page)
        assert judged.violations_count == 0, judged.generate_report()
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await player.evaluate(SMALL) == []
    await context.close()


@pytest.mark.long
async def test_a_transcript_that_is_open_is_printed_whole(visitor: Visitor, episode: Episode, page: Page) -> None:
    await page.set_viewport_size({"width": 320, "height": 320})
    player = await _opened(page, visitor, "#transcript")
    lines = player.locator("[data-lines]")
    await expect(lines.get_by_role("link")).to_have_count(len(SAID))
    assert await lines.evaluate("lines => lines.scrollHeight > lines.clientHeight")

    await page.emulate_media(media="print")

    await expect(lines).to_be_visible()
    assert await lines.evaluate("lines => lines.scrollHeight === lines.clientHeight")
    await expect(player.get_by_role("searchbox")).to_be_hidden()


async def _opened(page: Page, visitor: Visitor, at: str = "", prefix: str = "") -> Locator:
    """The episode's page, and in it the player."""
    await page.goto("about:blank")  # or else another "#" were no new visit
    await page.goto(f"{visitor.origin}{prefix}/{SLUG}/matonge{at}")
    return page.locator("[data-player]")


async def _heard(player: Locator, second: float) -> None:
    await player.locator("audio").evaluate(HEARD, second)


async def _kept(page: Page) -> dict[str, str]:
    """What is in the browser's storage."""
    kept: dict[str, str] = await page.evaluate("({ ...localStorage })")
    return kept


def _media(page: Page) -> list[str]:
    """The names of the audio files that the page asks for from now on."""
    asked: list[str] = []
    page.on(
        "request", lambda request: asked.append(request.url.rpartition("/")[2]) if "/media/" in request.url else None
    )
    return asked


def _transcript(lines: Sequence[tuple[str, float, str]]) -> bytes:
    segments = [
        {"speaker": speaker, "startTime": start, "endTime": start + 3, "body": body} for speaker, start, body in lines
    ]
    return json.dumps({"version": "1.0.0", "segments": segments}).encode()
