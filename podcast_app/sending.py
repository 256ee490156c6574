"""A recording goes to a site in parts: several at once, each again until it is safe, and only those that are missing.

An upload that was cut is known again by the recording's fingerprint, whoever began it, and goes on. Parts go through
the storage's own door where it has one and lets us in, and otherwise through the site.
"""

import secrets
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

import httpx2

from podcast_app.cli import CommandFailed
from podcast_app.fingerprint import Changed, Recording
from podcast_app.progress import Shown
from podcast_app.remote import AGAIN, LINE, Json, Refusal, Remote, Trouble, body_of, on_the_line

PARALLEL = 3
JOINING_SECONDS = 900.0  # the storage may copy 5 GB before it answers
STOPPING_SECONDS = 1.0  # for parts on their way, when we stop
ROUNDS = 5  # of sending what the storage says is missing
CUTS = 3  # of connections to the storage in a row, until the site is tried


class _Stopped(Exception):
    """Another part has failed for good: what is under way is given up."""


class _Shut(Exception):
    """The storage's own door is not open to us."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of an upload that is open. Its sizes are in bytes."""

    number: int
    start: int
    size: int
    has_arrived: bool
    direct: str | None  # where the storage itself takes it, for a while; None: only the site does

    @staticmethod
    def all_of(upload: Json) -> dict[int, "_Part"]:
        """By number; none of an upload that is not open."""
        return {part["number"]: _Part._of(part, upload["part_size_bytes"]) for part in upload["parts"] or []}

    @staticmethod
    def _of(part: Json, whole_part_bytes: int) -> "_Part":
        number: int = part["number"]
        direct = part["url"] if part["fallback_url"] is not None else None
        return _Part(number, (number - 1) * whole_part_bytes, part["size_bytes"], part["arrived"], direct)


def known(remote: Remote, show: str, file: Recording, state: str) -> list[Json]:
    """The show's uploads of this very file, the newest first."""
    listed = remote.pages(f"uploads?show={quote(show)}&state={state}&limit=100")
    return [upload for upload in listed if file.is_in(upload)]


def sent(remote: Remote, show: str, file: Recording, shown: Shown) -> Json:
    """The complete upload of the file. Raises CommandFailed; then its parts wait there, unless they are of no use."""
    going_on = known(remote, show, file, "open")
    upload = going_on[0] if going_on else _begun(remote, show, file)
    try:
        with httpx2.Client(timeout=LINE) as storage:  # without our token, which is nobody's but the site's
            return _complete(remote, _Sending(remote, storage, upload["id"], file, shown), shown)
    except Changed as changed:
        _cancel(remote, upload["id"])
        raise CommandFailed(
            f"{file.path} changed while it was sent. Nothing of it was kept there; wait until it is finished, then run "
            "the command again."
        ) from changed
    except OSError as wrong:
        raise CommandFailed(f"{file.path} cannot be read: {wrong.strerror}. {AGAIN}.") from wrong


def _begun(remote: Remote, show: str, file: Recording) -> Json:
    said = {
        "show": show,
        "filename": file.filename,
        "size_bytes": file.size_bytes,
        "fingerprint": file.fingerprint,
    }
    return remote.ask("POST", "uploads", said, key=secrets.token_urlsafe())


def _complete(remote: Remote, sending: "_Sending", shown: Shown) -> Json:
    for _ in range(ROUNDS):
        sending.send_missing()
        shown.is_looked_into()
        try:
            done = remote.ask("POST", f"uploads/{sending.upload_id}/complete", seconds=JOINING_SECONDS)
        except Refusal as refusal:
            if refusal.body.get("state") == "refused":
                _cancel(remote, sending.upload_id)
            if not refusal.body.get("missing_parts"):
                raise
        else:
            shown.whole()
            return done
    raise CommandFailed(f"{remote.server} takes parts, and says later that they are missing. {AGAIN}.")


def _cancel(remote: Remote, upload_id: str) -> None:
    with suppress(Refusal):  # another has cancelled it, or made an episode from it
        remote.ask("DELETE", f"uploads/{upload_id}")


class _Sending:
    """The parts of one upload on their way."""

    def __init__(self, remote: Remote, storage: httpx2.Client, upload_id: str, file: Recording, shown: Shown) -> None:
        self.upload_id = upload_id
        self._remote = remote
        self._file = file
        self._shown = shown
        self._storage = storage
        self._is_direct = True  # until the site takes what the storage did not
        self._cuts = 0
        self._parts: dict[int, _Part] = {}
        self._is_fresh = False
        self._looking = threading.Lock()
        self._counting = threading.Lock()
        self._missing: deque[int] = deque()
        self._safe: set[int] = set()
        self._on_its_way: dict[int, int] = {}  # bytes, by part
        self._stop = threading.Event()  # this round is over: something failed, or the upload is to be looked at anew
        self._failure: CommandFailed | Changed | OSError | None = None

    def send_missing(self) -> None:
        """Send what the storage does not have. Returns when all was taken, or when the upload is not open any more.

        Raises CommandFailed, Changed, OSError.
        """
        parts = self._look()
        self._safe = {number for number, part in parts.items() if part.has_arrived}
        self._missing = deque(sorted(parts.keys() - self._safe))
        self._tell_beginning()
        self._stop.clear()
        self._work_in_parallel()
        if self._failure is not None:
            raise self._failure
        self._file.must_be_unchanged(whole=True)

    def _tell_beginning(self) -> None:
        if self._safe and self._missing:
            self._shown.say(f"Going on: {len(self._safe)} of {len(self._parts)} parts are safe already.")
        self._shown.starts(self._file.size_bytes, self._safe_bytes())

    def _work_in_parallel(self) -> None:
        """The threads are daemons: Ctrl-C does not wait for a line that is dead."""
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(PARALLEL)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(STOPPING_SECONDS / PARALLEL)

    def _work(self) -> None:
        try:
            while (number := self._next()) is not None:
                self._remote.patiently(partial(self._send, number))
        except _Stopped:
            pass
        except (CommandFailed, Changed, OSError) as failure:
            self._failure = failure
            self._stop.set()

    def _next(self) -> int | None:
        with self._counting:
            return self._missing.popleft() if self._missing and not self._stop.is_set() else None

    def _send(self, number: int) -> None:
        """One attempt. Raises Trouble, CommandFailed, Changed, OSError, _Stopped."""
        if self._stop.is_set():
            raise _Stopped
        self._file.must_be_unchanged()
        part = self._part(number)
        try:
            if not part.has_arrived:
                self._deliver(part)
        except Trouble:
            self._is_fresh = False  # perhaps it arrived, and only the answer was lost
            self._leaves(number, None)
            raise
        with self._counting:
            self._safe.add(number)
        self._leaves(number, None)

    def _deliver(self, part: _Part) -> None:
        if not self._is_direct or part.direct is None:
            return self._through_site(part)
        try:
            self._to_storage(part)
        except _Shut as shut:
            self._through_site(part)
            self._give_up_storage(shut)

    def _give_up_storage(self, shut: _Shut) -> None:
        with self._counting:
            is_news, self._is_direct = self._is_direct, False
        if is_news:
            self._shown.say(f"{shut} The recording goes through {self._remote.server} instead.")

    def _through_site(self, part: _Part) -> None:
        answer = self._remote.put(f"uploads/{self.upload_id}/parts/{part.number}", self._body(part), part.size)
        if answer.status_code == 409:  # no longer open, or begun again: to be looked at anew
            self._stop.set()
            raise _Stopped
        body_of(answer)

    def _to_storage(self, part: _Part) -> None:
        """Raises _Shut, Trouble."""
        try:
            answer = self._put(part)
            if answer.status_code == 403:  # its address was good for a while only
                self._is_fresh = False
                answer = self._put(self._part(part.number))
        except Trouble as trouble:
            self._cuts += 1
            if trouble.is_away or self._cuts >= CUTS:
                raise _Shut(str(trouble)) from trouble
            raise
        _must_be_taken(answer)
        self._cuts = 0

    def _put(self, part: _Part) -> httpx2.Response:
        assert part.direct is not None, "a storage that has a door keeps it"
        url = httpx2.URL(part.direct)
        with on_the_line(f"{url.scheme}://{url.netloc.decode()}"):
            # without a length, the body would be chunked, which S3 does not take
            return self._storage.put(url, content=self._body(part), headers={"Content-Length": str(part.size)})

    def _part(self, number: int) -> _Part:
        """As the site sees it: looked at again when that may have changed. Raises _Stopped when it is not open."""
        with self._looking:
            parts = self._parts if self._is_fresh else self._look()
        if number not in parts:
            self._stop.set()
            raise _Stopped
        return parts[number]

    def _look(self) -> dict[int, _Part]:
        self._parts = _Part.all_of(self._remote.ask("GET", f"uploads/{self.upload_id}"))
        self._is_fresh = True
        return self._parts

    def _body(self, part: _Part) -> Iterator[bytes]:
        left_bytes = 0
        for piece in self._file.read(part.start, part.size):
            if self._stop.is_set():
                raise _Stopped
            yield piece
            left_bytes += len(piece)
            self._leaves(part.number, left_bytes)

    def _leaves(self, number: int, left_bytes: int | None) -> None:
        """So much of the part has left; None: it does not count any more, or is safe."""
        with self._counting:
            self._on_its_way.pop(number, None)
            if left_bytes is not None:
                self._on_its_way[number] = left_bytes
            safe_bytes = self._safe_bytes()
            sent_bytes = safe_bytes + sum(self._on_its_way.values())
            self._shown.at(min(sent_bytes, self._file.size_bytes), safe_bytes, len(self._safe), len(self._parts))

    def _safe_bytes(self) -> int:
        return sum(self._parts[number].size for number in self._safe if number in self._parts)


def _must_be_taken(answer: httpx2.Response) -> None:
    """A bucket takes a part with an empty body. Raises _Shut, Trouble."""
    if answer.is_success and not answer.content:
        return
    try:
        body_of(answer)
    except Refusal as refusal:
        raise _Shut(str(refusal)) from refusal
    raise _Shut(f"{answer.request.url.host} answers as no storage does.")
