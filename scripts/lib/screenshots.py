"""The pictures of docs/screenshots: the main pages, in a browser of today, on a desk and on a phone."""

import datetime as dt
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console

from media.storage.open import open_storage
from podcast_app import demo, people, publishing, worker
from podcast_app.access import SESSION_COOKIE
from podcast_app.models import EpisodeId
from podcast_app.settings import Settings
from podcast_app.site import oembed
from podcast_app.times import utcnow
from podcast_app.work import Work
from tests.conftest import CHROMIUM_OPTIONS, chromium_program
from tests.site import SLUG, Site, free_port, running
from tests.studio import opened

FOLDER = Path("docs/screenshots")
COLOURS = 192  # of a PNG: enough for our pages, at a third of the bytes
DESK = (1280, 900)
PHONE = (360, 740)
EMBED = (640, oembed.TALL)

STUDIO = f"/studio/shows/{SLUG}"


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A picture. `path` may name an episode by its place among the samples: {published}, {draft}."""

    path: str
    window: tuple[int, int] = DESK
    language: str = "en"
    is_dark: bool = False
    is_whole: bool = False  # the page to its end, not the window alone
    opens: str = ""  # what is pressed first


SHOTS = {
    "listing": Shot(path=f"/{SLUG}/", window=(1280, 1100)),
    "listing-dark": Shot(path=f"/{SLUG}/", window=(1280, 1100), is_dark=True),
    "listing-phone": Shot(path=f"/fr/{SLUG}/", window=PHONE, language="fr"),
    "episode": Shot(path=f"/{SLUG}/matonge-at-closing-time", window=(1280, 1100), opens="[data-transcript] summary"),
    "episode-dark": Shot(path=f"/fr/{SLUG}/matonge-at-closing-time", language="fr", is_dark=True),
    "episode-phone": Shot(
        path=f"/fr/{SLUG}/matonge-at-closing-time", window=PHONE, language="fr", opens="[data-chapters] summary"
    ),
    "episode-arabic": Shot(path="/{arabic}", window=PHONE),
    "subscribe": Shot(path=f"/{SLUG}/", window=(1280, 640), opens=".subscribe summary"),
    "search": Shot(path=f"/{SLUG}/search?q=flour", window=(1280, 640)),
    "embed": Shot(path=f"/{SLUG}/matonge-at-closing-time/embed?theme=light", window=EMBED),
    "embed-dark": Shot(path=f"/fr/{SLUG}/matonge-at-closing-time/embed?theme=dark", window=EMBED, language="fr"),
    "embed-compact": Shot(path=f"/{SLUG}/matonge-at-closing-time/embed?size=compact", window=(640, oembed.COMPACT)),
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


LINKS = {
    "apple": "https://podcasts.apple.com/be/podcast/diaspora-insights/id1530000000",
    "spotify": "https://open.spotify.com/show/4rOoJ6Egrf8K2IrywzwOMk",
}
ARABIC = {
    "title": "رسائل من بروكسل",
    "language": "ar",
    "spoken_language": "ar",
    "notes": "حديث عن رسائل لم تُرسل، وعن مدينة صارت بيتًا. مع ضيوف من الدار البيضاء ونواكشوط وبروكسل.",
    "chapters": "00:00 الوصول\n00:30 ثلاث رسائل\n01:10 أغنية",
}
MATONGE = {
    "title": "Matonge at closing time",
    "season": "1",
    "number": "5",
    "notes": (
        "Aline has kept her shop open for thirty years, and knows who left and who came back. We talk about work, "
        "papers and the first sentence in a new language.\n\n- What was in the suitcase\n"
        "- Who goes first through the door\n\nMore on [the page of IOM](https://belgium.iom.int/)."
    ),
    "chapters": "00:00 Arriving\n00:40 The corner of the street\n01:50 What was in the suitcase\n03:20 A song",
    "persons": json.dumps(
        [{"name": "Aline Uwimana", "role": "host"}, {"name": "Jean-Bosco Habimana", "role": "guest"}]
    ),
    "translations": json.dumps(
        {
            "fr": {
                "title": "Matonge à l’heure de la fermeture",
                "notes": (
                    "Aline tient sa boutique depuis trente ans, et sait qui est parti et qui est revenu. On parle de "
                    "travail, de papiers et de la première phrase dans une nouvelle langue."
                ),
            }
        }
    ),
}
SAID = {
    "en": (
        ("Aline", "So this is where it all began, on the corner of the Chaussée de Wavre."),
        ("Aline", "People came for the haircut, and stayed for the conversation."),
        ("Jean-Bosco", "My mother put a photograph, a cloth and a bag of flour into the suitcase."),
        ("Jean-Bosco", "She said: you will be back before the flour is gone."),
        ("Aline", "And were you?"),
        ("Jean-Bosco", "No. I have still got the bag."),
    ),
    "fr": (
        ("Aline", "C’est ici que tout a commencé, au coin de la chaussée de Wavre."),
        ("Aline", "On venait pour la coiffure, et on restait pour la conversation."),
        ("Jean-Bosco", "Ma mère a mis une photo, un pagne et un sac de farine dans la valise."),
        ("Jean-Bosco", "Elle a dit : tu seras rentré avant que la farine soit finie."),
        ("Aline", "Et alors ?"),
        ("Jean-Bosco", "Non. J’ai encore le sac."),
    ),
}


@contextmanager
def _sample_site() -> Iterator[tuple[Site, dict[str, str]]]:
    """A site with what `podcast-app demo` makes, one of it a draft again, and an episode for next week."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(port=free_port(), data_dir=Path(folder), _env_file=None)
        with running(settings, with_behind=True) as site:
            work = Work(site.database, open_storage(settings.storage_url or None, settings.data_dir), settings)
            demo.fill(site.show(), work, Console(quiet=True))
            arabic, newest = _published(site)
            worker.catch_up(work, worker.BEHIND)
            yield site, {"published": newest["id"], "arabic": _path(arabic), **_unpublished(site, work)}


def _published(site: Site) -> tuple[dict[str, Any], dict[str, Any]]:
    """What listeners' pages look like with all that they can have: an episode in Arabic, then one in two languages."""
    site.api.patch(f"/api/v1/shows/{SLUG}", json={"author": "IOM Belgium and Luxembourg", "links": LINKS})
    arabic = site.published(demo.melody((2, 4, 1, 3) * 60), "letters.wav", publish=_ago(days=2), **ARABIC)
    newest = site.published(demo.melody((0, 4, 2, 3, 1) * 100), "matonge.wav", **MATONGE)
    for language, lines in SAID.items():
        answer = site.api.put(f"/api/v1/episodes/{newest['id']}/transcripts/{language}", content=_vtt(lines))
        assert answer.status_code == 200, answer.text
    return arabic, newest


def _ago(**period: int) -> str:
    return (utcnow() - dt.timedelta(**period)).isoformat()


def _path(episode: dict[str, Any]) -> str:
    return str(episode["url"]).split("/", 3)[3]


def _vtt(lines: tuple[tuple[str, str], ...]) -> bytes:
    """A transcript in which each line takes four seconds, again and again."""
    cues = [
        f"00:{at // 60:02}:{at % 60:02}.000 --> 00:{(at + 4) // 60:02}:{(at + 4) % 60:02}.000\n<v {who}>{said}\n"
        for at, (who, said) in zip(range(0, 240, 4), lines * 20, strict=False)
    ]
    return "\n".join(["WEBVTT\n", *cues]).encode()


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
    if shot.opens:
        page.click(shot.opens)
        page.wait_for_timeout(1000)  # what is opened may have to come first
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
