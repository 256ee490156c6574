"""What a request for a new episode brings: fields, and a recording or the name of one that waits."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from anyio import CancelScope, to_thread
from sqlalchemy.orm import Session
from starlette.requests import Request

from feeds.checks import Finding, error
from media import artwork, text
from media.probe import NotAudio
from media.storage import Key
from podcast_app import covers, forms, objects, uploads
from podcast_app.api import bodies
from podcast_app.api.idempotency import Claim
from podcast_app.http import Problem, in_reading, in_transaction, services
from podcast_app.models import ShowId, Upload, UploadId
from podcast_app.times import utcnow
from podcast_app.uploads import Inspected

ENVELOPE = forms.LARGEST_PICTURE + bodies.LARGEST  # bytes of a form beside its audio

NO_AUDIO = error(
    "audio", "There is no recording.", "Send the file as “audio” in a multipart form, or name an upload in upload_id."
)


@dataclass(slots=True)
class Arrival:
    """The body, read to its end. Its fields are still hostile text."""

    fields: dict[str, object]
    audio: uploads.Received | None = None
    upload_id: UploadId | None = None  # it may not exist
    picture: bytes | None = None
    loose: list[Key] = field(default_factory=list)  # objects that were announced for it

    @property
    def fingerprint(self) -> list[object]:
        """What it says, in a form that is the same when it is said again."""
        audio = [self.audio.filename, self.audio.sha256] if self.audio else []
        return [self.fields, self.upload_id, audio, hashlib.sha256(self.picture or b"").hexdigest()]


@dataclass(frozen=True, slots=True)
class Recording:
    """What the episode is to be made from, with the cover that it would get."""

    source: Inspected | UploadId
    pictures: uploads.Pictures
    cover_is_chosen: bool  # by the sender; otherwise it was inside the file


@asynccontextmanager
async def received(request: Request, claim: Claim) -> AsyncIterator[Arrival]:
    """The body, whole. However this ends, of its objects only those stay that a transaction has taken over.

    Raises Problem 400, 413, 415, 422, and what forms.read raises.
    """
    arrival = await _json(request) if bodies.is_json(request) else await _form(request, claim)
    try:
        yield arrival
    finally:
        if arrival.loose:
            with CancelScope(shield=True):
                await in_transaction(request, objects.give_up, arrival.loose, utcnow())
            services(request).work.wake()


async def inspected(request: Request, show_id: ShowId, arrival: Arrival) -> Recording | Finding:
    """Look into the recording; a finding when there is none to be used, and then nothing of it stays."""
    if arrival.audio is not None:
        return await _new(request, arrival, arrival.audio)
    if arrival.upload_id is not None:
        return await _waiting(request, show_id, arrival, arrival.upload_id)
    return NO_AUDIO


async def with_chosen_picture(request: Request, arrival: Arrival, recording: Recording) -> Recording | Finding:
    """The picture that was sent takes the place of the one inside the file; a finding when it can be no cover."""
    if arrival.picture is None:
        return recording
    here = services(request)
    try:
        cover = await to_thread.run_sync(artwork.cover, arrival.picture, limiter=here.drawing)
    except artwork.BadPicture as bad:
        return _said_by("cover", bad)
    picture = await to_thread.run_sync(covers.store, here.database, here.storage, cover)
    arrival.loose.append(picture.key)
    return Recording(recording.source, replace(recording.pictures, cover=picture), cover_is_chosen=True)


async def _json(request: Request) -> Arrival:
    return _naming(await bodies.said(request))


async def _form(request: Request, claim: Claim) -> Arrival:
    here = services(request)
    limit = here.settings.max_upload_bytes
    content_type = request.headers.get("content-type", "")
    if not content_type.lower().startswith("multipart/form-data"):
        raise Problem(415, [forms.NO_FORM], headers={"Accept": "multipart/form-data, application/json"})
    if bodies.says_more(request, limit + ENVELOPE):
        raise uploads.TooLarge
    form = await forms.read(
        claim.alive(request.stream()), content_type, lambda: uploads.Original(here.database, here.storage, limit)
    )
    if form.audio is None:
        arrival = _naming(dict(form.fields))
    else:
        arrival = Arrival(dict(form.fields), audio=form.audio, loose=[form.audio.key])
    arrival.picture = form.picture
    return arrival


def _naming(fields: dict[str, object]) -> Arrival:
    named = fields.pop("upload_id", None)
    return Arrival(fields, upload_id=UploadId(text.clean(str(named))) if named else None)


async def _new(request: Request, arrival: Arrival, audio: uploads.Received) -> Recording | Finding:
    here = services(request)
    try:
        found = await to_thread.run_sync(uploads.inspect, here.database, here.storage, audio)
    except NotAudio as refused:
        return _said_by("audio", refused)
    arrival.loose += found.pictures.keys
    return Recording(found, found.pictures, cover_is_chosen=False)


async def _waiting(request: Request, show_id: ShowId, arrival: Arrival, upload_id: UploadId) -> Recording:
    upload = await in_reading(request, _unused, show_id, upload_id)
    pictures = uploads.Pictures()
    if upload is not None:
        here = services(request)
        pictures = await to_thread.run_sync(uploads.pictures_of, here.database, here.storage, upload)
    arrival.loose += pictures.keys
    return Recording(upload_id, pictures, cover_is_chosen=False)


def _unused(session: Session, show_id: ShowId, upload_id: UploadId) -> Upload | None:
    """Whether it can be used is decided later, by the transaction that would use it."""
    upload = session.get(Upload, upload_id)
    return upload if upload is not None and upload.show_id == show_id and upload.episode_id is None else None


def _said_by(field: str, refused: NotAudio | artwork.BadPicture) -> Finding:
    """A refused file brings one sentence that holds both problem and mend."""
    return Finding("error", field, refused.sentence, "", tuple(refused.values.items()))
