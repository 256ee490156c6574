"""Pictures: covers of shows and episodes, and those that chapters and persons name. The body is the picture."""

import datetime as dt
import hashlib
from collections.abc import Callable

from anyio import to_thread
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding
from media import artwork
from podcast_app import access, covers, episodes, publishing, shows
from podcast_app.access import Caller
from podcast_app.addresses import Addresses
from podcast_app.api import asked, bodies, outcomes
from podcast_app.api.answers import PictureAnswer
from podcast_app.api.changing import changed
from podcast_app.api.idempotency import claimed
from podcast_app.api.outcomes import or_problem
from podcast_app.api.problems import UNKNOWN_EPISODE, UNKNOWN_SHOW
from podcast_app.api.replies import Reply, json_reply
from podcast_app.fields import ShowFields
from podcast_app.forms import LARGEST_PICTURE
from podcast_app.http import Problem, in_transaction, services
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
    who, episode_id = await asked.episode(request, needs="producer")
    picture = await _cover(request)
    return await _set_episode_cover(request, who, episode_id, picture)


async def remove_episode_cover(request: Request) -> Response:
    """DELETE /episodes/{id}/cover: the show's stands in."""
    who, episode_id = await asked.episode(request, needs="producer")
    return await _set_episode_cover(request, who, episode_id, None)


async def put_show_cover(request: Request) -> Response:
    """PUT /shows/{show}/cover."""
    who, show_id = await asked.show(request, needs="producer")
    picture = await _cover(request)
    changed = await in_transaction(
        request, _set_show_cover, who, show_id, picture, services(request).settings, utcnow()
    )
    services(request).work.wake()
    return or_problem(changed, UNKNOWN_SHOW).response()


async def add_to_episode(request: Request) -> Response:
    """POST /episodes/{id}/pictures: for a chapter."""
    who, episode_id = await asked.episode(request, needs="producer")
    origin = services(request).settings.origin
    return await _add(
        request,
        who,
        UNKNOWN_EPISODE,
        lambda session, picture: _add_to_episode(session, who, episode_id, picture, origin),
    )


async def add_to_show(request: Request) -> Response:
    """POST /shows/{show}/pictures: for a person."""
    who, show_id = await asked.show(request, needs="producer")
    origin = services(request).settings.origin
    return await _add(
        request, who, UNKNOWN_SHOW, lambda session, picture: _add_to_show(session, who, show_id, picture, origin)
    )


async def _add(
    request: Request,
    who: Caller,
    unknown: Finding,
    add: Callable[[Session, covers.Picture], Reply | Conflict | Unknown],
) -> Response:
    """A picture that is sent again under the same Idempotency-Key is the same one."""
    data = await bodies.raw(request, LARGEST_PICTURE)
    async with claimed(request, who) as claim:
        if earlier := claim.earlier(hashlib.sha256(data).hexdigest()):
            return earlier.response()
        picture = await _stored(request, "picture", data, artwork.picture)
        added = await claim.keep(add, picture)
    return or_problem(added, unknown).response()


async def _cover(request: Request) -> covers.Picture:
    query = bodies.parsed(CoverQuery, dict(request.query_params))
    data = await bodies.raw(request, LARGEST_PICTURE)
    return await _stored(request, "cover", data, lambda picture: artwork.cover(picture, crop=query.crop))


async def _stored(request: Request, field: str, data: bytes, drawn: Callable[[bytes], artwork.Cover]) -> covers.Picture:
    """The picture, stored and announced. Drawn one at a time. Raises Problem 422."""
    here = services(request)
    try:
        cover = await to_thread.run_sync(drawn, data, limiter=here.drawing)
    except artwork.BadPicture as bad:
        raise Problem(422, [Finding("error", field, bad.sentence, "", tuple(bad.values.items()))]) from bad
    return await to_thread.run_sync(covers.store, here.database, here.storage, cover)


async def _set_episode_cover(
    request: Request, who: Caller, episode_id: EpisodeId, picture: covers.Picture | None
) -> Response:
    settings, now = services(request).settings, utcnow()
    return await changed(
        request, who, episode_id, lambda session: publishing.set_cover(session, episode_id, picture, settings, now)
    )


def _set_show_cover(
    session: Session, who: Caller, show_id: ShowId, picture: covers.Picture, settings: Settings, now: dt.datetime
) -> Reply | Refused:
    show = access.show_to_change(session, who, show_id)
    changed = shows.edit(session, show, ShowFields(), settings, now, picture=picture)
    return outcomes.show(session, show_id, settings) if isinstance(changed, Done) else changed


def _add_to_episode(
    session: Session, who: Caller, episode_id: EpisodeId, picture: covers.Picture, origin: str
) -> Reply | Conflict | Unknown:
    access.episode_to_change(session, who, episode_id)
    found = episodes.to_change(session, episode_id)
    if not isinstance(found, tuple):
        return found
    show, episode = found
    added = covers.add(session, show.id, episode.id, picture)
    return _told(picture, Addresses(origin).cover(show.slug, episode.slug, added.id, added.extension))


def _add_to_show(session: Session, who: Caller, show_id: ShowId, picture: covers.Picture, origin: str) -> Reply:
    show = access.show_to_change(session, who, show_id)
    added = covers.add(session, show.id, None, picture)
    return _told(picture, Addresses(origin).cover(show.slug, None, added.id, added.extension))


def _told(picture: covers.Picture, url: str) -> Reply:
    return json_reply(PictureAnswer(url=url, width=picture.width, height=picture.height), status=201, location=url)
