"""What an episode's page can do: save, publish, schedule, take off the schedule.

All of it is one form, so that no button loses what was typed beside it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from anyio import to_thread
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding
from podcast_app import outgoing, publishing
from podcast_app.addresses import page_language
from podcast_app.http import in_transaction, services
from podcast_app.models import EpisodeId, User
from podcast_app.outcomes import Conflict, Done, Refused, Unknown
from podcast_app.settings import Settings
from podcast_app.studio import autosave, local_time, rights
from podcast_app.studio import typed as typed_form
from podcast_app.studio.doors import for_people, see_other
from podcast_app.studio.episode_page import answer
from podcast_app.studio.inputs import sent
from podcast_app.times import utcnow

JUST_NOW = dt.timedelta(minutes=2)  # the minute that was chosen may pass while the form travels


@dataclass(frozen=True, slots=True)
class Saved:
    """What was typed is kept. What keeps the episode from going out, when it was to, stands in `findings`."""

    findings: Sequence[Finding] = ()
    at: str = ""  # on the show's clock, "14:02"


@dataclass(frozen=True, slots=True)
class Clash:
    """Somebody else changed the same inputs meanwhile; nothing was saved."""


@for_people
async def show_page(request: Request, person: User) -> Response:
    return await answer(request, person, EpisodeId(request.path_params["id"]))


@for_people
async def save(request: Request, person: User) -> Response:
    episode_id, typed = EpisodeId(request.path_params["id"]), await sent(request)
    here, now = services(request), utcnow()
    if autosave.is_asked_for(request):
        return await autosave.answer(request, person, episode_id, typed)
    match await in_transaction(request, _save, person, episode_id, typed, here.settings, now):
        case Saved(findings) if findings:
            return await answer(request, person, episode_id, findings=findings, status=422)
        case Saved(at=at):
            here.work.wake()
            await to_thread.run_sync(outgoing.publish_now, here.work, episode_id, limiter=here.limiter)
            return see_other(f"/studio/episodes/{episode_id}?saved={at}")
        case Refused(findings):
            return await answer(request, person, episode_id, typed, findings, status=422)
        case Clash():
            return await answer(request, person, episode_id, typed, status=409)
        case Conflict() as conflict:
            return await answer(request, person, episode_id, findings=[conflict_finding(conflict)], status=409)


def conflict_finding(conflict: Conflict) -> Finding:
    """The state does not allow it: said above the form, beside no input."""
    return Finding("error", "", conflict.problem, conflict.mend)


def _save(
    session: Session,
    person: User,
    episode_id: EpisodeId,
    typed: Mapping[str, str],
    settings: Settings,
    now: dt.datetime,
) -> Saved | Clash | Refused | Conflict:
    show, episode = rights.episode_to_change(session, person, episode_id)
    said = typed_form.read(session, show, episode, typed, settings)
    if said.clashes:
        return Clash()
    zone = ZoneInfo(show.time_zone)
    at = _time(typed, zone, page_language(person.language), now)
    if said.findings or isinstance(at, Finding):
        return Refused([*said.findings, *([at] if isinstance(at, Finding) else [])])
    is_changed = bool(said.changes.model_fields_set)
    edited = publishing.edit(session, episode_id, said.changes, settings, now) if is_changed else Done(episode)
    if not isinstance(edited, Done):
        return _known(edited)
    due = _make_due(session, episode_id, typed, at, settings, now)
    if isinstance(due, Refused):
        return Saved(due.findings)  # what was typed is kept all the same
    known = _known(due)
    return Saved(at=local_time.clock(now, zone)) if isinstance(known, Saved) else known


def _time(typed: Mapping[str, str], zone: ZoneInfo, language: str, now: dt.datetime) -> dt.datetime | Finding | None:
    """The time to publish at, when that was asked for. One wrong digit must not make an episode public at once."""
    if typed.get("then") != "schedule":
        return None
    at = local_time.instant(typed.get("publish_at", ""), typed.get("publish_at_which", ""), zone, language)
    return local_time.PAST if isinstance(at, dt.datetime) and at < now - JUST_NOW else at


def _make_due(
    session: Session,
    episode_id: EpisodeId,
    typed: Mapping[str, str],
    at: dt.datetime | None,
    settings: Settings,
    now: dt.datetime,
) -> publishing.Outcome | Saved:
    """What the button that was pressed asks for, besides saving."""
    match typed.get("then"):
        case "publish" | "schedule":
            return publishing.make_due(session, episode_id, at, settings, now)
        case "unschedule":
            return publishing.unschedule(session, episode_id)
        case _:
            return Saved()


def _known(outcome: publishing.Outcome | Saved) -> Saved | Refused | Conflict:
    assert not isinstance(outcome, Unknown), "the episode is locked"
    return Saved() if isinstance(outcome, Done) else outcome
