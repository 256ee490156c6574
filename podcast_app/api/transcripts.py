"""Transcripts of an episode: put and removed, one for each language."""

import datetime as dt

from anyio import to_thread
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding
from media import transcripts as media_transcripts
from podcast_app import transcripts, uploads
from podcast_app.api import asked, bodies, outcomes
from podcast_app.api.outcomes import or_problem
from podcast_app.api.problems import UNKNOWN_EPISODE
from podcast_app.api.replies import Reply
from podcast_app.fields import LanguageField
from podcast_app.forms import LARGEST_TRANSCRIPT
from podcast_app.http import Problem, in_transaction, language, services
from podcast_app.models import EpisodeId
from podcast_app.outcomes import Conflict, Done, Refused, Unknown
from podcast_app.settings import Settings
from podcast_app.times import utcnow


class TranscriptQuery(BaseModel):
    """What is said of the text in the body."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    filename: str = ""
    captions: bool | None = None  # left out: it is, when no other one is


async def put(request: Request) -> Response:
    """PUT /episodes/{id}/transcripts/{language}: the file's bytes, as they are."""
    _, episode_id = await asked.episode(request, needs="producer")
    spoken = _language(request)
    query = bodies.parsed(TranscriptQuery, dict(request.query_params))
    name, media_type = uploads.safe_filename(query.filename or "transcript"), request.headers.get("content-type", "")
    said = await _read(await bodies.raw(request, LARGEST_TRANSCRIPT), name, media_type)
    changed = await in_transaction(
        request,
        _put,
        episode_id,
        spoken,
        said,
        name,
        query.captions,
        services(request).settings,
        language(request),
        utcnow(),
    )
    services(request).work.wake()
    return or_problem(changed, UNKNOWN_EPISODE).response()


async def remove(request: Request) -> Response:
    """DELETE /episodes/{id}/transcripts/{language}."""
    _, episode_id = await asked.episode(request, needs="producer")
    settings = services(request).settings
    changed = await in_transaction(
        request, _remove, episode_id, _language(request), settings, language(request), utcnow()
    )
    services(request).work.wake()
    return or_problem(changed, UNKNOWN_EPISODE).response()


def _language(request: Request) -> str:
    """Raises Problem 422."""
    return bodies.parsed(LanguageField, {"language": request.path_params["language"]}).language


async def _read(data: bytes, filename: str, media_type: str) -> media_transcripts.Transcript:
    """Raises Problem 422, with the line that cannot be read."""
    said = await to_thread.run_sync(transcripts.read, data, filename, media_type)
    if isinstance(said, Finding):
        raise Problem(422, [said])
    return said


def _put(
    session: Session,
    episode_id: EpisodeId,
    spoken: str,
    said: media_transcripts.Transcript,
    filename: str,
    is_captions: bool | None,
    settings: Settings,
    language: str,
    now: dt.datetime,
) -> Reply | Refused | Conflict | Unknown:
    done = transcripts.put(session, episode_id, spoken, said, filename, is_captions, settings, now)
    return outcomes.episode(session, episode_id, settings, language) if isinstance(done, Done) else done


def _remove(
    session: Session, episode_id: EpisodeId, spoken: str, settings: Settings, language: str, now: dt.datetime
) -> Reply | Refused | Conflict | Unknown:
    done = transcripts.remove(session, episode_id, spoken, settings, now)
    return outcomes.episode(session, episode_id, settings, language) if isinstance(done, Done) else done
