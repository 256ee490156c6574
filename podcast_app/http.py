"""What handlers share: the process's services, the way to the database, and how errors are said."""

import math
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, TypeVar

from anyio import CapacityLimiter, fail_after, to_thread
from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from feeds.checks import Finding
from media.storage import Storage
from podcast_app.addresses import LANGUAGES
from podcast_app.database import Database
from podcast_app.listening.pages import Pages
from podcast_app.settings import Settings
from podcast_app.sign_ins import SignIns
from podcast_app.signatures import Signer
from podcast_app.watching import Watching
from podcast_app.work import Work

P = ParamSpec("P")
T = TypeVar("T")

QUEUE_PATIENCE = 15.0  # seconds that a request waits for its turn at the database


@dataclass(frozen=True, slots=True)
class Services:
    """What one process serves with. Made once, by `create_app`."""

    settings: Settings
    database: Database
    storage: Storage
    work: Work
    limiter: CapacityLimiter
    watching: Watching
    signer: Signer
    pages: Pages
    sign_ins: SignIns = field(default_factory=SignIns)
    drawing: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))  # pictures, one at a time
    searching: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(2))  # of `limiter`'s places, at the most
    admitted: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(math.inf))  # who has passed `limiter`
    bucket: str = ""  # the origin that audio comes from, when that is not ours


class Problem(Exception):
    """A request ends here. errors.py turns it into an answer: JSON for machines, a page for people.

    A finding without a field is about the whole request. `said`: what machines are told besides (api/problems.py).
    """

    def __init__(
        self, status: int, findings: Iterable[Finding], *, headers: Mapping[str, str] | None = None, **said: object
    ) -> None:
        super().__init__(status)
        self.status = status
        self.findings = list(findings)
        self.headers = dict(headers or {})
        self.said = said


class Busy(Exception):
    """The database had no turn for this request while it was reasonable to wait. Nothing was done."""


def services(connection: HTTPConnection) -> Services:
    found = connection.app.state.services
    assert isinstance(found, Services)
    return found


async def in_transaction(
    connection: HTTPConnection, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Run a function that writes, in one transaction, off the event loop. Raises Busy."""
    here = services(connection)
    return await in_turn(here, lambda: here.database.write(function, *args, **kwargs))


async def in_reading(
    connection: HTTPConnection, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Run a function that only reads, off the event loop. Raises Busy."""
    here = services(connection)
    return await in_turn(here, lambda: here.database.read(function, *args, **kwargs))


async def in_turn(here: Services, job: Callable[[], T]) -> T:
    """Run a job at the database when one of its threads is free. Raises Busy."""
    async with place_among(here.limiter):
        return await to_thread.run_sync(job, limiter=here.admitted)  # once begun, it is waited for


@asynccontextmanager
async def place_among(limiter: CapacityLimiter) -> AsyncIterator[None]:
    """One of so many within the block, as soon as there is room. Raises Busy: a queue without end helps nobody."""
    try:
        with fail_after(QUEUE_PATIENCE):
            await limiter.acquire()
    except TimeoutError as late:
        raise Busy from late
    try:
        yield
    finally:
        limiter.release()


def language(connection: HTTPConnection) -> str:
    """The best of our languages for this reader (RFC 9110, Accept-Language); English when none of them is wanted."""
    asked = connection.headers.get("accept-language", "").replace(" ", "").split(",")
    ranges = sorted(filter(_weight, asked), key=_weight, reverse=True)
    wanted = (said.partition(";")[0].partition("-")[0].lower() for said in ranges)
    return next((name for name in wanted if name in LANGUAGES), LANGUAGES[0])


def _weight(said: str) -> float:
    """Of `fr;q=0.8`. What is no number counts as not wanted."""
    try:
        return float(said.partition(";q=")[2] or 1)
    except ValueError:
        return 0.0
