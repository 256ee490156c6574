"""A POST that is said again, with the same Idempotency-Key, gets its first answer and has no second effect.

The answer is kept by the transaction that has the effect, so a kill in between doubles nothing. What had no effect
keeps nothing: the key is free again.
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

from anyio import CancelScope
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from starlette.requests import Request

from feeds.checks import error
from podcast_app import access
from podcast_app.access import Caller
from podcast_app.api.replies import Reply
from podcast_app.http import Problem, in_transaction
from podcast_app.models import IdempotencyKey
from podcast_app.times import utcnow

P = ParamSpec("P")
T = TypeVar("T")

KEPT = dt.timedelta(hours=24)
LEASE = dt.timedelta(seconds=60)  # a request that gives no sign for so long is taken for dead
RENEWED_EVERY = dt.timedelta(seconds=20)

_KEY = re.compile(r"[!-~]{1,255}")  # visible ASCII

FIELD = "Idempotency-Key"
NO_KEY = error(FIELD, "This key cannot be used.", "Send 1 to 255 visible ASCII characters, for example a UUID.")
STILL_RUNNING = error(
    FIELD, "A request with this key is still being answered.", "Wait a moment, then send the same request again."
)
SAID_OTHERWISE = error(
    FIELD, "This key belongs to a request that said something else.", "Choose a new key for a new request."
)


@dataclass(frozen=True, slots=True)
class _Earlier:
    fingerprint: str
    reply: Reply


class Claim:
    """A request's right to be answered under its key. A request without a key holds one that keeps nothing."""

    def __init__(self, request: Request, scope: str, key: str | None) -> None:
        self._request = request
        self._scope = scope
        self._key = key
        self._held_since = utcnow()  # tells us from whoever takes the key over, should we be taken for dead
        self._seen_at = self._held_since
        self._earlier: _Earlier | None = None
        self._fingerprint = ""
        self.is_settled = key is None

    async def take(self) -> None:
        """Raises Problem 409 while another request holds the key."""
        if self._key is not None:
            self._earlier = await in_transaction(self._request, self._take, self._key)
            self.is_settled = self._earlier is not None

    async def alive(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The body, and while it comes, signs of life."""
        async for chunk in body:
            if not self.is_settled and utcnow() - self._seen_at > RENEWED_EVERY:
                self._seen_at = utcnow()
                await in_transaction(self._request, self._write, lease_until=self._seen_at + LEASE)
            yield chunk

    def earlier(self, *said: object) -> Reply | None:
        """The first answer, when just this was said under the key before. Raises Problem 422 when it was not this."""
        whole = [self._request.method, self._request.url.path, *said]
        self._fingerprint = hashlib.sha256(json.dumps(whole, sort_keys=True).encode(errors="replace")).hexdigest()
        if self._earlier is None:
            return None
        if self._earlier.fingerprint != self._fingerprint:
            raise Problem(422, [SAID_OTHERWISE])
        return self._earlier.reply

    async def keep(self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the function in one transaction. A Reply is kept with what it did; anything else leaves the key free."""
        return await self._settle(dt.timedelta(0), function, *args, **kwargs)

    async def keep_for_now(
        self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The same, for an effect whose last word is still to come: until `keep` brings it, or this request is dead,
        nobody is told this reply."""
        return await self._settle(LEASE, function, *args, **kwargs)

    async def free(self) -> None:
        """Nothing was done under the key."""
        if self._key is not None:
            await in_transaction(self._request, self._free)

    async def _settle(
        self, lease: dt.timedelta, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        outcome = await in_transaction(
            self._request, self._kept, lease, lambda session: function(session, *args, **kwargs)
        )
        self.is_settled |= isinstance(outcome, Reply)
        return outcome

    def _take(self, session: Session, key: str) -> _Earlier | None:
        now = self._held_since
        session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now - KEPT))
        row = session.get(IdempotencyKey, (self._scope, key), with_for_update=True)
        if row is None:
            _insert(session, IdempotencyKey(scope=self._scope, key=key, lease_until=now + LEASE, created_at=now))
            return None
        if now < row.lease_until < now + 2 * LEASE:  # one that ends later was taken before the clock was put back
            raise Problem(409, [STILL_RUNNING], headers={"Retry-After": "1"})
        if row.status is None:
            row.created_at, row.lease_until = now, now + LEASE
            return None
        assert row.fingerprint is not None
        assert row.body is not None
        return _Earlier(row.fingerprint, Reply(row.status, row.body, row.headers["said"], row.headers["media_type"]))

    def _kept(self, session: Session, lease: dt.timedelta, function: Callable[[Session], T]) -> T:
        outcome = function(session)
        if isinstance(outcome, Reply) and self._key is not None:
            self._write(
                session,
                fingerprint=self._fingerprint,
                status=outcome.status,
                headers={"said": dict(outcome.headers), "media_type": outcome.media_type},
                body=outcome.body,
                lease_until=utcnow() + lease,
            )
        return outcome

    def _write(self, session: Session, /, **values: object) -> None:
        """Raises Problem 409 when the key was taken over: then the other one's effect counts, and ours must not be."""
        ours = update(IdempotencyKey).where(
            IdempotencyKey.scope == self._scope,
            IdempotencyKey.key == self._key,
            IdempotencyKey.created_at == self._held_since,
        )
        if session.connection().execute(ours.values(**values)).rowcount != 1:
            raise Problem(409, [STILL_RUNNING], headers={"Retry-After": "1"})

    def _free(self, session: Session) -> None:
        session.execute(
            delete(IdempotencyKey).where(
                IdempotencyKey.scope == self._scope,
                IdempotencyKey.key == self._key,
                IdempotencyKey.created_at == self._held_since,
                IdempotencyKey.status.is_(None),
            )
        )


@asynccontextmanager
async def claimed(request: Request, caller: Caller) -> AsyncIterator[Claim]:
    """The claim on the request's key. Raises Problem 409 while it is another's, 422 when it is no key."""
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Problem(422, [NO_KEY])
    claim = Claim(request, access.name(caller), key)
    await claim.take()
    try:
        yield claim
    finally:
        if not claim.is_settled:
            with CancelScope(shield=True):
                await claim.free()


def _insert(session: Session, row: IdempotencyKey) -> None:
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as lost:  # another request was faster by a moment
        raise Problem(409, [STILL_RUNNING], headers={"Retry-After": "1"}) from lost
