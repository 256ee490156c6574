"""What search engines may read."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from podcast_app import static_files
from podcast_app.answers import SHORTLY

# Drafts' previews are never to be found; the studio and the API are no reading.
CLOSED = ("/api/", "/preview/", "/studio/")


async def robots(_request: Request) -> Response:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED)]
    return PlainTextResponse("\n".join([*lines, ""]), headers={"Cache-Control": "public, max-age=3600"})


async def favicon(_request: Request) -> Response:
    """For those who look for it without reading the page."""
    return RedirectResponse(static_files.address("icon.svg"), 302, {"Cache-Control": SHORTLY})
