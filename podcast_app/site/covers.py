"""Covers: each version under its own address for ever, whole or small; and a short address to the current one."""

from functools import lru_cache, partial
from typing import Literal

from anyio import to_thread
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from media import artwork
from media.storage import Key, Missing, Storage
from podcast_app import answers, documents
from podcast_app.http import in_reading, services
from podcast_app.models import Cover
from podcast_app.site import places, shown
from podcast_app.site.places import Nothing, Place

SIDES = (shown.THUMBNAIL_PX, shown.PORTRAIT_PX)  # pixels; any other would be work for whoever asks
KINDS = {"webp": "image/webp", "jpg": "image/jpeg"}
OPEN = {"Access-Control-Allow-Origin": "*"}  # players on other sites draw it, and read its colours


async def version(request: Request) -> Response:
    """The picture with this id, which never changes."""
    name, is_small, side = request.path_params["version"].partition("-")
    found = await in_reading(request, _find, *_slugs(request), name)
    if isinstance(found, Nothing):
        raise HTTPException(found.status)
    extension = request.path_params["extension"]
    if is_small and (side not in map(str, SIDES) or extension not in KINDS):
        raise HTTPException(404)
    if not is_small and extension != found.extension:
        raise HTTPException(404)
    headers = {"ETag": f'"{name}-{side}-{extension}"', "Cache-Control": answers.FOREVER, **OPEN}
    if answers.has_any(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    body = await (small(request, found.key, int(side), extension) if side else _whole(request, found.key))
    return Response(body, headers=headers, media_type=KINDS[extension] if side else found.media_type)


async def current(request: Request) -> Response:
    """From cover.jpg to the current version, whatever kind of picture that is."""
    found = await in_reading(request, _current, *_slugs(request))
    if isinstance(found, Nothing):
        raise HTTPException(found.status)
    return RedirectResponse(found, 302, {"Cache-Control": answers.SHORTLY, **OPEN})


def _slugs(request: Request) -> tuple[str, str | None]:
    return request.path_params["show"], request.path_params.get("episode")


def _find(session: Session, show: str, episode: str | None, version: str) -> Cover | Nothing:
    """The cover that the show, or its published episode, has or had."""
    here = _place(session, show, episode)
    if isinstance(here, Nothing):
        return here
    owner = Cover.episode_id == here.episode.id if here.episode else Cover.episode_id.is_(None)
    belongs = (Cover.id == version, Cover.show_id == here.show.id, owner)
    return session.scalars(select(Cover).where(*belongs)).one_or_none() or Nothing(404, None)


def _current(session: Session, show: str, episode: str | None) -> str | Nothing:
    here = _place(session, show, episode)
    return here if isinstance(here, Nothing) else documents.cover_address(here.episode, here.show, shown.HERE)


def _place(session: Session, show: str, episode: str | None) -> Place | Nothing:
    if episode is None:
        return places.show(session, show, None)
    return places.episode(session, show, episode, None)


async def _whole(request: Request, key: Key) -> bytes:
    return await to_thread.run_sync(whole, services(request).storage, key)


async def small(request: Request, key: Key, side_px: int, kind: str) -> bytes:
    """Drawn one at a time: a large picture takes 30 MB while it is open."""
    here = services(request)
    draw = partial(_drawn, here.storage, key, side_px, "webp" if kind == "webp" else "jpg")  # type: ignore[arg-type]  # a Storage hashes by identity; its Protocol does not say so
    return await to_thread.run_sync(draw, limiter=here.drawing)


@lru_cache(maxsize=256)  # some 15 kB each
def _drawn(storage: Storage, key: Key, side_px: int, kind: Literal["webp", "jpg"]) -> bytes:
    return artwork.listing(whole(storage, key), side_px, kind)


def whole(storage: Storage, key: Key) -> bytes:
    """The picture as it is stored. Not found (404) when it is not."""
    try:
        return storage.read(key, 0, storage.size(key))
    except Missing as missing:
        raise HTTPException(404) from missing
