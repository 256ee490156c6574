"""/media/{audio}/{name}: the bytes from our disk, or the way to the bucket. The name is for people; the id decides."""

import logging
import re
from pathlib import Path
from typing import NamedTuple

from anyio import to_thread
from sqlalchemy.exc import DBAPIError
from starlette.types import Receive, Scope, Send

from media.storage import Unavailable
from podcast_app.database import is_away
from podcast_app.http import Services
from podcast_app.listening import media_answers, recordings
from podcast_app.listening.elsewhere import Elsewhere
from podcast_app.listening.feeds import Feeds
from podcast_app.listening.files import NotThere, send_file
from podcast_app.listening.media_answers import MediaAnswers
from podcast_app.listening.messages import Answer
from podcast_app.listening.recordings import Recording, Withdrawn
from podcast_app.models import AudioId, ShowId

log = logging.getLogger(__name__)

_PATH = re.compile(r"/media/([0-9a-f]{16})/(?!\.\.?$)[^/\x00-\x1f\x7f]+")

MOST_KNOWN = 4000  # ids, at a few kB each


class _Offer(NamedTuple):
    """A recording that is public."""

    answers: MediaAnswers
    elsewhere: Elsewhere
    path: Path | None  # here


class _Known(NamedTuple):
    """What an id leads to. It holds until a feed of the show changes."""

    show_id: ShowId
    changes: int  # of feeds, before the database was asked
    to: _Offer | Answer


class Media:
    """Answers below /media/. An episode that was asked for before costs no query."""

    def __init__(self, services: Services, feeds: Feeds) -> None:
        self._services = services
        self._feeds = feeds
        self._known: dict[AudioId, _Known] = {}

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _PATH.fullmatch(scope["path"])
        if found is None:
            await media_answers.UNKNOWN.send(scope, send)
        elif scope["method"] == "OPTIONS":
            await media_answers.PREFLIGHT.send(scope, send)
        elif scope["method"] not in ("GET", "HEAD"):
            await media_answers.NOT_ALLOWED.send(scope, send)
        else:
            await self._lead(AudioId(found[1]), scope, receive, send)

    async def _lead(self, audio_id: AudioId, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            match await self._find(audio_id):
                case Answer() as refusal:
                    await refusal.send(scope, send)
                case _Offer() as offer:
                    await _give(offer, scope, receive, send)
        except (NotThere, Unavailable) as failure:
            log.error("The audio %s cannot be given out: %s", audio_id, failure)
            await media_answers.UNAVAILABLE.send(scope, send)
        except DBAPIError as failure:
            if not is_away(failure):
                raise
            await media_answers.UNAVAILABLE.send(scope, send)

    async def _find(self, audio_id: AudioId) -> _Offer | Answer:
        known = self._known.get(audio_id)
        if known is None or self._feeds.changed_after(known.show_id, known.changes):
            known = await self._look_up(audio_id)
        return media_answers.UNKNOWN if known is None else known.to

    async def _look_up(self, audio_id: AudioId) -> _Known | None:
        changes = self._feeds.changes
        database, limiter = self._services.database, self._services.limiter
        found = await to_thread.run_sync(database.read, recordings.find, audio_id, limiter=limiter)
        self._known.pop(audio_id, None)
        if found is None:
            return None  # not kept: there is no end of ids that are none
        if len(self._known) >= MOST_KNOWN:
            del self._known[next(iter(self._known))]  # the one that was looked up first
        known = self._known[audio_id] = _Known(found.show_id, changes, self._to(found))
        return known

    def _to(self, found: Recording | Withdrawn) -> _Offer | Answer:
        match found:
            case Withdrawn():
                return media_answers.WITHDRAWN
            case Recording():
                storage, settings = self._services.storage, self._services.settings
                elsewhere = Elsewhere(found, storage, settings.media_base_url)
                return _Offer(MediaAnswers(found), elsewhere, storage.local_path(found.key))


async def _give(offer: _Offer, scope: Scope, receive: Receive, send: Send) -> None:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    is_download = _is_download(scope["query_string"])
    is_elsewhere = offer.elsewhere.has_it(is_download=is_download)
    answers = offer.answers
    # what `If-Match` names at a bucket is the bucket's own ETag, so the bucket judges it
    answer = (None if is_elsewhere else answers.changed(headers)) or answers.unchanged(headers)
    if answer is None and scope["method"] == "HEAD":
        answer = answers.head(is_download=is_download)
    if answer is None and is_elsewhere:
        answer = await offer.elsewhere.redirect(is_download=is_download)
    match answer or answers.beginning(headers, is_download=is_download):
        case Answer() as whole:
            await whole.send(scope, send)
        case start, part:
            assert offer.path is not None
            await send_file(offer.path, answers.recording.size_bytes, part, start, receive, send)


def _is_download(query: bytes) -> bool:
    return any(parameter.partition(b"=")[0] == b"download" for parameter in query.split(b"&"))
