"""Shows: listed, read, changed."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from podcast_app import access, shows
from podcast_app.access import Caller
from podcast_app.api import as_json, asked, bodies, listing, outcomes
from podcast_app.api.answers import Page, ShowAnswer
from podcast_app.api.listing import ListQuery
from podcast_app.api.outcomes import or_problem
from podcast_app.api.problems import UNKNOWN_SHOW
from podcast_app.api.replies import Reply, expected_versions, if_new, json_reply
from podcast_app.fields import ShowFields
from podcast_app.http import in_reading, in_transaction, services
from podcast_app.models import Show, ShowId
from podcast_app.outcomes import Done, Refused
from podcast_app.settings import Settings
from podcast_app.times import utcnow


async def listed(request: Request) -> Response:
    """GET /shows: those that the caller may see."""
    who = await asked.caller(request)
    query = listing.asked(request, ListQuery)
    reply = await in_reading(request, _page, who, query, services(request).settings)
    return reply.response()


async def read(request: Request) -> Response:
    """GET /shows/{show}."""
    _, show_id = await asked.show(request, needs="viewer")
    return if_new(request, await in_reading(request, outcomes.show, show_id, services(request).settings))


async def change(request: Request) -> Response:
    """PATCH /shows/{show}: only the fields that are named. Its feeds move with it."""
    who, show_id = await asked.show(request, needs="producer")
    changes = bodies.parsed(ShowFields, await bodies.said(request))
    changed = await in_transaction(
        request, _change, who, show_id, changes, expected_versions(request), services(request).settings, utcnow()
    )
    services(request).work.wake()
    return or_problem(changed, UNKNOWN_SHOW).response()


def _page(session: Session, who: Caller, query: ListQuery, settings: Settings) -> Reply:
    theirs = select(Show).where(access.is_theirs(who, Show.id))
    rows, next_cursor = listing.page(session, theirs.options(*outcomes.SHOWN), Show, query)
    return json_reply(Page[ShowAnswer](items=[as_json.show(row, settings) for row in rows], next=next_cursor))


def _change(
    session: Session,
    who: Caller,
    show_id: ShowId,
    changes: ShowFields,
    expected: frozenset[int] | None,
    settings: Settings,
    now: dt.datetime,
) -> Reply | Refused:
    show = access.show_to_change(session, who, show_id)
    outcomes.must_be_expected(show, expected)
    changed = shows.edit(session, show, changes, settings, now)
    return outcomes.show(session, show_id, settings) if isinstance(changed, Done) else changed
