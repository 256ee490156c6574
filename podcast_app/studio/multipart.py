"""A form that brings a file, received while it streams. What goes wrong on the way is said by errors.py; that its file
cannot be kept, beside the input, so that no text is lost."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from anyio import to_thread
from starlette.requests import Request

from feeds.checks import Finding, error
from media import artwork
from media.probe import NotAudio
from podcast_app import covers, errors, forms, uploads
from podcast_app.http import services

ROOM_FOR_TEXT = 50_000_000  # bytes of a form besides its recording: texts and a picture

NO_RECORDING_HERE = error("audio", "This form takes no recording.", "Send it with a new episode.")


async def with_recording(request: Request) -> forms.Form:
    """The whole form, its recording in storage, announced. Raises what forms.read_on raises."""
    here = services(request)
    limit = here.settings.max_upload_bytes
    return await _received(request, limit, partial(uploads.Original, here.database, here.storage, limit), forms.COVER)


def not_kept(failure: Exception, name: str = "audio") -> Finding:
    """Why a file is not in the storage, beside its input. Raises `failure` when it is a bug of ours."""
    return replace(errors.of_the_world(failure).findings[0], field=name)


async def without_recording(request: Request, rooms: Mapping[str, forms.Room] = forms.COVER) -> forms.Form:
    """The same for a form whose only file is a picture, or another small one. Raises what forms.read raises."""

    def refuse() -> uploads.Original:
        raise forms.BadForm(NO_RECORDING_HERE)

    return await _received(request, 0, refuse, rooms)


async def inspected(request: Request, received: uploads.Received) -> uploads.Inspected | Finding:
    """What the recording is, or why no episode can be made from it: then nothing of it stays."""
    here = services(request)
    try:
        return await to_thread.run_sync(uploads.inspect, here.database, here.storage, received)
    except NotAudio as refusal:  # its sentence holds the mend too
        return Finding("error", "audio", refusal.sentence, "", tuple(refusal.values.items()))
    except forms.FAILURES as failure:  # a picture of it
        return not_kept(failure)


async def cover(request: Request, form: forms.Form) -> covers.Picture | Finding | None:
    """The picture that was chosen as a cover, stored and announced, or why it cannot be one. Cropped when asked for."""
    if form.picture is None:
        return None
    here, draw = services(request), partial(artwork.cover, crop=form.fields.get("crop") == "true")
    try:
        made = await to_thread.run_sync(draw, form.picture, limiter=here.drawing)
    except artwork.BadPicture as refusal:
        return Finding("error", "cover", refusal.sentence, "", tuple(refusal.values.items()))
    try:
        return await to_thread.run_sync(covers.store, here.database, here.storage, made)
    except forms.FAILURES as failure:
        return not_kept(failure, "cover")


def offers_crop(findings: Iterable[Finding], typed: Mapping[str, str]) -> bool:
    """Whether cropping helps, or was asked for before."""
    return "crop" in typed or any(finding.problem == artwork.NOT_SQUARE for finding in findings)


async def _received(
    request: Request, limit: int, open_original: Callable[[], uploads.Original], rooms: Mapping[str, forms.Room]
) -> forms.Form:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit + ROOM_FOR_TEXT:
        raise uploads.TooLarge  # before a byte is read
    return await forms.read_on(request.stream(), request.headers.get("content-type", ""), open_original, rooms)
