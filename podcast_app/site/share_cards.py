"""Share cards: the picture that a messenger shows of a link, drawn when one asks for it."""

from functools import lru_cache, partial

from anyio import to_thread
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from media import share_card
from media.storage import Storage
from podcast_app import answers
from podcast_app.http import in_reading, services
from podcast_app.site import covers, places, shown
from podcast_app.site.pages import prefix
from podcast_app.site.places import Nothing
from podcast_app.site.shown import ShareCard


async def version(request: Request) -> Response:
    """The card as it is now. Whoever has an older address is led to it."""
    slugs = request.path_params["show"], request.path_params.get("episode")
    card = await in_reading(request, _find, *slugs, prefix(request))
    if isinstance(card, Nothing):
        raise HTTPException(card.status)
    here = services(request)
    if request.url.path != card.path:
        # absolute, and never with the host that was asked for: it may be anybody's
        return RedirectResponse(
            here.settings.origin + card.path, 302, {"Cache-Control": answers.SHORTLY, **covers.OPEN}
        )
    headers = {"ETag": f'"{card.version}"', "Cache-Control": answers.FOREVER, **covers.OPEN}
    if answers.has_any(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    draw = partial(_drawn, here.storage, card)  # type: ignore[arg-type]  # a Storage hashes by identity; its Protocol does not say so
    return Response(await to_thread.run_sync(draw, limiter=here.drawing), headers=headers, media_type="image/jpeg")


def _find(session: Session, show: str, episode: str | None, language: str | None) -> ShareCard | Nothing:
    here = places.episode(session, show, episode, language) if episode else places.show(session, show, language)
    return here if isinstance(here, Nothing) else shown.share_card(here.episode, here.show, here.view)


@lru_cache(maxsize=64)  # some 60 kB each
def _drawn(storage: Storage, card: ShareCard) -> bytes:
    cover = None if card.cover is None else covers.whole(storage, card.cover)
    return share_card.drawn(card.title, card.show, cover)
