"""What an episode sounds like, before and after: its recording and what is made from it, for those who work on it."""

from pathlib import PurePath

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from feeds.checks import error
from media.storage import Unavailable
from podcast_app.documents import edition
from podcast_app.http import Problem, in_reading, services
from podcast_app.listening.elsewhere import Elsewhere
from podcast_app.listening.files import NotThere
from podcast_app.listening.media import Offer, give
from podcast_app.listening.media_answers import MediaAnswers
from podcast_app.listening.recordings import Recording
from podcast_app.models import Audio, Edition, Episode, EpisodeId, Upload, User
from podcast_app.studio import rights
from podcast_app.studio.doors import for_people

SIGNED_FOR = 2 * 3600  # seconds: as long as somebody listens in one go; whoever has the address hears it too

NOT_MADE = error("", "This is not made yet.", "Look at the page of the recording: it says how far it is.")


@for_people
async def hear(request: Request, person: User) -> Response:
    episode_id, name = EpisodeId(request.path_params["id"]), request.path_params["name"]
    return privately(request, await in_reading(request, _find, person, episode_id, name))


def privately(request: Request, recording: Recording) -> Response:
    """The bytes, for one who may hear them before others."""
    storage = services(request).storage
    elsewhere = Elsewhere(recording, storage, "", SIGNED_FOR)  # no public base has it
    return _Private(Offer(MediaAnswers(recording), elsewhere, storage.local_path(recording.key)))


def best(episode: Episode) -> str:
    """Of what can be heard, what is nearest to what listeners get: "enclosure", or "original" until that is made."""
    return "enclosure" if episode.audio is not None and is_there(edition(episode.audio)) else "original"


class _Private(Response):
    """Answered as listeners are; but nobody keeps it, and no other site reads it."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def privately(message: Message) -> None:
            await send(_private(message) if message["type"] == "http.response.start" else message)

        try:
            await give(self._offer, scope, receive, privately)
        except NotThere as lost:
            raise Unavailable(str(lost)) from lost


def _private(start: Message) -> Message:
    """A new message: answers are shared."""
    public = (b"access-control-", b"cache-control")
    headers = [(name, value) for name, value in start["headers"] if not name.startswith(public)]
    return {**start, "headers": [*headers, (b"cache-control", b"private, no-store")]}


def _find(session: Session, person: User, episode_id: EpisodeId, name: str) -> Recording:
    return recording(rights.episode(session, person, episode_id), name)


def recording(episode: Episode, name: str) -> Recording:
    """The episode's "original", or what is made from it under this name. Raises Problem 404."""
    audio = episode.audio
    if audio is None:
        raise Problem(404, [rights.NOT_HERE])
    if name == "original":
        return _original(audio.upload)
    made = next((made for made in audio.editions if made.name == name), None)
    if made is None or not is_there(made):
        raise Problem(404, [NOT_MADE])
    return _made(audio, made)


def is_there(made: Edition) -> bool:
    """Whether it can be heard, also while it is being made anew."""
    return made.key is not None or made.public_key is not None


def _original(upload: Upload) -> Recording:
    return Recording(
        show_id=upload.show_id,
        key=upload.key,
        media_type=upload.facts["media_type"],
        size_bytes=upload.size_bytes,
        # until that is counted its key stands for it, because what lies there never changes
        sha256=upload.sha256 or PurePath(upload.key).name,
        modified_at=None,
        file_name=upload.filename,
    )


def _made(audio: Audio, made: Edition) -> Recording:
    key = made.key or made.public_key
    assert key is not None
    assert made.media_type is not None
    assert made.size_bytes is not None
    assert made.sha256 is not None
    return Recording(
        show_id=audio.upload.show_id,
        key=key,
        media_type=made.media_type,
        size_bytes=made.size_bytes,
        sha256=made.sha256,
        modified_at=None,
        file_name=f"{PurePath(audio.upload.filename).stem}-{made.name}.{made.extension}",
    )
