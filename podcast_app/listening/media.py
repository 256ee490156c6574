"""/media/{audio}/{name}: the bytes from our disk, or the way to the bucket. The name is for people; the id decides."""

import logging
import re
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Receive, Scope, Send

from media.storage import Unavailable
from podcast_app.database import is_away
from podcast_app.http import Busy, Services, in_turn
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


class _Asked(NamedTuple):
    """A request for a recording."""

    headers: dict[bytes, bytes]
    is_head: bool
    is_download: bool


class Offer(NamedTuple):
    """A recording that can be had."""

    answers: MediaAnswers
    elsewhere: Elsewhere
    path: Path | None  # here

    def at_once(self, asked: _Asked) -> Answer | None:
        """The answer, when neither bytes nor a new signature are needed for it."""
        is_elsewhere = self.elsewhere.has_it(is_download=asked.is_download)
        # what `If-Match` names at a bucket is the bucket's own ETag, so the bucket judges it
        if not is_elsewhere and (changed := self.answers.changed(asked.headers)):
            return changed
        if unchanged := self.answers.unchanged(asked.headers):
            return unchanged
        if asked.is_head:
            return self.answers.head(is_download=asked.is_download)
        return self.elsewhere.redirect(is_download=asked.is_download) if is_elsewhere else None

    async def with_bytes(self, asked: _Asked, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises NotThere, and then nothing was sent."""
        assert self.path is not None
        beginning = self.answers.beginning(asked.headers, is_download=asked.is_download)
        if isinstance(beginning, Answer):
            await beginning.send(scope, send)
        else:
            start, part = beginning
            await send_file(self.path, self.answers.recording.size_bytes, part, start, receive, send)


class _Known(NamedTuple):
    """What an id leads to. It holds until a feed of the show changes."""

    show_id: ShowId
    changes: int  # of feeds, before the database was asked
    to: Offer | Answer


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
            known = self._remembered(audio_id) or await self._look_up(audio_id)
            await give(media_answers.UNKNOWN if known is None else known.to, scope, receive, send)
        except (NotThere, Unavailable, Busy) as failure:
            log.error("The audio %s cannot be given out: %r", audio_id, failure)
            self._known.pop(audio_id, None)  # what was lost and made again is elsewhere, and no feed told so
            await media_answers.UNAVAILABLE.send(scope, send)
        except SQLAlchemyError as failure:
            if not is_away(failure):
                raise
            await media_answers.UNAVAILABLE.send(scope, send)

    def _remembered(self, audio_id: AudioId) -> _Known | None:
        known = self._known.get(audio_id)
        return None if known is None or self._feeds.changed_after(known.show_id, known.changes) else known

    async def _look_up(self, audio_id: AudioId) -> _Known | None:
        changes = self._feeds.changes
        database = self._services.database
        found = await in_turn(self._services, lambda: database.read(recordings.find, audio_id))
        self._known.pop(audio_id, None)
        if found is None:
            return None  # not kept: there is no end of ids that are none
        if len(self._known) >= MOST_KNOWN:
            del self._known[next(iter(self._known))]  # the one that was looked up first
        known = self._known[audio_id] = _Known(found.show_id, changes, self._to(found))
        return known

    def _to(self, found: Recording | Withdrawn) -> Offer | Answer:
        match found:
            case Withdrawn():
                return media_answers.WITHDRAWN
            case Recording():
                storage, settings = self._services.storage, self._services.settings
                elsewhere = Elsewhere(found, storage, settings.media_base_url)
                return Offer(MediaAnswers(found), elsewhere, storage.local_path(found.key))


async def give(to: Offer | Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a GET or a HEAD. Raises NotThere, media.storage.Unavailable, and then nothing was sent."""
    if isinstance(to, Answer):
        await to.send(scope, send)
        return
    asked = _Asked(dict(scope["headers"]), scope["method"] == "HEAD", _is_download(scope["query_string"]))
    answer = to.at_once(asked)
    if answer is None and to.elsewhere.has_it(is_download=asked.is_download):
        answer = await to.elsewhere.sign(is_download=asked.is_download)
    if answer is not None:
        await answer.send(scope, send)
    else:
        await to.with_bytes(asked, scope, receive, send)


def _is_download(query: bytes) -> bool:
    return bool(query) and any(parameter.partition(b"=")[0] == b"download" for parameter in query.split(b"&"))
