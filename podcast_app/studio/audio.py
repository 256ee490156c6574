"""What can be done with an episode's recording: replaced, brought back, and what is made from it made again."""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import partial

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding, error
from podcast_app import covers, episodes, forms, publishing, replacing, uploads
from podcast_app.http import in_reading, in_transaction
from podcast_app.models import Audio, EpisodeId, UploadId, User
from podcast_app.outcomes import Done
from podcast_app.studio import multipart, once, part, rights
from podcast_app.studio.audio_page import answer
from podcast_app.studio.doors import for_people
from podcast_app.studio.inputs import cleaned, sent
from podcast_app.times import utcnow
from podcast_app.uploads import Inspected

NOTHING_CHOSEN = error("audio", "No recording was chosen.", "Choose the file, or one that waits.")


@for_people
async def show_page(request: Request, person: User) -> Response:
    return await answer(request, person, {})


@for_people
async def replace(request: Request, person: User) -> Response:
    await in_reading(request, rights.episode_of_producer, person, part.asked(request))  # before the file comes
    form = await multipart.with_recording(request)
    typed = cleaned(form.fields)
    again = partial(answer, request, person, typed)
    recording = await _recording(request, form, typed)
    if isinstance(recording, Finding):
        return await again([recording], 422)
    outcome = await in_transaction(request, _replace, person, part.asked(request), recording, typed, utcnow())
    return await part.ended(request, outcome, "audio", again)


@for_people
async def undo(request: Request, person: User) -> Response:
    typed = await sent(request)
    outcome = await in_transaction(request, _undo, person, part.asked(request), typed, utcnow())
    return await part.ended(request, outcome, "audio", partial(answer, request, person, {}))


@for_people
async def make_again(request: Request, person: User) -> Response:
    name = request.path_params["name"]
    outcome = await in_transaction(request, _make_again, person, part.asked(request), name, utcnow())
    return await part.ended(request, outcome, "audio", partial(answer, request, person, {}))


async def _recording(request: Request, form: forms.Form, typed: Mapping[str, str]) -> Inspected | UploadId | Finding:
    if form.failure is not None:
        return multipart.not_kept(form.failure)
    if form.audio is not None:
        return await multipart.inspected(request, form.audio)
    return UploadId(typed["upload_id"]) if typed.get("upload_id") else NOTHING_CHOSEN


def _replace(
    session: Session,
    person: User,
    episode_id: EpisodeId,
    recording: Inspected | UploadId,
    typed: Mapping[str, str],
    now: dt.datetime,
) -> publishing.Outcome:
    show, episode = rights.episode_to_change(session, person, episode_id)
    if once.result(session, person, typed) is not None:
        return Done(episode)  # the form was sent twice; nobody takes over the second file, so it goes by itself
    pictures: Mapping[int, covers.Picture] = {}
    if isinstance(recording, Inspected):
        pictures = recording.pictures.chapters
        recording = uploads.record(session, show.id, recording, now).id
    replaced = replacing.replace(session, episode_id, recording, pictures, now)
    if isinstance(replaced, Done):
        once.remember(session, person, typed, episode_id, now)
    return replaced


def _undo(
    session: Session, person: User, episode_id: EpisodeId, typed: Mapping[str, str], now: dt.datetime
) -> publishing.Outcome:
    _, episode = rights.episode_to_change(session, person, episode_id)
    if not _is_still_so(episodes.audios(session, episode_id), typed, now):
        return Done(episode)
    return replacing.undo(session, episode_id, now)


def _is_still_so(audios: Sequence[Audio], typed: Mapping[str, str], now: dt.datetime) -> bool:
    """Whether the page was not too old, or its form sent twice. What is to be called off may have come already: then
    what was before comes back."""
    asked, coming = typed.get("audio"), next((audio.id for audio in audios if audio.is_next), None)
    match typed.get("then"):
        case "call-off":
            return asked == (coming or next((audio.id for audio in audios if audio.is_current), None))
        case "bring-back":
            earlier = replacing.before(list(audios), now)
            return coming is None and earlier is not None and asked == earlier.id
        case _:
            return False


def _make_again(
    session: Session, person: User, episode_id: EpisodeId, name: str, now: dt.datetime
) -> publishing.Outcome:
    rights.episode_to_change(session, person, episode_id)
    return replacing.make_again(session, episode_id, name, now)
