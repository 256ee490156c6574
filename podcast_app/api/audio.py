"""An episode's audio: replaced, brought back, and what is made from it made again."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding, error
from podcast_app import access, replacing, uploads
from podcast_app.access import Caller
from podcast_app.api import arrivals, asked, outcomes
from podcast_app.api.arrivals import Recording
from podcast_app.api.changing import changed_once
from podcast_app.api.idempotency import claimed
from podcast_app.api.outcomes import or_problem
from podcast_app.api.problems import UNKNOWN_EPISODE
from podcast_app.api.replies import Reply
from podcast_app.http import Problem, in_reading, language, services
from podcast_app.models import Episode, EpisodeId, ShowId, UploadId
from podcast_app.outcomes import Conflict, Refused, Unknown
from podcast_app.publishing import Outcome
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from podcast_app.uploads import Inspected

NOTHING_SO = error(
    "", "Nothing of this name is made from a recording.", "Name measurement, enclosure, low-mp3 or low-opus."
)
AUDIO_ALONE = error("", "Only the recording is taken here.", "Change the episode's other fields by themselves.")


async def replace(request: Request) -> Response:
    """POST /episodes/{id}/audio: another recording, in a form or as a complete upload."""
    who, episode_id = await asked.episode(request, needs="producer")
    show_id = await in_reading(request, _show_of, episode_id)
    async with claimed(request, who) as claim, arrivals.received(request, claim) as arrival:
        if earlier := claim.earlier(*arrival.fingerprint):
            return earlier.response()
        if arrival.fields or arrival.picture:
            raise Problem(422, [AUDIO_ALONE])
        recording = await arrivals.inspected(request, show_id, arrival)
        if isinstance(recording, Finding):
            raise Problem(422, [recording])
        replaced = await claim.keep(
            _replace, who, show_id, episode_id, recording, services(request).settings, language(request), utcnow()
        )
    services(request).work.wake()
    return or_problem(replaced, UNKNOWN_EPISODE).response()


async def undo(request: Request) -> Response:
    """POST /episodes/{id}/audio/undo: the recording before this one comes back; or the one to come does not."""
    who, episode_id = await asked.episode(request, needs="producer")
    return await changed_once(request, who, episode_id, lambda session: replacing.undo(session, episode_id, utcnow()))


async def make_again(request: Request) -> Response:
    """POST /episodes/{id}/audio/{name}: one of the things that are made from the recording."""
    who, episode_id = await asked.episode(request, needs="producer")
    name = request.path_params["name"]
    if name not in replacing.MADE:
        raise Problem(404, [NOTHING_SO])
    return await changed_once(
        request, who, episode_id, lambda session: replacing.make_again(session, episode_id, name, utcnow())
    )


def _show_of(session: Session, episode_id: EpisodeId) -> ShowId:
    """Raises Problem 404: it may just have been deleted."""
    show_id = session.scalar(select(Episode.show_id).where(Episode.id == episode_id))
    if show_id is None:
        raise Problem(404, [UNKNOWN_EPISODE])
    return show_id


def _replace(
    session: Session,
    who: Caller,
    show_id: ShowId,
    episode_id: EpisodeId,
    recording: Recording,
    settings: Settings,
    language: str,
    now: dt.datetime,
) -> Reply | Refused | Conflict | Unknown:
    def change(session: Session) -> Outcome:
        access.episode_to_change(session, who, episode_id)
        upload_id = _upload(session, show_id, recording.source, now)
        return replacing.replace(session, episode_id, upload_id, recording.pictures.chapters, now)

    return outcomes.after(session, change, episode_id, settings, language)


def _upload(session: Session, show_id: ShowId, source: Inspected | UploadId, now: dt.datetime) -> UploadId:
    return uploads.record(session, show_id, source, now).id if isinstance(source, Inspected) else source
