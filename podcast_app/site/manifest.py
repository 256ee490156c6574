"""A show as an app on the first screen of a phone (W3C, Web Application Manifest)."""

import json
from textwrap import shorten

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from podcast_app import answers, formats
from podcast_app.http import in_reading
from podcast_app.site import colours, errors, places, shown
from podcast_app.site.pages import elsewhere, origin, prefix
from podcast_app.site.places import Nothing, Place
from podcast_app.site.shown import ShownShow

SHORTEST = 12  # characters, which have room below an icon


async def of_show(request: Request) -> Response:
    """What the show is called there, how it looks and where it begins."""
    found = await in_reading(request, _find, request.path_params["show"], prefix(request), origin(request))
    if isinstance(found, Nothing):
        return errors.nothing(request, found)
    place, words = found
    if other := elsewhere(request, shown.HERE.manifest(place.show.slug, place.view)):
        return other
    said = _said(words, colours.of_bars(place.show.page_colour))
    body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    return answers.kept(request, body, "application/manifest+json", until=place.until)


def _find(session: Session, slug: str, language: str | None, origin: str) -> tuple[Place, ShownShow] | Nothing:
    place = places.show(session, slug, language)
    return place if isinstance(place, Nothing) else (place, shown.show(place.show, place.view, origin))


def _said(show: ShownShow, colour: str) -> dict[str, object]:
    return {
        "name": show.title,
        "short_name": shorten(show.title, SHORTEST, placeholder="") or show.title[:SHORTEST],
        "description": show.description,
        "lang": show.language,
        "dir": formats.direction(show.language),
        "id": show.path,
        "start_url": show.path,
        "scope": show.path,
        "display": "minimal-ui",  # links lead out of a show: so there is a way back
        "theme_color": colour,
        "background_color": colours.PAPER,
        "icons": [
            {"src": cover.webp, "sizes": f"{side}x{side}", "type": "image/webp"}
            for side, cover in ((shown.THUMBNAIL_PX, show.thumbnail), (shown.PORTRAIT_PX, show.portrait))
        ],
    }
