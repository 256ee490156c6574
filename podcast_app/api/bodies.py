"""A JSON body becomes typed fields, or a problem."""

import json
from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel
from starlette.requests import Request

from feeds.checks import error
from podcast_app import fields
from podcast_app.http import Problem

LARGEST = 4_000_000  # bytes: notes in every language, and more chapters than anybody listens to
DEEPEST = 20  # lists and objects in one another

Model = TypeVar("Model", bound=BaseModel)

NO_JSON = error("body", "The body is not JSON.", "Send JSON, with Content-Type: application/json.")
BROKEN = error(
    "", "The body is not JSON that we can read.", "Check its commas, quotes and brackets, and send it again."
)
EMPTY = error("body", "The body is empty.", "Send the file's bytes.")
NO_OBJECT = error("body", "The body is not a JSON object.", "Send an object: the names of fields, and their values.")


async def said(request: Request) -> dict[str, object]:
    """The JSON object in the body. Raises Problem 400, 413, 415, 422."""
    if not is_json(request):
        raise Problem(415, [NO_JSON], headers={"Accept": "application/json"})
    return _object(await _read(request))


async def perhaps_said(request: Request) -> dict[str, object]:
    """The same for a request that needs no body: without one, nothing was said."""
    body = await _read(request)
    if body.strip() and not is_json(request):
        raise Problem(415, [NO_JSON], headers={"Accept": "application/json"})
    return _object(body) if body.strip() else {}


def parsed(model: type[Model], said: Mapping[str, object]) -> Model:
    """Raises Problem 422."""
    found = fields.parse(model, said)
    if isinstance(found, list):
        raise Problem(422, found)
    return found


def is_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def says_more(request: Request, limit: int) -> bool:
    """Whether the body says that it is longer than this, before a byte of it is read."""
    said = request.headers.get("content-length", "0")
    return said.isdecimal() and int(said) > limit


async def raw(request: Request, limit: int) -> bytes:
    """A file that is the whole body. Raises Problem 413, 422."""
    body = await _read(request, limit)
    if not body:
        raise Problem(422, [EMPTY])
    return body


async def _read(request: Request, limit: int = LARGEST) -> bytes:
    too_long = error("body", "The body is larger than {limit}.", "Send less at a time.", limit=f"{limit // 10**6} MB")
    if says_more(request, limit):
        raise Problem(413, [too_long])
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Problem(413, [too_long])
    return bytes(body)


def _object(body: bytes) -> dict[str, object]:
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError) as broken:
        raise Problem(400, [BROKEN]) from broken
    if not isinstance(found, dict):
        raise Problem(422, [NO_OBJECT])
    if not _is_shallow(found):
        raise Problem(400, [BROKEN])
    return found


def _is_shallow(value: object) -> bool:
    """Level by level: what walks over fields calls itself, and a hostile depth would use up its stack."""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
    return not level


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
