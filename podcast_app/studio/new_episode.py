"""A new episode: a form with the recording, or with one that was kept when a field was refused."""

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence

from anyio import to_thread
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding, error
from podcast_app import drafts, fields, uploads
from podcast_app.documents import main_text
from podcast_app.fields import NewEpisode
from podcast_app.http import in_reading, in_transaction, services
from podcast_app.models import EpisodeId, Show, Upload, UploadId, User
from podcast_app.outcomes import Done, Refused
from podcast_app.settings import Settings
from podcast_app.studio import episode_form, multipart, once, rights
from podcast_app.studio.doors import for_people, see_other
from podcast_app.studio.inputs import Form, cleaned, remarks
from podcast_app.studio.pages import language_of, page
from podcast_app.times import utcnow
from podcast_app.uploads import Inspected, Received

NO_RECORDING = error("audio", "There is no recording yet.", "Choose the audio file of this episode.")


@for_people
async def show_page(request: Request, person: User) -> Response:
    show = await in_reading(request, rights.show_of_producer, person, request.path_params["show"])
    upload = await in_reading(request, _kept, show, request.query_params.get("upload", ""))
    return _page(request, person, show, episode_form.empty(show.language), upload)


@for_people
async def create(request: Request, person: User) -> Response:
    show = await in_reading(request, rights.show_of_producer, person, request.path_params["show"])
    sent = await multipart.with_recording(request)
    typed = cleaned(sent.fields)
    upload, pictures = await _recording(request, person, show, sent.audio, typed)
    if isinstance(upload, Finding):
        return _page(request, person, show, typed, None, [upload])
    said = fields.parse(NewEpisode, _said(typed))
    if isinstance(said, list):
        return _page(request, person, show, typed, upload, said)
    here = services(request)
    made = await in_transaction(
        request, _make, person, show.slug, upload.id, pictures, typed, said, here.settings, utcnow()
    )
    match made:
        case Done(episode_id):
            here.work.wake()
            return see_other(f"/studio/episodes/{episode_id}")
        case Refused(findings):
            return _page(request, person, show, typed, upload, findings)


async def _recording(
    request: Request, person: User, show: Show, sent: Received | None, typed: Mapping[str, str]
) -> tuple[Upload | Finding, uploads.Pictures]:
    """The recording as an upload that waits, whatever becomes of the fields; and its pictures."""
    if sent is not None:
        inspected = await multipart.inspected(request, sent)
        if isinstance(inspected, Finding):
            return inspected, uploads.Pictures()
        return await in_transaction(request, _keep, person, show.slug, inspected, utcnow()), inspected.pictures
    upload = await in_reading(request, _kept, show, typed.get("upload_id", ""))
    if upload is None:
        return NO_RECORDING, uploads.Pictures()
    here = services(request)
    return upload, await to_thread.run_sync(uploads.pictures_of, here.database, here.storage, upload)


def _keep(session: Session, person: User, slug: str, inspected: Inspected, now: dt.datetime) -> Upload:
    return uploads.record(session, rights.show_to_change(session, person, slug).id, inspected, now)


def _kept(session: Session, show: Show, upload_id: str) -> Upload | None:
    upload = session.get(Upload, UploadId(upload_id)) if upload_id else None
    return upload if upload is not None and upload.show_id == show.id else None


def _make(
    session: Session,
    person: User,
    slug: str,
    upload_id: UploadId,
    pictures: uploads.Pictures,
    typed: Mapping[str, str],
    said: NewEpisode,
    settings: Settings,
    now: dt.datetime,
) -> Done[EpisodeId] | Refused:
    show = rights.show_to_change(session, person, slug)
    if (earlier := once.result(session, person, typed)) is not None:
        uploads.discard(session, upload_id, now)  # the same recording once more; the one in use stays
        return Done(EpisodeId(earlier))
    made = drafts.from_upload(session, show.id, upload_id, pictures, said, settings, now)
    if isinstance(made, Refused):
        return made
    once.remember(session, person, typed, made.episode.id, now)
    return Done(made.episode.id)


def _said(typed: Mapping[str, str]) -> dict[str, object]:
    """What was typed. An empty input says nothing: there the file's own words stand."""
    filled = [name for name, value in typed.items() if value.strip()]
    publish = {"publish": "now"} if typed.get("then") == "publish" else {}
    return episode_form.said(filled, typed) | publish


def _page(
    request: Request,
    person: User,
    show: Show,
    typed: Mapping[str, str],
    upload: Upload | None,
    findings: Sequence[Finding] = (),
) -> Response:
    values = {name: typed.get(name, value) for name, value in episode_form.empty(show.language).items()}
    form = Form(values=values, remarks=remarks(language_of(request, person), findings, {**values, "audio": ""}))
    return page(
        request,
        "new_episode.html",
        person,
        status_code=422 if findings else 200,
        form=form,
        show=show,
        show_title=main_text(show).title,
        upload=upload,
        form_id=typed.get("form_id") or secrets.token_hex(16),
        translations=episode_form.translation_languages(values),
        spoken=episode_form.offered(values["language"]),
        most_bytes=services(request).settings.max_upload_bytes,
    )
