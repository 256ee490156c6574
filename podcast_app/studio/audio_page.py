"""The page of an episode's recording: what it is, how it sounds, what is made from it, and what may take its place."""

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anyio import to_thread
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding
from podcast_app import loudness, replacing, security, words
from podcast_app.http import in_reading, services
from podcast_app.models import Audio, Episode, EpisodeId, Measurement, Show, Upload, User
from podcast_app.studio import part
from podcast_app.studio.inputs import Form, remarks
from podcast_app.studio.listen import is_there
from podcast_app.studio.pages import language_of
from podcast_app.studio.upload import waiting
from podcast_app.times import utcnow

INPUTS = {"audio": "", "upload_id": ""}


@dataclass(frozen=True, slots=True)
class Sound:
    """How loud the recording is. `remarks` are in the person's language."""

    measured: Measurement | None  # None until it is
    is_right: bool  # as loud as others, as it was recorded
    remarks: Sequence[str]


async def answer(
    request: Request, person: User, typed: Mapping[str, str], findings: Sequence[Finding] = (), status: int = 200
) -> Response:
    """The page. `findings` are about what was just asked for."""
    here, language = services(request), language_of(request, person)
    (episode, is_open), recordings = await in_reading(request, _read, person, part.asked(request))
    audio = episode.audio
    assert audio is not None, "an episode is made from audio"
    earlier = replacing.before(episode.audios, utcnow())
    answer = part.part_page(
        request,
        "audio.html",
        person,
        episode,
        status,
        upload=audio.upload,
        sound=_sound(audio, episode.show, language),
        editions={made.name: made for made in audio.editions},
        heard=["original", *(made.name for made in audio.editions if is_there(made))],
        coming=next((other for other in episode.audios if other.is_next), None),
        earlier=earlier,
        back_until=_back_until(earlier),
        recordings=recordings,
        form=Form(
            values={"upload_id": typed.get("upload_id", "")},
            remarks=remarks(language, findings, INPUTS),
            is_open=is_open,
        ),
        form_id=typed.get("form_id") or secrets.token_hex(16),
        most_bytes=here.settings.max_upload_bytes,
    )
    signed = await to_thread.run_sync(security.signed_origin, here.storage)
    parts = await to_thread.run_sync(security.parts_origin, here.storage)
    answer.headers["Content-Security-Policy"] = security.upload_policy(signed, parts)
    return answer


def _read(session: Session, person: User, episode_id: EpisodeId) -> tuple[tuple[Episode, bool], Sequence[Upload]]:
    """What part.read does, and the recordings that wait."""
    episode, is_open = part.read(session, person, episode_id)
    return (episode, is_open), waiting(session, episode.show_id)


def _sound(audio: Audio, show: Show, language: str) -> Sound:
    measured = audio.upload.measurement
    if measured is None or measured.status != "ready":
        return Sound(None, False, ())
    # what is said whether or not the show evens loudness, and what only where it does not
    whatever = list(loudness.findings(measured, is_evened=True))
    of_level = [found for found in loudness.findings(measured, is_evened=False) if found not in whatever]
    said = whatever if show.even_loudness else [*of_level, *whatever]
    is_right = not of_level and measured.loudness_lufs is not None
    return Sound(measured, is_right, [words.message(language, found) for found in said])


def _back_until(earlier: Audio | None) -> dt.datetime | None:
    return earlier.replaced_at + replacing.UNDO_FOR if earlier and earlier.replaced_at else None
