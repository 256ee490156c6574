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
from podcast_app import fields, outgoing, publishing
from podcast_app.addresses import Addresses
from podcast_app.fields import EpisodeChanges
from podcast_app.http import in_transaction, services
from podcast_app.models import EpisodeId, User
from podcast_app.outcomes import Conflict, Done, Refused, Unknown
from podcast_app.settings import Settings
from podcast_app.studio import edits, episode_form, local_time, persons_form, rights
from podcast_app.studio.doors import for_people, see_other
from podcast_app.studio.episode_page import answer
from podcast_app.studio.inputs import sent
from podcast_app.times import utcnow

JUST_NOW = dt.timedelta(minutes=2)  # the minute that was chosen may pass while the form travels


@dataclass(frozen=True, slots=True)
class Saved:
    """What was typed is kept. What keeps the episode from going out, when it was to, stands in `findings`."""

    findings: Sequence[Finding] = ()


@dataclass(frozen=True, slots=True)
class Clash:
    """Somebody else changed the same inputs meanwhile; nothing was saved."""


@for_people
async def show_page(request: Request, person: User) -> Response:
    return await answer(request, person, EpisodeId(request.path_params["id"]))


@for_people
async def save(request: Request, person: User) -> Response:
    episode_id, typed = EpisodeId(request.path_params["id"]), await sent(request)
    here = services(request)
    match await in_transaction(request, _save, person, episode_id, typed, here.settings, utcnow()):
        case Saved(findings) if findings:
            return await answer(request, person, episode_id, findings=findings, status=422)
        case Saved():
            here.work.wake()
            await to_thread.run_sync(outgoing.publish_now, here.work, episode_id, limiter=here.limiter)
            return see_other(f"/studio/episodes/{episode_id}")
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
    saved = episode_form.values(episode)
    merged = edits.merge(persons_form.gathered(typed), saved)
    if merged.clashes:
        return Clash()
    said = episode_form.said(merged.changes, {**saved, **merged.changes})
    if persons_form.FIELD in merged.changes:
        known = persons_form.known(session, show)
        said |= {persons_form.FIELD: persons_form.said(typed, known, show, Addresses(settings.origin))}
    changes = persons_form.findings(typed) or fields.parse(EpisodeChanges, said)
    at = _time(typed, ZoneInfo(show.time_zone), now)
    if isinstance(changes, list) or isinstance(at, Finding):
        return Refused([*(changes if isinstance(changes, list) else []), *([at] if isinstance(at, Finding) else [])])
    edited = publishing.edit(session, episode_id, changes, settings, now) if merged.changes else Done(episode)
    if not isinstance(edited, Done):
        return _known(edited)
    due = _make_due(session, episode_id, typed, at, settings, now)
    return Saved(due.findings) if isinstance(due, Refused) else _known(due)


def _time(typed: Mapping[str, str], zone: ZoneInfo, now: dt.datetime) -> dt.datetime | Finding | None:
    """The time to publish at, when that was asked for. One wrong digit must not make an episode public at once."""
    if typed.get("then") != "schedule":
        return None
    at = local_time.instant(typed.get("publish_at", ""), typed.get("publish_at_which", ""), zone)
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
