"""Uploads as a list, and how one goes. How one comes is in parts.py."""

import datetime as dt

from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from podcast_app import access, uploads
from podcast_app.access import Caller
from podcast_app.api import as_json, asked, listing
from podcast_app.api.answers import Page, UploadAnswer
from podcast_app.api.listing import UploadsQuery
from podcast_app.api.outcomes import or_problem
from podcast_app.api.problems import UNKNOWN_UPLOAD
from podcast_app.api.replies import Reply, json_reply
from podcast_app.http import in_reading, in_transaction, services
from podcast_app.models import Show, ShowSlug, Upload, UploadId
from podcast_app.outcomes import Conflict, Done, Unknown
from podcast_app.times import utcnow


async def listed(request: Request) -> Response:
    """GET /uploads: newest first."""
    who = await asked.caller(request)
    query = listing.asked(request, UploadsQuery)
    reply = await in_reading(request, _page, who, query)
    return reply.response()


async def remove(request: Request) -> Response:
    """DELETE /uploads/{id}: a recording that no episode was made from goes for good."""
    _, upload_id = await asked.upload(request, needs="producer")
    removed = await in_transaction(request, _remove, upload_id, utcnow())
    services(request).work.wake()
    return or_problem(removed, UNKNOWN_UPLOAD).response()


def _page(session: Session, who: Caller, query: UploadsQuery) -> Reply:
    rows, next_cursor = listing.page(session, _wanted(who, query), Upload, query)
    slugs = _slugs(session, rows)
    items = [as_json.upload(row, slugs[row.show_id]) for row in rows]
    return json_reply(Page[UploadAnswer](items=items, next=next_cursor))


def _wanted(who: Caller, query: UploadsQuery) -> Select[Upload]:
    wanted = select(Upload).where(access.is_theirs(who, Upload.show_id), ~uploads.IN_TRASH)
    if query.show is not None:
        wanted = wanted.where(Upload.show_id.in_(select(ShowSlug.show_id).where(ShowSlug.slug == query.show)))
    return wanted if query.state is None else wanted.where(Upload.state == query.state)


def _slugs(session: Session, rows: list[Upload]) -> dict[str, str]:
    shows = session.scalars(select(Show).where(Show.id.in_({row.show_id for row in rows})))
    return {show.id: show.slug for show in shows}


def _remove(session: Session, upload_id: UploadId, now: dt.datetime) -> Reply | Conflict | Unknown:
    removed = uploads.discard(session, upload_id, now)
    return Reply(204, b"", {}) if isinstance(removed, Done) else removed
