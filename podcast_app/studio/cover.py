"""An episode's own cover: chosen, or the show's again."""

import datetime as dt
from collections.abc import Sequence
from functools import partial

from anyio import to_thread
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding, error
from podcast_app import covers, publishing
from podcast_app.http import in_reading, in_transaction, services
from podcast_app.models import EpisodeId, User
from podcast_app.settings import Settings
from podcast_app.site import shown
from podcast_app.site.covers import small, whole
from podcast_app.studio import multipart, part, rights
from podcast_app.studio.doors import for_people
from podcast_app.studio.inputs import Form, cleaned, remarks
from podcast_app.studio.pages import PRIVATE, language_of
from podcast_app.times import utcnow

NOTHING_CHOSEN = error("cover", "No picture was chosen.", "Choose one, and send it.")


@for_people
async def show_page(request: Request, person: User) -> Response:
    return await _answer(request, person)


@for_people
async def picture(request: Request, person: User) -> Response:
    """As the episode has it, with `?small` as in a list: a draft's cover has no public address yet."""
    episode = await in_reading(request, rights.episode, person, part.asked(request))
    cover = episode.cover or episode.show.cover
    if "small" in request.query_params:
        drawn = await small(request, cover.key, shown.THUMBNAIL_PX, "webp")
        return Response(drawn, headers=PRIVATE, media_type="image/webp")
    data = await to_thread.run_sync(whole, services(request).storage, cover.key)
    return Response(data, headers=PRIVATE, media_type=cover.media_type)


@for_people
async def change(request: Request, person: User) -> Response:
    await in_reading(request, rights.episode_of_producer, person, part.asked(request))
    form = await multipart.without_recording(request)
    made = await multipart.cover(request, form)
    if made is None or isinstance(made, Finding):
        findings = [made or NOTHING_CHOSEN]
        offers_crop = multipart.offers_crop(findings, cleaned(form.fields))
        return await _answer(request, person, findings, 422, offers_crop=offers_crop)
    return await _set(request, person, made)


@for_people
async def remove(request: Request, person: User) -> Response:
    return await _set(request, person, None)


async def _set(request: Request, person: User, made: covers.Picture | None) -> Response:
    settings = services(request).settings
    outcome = await in_transaction(request, _set_cover, person, part.asked(request), made, settings, utcnow())
    return await part.ended(request, outcome, "cover", partial(_answer, request, person))


def _set_cover(
    session: Session,
    person: User,
    episode_id: EpisodeId,
    made: covers.Picture | None,
    settings: Settings,
    now: dt.datetime,
) -> publishing.Outcome:
    rights.episode_to_change(session, person, episode_id)
    return publishing.set_cover(session, episode_id, made, settings, now)


async def _answer(
    request: Request, person: User, findings: Sequence[Finding] = (), status: int = 200, *, offers_crop: bool = False
) -> Response:
    episode, is_open = await in_reading(request, part.read, person, part.asked(request))
    said = remarks(language_of(request, person), findings, {"cover": ""})
    form = Form(values={}, remarks=said, is_open=is_open)
    return part.part_page(request, "cover.html", person, episode, status, form=form, offers_crop=offers_crop)
