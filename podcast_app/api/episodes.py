"""Episodes: listed, read, changed, published, withdrawn, deleted."""

import datetime as dt
import logging

from anyio import to_thread
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from media.storage import Full, Unavailable
from podcast_app import access, episodes, outgoing, publishing, trash
from podcast_app.access import Caller
from podcast_app.api import as_json, asked, bodies, listing, outcomes
from podcast_app.api.answers import EpisodeAnswer, Page
from podcast_app.api.changing import changed_once
from podcast_app.api.idempotency import claimed
from podcast_app.api.listing import EpisodesQuery
from podcast_app.api.outcomes import or_problem
from podcast_app.api.problems import UNKNOWN_EPISODE
from podcast_app.api.replies import Reply, expected_versions, if_new, json_reply
from podcast_app.fields import EpisodeChanges, PublishAt
from podcast_app.http import in_reading, in_transaction, language, services
from podcast_app.models import Episode, EpisodeId, Show, ShowId
from podcast_app.outcomes import Conflict, Done, Refused, Unknown
from podcast_app.settings import Settings
from podcast_app.times import utcnow

log = logging.getLogger(__name__)


async def listed(request: Request) -> Response:
    """GET /shows/{show}/episodes: newest first, by when they were made."""
    _, show_id = await asked.show(request, needs="viewer")
    query = listing.asked(request, EpisodesQuery)
    reply = await in_reading(request, _page, show_id, query, services(request).settings, language(request))
    return reply.response()


async def read(request: Request) -> Response:
    """GET /episodes/{id}."""
    _, episode_id = await asked.episode(request, needs="viewer")
    found = await in_reading(request, outcomes.episode, episode_id, services(request).settings, language(request))
    return if_new(request, or_problem(found, UNKNOWN_EPISODE))


async def change(request: Request) -> Response:
    """PATCH /episodes/{id}: only the fields that are named."""
    who, episode_id = await asked.episode(request, needs="producer")
    changes = bodies.parsed(EpisodeChanges, await bodies.said(request))
    changed = await in_transaction(
        request,
        _change,
        who,
        episode_id,
        changes,
        expected_versions(request),
        services(request).settings,
        language(request),
        utcnow(),
    )
    services(request).work.wake()
    return or_problem(changed, UNKNOWN_EPISODE).response()


async def remove(request: Request) -> Response:
    """DELETE /episodes/{id}: a draft or a scheduled one goes to the trash."""
    who, episode_id = await asked.episode(request, needs="producer")
    removed = await in_transaction(request, _remove, who, episode_id, expected_versions(request), utcnow())
    services(request).work.wake()
    return or_problem(removed, UNKNOWN_EPISODE).response()


async def publish(request: Request) -> Response:
    """POST /episodes/{id}/publish: due now, or at the time that the body names."""
    who, episode_id = await asked.episode(request, needs="producer")
    here, reader = services(request), language(request)
    async with claimed(request, who) as claim:
        wish = bodies.parsed(PublishAt, await bodies.perhaps_said(request))
        if earlier := claim.earlier(wish.model_dump(mode="json")):
            return earlier.response()
        due = await claim.keep_for_now(_make_due, who, episode_id, wish.publish_at, here.settings, reader, utcnow())
        or_problem(due, UNKNOWN_EPISODE)
        await _send_out(request, episode_id)
        published = await claim.keep(outcomes.episode, episode_id, here.settings, reader)
    here.work.wake()
    return or_problem(published, UNKNOWN_EPISODE).response()


async def withdraw(request: Request) -> Response:
    """POST /episodes/{id}/withdraw: out of every feed, for ever."""
    who, episode_id = await asked.episode(request, needs="producer")
    settings, now = services(request).settings, utcnow()
    return await changed_once(
        request, who, episode_id, lambda session: publishing.withdraw(session, episode_id, settings, now)
    )


async def _send_out(request: Request, episode_id: EpisodeId) -> None:
    """Whoever asked waits for the answer: so a due episode whose enclosure is ready goes out at once."""
    here = services(request)
    try:
        await to_thread.run_sync(outgoing.publish_now, here.work, episode_id, limiter=here.limiter)
    except (Full, Unavailable) as failure:
        log.warning("The episode %s stays due, and the worker tries again: %r", episode_id, failure)


def _page(session: Session, show_id: ShowId, query: EpisodesQuery, settings: Settings, language: str) -> Reply:
    wanted = episodes.whole(of_show=show_id).options(*episodes.ALL_AUDIO)
    if query.state is not None:
        wanted = wanted.where(Episode.state == query.state)
    rows, next_cursor = listing.page(session, wanted, Episode, query)
    show = session.get_one(Show, show_id, options=outcomes.SHOWN)
    items = [as_json.episode(row, show, settings, language) for row in rows]
    return json_reply(Page[EpisodeAnswer](items=items, next=next_cursor))


def _change(
    session: Session,
    who: Caller,
    episode_id: EpisodeId,
    changes: EpisodeChanges,
    expected: frozenset[int] | None,
    settings: Settings,
    language: str,
    now: dt.datetime,
) -> Reply | Refused | Conflict | Unknown:
    _lock(session, who, episode_id, expected)
    changed = publishing.edit(session, episode_id, changes, settings, now)
    return outcomes.episode(session, episode_id, settings, language) if isinstance(changed, Done) else changed


def _remove(
    session: Session, who: Caller, episode_id: EpisodeId, expected: frozenset[int] | None, now: dt.datetime
) -> Reply | Refused | Conflict | Unknown:
    _lock(session, who, episode_id, expected)
    removed = trash.throw_away(session, episode_id, now)
    return Reply(204, b"", {}) if isinstance(removed, Done) else removed


def _make_due(
    session: Session,
    who: Caller,
    episode_id: EpisodeId,
    at: dt.datetime | None,
    settings: Settings,
    language: str,
    now: dt.datetime,
) -> Reply | Refused | Conflict | Unknown:
    access.episode_to_change(session, who, episode_id)
    due = publishing.make_due(session, episode_id, at, settings, now)
    return outcomes.episode(session, episode_id, settings, language) if isinstance(due, Done) else due


def _lock(session: Session, who: Caller, episode_id: EpisodeId, expected: frozenset[int] | None) -> None:
    """What is expected now still is when the change is made, remembered as the caller's. Raises Problem 412."""
    found = access.episode_to_change(session, who, episode_id)
    if found is not None:
        outcomes.must_be_expected(found[1], expected)
