"""How things end: an episode is withdrawn, a draft thrown away, a recording discarded. Grave ones are asked first."""

import datetime as dt

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from podcast_app import publishing, trash, uploads
from podcast_app.http import Problem, in_reading, in_transaction, services
from podcast_app.models import EpisodeId, Show, Upload, UploadId, User
from podcast_app.outcomes import Conflict, Done, Refused, Unknown
from podcast_app.settings import Settings
from podcast_app.studio import rights
from podcast_app.studio.doors import for_people, see_other
from podcast_app.studio.episode import conflict_finding
from podcast_app.studio.episode_page import answer, title
from podcast_app.studio.pages import page
from podcast_app.times import utcnow


@for_people
async def ask_to_withdraw(request: Request, person: User) -> Response:
    return await _ask(request, person, "withdraw.html")


@for_people
async def withdraw(request: Request, person: User) -> Response:
    episode_id = EpisodeId(request.path_params["id"])
    outcome = await in_transaction(request, _withdraw, person, episode_id, services(request).settings, utcnow())
    return await _ended(request, person, episode_id, outcome, f"/studio/episodes/{episode_id}")


@for_people
async def ask_to_delete(request: Request, person: User) -> Response:
    return await _ask(request, person, "delete.html")


@for_people
async def delete(request: Request, person: User) -> Response:
    episode_id = EpisodeId(request.path_params["id"])
    episode = await in_reading(request, rights.episode, person, episode_id)
    outcome = await in_transaction(request, _delete, person, episode_id, utcnow())
    return await _ended(request, person, episode_id, outcome, f"/studio/shows/{episode.show.slug}/?thrown={episode_id}")


@for_people
async def ask_to_discard(request: Request, person: User) -> Response:
    """Nobody can bring it back, nor what was written while it came."""
    slug, upload_id = request.path_params["show"], UploadId(request.path_params["upload"])
    show, upload = await in_reading(request, _upload, person, slug, upload_id)
    return page(request, "discard.html", person, show=show, upload=upload)


@for_people
async def discard(request: Request, person: User) -> Response:
    """A recording that waits, or is still coming, goes."""
    slug, upload_id = request.path_params["show"], UploadId(request.path_params["upload"])
    await in_transaction(request, _discard, person, slug, upload_id, utcnow())
    services(request).work.wake()
    return see_other(f"/studio/shows/{slug}/")


async def _ask(request: Request, person: User, template: str) -> Response:
    episode = await in_reading(request, rights.episode_of_producer, person, EpisodeId(request.path_params["id"]))
    return page(request, template, person, episode=episode, show=episode.show, title=title(episode))


async def _ended(
    request: Request, person: User, episode_id: EpisodeId, outcome: publishing.Outcome, then: str
) -> Response:
    services(request).work.wake()
    match outcome:
        case Done() | Unknown():  # gone already: the form was sent twice
            return see_other(then)
        case Conflict() as conflict:
            return await answer(request, person, episode_id, findings=[conflict_finding(conflict)], status=409)
        case Refused(findings):
            return await answer(request, person, episode_id, findings=findings, status=422)


def _upload(session: Session, person: User, slug: str, upload_id: UploadId) -> tuple[Show, Upload]:
    """Raises Problem 403, 404."""
    show = rights.show_of_producer(session, person, slug)
    upload = session.get(Upload, upload_id)
    if upload is None or upload.show_id != show.id:
        raise Problem(404, [rights.NOT_HERE])
    return show, upload


def _withdraw(
    session: Session, person: User, episode_id: EpisodeId, settings: Settings, now: dt.datetime
) -> publishing.Outcome:
    rights.episode_to_change(session, person, episode_id)
    return publishing.withdraw(session, episode_id, settings, now)


def _delete(session: Session, person: User, episode_id: EpisodeId, now: dt.datetime) -> publishing.Outcome:
    rights.episode_to_change(session, person, episode_id)
    return trash.throw_away(session, episode_id, now)


def _discard(session: Session, person: User, slug: str, upload_id: UploadId, now: dt.datetime) -> None:
    show = rights.show_to_change(session, person, slug)
    upload = session.get(Upload, upload_id)
    if upload is None or upload.show_id != show.id:
        return  # gone already: the form was sent twice
    outcome = uploads.discard(session, upload_id, now)
    if isinstance(outcome, Conflict):
        raise Problem(409, [conflict_finding(outcome)])
