"""POST /shows/{show}/episodes: a recording and what is said about it become an episode."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding
from podcast_app import access, drafts, fields, history, uploads
from podcast_app.access import Caller
from podcast_app.api import arrivals, asked, outcomes, problems
from podcast_app.api.arrivals import Arrival, Recording
from podcast_app.api.idempotency import Claim, claimed
from podcast_app.api.replies import Reply
from podcast_app.fields import NewEpisode
from podcast_app.http import Problem, language, services
from podcast_app.models import ShowId
from podcast_app.outcomes import Refused
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from podcast_app.uploads import Inspected


async def create(request: Request) -> Response:
    """201 with the episode; a draft when it was to be published and checks stand in the way: they are its findings."""
    who, show_id = await asked.show(request, needs="producer")
    async with claimed(request, who) as claim, arrivals.received(request, claim) as arrival:
        if earlier := claim.earlier(*arrival.fingerprint):
            return earlier.response()
        reply = await _made(request, who, claim, show_id, arrival)
    services(request).work.wake()
    return reply.response()


async def _made(request: Request, who: Caller, claim: Claim, show_id: ShowId, arrival: Arrival) -> Reply:
    """The episode; or the findings, and the recording is kept. Raises Problem 422 when there is none to keep."""
    said = fields.parse(NewEpisode, arrival.fields)
    wrong = said if isinstance(said, list) else []
    recording = await arrivals.inspected(request, show_id, arrival)
    if isinstance(recording, Finding):
        raise Problem(422, [recording, *wrong])
    with_picture = await arrivals.with_chosen_picture(request, arrival, recording)
    if isinstance(said, list) or isinstance(with_picture, Finding):
        pictures = [with_picture] if isinstance(with_picture, Finding) else []
        return await _refused(request, who, claim, show_id, recording, [*wrong, *pictures])
    made = await claim.keep(
        _make, who, show_id, with_picture, said, services(request).settings, language(request), utcnow()
    )
    if isinstance(made, Refused):
        return await _refused(request, who, claim, show_id, recording, made.findings)
    return made


async def _refused(
    request: Request, who: Caller, claim: Claim, show_id: ShowId, recording: Recording, findings: Sequence[Finding]
) -> Reply:
    """Text before bytes: a refused field never costs an upload. Raises Problem 422 where nothing was sent to keep."""
    if isinstance(recording.source, Inspected):
        return await claim.keep(_keep, who, show_id, recording.source, findings, language(request), utcnow())
    is_there = not any(finding.field == "upload_id" for finding in findings)
    raise Problem(422, findings, upload_id=recording.source if is_there else None)


def _make(
    session: Session,
    who: Caller,
    show_id: ShowId,
    recording: Recording,
    said: NewEpisode,
    settings: Settings,
    language: str,
    now: dt.datetime,
) -> Reply | Refused:
    access.show_to_change(session, who, show_id)
    made = _draft(session, show_id, recording, said, settings, now)
    if isinstance(made, Refused):
        return made
    history.watch(session, made.episode.id, access.author(who), is_new=True)
    if recording.cover_is_chosen:
        made.episode.suggested = {name: source for name, source in made.episode.suggested.items() if name != "cover"}
    told = outcomes.episode(session, made.episode.id, settings, language, status=201)
    assert isinstance(told, Reply), "it was made a moment ago, in this transaction"
    return told


def _draft(
    session: Session, show_id: ShowId, recording: Recording, said: NewEpisode, settings: Settings, now: dt.datetime
) -> drafts.NewDraft | Refused:
    source, pictures = recording.source, recording.pictures
    if isinstance(source, Inspected):
        return drafts.from_recording(session, show_id, replace(source, pictures=pictures), said, settings, now)
    return drafts.from_upload(session, show_id, source, pictures, said, settings, now)


def _keep(
    session: Session,
    who: Caller,
    show_id: ShowId,
    inspected: Inspected,
    findings: Sequence[Finding],
    language: str,
    now: dt.datetime,
) -> Reply:
    access.show_to_change(session, who, show_id)
    upload = uploads.record(session, show_id, inspected, now)
    return problems.reply(422, findings, language, upload_id=upload.id)
