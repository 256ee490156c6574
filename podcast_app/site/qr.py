"""The address of a show's feed as a picture that a phone reads from another screen."""

from io import BytesIO

import segno
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from podcast_app import answers
from podcast_app.addresses import Addresses
from podcast_app.http import in_reading
from podcast_app.site import errors, places, shown
from podcast_app.site.pages import elsewhere, origin, prefix
from podcast_app.site.places import Nothing, Place


async def of_feed(request: Request) -> Response:
    """The code of the feed in this view. A page takes it only where somebody looks at it: it is 400 bytes of noise."""
    place = await in_reading(request, _place, request.path_params["show"], prefix(request))
    if isinstance(place, Nothing):
        return errors.nothing(request, place)
    if other := elsewhere(request, shown.HERE.feed_code(place.show.slug, place.view)):
        return other
    code = svg(Addresses(origin(request)).feed(place.show.slug, place.view))
    return answers.kept(request, code, "image/svg+xml", until=place.until)


def svg(text: str) -> bytes:
    """Dark on light in every theme, with the quiet zone that readers need, of the size that the page gives it."""
    code, file = segno.make(text, micro=False), BytesIO()
    code.save(file, kind="svg", light="#fff", xmldecl=False, nl=False, svgclass=None, lineclass=None, omitsize=True)
    return file.getvalue()


def _place(session: Session, slug: str, language: str | None) -> Place | Nothing:
    return places.show(session, slug, language)
