"""What was changed in an episode, and by whom."""

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from podcast_app import episodes, history
from podcast_app.api import asked, listing
from podcast_app.api.answers import Page, RevisionAnswer
from podcast_app.api.listing import HistoryQuery
from podcast_app.api.outcomes import or_problem
from podcast_app.api.problems import UNKNOWN_EPISODE
from podcast_app.api.replies import Reply, json_reply
from podcast_app.http import in_reading
from podcast_app.models import EpisodeId, Revision
from podcast_app.outcomes import Unknown


async def listed(request: Request) -> Response:
    """GET /episodes/{id}/history: newest first."""
    _, episode_id = await asked.episode(request, needs="viewer")
    found = await in_reading(request, _page, episode_id, listing.asked(request, HistoryQuery))
    return or_problem(found, UNKNOWN_EPISODE).response()


def _page(session: Session, episode_id: EpisodeId, query: HistoryQuery) -> Reply | Unknown:
    if episodes.get(session, episode_id) is None:
        return Unknown()  # or it lies in the trash
    found = history.of_episode(session, episode_id, query.limit + 1, query.cursor)
    shown = found[: query.limit]
    following = str(shown[-1].id) if len(found) > len(shown) else None
    return json_reply(Page[RevisionAnswer](items=[_answer(revision) for revision in shown], next=following))


def _answer(row: Revision) -> RevisionAnswer:
    changes = {name: tuple(pair) for name, pair in row.changes.items() if name != "event"}
    return RevisionAnswer(id=str(row.id), at=row.at, by=row.by, event=history.event_of(row), changes=changes)
