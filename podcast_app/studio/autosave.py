"""A draft is saved as it is typed: a script sends the page's own form, and asks for JSON.

Here what can be saved is saved, whatever is wrong beside it: nobody has pressed a button, so nobody is to lose a title
because of a season. What cannot be saved, and what somebody else changed too, is told field by field.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from feeds.checks import Finding, error
from podcast_app import publishing
from podcast_app.http import in_reading, in_transaction, services
from podcast_app.models import EpisodeId, User
from podcast_app.outcomes import Conflict, Done, Refused, Unknown
from podcast_app.settings import Settings
from podcast_app.studio import episode_page, rights, typed
from podcast_app.studio.pages import PRIVATE, language_of
from podcast_app.times import iso, utcnow

NO_DRAFT = error("", "This is no draft any more, so it is not saved by itself.", "Look at it, then press “Save”.")


@dataclass(frozen=True, slots=True)
class Kept:
    """`clashes`: the inputs that somebody else changed too, which are as they left them."""

    clashes: Sequence[str]
    findings: Sequence[Finding]
    is_saved: bool = True  # as far as neither of these stands in the way


def is_asked_for(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


async def answer(request: Request, person: User, episode_id: EpisodeId, sent: Mapping[str, str]) -> Response:
    """200; 409 with the clashes, or 422 with the findings, beside which the rest is saved."""
    settings, now = services(request).settings, utcnow()
    match await in_transaction(request, _save, person, episode_id, sent, settings):
        case Kept() as kept:
            services(request).work.wake()
        case Refused(findings):  # what is wrong came out of all of it together
            kept = Kept((), findings, is_saved=False)
        case Conflict() as conflict:
            kept = Kept((), [Finding("error", "", conflict.problem, conflict.mend)], is_saved=False)
    read = await in_reading(request, episode_page.read, person, episode_id, settings)
    told = episode_page.told(read, language_of(request, person), sent, kept.clashes, kept.findings)
    status = 409 if kept.clashes or read.episode.state != "draft" else 422 if kept.findings else 200
    return JSONResponse({"saved_at": iso(now) if kept.is_saved else None, **told}, status, PRIVATE)


def _save(
    session: Session, person: User, episode_id: EpisodeId, sent: Mapping[str, str], settings: Settings
) -> Kept | Refused | Conflict:
    show, episode = rights.episode_to_change(session, person, episode_id)
    if episode.state != "draft":
        return Kept((), [NO_DRAFT], is_saved=False)
    said = typed.read(session, show, episode, sent, settings)
    changes = said.without_clashes()
    if changes.model_fields_set:
        outcome = publishing.edit(session, episode_id, changes, settings, utcnow())
        assert not isinstance(outcome, Unknown), "the episode is locked"
        if not isinstance(outcome, Done):
            return outcome
    return Kept(list(said.clashes), said.findings)
