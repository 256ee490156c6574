"""Row 10: how soon the player on another site can be pressed on a slow line, against a page with an <audio> alone."""

from collections.abc import Callable, Iterator

from playwright.sync_api import Browser, sync_playwright

from scripts.lib.bench import samples, servers
from scripts.lib.bench.measure import Line, medians
from scripts.lib.bench.uploads import MB, folder_on_disk, upload_published
from tests.another_site import another_site
from tests.conftest import chromium_program

SLOW = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 50_000,
    "uploadThroughput": 50_000,
}  # ms, bytes a second
BARE = '<audio controls preload="none" src="episode.mp3"></audio>'
EMBED = "/diaspora-insights/embed"

# Milliseconds until the browser's own player is there, and ours in its place.
WATCH = """new MutationObserver(() => {
  if (document.querySelector("audio")) self.theirs ??= performance.now();
  if (document.querySelector("[data-deck]:not([hidden])")) self.ours ??= performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true })"""


def first_press() -> Iterator[Line]:
    with folder_on_disk() as folder, servers.podcast_app(folder / "data") as ours, sync_playwright() as playwright:
        token = servers.command(folder / "data", "token", "create", "bench")
        upload_published(ours, token, samples.mp3(folder / "episode.mp3", MB))
        browser = playwright.chromium.launch(executable_path=chromium_program())
        with another_site(folder, BARE) as bare:
            took = medians(
                {
                    "bare": _until(browser, bare, "theirs"),
                    "browser's own": _until(browser, f"{ours.origin}{EMBED}", "theirs"),
                    "ours": _until(browser, f"{ours.origin}{EMBED}", "ours"),
                }
            )
        browser.close()
    yield Line(10, "embed, a play button", "bare <audio>, 400 kbit/s", took["browser's own"], took["bare"], "ms", 1.2)
    yield Line(10, "embed, our play button", "bare <audio>, 400 kbit/s", took["ours"], took["bare"], "ms", 1.2)


def _until(browser: Browser, url: str, what: str) -> Callable[[], float]:
    def measure() -> float:
        context = browser.new_context()
        page = context.new_page()
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        network.send("Network.emulateNetworkConditions", SLOW)
        page.add_init_script(WATCH)
        page.goto(url, wait_until="networkidle")
        taken: float = page.evaluate(f"self.{what}")
        context.close()
        return taken

    return measure
