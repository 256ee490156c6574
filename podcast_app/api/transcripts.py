"""Transcripts of an episode: put and removed, one for each language."""

from anyio import to_thread
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding
from media import transcripts as media_transcripts
from podcast_app import transcripts, uploads
from podcast_app.api import asked, bodies
from podcast_app.api.changing import changed
from podcast_app.fields import LanguageField
from podcast_app.forms import LARGEST_TRANSCRIPT
from podcast_app.http import Problem, services
from podcast_app.times import utcnow


class TranscriptQuery(BaseModel):
    """What is said of the text in the body."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    filename: str = ""
    captions: bool | None = None  # left out: it is, when no other one is


async def put(request: Request) -> Response:
    """PUT /episodes/{id}/transcripts/{language}: the file's bytes, as they are."""
    who, episode_id = await asked.episode(request, needs="producer")
    spoken = _language(request)
    query = bodies.parsed(TranscriptQuery, dict(request.query_params))
    name, media_type = uploads.safe_filename(query.filename or "transcript"), request.headers.get("content-type", "")
    said = await _read(await bodies.raw(request, LARGEST_TRANSCRIPT), name, media_type)
    settings, now = services(request).settings, utcnow()
    return await changed(
        request,
        who,
        episode_id,
        lambda session: transcripts.put(session, episode_id, spoken, said, name, query.captions, settings, now),
    )


async def remove(request: Request) -> Response:
    """DELETE /episodes/{id}/transcripts/{language}."""
    who, episode_id = await asked.episode(request, needs="producer")
    spoken, settings, now = _language(request), services(request).settings, utcnow()
    return await changed(
        request, who, episode_id, lambda session: transcripts.remove(session, episode_id, spoken, settings, now)
    )


def _language(request: Request) -> str:
    """Raises Problem 422."""
    return bodies.parsed(LanguageField, {"language": request.path_params["language"]}).language


async def _read(data: bytes, filename: str, media_type: str) -> media_transcripts.Transcript:
    """Raises Problem 422, with the line that cannot be read."""
    said = await to_thread.run_sync(transcripts.read, data, filename, media_type)
    if isinstance(said, Finding):
        raise Problem(422, [said])
    return said
