"""The trash of a show: what was thrown away, put back or deleted for good."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from podcast_app import access, documents, episodes, trash
from podcast_app.http import Problem, in_reading, in_transaction, services
from podcast_app.models import Episode, EpisodeId, Show, User
from podcast_app.outcomes import Done
from podcast_app.studio import rights
from podcast_app.studio.doors import for_people, see_other
from podcast_app.studio.pages import page
from podcast_app.times import utcnow
from podcast_app.trash import Thrown


@for_people
async def show_page(request: Request, person: User) -> Response:
    show, may_change, thrown = await in_reading(request, _read, person, request.path_params["show"])
    show_title = documents.main_text(show).title
    return page(request, "trash.html", person, show=show, show_title=show_title, thrown=thrown, may_change=may_change)


@for_people
async def put_back(request: Request, person: User) -> Response:
    slug, episode_id = request.path_params["show"], EpisodeId(request.path_params["id"])
    is_there = await in_transaction(request, _put_back, person, slug, episode_id)
    services(request).work.wake()
    return see_other(f"/studio/episodes/{episode_id}" if is_there else f"/studio/shows/{slug}/trash")


@for_people
async def ask_to_delete(request: Request, person: User) -> Response:
    slug, episode_id = request.path_params["show"], EpisodeId(request.path_params["id"])
    show, episode = await in_reading(request, _one, person, slug, episode_id)
    return page(request, "trash_delete.html", person, show=show, thrown=trash.thrown(episode))


@for_people
async def delete(request: Request, person: User) -> Response:
    slug, episode_id = request.path_params["show"], EpisodeId(request.path_params["id"])
    await in_transaction(request, _delete, person, slug, episode_id, utcnow())
    services(request).work.wake()
    return see_other(f"/studio/shows/{slug}/trash")


def _read(session: Session, person: User, slug: str) -> tuple[Show, bool, Sequence[Thrown]]:
    show = rights.show(session, person, slug)
    thrown = [trash.thrown(episode) for episode in trash.of_show(session, show.id)]
    return show, rights.may_change(session, person, show), thrown


def _one(session: Session, person: User, slug: str, episode_id: EpisodeId) -> tuple[Show, Episode]:
    """Raises Problem 403, 404."""
    show = rights.show_of_producer(session, person, slug)
    episode = trash.get(session, show.id, episode_id)
    if episode is None:
        raise Problem(404, [rights.NOT_HERE])
    return show, episode


def _put_back(session: Session, person: User, slug: str, episode_id: EpisodeId) -> bool:
    """Whether it is there: now, or already when the form was sent twice."""
    show = rights.show_to_change(session, person, slug)
    if isinstance(trash.put_back(session, show.id, episode_id, access.author(person)), Done):
        return True
    there = episodes.get(session, episode_id)
    return there is not None and there.show_id == show.id


def _delete(session: Session, person: User, slug: str, episode_id: EpisodeId, now: dt.datetime) -> None:
    show = rights.show_to_change(session, person, slug)
    trash.delete(session, show.id, episode_id, now)
