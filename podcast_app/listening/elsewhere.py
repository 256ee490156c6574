"""The way to bytes that others give out: a bucket, or what stands before it."""

import time
from typing import NamedTuple

from anyio import to_thread

from media.storage import Storage
from podcast_app.listening.media_answers import redirect
from podcast_app.listening.messages import Answer
from podcast_app.listening.recordings import Recording

LASTS = 12 * 3600  # seconds that a signed address is good for: longer than anybody listens to one episode
GIVEN_OUT = 600  # seconds that the same one is given out, because signing costs ten times the rest of an answer


class _Signed(NamedTuple):
    redirect: Answer
    until: float  # time.monotonic()


class Elsewhere:
    """Where one recording's bytes are, besides here."""

    def __init__(self, recording: Recording, storage: Storage, public_base: str, seconds: int = LASTS) -> None:
        self._recording = recording
        self._seconds = seconds
        self._storage = storage
        self._is_here_too = storage.local_path(recording.key) is not None
        self._public = redirect(f"{public_base}/{recording.key}") if public_base else None
        self._signed: dict[bool, _Signed] = {}

    def has_it(self, *, is_download: bool) -> bool:
        """Whether to send listeners there. A public base cannot name a download: what is here too, we then give."""
        return not self._is_here_too or (self._public is not None and not is_download)

    def redirect(self, *, is_download: bool) -> Answer | None:
        """To be had at once; None: `sign` first."""
        if self._public is not None and not is_download:
            return self._public
        signed = self._signed.get(is_download)
        return signed.redirect if signed is not None and signed.until > time.monotonic() else None

    async def sign(self, *, is_download: bool) -> Answer:
        """A new redirect. Raises media.storage.Unavailable: we have no credentials for the bucket."""
        answer = await to_thread.run_sync(self._sign, is_download)
        self._signed[is_download] = _Signed(answer, time.monotonic() + GIVEN_OUT)
        return answer

    def _sign(self, is_download: bool) -> Answer:
        address = self._storage.address(
            self._recording.key,
            seconds=self._seconds,
            media_type=self._recording.media_type,
            download_as=self._recording.file_name if is_download else None,
        )
        assert address is not None, "a storage without local files has a door of its own"
        return redirect(address)
