"""The pictures of docs/screenshots: the main pages, in a browser of today, on a desk and on a phone."""

import datetime as dt
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console

from media.storage.open import open_storage
from podcast_app import demo, people, publishing, worker
from podcast_app.access import SESSION_COOKIE
from podcast_app.models import EpisodeId
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from podcast_app.work import Work
from tests.conftest import CHROMIUM_OPTIONS, chromium_program
from tests.site import SLUG, Site, free_port, running
from tests.studio import opened

FOLDER = Path("docs/screenshots")
COLOURS = 192  # of a PNG: enough for our pages, at a third of the bytes
DESK = (1280, 900)
PHONE = (360, 740)

STUDIO = f"/studio/shows/{SLUG}"


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A picture. `path` may name an episode by its place among the samples: {published}, {draft}."""

    path: str
    window: tuple[int, int] = DESK
    language: str = "en"
    is_dark: bool = False
    is_whole: bool = False  # the page to its end, not the window alone


SHOTS = {
    "listing": Shot(path=f"/{SLUG}/", window=(1280, 1100)),
    "studio-home": Shot(path=f"{STUDIO}/"),
    "studio-home-phone": Shot(path=f"{STUDIO}/", window=PHONE, language="fr", is_whole=True),
    "studio-new": Shot(path=f"{STUDIO}/new"),
    "studio-episode": Shot(path="/studio/episodes/{draft}", window=(1280, 1100)),
    "studio-episode-dark": Shot(path="/studio/episodes/{draft}", window=(1280, 1100), language="fr", is_dark=True),
    "studio-episode-phone": Shot(path="/studio/episodes/{draft}", window=PHONE, language="fr", is_whole=True),
    "studio-published": Shot(path="/studio/episodes/{published}", window=(1280, 1100)),
    "studio-history": Shot(path="/studio/episodes/{published}/history"),
    "studio-settings": Shot(path=f"{STUDIO}/settings", language="fr"),
    "studio-people": Shot(path=f"{STUDIO}/people"),
    "studio-directories": Shot(path=f"{STUDIO}/directories"),
}


def main(names: list[str]) -> None:
    """All of them, or those that are named."""
    if unknown := set(names) - set(SHOTS):
        raise SystemExit(f"No such picture: {', '.join(sorted(unknown))}. There are: {', '.join(SHOTS)}.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with _sample_site() as (site, episodes), sync_playwright() as browsers:
        chromium = browsers.chromium.launch(executable_path=chromium_program(), args=list(CHROMIUM_OPTIONS))
        for name in names or SHOTS:
            _take(chromium, site, SHOTS[name], episodes, FOLDER / f"{name}.png")
            print(name)


@contextmanager
def _sample_site() -> Iterator[tuple[Site, dict[str, str]]]:
    """A site with what `podcast-app demo` makes, one of it a draft again, and an episode for next week."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(port=free_port(), data_dir=Path(folder), _env_file=None)
        with running(settings) as site:
            work = Work(site.database, open_storage(settings.storage_url or None, settings.data_dir), settings)
            demo.fill(site.show(), work, Console(quiet=True))
            yield site, {"published": _newest(site), **_unpublished(site, work)}


def _newest(site: Site) -> str:
    listed = site.api.get(f"/api/v1/shows/{SLUG}/episodes").json()["items"]
    newest: str = next(episode["id"] for episode in listed if episode["state"] == "published")
    return newest


def _unpublished(site: Site, work: Work) -> dict[str, str]:
    said = {
        "title": "Women who lead: three voices from Kigali",
        "notes": "What leading means when nobody has shown you how.\n\n**With** three guests, and a song at the end.",
        "season": "1",
        "number": "4",
        "chapters": "00:00 Arriving\n00:05 Three voices\n00:12 A song",
    }
    draft = site.episode(demo.melody((0, 4, 2, 3, 1) * 8), "women-who-lead.wav", **said).json()["id"]
    later = site.episode(demo.melody((3, 1, 0, 2) * 8), "bamako.wav", title="A letter to Bamako").json()["id"]
    due = site.database.write(
        publishing.make_due, EpisodeId(later), utcnow() + dt.timedelta(days=6), site.settings, utcnow()
    )
    assert isinstance(due, publishing.Done), due
    worker.catch_up(work)
    return {"draft": draft, "later": later}


def _take(chromium: Browser, site: Site, shot: Shot, episodes: dict[str, str], file: Path) -> None:
    width, height = shot.window
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if shot.is_dark else "light",
        locale=shot.language,
        device_scale_factor=2 if width < 600 else 1,
    )
    if shot.path.startswith("/studio/"):
        context.add_cookies([{"name": SESSION_COOKIE, "value": _signed_in(site, shot.language), "url": _origin(site)}])
    page = context.new_page()
    page.goto(_origin(site) + shot.path.format(**episodes), wait_until="networkidle")
    _save(page, file, is_whole=shot.is_whole)
    context.close()


def _signed_in(site: Site, language: str) -> str:
    email = {"en": "Aline@example.org", "fr": "Aminata@example.org"}[language]
    with opened(site) as studio:
        person = studio.person(email) or studio.account(email, language=language)
    return site.database.write(people.sign_in, person.id, utcnow())


def _origin(site: Site) -> str:
    return f"http://127.0.0.1:{site.settings.port}"


def _save(page: Page, file: Path, *, is_whole: bool) -> None:
    taken = Image.open(BytesIO(page.screenshot(full_page=is_whole, animations="disabled")))
    taken.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
