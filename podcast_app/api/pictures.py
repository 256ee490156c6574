"""Pictures: covers of shows and episodes, and those that chapters and persons name. The body is the picture."""

import datetime as dt
from collections.abc import Callable

from anyio import to_thread
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding
from media import artwork
from podcast_app import covers, episodes, publishing, shows
from podcast_app.addresses import Addresses
from podcast_app.api import asked, bodies, outcomes
from podcast_app.api.answers import PictureAnswer
from podcast_app.api.outcomes import or_problem
from podcast_app.api.problems import UNKNOWN_EPISODE, UNKNOWN_SHOW
from podcast_app.api.replies import Reply, json_reply
from podcast_app.fields import ShowFields
from podcast_app.forms import LARGEST_PICTURE
from podcast_app.http import Problem, in_transaction, language, services
from podcast_app.models import EpisodeId, ShowId
from podcast_app.outcomes import Conflict, Done, Refused, Unknown
from podcast_app.settings import Settings
from podcast_app.times import utcnow


class CoverQuery(BaseModel):
    """What may be done to a picture that is no cover as it is."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    crop: bool = False  # to the square in its middle


async def put_episode_cover(request: Request) -> Response:
    """PUT /episodes/{id}/cover."""
    _, episode_id = await asked.episode(request, needs="producer")
    picture = await _cover(request)
    settings = services(request).settings
    changed = await in_transaction(
        request, _set_episode_cover, episode_id, picture, settings, language(request), utcnow()
    )
    services(request).work.wake()
    return or_problem(changed, UNKNOWN_EPISODE).response()


async def remove_episode_cover(request: Request) -> Response:
    """DELETE /episodes/{id}/cover: the show's stands in."""
    _, episode_id = await asked.episode(request, needs="producer")
    settings = services(request).settings
    changed = await in_transaction(request, _set_episode_cover, episode_id, None, settings, language(request), utcnow())
    services(request).work.wake()
    return or_problem(changed, UNKNOWN_EPISODE).response()


async def put_show_cover(request: Request) -> Response:
    """PUT /shows/{show}/cover."""
    _, show_id = await asked.show(request, needs="producer")
    picture = await _cover(request)
    changed = await in_transaction(request, _set_show_cover, show_id, picture, services(request).settings, utcnow())
    services(request).work.wake()
    return or_problem(changed, UNKNOWN_SHOW).response()


async def add_to_episode(request: Request) -> Response:
    """POST /episodes/{id}/pictures: for a chapter."""
    _, episode_id = await asked.episode(request, needs="producer")
    picture = await _stored(request, "picture", artwork.picture)
    added = await in_transaction(request, _add_to_episode, episode_id, picture, services(request).settings.origin)
    return or_problem(added, UNKNOWN_EPISODE).response()


async def add_to_show(request: Request) -> Response:
    """POST /shows/{show}/pictures: for a person."""
    _, show_id = await asked.show(request, needs="producer")
    picture = await _stored(request, "picture", artwork.picture)
    added = await in_transaction(request, _add_to_show, show_id, picture, services(request).settings.origin)
    return added.response()


async def _cover(request: Request) -> covers.Picture:
    query = bodies.parsed(CoverQuery, dict(request.query_params))
    return await _stored(request, "cover", lambda data: artwork.cover(data, crop=query.crop))


async def _stored(request: Request, field: str, drawn: Callable[[bytes], artwork.Cover]) -> covers.Picture:
    """The picture in the body, stored and announced. Drawn one at a time. Raises Problem 413, 422."""
    here = services(request)
    data = await bodies.raw(request, LARGEST_PICTURE)
    try:
        cover = await to_thread.run_sync(drawn, data, limiter=here.drawing)
    except artwork.BadPicture as bad:
        raise Problem(422, [Finding("error", field, bad.sentence, "", tuple(bad.values.items()))]) from bad
    return await to_thread.run_sync(covers.store, here.database, here.storage, cover)


def _set_episode_cover(
    session: Session,
    episode_id: EpisodeId,
    picture: covers.Picture | None,
    settings: Settings,
    language: str,
    now: dt.datetime,
) -> Reply | Refused | Conflict | Unknown:
    done = publishing.set_cover(session, episode_id, picture, settings, now)
    return outcomes.episode(session, episode_id, settings, language) if isinstance(done, Done) else done


def _set_show_cover(
    session: Session, show_id: ShowId, picture: covers.Picture, settings: Settings, now: dt.datetime
) -> Reply | Refused:
    show = episodes.locked_show(session, show_id)
    changed = shows.edit(session, show, ShowFields(), settings, now, picture=picture)
    return outcomes.show(session, show_id, settings) if isinstance(changed, Done) else changed


def _add_to_episode(
    session: Session, episode_id: EpisodeId, picture: covers.Picture, origin: str
) -> Reply | Conflict | Unknown:
    found = episodes.to_change(session, episode_id)
    if not isinstance(found, tuple):
        return found
    show, episode = found
    added = covers.add(session, show.id, episode.id, picture)
    return _told(picture, Addresses(origin).cover(show.slug, episode.slug, added.id, added.extension))


def _add_to_show(session: Session, show_id: ShowId, picture: covers.Picture, origin: str) -> Reply:
    show = episodes.locked_show(session, show_id)
    added = covers.add(session, show.id, None, picture)
    return _told(picture, Addresses(origin).cover(show.slug, None, added.id, added.extension))


def _told(picture: covers.Picture, url: str) -> Reply:
    return json_reply(PictureAnswer(url=url, width=picture.width, height=picture.height), status=201, location=url)
