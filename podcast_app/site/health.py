"""Whether this process lives, whether what it needs answers, and how things stand: for whoever watches it."""

import asyncio

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from podcast_app.http import services
from podcast_app.metrics import exposition

NOT_KEPT = {"Cache-Control": "no-store"}


async def alive(_request: Request) -> Response:
    return PlainTextResponse("alive\n", headers=NOT_KEPT)


async def ready(request: Request) -> Response:
    """200 when database and storage answer within moments, or else 503; which does not stands in the body."""
    watching = services(request).watching
    database, storage = await asyncio.gather(watching.database.found(), watching.storage.found())
    said = {"database": "ok" if database else "away", "storage": "ok" if storage else "away"}
    return JSONResponse(said, 200 if database and storage else 503, NOT_KEPT)


async def metrics(request: Request) -> Response:
    """In Prometheus' text format. A database that does not answer in time is one that is away."""
    found = await services(request).watching.metrics.found()
    return Response(found or exposition(None), headers={**NOT_KEPT, "Content-Type": CONTENT_TYPE_LATEST})
