"""What somebody pays for who comes for the first time, on a costly line: bytes and requests, counted by the browser."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, CDPSession
from sqlalchemy import select
from sqlalchemy.orm import Session

from podcast_app.models import EpisodeText
from tests.media.samples import audio
from tests.podcasts import Place
from tests.sentences import ROOT
from tests.site import SLUG, free_port
from tests.visitor import Visitor, add_many, visiting

ONE_ROUND_TRIP = 14_600  # bytes that TCP sends before it waits for an answer (RFC 6928)
EPISODE_PAGE = 20_000
EMBED = 8_000 + 900  # with its headers
REQUESTS = 4  # the page, its style, its script, its icon
PROSE = re.sub(r"[*`|#]", "", (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8"))  # real words pack as such


@dataclass
class View:
    """What came over the line, in bytes with all headers, by address; covers apart."""

    came: dict[str, int] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        return sum(self.came.values())


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    folder = tmp_path_factory.mktemp("site")
    with visiting(Place(f"sqlite:///{folder / 'podcast.db'}", folder, free_port())) as visitor:
        visitor.site.database.write(_fill, visitor)
        recording = audio(folder / "tone.mp3", "-b:a", "64k", seconds=20)
        visitor.podcasts.published(
            recording.read_bytes(),
            title="Women who lead: three voices from Kigali",
            slug="women-who-lead",
            notes=PROSE[:4000],
            chapters=[{"start_ms": 1000 * n, "title": PROSE[90 * n : 90 * n + 40]} for n in range(12)],
            persons=[{"name": "Aline Uwimana", "role": "host"}, {"name": "Jean-Bosco Habimana", "role": "guest"}],
        )
        yield visitor


@pytest.mark.parametrize(
    ("path", "most_bytes", "most_requests"),
    [
        (f"/{SLUG}/", ONE_ROUND_TRIP, REQUESTS),
        pytest.param(f"/fr/{SLUG}/", ONE_ROUND_TRIP, REQUESTS, marks=pytest.mark.long),
        (f"/{SLUG}/women-who-lead", EPISODE_PAGE, REQUESTS),
        (f"/{SLUG}/women-who-lead/embed", EMBED, 1),
        pytest.param(f"/{SLUG}/embed", EMBED, 1, marks=pytest.mark.long),
    ],
)
async def test_the_first_view_is_small_and_leaves_nothing_behind(
    visitor: Visitor, chromium: Browser, path: str, most_bytes: int, most_requests: int
) -> None:
    context = await chromium.new_context()
    page = await context.new_page()
    view = await _watched(await context.new_cdp_session(page))

    await page.goto(visitor.origin + path, wait_until="networkidle")

    kept = await page.evaluate("[localStorage.length, sessionStorage.length, document.cookie.length]")
    workers = await page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)")
    await context.close()
    assert view.size_bytes <= most_bytes, view.came
    assert len(view.came) <= most_requests, view.came
    assert [url for url in view.came if not url.startswith(visitor.origin)] == []
    assert [url for url in view.came if "/media/" in url] == []
    assert (kept, workers) == ([0, 0, 0], 0)


async def _watched(network: CDPSession) -> View:
    view, addresses = View(), dict[str, str]()
    network.on("Network.requestWillBeSent", lambda said: addresses.update({said["requestId"]: said["request"]["url"]}))

    def finished(said: dict[str, object]) -> None:
        url = addresses[str(said["requestId"])]
        if "/cover-" not in url and not url.startswith("data:"):
            view.came[url] = int(str(said["encodedDataLength"]))

    network.on("Network.loadingFinished", finished)
    await network.send("Network.enable")
    return view


def _fill(session: Session, visitor: Visitor) -> None:
    """As many episodes as fill two pages, each with words of its own."""
    add_many(session, visitor.podcasts.show().id, 30)
    session.flush()
    for place, text in enumerate(session.scalars(select(EpisodeText))):
        text.title, text.notes = PROSE[700 * place + 300 :][:50], PROSE[700 * place :][:500]
