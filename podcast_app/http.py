"""What handlers share: the process's services, the way to the database, and how errors are said."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from media.storage import Storage
from podcast_app.database import Database
from podcast_app.settings import Settings
from podcast_app.work import Work

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Services:
    """What one process serves with. Made once, by `create_app`."""

    settings: Settings
    database: Database
    storage: Storage
    work: Work
    limiter: CapacityLimiter


def services(connection: HTTPConnection) -> Services:
    found = connection.app.state.services
    assert isinstance(found, Services)
    return found


async def in_transaction(
    connection: HTTPConnection, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Run a function that writes, in one transaction, off the event loop."""
    here = services(connection)
    return await to_thread.run_sync(lambda: here.database.write(function, *args, **kwargs), limiter=here.limiter)


async def in_reading(
    connection: HTTPConnection, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Run a function that only reads, off the event loop."""
    here = services(connection)
    return await to_thread.run_sync(lambda: here.database.read(function, *args, **kwargs), limiter=here.limiter)
