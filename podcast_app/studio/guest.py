"""A guest sees an episode before it is public; its producers make the link, and take it back."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from anyio import to_thread
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from podcast_app import guests
from podcast_app.addresses import Addresses, views
from podcast_app.http import in_reading, in_transaction, language, services
from podcast_app.listening.recordings import Recording
from podcast_app.models import Cover, EpisodeId, User
from podcast_app.settings import Settings
from podcast_app.site import errors, places
from podcast_app.site.covers import whole
from podcast_app.site.pages import EpisodePage
from podcast_app.site.parts import Part
from podcast_app.studio import listen, once, preview, rights
from podcast_app.studio.doors import for_people, see_other
from podcast_app.studio.episode_page import answer
from podcast_app.studio.inputs import sent
from podcast_app.studio.pages import PRIVATE
from podcast_app.times import utcnow

SOUND = "enclosure"  # what guests hear: the file that listeners will get

OVER = (
    "This link leads nowhere any more.",
    "It was taken back, or the episode was. Ask whoever sent it to you for another one.",
)


@for_people
async def make(request: Request, person: User) -> Response:
    """The episode's page, with the link: it is shown once."""
    episode_id, typed = EpisodeId(request.path_params["id"]), await sent(request)
    secret = await in_transaction(request, _make, person, episode_id, typed, utcnow())
    link = f"{services(request).settings.origin}/preview/{secret}" if secret else ""
    return await answer(request, person, episode_id, guest_link=link)


@for_people
async def take_back(request: Request, person: User) -> Response:
    episode_id, typed = EpisodeId(request.path_params["id"]), await sent(request)
    await in_transaction(request, _take_back, person, episode_id, typed.get("link", ""))
    return see_other(f"/studio/episodes/{episode_id}#guests")


async def show_page(request: Request) -> Response:
    """What the guest sees: the listener's page; once it is public, the way there."""
    asked, settings = request.query_params.get("language"), services(request).settings
    found = await in_reading(request, _page, request.path_params["token"], asked, settings, utcnow())
    match found:
        case None:
            return _over(request)
        case str():
            return RedirectResponse(found, 303, PRIVATE)
        case EpisodePage():
            return await preview.shown_page(request, found, is_guest=True)


async def hear(request: Request) -> Response:
    found = await in_reading(request, _recording, request.path_params["token"], request.path_params["name"])
    return _over(request) if found is None else listen.privately(request, found)


async def transcript(request: Request) -> Response:
    secret, language, extension = (request.path_params[name] for name in ("token", "language", "extension"))
    found = await in_reading(request, _transcript, secret, language, extension)
    return _over(request) if found is None else preview.as_file(found)


async def picture(request: Request) -> Response:
    cover = await in_reading(request, _cover, request.path_params["token"])
    if cover is None:
        return _over(request)
    data = await to_thread.run_sync(whole, services(request).storage, cover.key)
    return Response(data, headers=PRIVATE, media_type=cover.media_type)


def _over(request: Request) -> Response:
    return errors.page(request, 404, language(request), PRIVATE, OVER)


def _make(
    session: Session, person: User, episode_id: EpisodeId, typed: Mapping[str, str], now: dt.datetime
) -> str | None:
    """The secret of the new link; None when this form has led to one before."""
    rights.episode_to_change(session, person, episode_id)
    if once.result(session, person, typed) is not None:
        return None
    once.remember(session, person, typed, "made", now)
    return guests.make(session, episode_id, now)


def _take_back(session: Session, person: User, episode_id: EpisodeId, secret_hash: str) -> None:
    rights.episode_to_change(session, person, episode_id)
    guests.take_back(session, episode_id, secret_hash)


def _page(
    session: Session, secret: str, asked: str | None, settings: Settings, now: dt.datetime
) -> EpisodePage | str | None:
    """The page; the public one's address; None where the link leads nowhere."""
    episode = guests.episode(session, secret)
    if episode is None:
        return None
    show = episode.show
    if episode.state == "published":
        return Addresses(settings.origin).episode(show.slug, episode.slug, views(show.language)[0])
    with session.no_autoflush:  # nothing of this is kept
        preview.dated(episode, now)
        view, here = places.view(show, asked), f"/preview/{secret}"
        found = preview.before_publication(episode, show, view, settings, here, SOUND)
    session.expunge_all()
    others = (replace(other, path=f"{here}?language={other.language}") for other in found.head.translations)
    # machines are told nothing yet of what it is, nor phones how to keep it
    said = replace(found.head, translations=tuple(others), linked_data="", manifest="")
    return replace(found, head=said)


def _recording(session: Session, secret: str, name: str) -> Recording | None:
    """None also for the original, which holds what its recorder wrote into it, and once there is a public file."""
    episode = guests.episode(session, secret)
    is_theirs = episode is not None and episode.state != "published" and name == SOUND
    return listen.recording(episode, name) if episode is not None and is_theirs else None


def _transcript(session: Session, secret: str, language: str, extension: str) -> Part | None:
    episode = guests.episode(session, secret)
    here = f"/preview/{secret}"
    if episode is None:
        return None
    return preview.not_public_yet(session, episode, language, extension, here, f"{here}?t=")


def _cover(session: Session, secret: str) -> Cover | None:
    episode = guests.episode(session, secret)
    return None if episode is None else episode.cover or episode.show.cover
