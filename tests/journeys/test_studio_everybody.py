"""Every page of the studio, as it first stands and with what was refused, is one that everybody can use."""

import datetime as dt
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.routing import Match, Route

from podcast_app import people
from podcast_app.app import ROUTES
from podcast_app.models import Audio, Edition, Episode
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from tests.everybody import WINDOWS
from tests.media.samples import audio, picture
from tests.producer import LANGUAGES, Producer, producing
from tests.site import SLUG, Site, free_port, running
from tests.studio import HOME, Studio, opened

NO_ROOM = "The server's disk is full. Ask its administrator to make room, then try again."
NARROWEST = 320  # pixels (WCAG 2.2, 1.4.10)

# What is under /studio/ and answers GET with no page: sound, pictures, text to download, and addresses that lead on.
NO_PAGES = {
    "/studio",
    "/studio/",
    "/studio/upload",
    "/studio/episodes/{id}/transcript.{language}.{extension}",
    "/studio/episodes/{id}/audio/{name}",
    "/studio/episodes/{id}/picture",
    "/preview/{token}/audio/{name}",
    "/preview/{token}/picture",
    "/preview/{token}/transcript.{language}.{extension}",
}

Steps = Callable[[Producer], Awaitable[None]]
Who = Literal["administrator", "producer", "viewer", "stranger"]


async def as_it_is(_producer: Producer) -> None:
    """Nothing is done: the page as it opens."""


@dataclass(frozen=True)
class Look:
    """A page, what is done there before somebody looks, and whose eyes it is seen with."""

    path: str  # with the names of a library: "/studio/episodes/{draft}"
    steps: Steps = as_it_is
    state: str = ""
    who: Who = "administrator"

    def __str__(self) -> str:
        return " ".join(filter(None, (self.path, self.state, self.who.replace("administrator", ""))))


def refused(path: str, button: str, who: Who = "administrator", **typed: str) -> Look:
    """The page with what is wrong, at its inputs; browsers' own checks aside, which not everybody has."""

    async def steps(producer: Producer) -> None:
        await _type(producer, typed)
        await producer.page.evaluate("for (const form of document.forms) form.noValidate = true")
        await producer.press(button)
        await expect(producer.page.locator("main").locator(".summary, .wrong").first).to_be_visible()

    return Look(path, steps, "refused", who)


def done(path: str, button: str, shown: str, **typed: str) -> Look:
    """The page after its button was pressed, with what it then shows."""

    async def steps(producer: Producer) -> None:
        await _type(producer, typed)
        await producer.press(button)
        await expect(producer.page.locator(shown)).to_be_visible()

    return Look(path, steps, "done")


async def _type(producer: Producer, typed: dict[str, str]) -> None:
    await producer.page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
    for name, text in typed.items():
        await producer.page.locator(f"[id='{name}']").fill(text)


async def with_a_picture(producer: Producer, width: int, height: int, button: str) -> None:
    data = picture("navy", width, "PNG", height)
    file = {"name": "image.png", "mimeType": "image/png", "buffer": data}
    await producer.page.locator("#cover").set_input_files(file)
    await producer.press(button)
    await expect(producer.page.locator(".wrong").first).to_be_visible()


async def with_a_broken_transcript(producer: Producer) -> None:
    data = b"1\n00:00:00,000 --> 00:00:0x,000\nBonjour.\n"
    file = {"name": "casse.srt", "mimeType": "text/plain", "buffer": data}
    await producer.page.locator("#transcript").set_input_files(file)
    await producer.press("Add this transcript")
    await expect(producer.page.locator(".wrong").first).to_be_visible()


async def at_a_time_that_comes_twice(producer: Producer) -> None:
    await _type(producer, {"publish_at": "2031-10-26T02:30"})
    await expect(producer.page.locator("[data-which]")).to_be_visible()


async def at_a_time_that_does_not_come(producer: Producer) -> None:
    await _type(producer, {"publish_at": "2031-03-30T02:30"})
    await expect(producer.page.locator("[data-missing]")).to_be_visible()


async def with_somebody_elses_text(producer: Producer) -> None:
    """Changed while the page stood open, without a script that would have told."""
    site, path = producer.site, producer.page.url.removeprefix(producer.site.settings.origin)
    await producer.page.locator("#title").fill("Mon titre")
    answer = site.api.patch(f"/api/v1{path.removeprefix('/studio')}", json={"title": f"Son titre {utcnow()}"})
    assert answer.status_code == 200, answer.text
    await producer.press("Save")
    await expect(producer.page.locator("#title-theirs")).to_be_visible()


async def when_the_session_is_over(producer: Producer) -> None:
    await producer.lose_session()
    await producer.press("Save")
    await producer.reads("You are signed out")


async def with_the_feed_in_the_preview(producer: Producer) -> None:
    preview = producer.page.locator(".preview details")
    await preview.evaluate("(folded) => folded.open = true")
    await producer.page.locator("[data-query='as=feed']").click()
    await expect(producer.page.frame_locator("iframe").locator("pre")).to_be_visible()


SHOW = f"/studio/shows/{SLUG}"
DRAFT, PUBLISHED = "/studio/episodes/{draft}", "/studio/episodes/{published}"
TABLE = [
    # --- who comes in ---
    Look("/studio/sign-in", who="stranger"),
    refused("/studio/sign-in", "Sign in", "stranger", email="personne@example.org", password="faux"),
    Look("/studio/setup/{setup}", who="stranger"),
    refused("/studio/setup/{setup}", "Make the account", "stranger", email="", password="court"),
    Look("/studio/setup/used-up", who="stranger"),
    Look("/studio/password/{password}", who="stranger"),
    refused("/studio/password/{password}", "Keep this password", "stranger", password="court"),
    Look("/studio/password/used-up", who="stranger"),
    Look("/studio/invitation/{invitation}", who="stranger"),
    refused("/studio/invitation/{invitation}", "Make the account and join", "stranger", email="", password="court"),
    Look("/studio/invitation/{invitation}"),
    Look("/studio/invitation/{invitation}", who="producer"),
    Look("/studio/invitation/used-up", who="stranger"),
    Look("/preview/{guest}?language={language}", who="stranger"),
    # --- people ---
    Look("/studio/account"),
    refused("/studio/account", "Keep this password", old_password="faux", password="court"),
    Look("/studio/people"),
    Look("/studio/people/{jean}"),
    done("/studio/people/{jean}", "Make a link for a new password", "#shown-once"),
    Look("/studio/people/tokens"),
    refused("/studio/people/tokens", "Make a token", name=""),
    done("/studio/people/tokens", "Make a token", "#shown-once", name="robot"),
    Look(f"{SHOW}/people"),
    Look(f"{SHOW}/people", who="viewer"),
    refused(f"{SHOW}/people", "Make a link", email="personne"),
    done(f"{SHOW}/people", "Make a link", "#shown-once", email="invitee@example.org"),
    Look(f"{SHOW}/tokens"),
    refused(f"{SHOW}/tokens", "Make a token", name=""),
    done(f"{SHOW}/tokens", "Make a token", "#shown-once", name="robot"),
    # --- shows ---
    Look("/studio/shows/"),
    Look("/studio/shows/", who="producer"),
    Look("/studio/new-show"),
    refused("/studio/new-show", "Make the show", title=" "),
    Look(HOME),
    Look(HOME, who="viewer"),
    Look(f"{HOME}?q=matonge"),
    Look(f"{HOME}?q=introuvable"),
    Look("/studio/shows/vide/"),
    Look("/studio/shows/archive/"),
    Look(f"{SHOW}/settings"),
    Look(f"{SHOW}/settings", who="viewer"),
    refused(f"{SHOW}/settings", "Save", title="", owner_email="x", funding_url="x", slug="?"),
    Look(f"{SHOW}/settings", partial(with_a_picture, width=1500, height=1400, button="Save"), "cover to crop"),
    Look("/studio/shows/archive/settings"),
    Look(f"{SHOW}/directories"),
    Look(f"{SHOW}/directories", who="viewer"),
    refused(f"{SHOW}/directories", "Save", **{"links.apple": "x"}),
    Look("/studio/shows/vide/directories"),
    Look(f"{SHOW}/trash"),
    Look(f"{SHOW}/trash", who="viewer"),
    Look("/studio/shows/vide/trash"),
    Look(f"{SHOW}/trash/{{trashed}}/delete"),
    Look(f"{SHOW}/recordings/{{waiting}}/discard"),
    Look(f"{SHOW}/recordings/{{coming}}/discard"),
    # --- episodes ---
    Look(f"{SHOW}/new"),
    Look(f"{SHOW}/new?upload={{coming}}"),
    Look(f"{SHOW}/new?upload={{waiting}}"),
    refused(f"{SHOW}/new?upload={{waiting}}", "Save as a draft", season="deux", number="x"),
    Look(DRAFT),
    Look(DRAFT, who="viewer"),
    Look(DRAFT, with_the_feed_in_the_preview, "the feed in its preview"),
    Look(DRAFT, at_a_time_that_comes_twice, "a time that comes twice"),
    Look(DRAFT, at_a_time_that_does_not_come, "a time that does not come"),
    refused(DRAFT, "Save and schedule", publish_at="2031-03-30T02:30"),
    done(DRAFT, "Make a link", "#shown-once"),
    Look("/studio/episodes/{scheduled}"),
    Look("/studio/episodes/{failed}"),
    Look("/studio/episodes/{late}"),
    Look(PUBLISHED),
    Look(PUBLISHED, who="viewer"),
    refused(PUBLISHED, "Save", season="deux", title=""),
    Look(PUBLISHED, with_somebody_elses_text, "somebody else's text"),
    Look(PUBLISHED, when_the_session_is_over, "the session is over"),
    Look("/studio/episodes/{withdrawn}"),
    Look(f"{DRAFT}/audio"),
    Look(f"{PUBLISHED}/audio"),
    Look(f"{PUBLISHED}/audio", who="viewer"),
    refused(f"{PUBLISHED}/audio", "Replace the recording"),
    Look(f"{DRAFT}/transcripts"),
    Look(f"{PUBLISHED}/transcripts"),
    Look(f"{PUBLISHED}/transcripts", who="viewer"),
    Look(f"{DRAFT}/transcripts", with_a_broken_transcript, "refused"),
    Look(f"{DRAFT}/cover"),
    Look(f"{DRAFT}/cover", partial(with_a_picture, width=300, height=300, button="Save this cover"), "refused"),
    Look(f"{DRAFT}/cover", partial(with_a_picture, width=1500, height=1400, button="Save this cover"), "cover to crop"),
    Look(f"{DRAFT}/delete"),
    Look(f"{PUBLISHED}/delete"),
    Look(f"{DRAFT}/withdraw"),
    Look(f"{PUBLISHED}/withdraw"),
    Look(f"{DRAFT}/history"),
    Look(f"{PUBLISHED}/history"),
    Look(f"{PUBLISHED}/history", who="viewer"),
    # --- what is not there, or not theirs ---
    Look("/studio/no/such/page"),
    Look("/studio/episodes/none"),
    Look("/studio/people", who="viewer", state="not theirs"),
    Look(f"{SHOW}/new", who="viewer", state="not theirs"),
    Look(f"{DRAFT}/delete", who="viewer", state="not theirs"),
]


def test_every_page_of_the_studio_is_looked_at() -> None:
    pages = {route.path for route in ROUTES if isinstance(route, Route) and "GET" in (route.methods or ())}
    of_producers = {path for path in pages if path.startswith(("/studio", "/preview/"))}

    assert of_producers - NO_PAGES == {_route(look.path) for look in TABLE} - {"/{show}/{episode}"}


def _route(path: str) -> str:
    """The row of the table of routes that answers for this page; "/" for what is no page."""
    asked = {"type": "http", "method": "GET", "path": path.partition("?")[0], "root_path": ""}
    found = (route for route in ROUTES if isinstance(route, Route) and route.matches(asked)[0] is Match.FULL)
    return next((route.path for route in found), "/{show}/{episode}")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator["_Library"]:
    folder = tmp_path_factory.mktemp("everybody")
    settings = Settings(port=free_port(), data_dir=folder / "data", _env_file=None)
    with running(settings) as site, opened(site) as studio:
        yield _Library.furnished(studio, folder)


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("look", TABLE, ids=str)
async def test_everybody_can_use_it(library: "_Library", chromium: Browser, look: Look, language: str) -> None:
    async with producing(chromium, library.site, language) as producer:
        if look.who != "stranger":
            await producer.sign_in(role=None if look.who == "administrator" else look.who)
        await producer.open(look.path.format_map({**library.names, "language": language}))
        await look.steps(producer)

        for window in WINDOWS.values():
            await producer.page.set_viewport_size({"width": window.width, "height": window.height})
            for scheme in ("light", "dark"):
                await producer.page.emulate_media(color_scheme=scheme)
                await producer.judge()
        await producer.page.set_viewport_size({"width": NARROWEST, "height": 640})
        await producer.fits()


@dataclass(frozen=True)
class _Library:
    """A site with something of everything, and its names; what is said in it is French, as nobody translates it."""

    site: Site
    names: dict[str, str]

    @classmethod
    def furnished(cls, studio: Studio, folder: Path) -> "_Library":
        site = studio.site
        names = _accounts_and_links(studio) | _recordings(site, folder) | _episodes(site, folder)
        _shows(studio)
        return cls(site, names | {"guest": _guest_link(studio, names["draft"])})


def _accounts_and_links(studio: Studio) -> dict[str, str]:
    """The links are used by nobody."""
    studio.signed_in("jean@example.org", role="producer")
    show, jean, write = studio.site.show().id, studio.person("jean@example.org").id, studio.site.database.write
    write(people.create_token, "machine", show, utcnow())
    return {
        "jean": jean,
        "setup": write(people.invitation_link, "", is_administrator=False, now=utcnow()),
        "invitation": write(people.show_link, show, "producer", "marie@example.org", utcnow()),
        "password": write(people.password_link, jean, utcnow()),
    }


def _recordings(site: Site, folder: Path) -> dict[str, str]:
    """One that is coming, one that waits, one that was refused."""

    def begun(filename: str, size_bytes: int) -> Mapping[str, Any]:
        wanted = {"show": SLUG, "filename": filename, "size_bytes": size_bytes}
        upload: Mapping[str, Any] = site.api.post("/api/v1/uploads", json=wanted).json()
        return upload

    def sent(filename: str, data: bytes) -> str:
        upload = begun(filename, len(data))
        site.listener.put(upload["parts"][0]["url"], content=data)
        site.api.post(f"/api/v1/uploads/{upload['id']}/complete")
        return str(upload["id"])

    sent("notes.mp3", b"Ceci n'est pas un enregistrement. " * 100)
    waiting = sent("en-attente.mp3", audio(folder / "attente.mp3", "-b:a", "64k", seconds=3).read_bytes())
    return {"coming": str(begun("en-route.wav", 12_000_000)["id"]), "waiting": waiting}


def _episodes(site: Site, folder: Path) -> dict[str, str]:
    """In each state. What is public has everything that an episode can have, and a history."""
    tone = audio(folder / "tone.mp3", "-b:a", "64k", seconds=12).read_bytes()

    def made(title: str, **fields: str) -> str:
        return str(site.episode(tone, f"{title}.mp3", title=title, **fields).json()["id"])

    published = str(site.published(tone, "matonge.mp3", title="Matonge, un quartier")["id"])
    names = {name: made(f"Épisode {number}") for number, name in enumerate(("draft", "failed", "late", "trashed"))}
    names |= {"published": published, "scheduled": made("À venir", publish="2031-12-10T09:00:00Z")}
    names |= {"withdrawn": str(site.published(tone, "retrait.mp3", title="Retiré")["id"])}
    for name in ("published", "draft"):
        _write_everything(site, names[name])
    answers = [
        site.api.post(f"/api/v1/episodes/{names['withdrawn']}/withdraw"),
        site.api.delete(f"/api/v1/episodes/{names['trashed']}"),
        site.api.post(f"/api/v1/episodes/{published}/audio", files={"audio": ("mieux.mp3", tone[:-2000])}),
    ]
    assert [answer.text for answer in answers if answer.is_error] == []
    site.database.write(_hold_up, names["late"])
    site.database.write(_break, names["failed"])
    return names


def _write_everything(site: Site, episode: str) -> None:
    path = f"/api/v1/episodes/{episode}"
    fields = {
        "notes": "Une promenade **lente**.\n\n- un salon de coiffure\n- un marché",
        "season": 2,
        "number": 3,
        "persons": [{"name": "Aline", "role": "host"}, {"name": "Jean", "role": "guest"}],
        "chapters": [{"start_ms": 0, "title": "Arriver"}, {"start_ms": 5000, "title": "Rester"}],
        "translations": {"fr": {"title": "Matonge", "notes": "En français."}},
    }
    vtt = b"WEBVTT\n\n00:00.000 --> 00:04.000\nBonjour.\n"
    answers = [
        site.api.patch(path, json=fields),
        site.api.patch(path, json={"notes": "Une promenade **rapide**.", "explicit": True}),
        site.api.put(f"{path}/transcripts/fr", content=vtt),
        site.api.put(f"{path}/cover", content=picture("navy", 1400, "PNG")),
    ]
    assert [answer.text for answer in answers if answer.is_error] == []


def _hold_up(session: Session, episode_id: str) -> None:
    """It should have gone out, and no worker takes it up for hours."""
    episode = session.get_one(Episode, episode_id)
    episode.state, episode.publish_at = "scheduled", utcnow() - dt.timedelta(minutes=9)
    episode.try_again_at = utcnow() + dt.timedelta(hours=9)


def _break(session: Session, episode_id: str) -> None:
    """Its audio, as the worker leaves what it cannot make."""
    of_episode = select(Edition).join(Audio).where(Audio.episode_id == episode_id, Edition.name == "enclosure")
    edition = session.scalars(of_episode).one()
    edition.status, edition.failure = "failed", NO_ROOM
    edition.lease_owner, edition.try_again_at = None, utcnow() + dt.timedelta(hours=9)


def _shows(studio: Studio) -> None:
    """An empty one, and one that is put away."""
    administrator = studio.signed_in()
    for title in ("Vide", "Archive"):
        administrator.fill(administrator.open("/studio/new-show"), title=title)
    administrator.press(administrator.open("/studio/shows/archive/settings"), "/studio/shows/archive/archive")


def _guest_link(studio: Studio, draft: str) -> str:
    page = studio.signed_in().send(f"/studio/episodes/{draft}/guests", {})
    return str(page.document.get_element_by_id("shown-once").get("value")).rpartition("/")[2]
