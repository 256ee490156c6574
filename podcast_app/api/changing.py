"""A change of an episode in one transaction, answered with the episode as it is then."""

from collections.abc import Callable

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from podcast_app import access
from podcast_app.access import Caller
from podcast_app.api import outcomes
from podcast_app.api.idempotency import claimed
from podcast_app.api.outcomes import or_problem
from podcast_app.api.problems import UNKNOWN_EPISODE
from podcast_app.http import in_transaction, language, services
from podcast_app.models import EpisodeId
from podcast_app.publishing import Outcome

Change = Callable[[Session], Outcome]


async def changed(request: Request, who: Caller, episode_id: EpisodeId, change: Change) -> Response:
    """Raises Problem 404, 409, 422."""
    here = services(request)
    change = _remembered(change, who, episode_id)
    outcome = await in_transaction(request, outcomes.after, change, episode_id, here.settings, language(request))
    here.work.wake()
    return or_problem(outcome, UNKNOWN_EPISODE).response()


async def changed_once(request: Request, who: Caller, episode_id: EpisodeId, change: Change) -> Response:
    """The same for a POST without a body, which under one Idempotency-Key has no second effect."""
    here = services(request)
    change = _remembered(change, who, episode_id)
    async with claimed(request, who) as claim:
        if earlier := claim.earlier():
            return earlier.response()
        outcome = await claim.keep(outcomes.after, change, episode_id, here.settings, language(request))
    here.work.wake()
    return or_problem(outcome, UNKNOWN_EPISODE).response()


def _remembered(change: Change, who: Caller, episode_id: EpisodeId) -> Change:
    """The change, as the caller's in the episode's history."""

    def by_caller(session: Session) -> Outcome:
        access.episode_to_change(session, who, episode_id)
        return change(session)

    return by_caller
