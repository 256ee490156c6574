"""What listeners keep on their own devices: the script that answers there without a network, and the page of it all."""

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from podcast_app import answers, pages, static_files
from podcast_app.http import in_reading, services
from podcast_app.security import worker_policy
from podcast_app.site import errors, head, places, shown
from podcast_app.site.pages import elsewhere, origin, prefix
from podcast_app.site.places import Nothing, Place


async def worker(request: Request) -> Response:
    """At the root, so that it may answer for every page; browsers look each time whether it has changed."""
    headers = {"Content-Security-Policy": worker_policy(services(request).bucket)}
    body = static_files.text("sw.js").encode()
    return answers.kept(request, body, "text/javascript", cache_control="no-cache", headers=headers)


async def kept(request: Request) -> Response:
    """What is kept on the reader's device: it alone knows, so this page is the same for everybody."""
    found = await in_reading(request, _page, request.path_params["show"], prefix(request), origin(request))
    if isinstance(found, Nothing):
        return errors.nothing(request, found)
    place, context = found
    if other := elsewhere(request, shown.HERE.kept(place.show.slug, place.view)):
        return other
    language = place.view.page_language
    body = pages.html("kept.html", language, **context).encode()
    return answers.kept(request, body, "text/html", headers={"Content-Language": language}, until=place.until)


def _page(session: Session, slug: str, language: str | None, origin: str) -> tuple[Place, dict[str, object]] | Nothing:
    place = places.show(session, slug, language)
    if isinstance(place, Nothing):
        return place
    words = shown.show(place.show, place.view, origin)
    return place, {"show": words, "head": head.of_show(place, words, origin)}
