"""A site that has nothing to do with ours, with our player in a page of it; and what a browser says of all that."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.async_api import Frame, Page

# Plays until something was heard, and gives the length in seconds. Our pages allow nobody to compile a script, so that
# Playwright's own waiting for a condition is refused there.
LISTEN = """audio => new Promise((heard, failed) => {
  audio.ontimeupdate = () => audio.currentTime > 0.2 && heard(audio.duration);
  audio.onerror = () => failed(audio.error.message);
  audio.play().catch(failed);
})"""


def overheard(page: Page) -> tuple[list[str], list[str]]:
    """What the browser complains of, and the addresses that it asks for, from now on."""
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    return complaints, asked


@contextmanager
def another_site(folder: Path, post: str) -> Iterator[str]:
    """The address of somebody's page with this in it, and an icon, which browsers would look for."""
    (folder / "post.html").write_text(f'<!doctype html><link rel="icon" href="data:,">{post}', encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/post.html"
        server.shutdown()
        thread.join()


async def framed(page: Page) -> Frame:
    """What stands in the page's frame, once it is all there."""
    frame = await (await page.wait_for_selector("iframe")).content_frame()
    await frame.wait_for_load_state("networkidle")
    return frame


class _Quiet(SimpleHTTPRequestHandler):
    log_message: Callable[..., None] = staticmethod(lambda *_said: None)
