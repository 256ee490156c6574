"""Whether this process lives, and whether what it needs answers: for whoever watches it."""

from contextlib import suppress

from anyio import to_thread
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from media.storage import Key, Missing, Storage, Unavailable
from podcast_app.http import in_reading, services

NOT_KEPT = {"Cache-Control": "no-store"}


async def alive(_request: Request) -> Response:
    return PlainTextResponse("alive\n", headers=NOT_KEPT)


async def ready(request: Request) -> Response:
    """200 when database and storage answer, or else 503; which of them does not stands in the body."""
    found = {"database": await _database(request), "storage": await _storage(request)}
    return JSONResponse(found, 200 if all(said == "ok" for said in found.values()) else 503, NOT_KEPT)


async def _database(request: Request) -> str:
    try:
        await in_reading(request, _select_one)
    except DBAPIError:
        return "away"
    return "ok"


async def _storage(request: Request) -> str:
    try:
        await to_thread.run_sync(_ask, services(request).storage)
    except Unavailable:
        return "away"
    return "ok"


def _select_one(session: Session) -> None:
    session.execute(text("SELECT 1"))


def _ask(storage: Storage) -> None:
    """Any answer will do, also that there is no such object."""
    with suppress(Missing):
        storage.size(Key("public/ready"))
