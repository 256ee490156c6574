"""Transcripts of an episode: the list, a file for a language added, one removed."""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import partial

from anyio import to_thread
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding, error
from media.transcripts import Transcript
from podcast_app import fields, forms, publishing, transcripts, uploads
from podcast_app.fields import LanguageField
from podcast_app.http import in_reading, in_transaction, services
from podcast_app.models import Episode, EpisodeId, User
from podcast_app.settings import Settings
from podcast_app.studio import episode_form, multipart, part, rights
from podcast_app.studio.doors import for_people
from podcast_app.studio.inputs import Form, cleaned, remarks
from podcast_app.studio.pages import language_of
from podcast_app.times import utcnow

NOTHING_CHOSEN = error("transcript", "No file was chosen.", "Choose the transcript.")


@for_people
async def show_page(request: Request, person: User) -> Response:
    return await _answer(request, person, {})


@for_people
async def add(request: Request, person: User) -> Response:
    await in_reading(request, rights.episode_of_producer, person, part.asked(request))
    form = await multipart.without_recording(request, forms.TRANSCRIPT)
    typed, file = cleaned(form.fields), form.files.get("transcript")
    again = partial(_answer, request, person, typed)
    language = fields.parse(LanguageField, {"language": typed.get("language", "")})
    if isinstance(language, list):
        return await again(language, 422)
    if file is None:
        return await again([NOTHING_CHOSEN], 422)
    said = await to_thread.run_sync(transcripts.read, file.data, file.name, "")
    if isinstance(said, Finding):
        return await again([said], 422)
    outcome = await in_transaction(
        request,
        _put,
        person,
        part.asked(request),
        language.language,
        said,
        uploads.safe_filename(file.name),
        typed.get("captions") == "true",
        services(request).settings,
        utcnow(),
    )
    return await part.ended(request, outcome, "transcripts", again)


@for_people
async def remove(request: Request, person: User) -> Response:
    """Its owner has the file, so nobody is asked."""
    language, settings = request.path_params["language"], services(request).settings
    outcome = await in_transaction(request, _remove, person, part.asked(request), language, settings, utcnow())
    return await part.ended(request, outcome, "transcripts", partial(_answer, request, person, {}))


def _put(
    session: Session,
    person: User,
    episode_id: EpisodeId,
    language: str,
    said: Transcript,
    filename: str,
    is_captions: bool,
    settings: Settings,
    now: dt.datetime,
) -> publishing.Outcome:
    rights.episode_to_change(session, person, episode_id)
    return transcripts.put(session, episode_id, language, said, filename, is_captions, settings, now)


def _remove(
    session: Session, person: User, episode_id: EpisodeId, language: str, settings: Settings, now: dt.datetime
) -> publishing.Outcome:
    rights.episode_to_change(session, person, episode_id)
    return transcripts.remove(session, episode_id, language, settings, now)


async def _answer(
    request: Request, person: User, typed: Mapping[str, str], findings: Sequence[Finding] = (), status: int = 200
) -> Response:
    episode, is_open = await in_reading(request, part.read, person, part.asked(request))
    values = {name: typed.get(name, value) for name, value in _empty(episode).items()}
    said = remarks(language_of(request, person), findings, {**values, "transcript": ""})
    form = Form(values=values, remarks=said, is_open=is_open)
    spoken = episode_form.offered(episode.spoken_language, values["language"])
    return part.part_page(request, "transcripts.html", person, episode, status, form=form, spoken=spoken)


def _empty(episode: Episode) -> dict[str, str]:
    """The language that is spoken first; and the first transcript serves as captions."""
    is_first = not any(transcript.is_captions for transcript in episode.transcripts)
    return {"language": episode.spoken_language, "captions": "true" if is_first else "false"}
