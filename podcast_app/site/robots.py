"""What search engines may read, and where the list of it is."""

from starlette.requests import Request
from starlette.responses import Response

from podcast_app import answers
from podcast_app.addresses import Addresses
from podcast_app.http import services

# Drafts' previews are never to be found; the studio and the API are no reading. What a page forbids by itself
# (`noindex`: players, searches) is not closed here, or nobody would read that it does.
CLOSED = ("/api/", "/preview/", "/studio/")


async def robots(request: Request) -> Response:
    addresses = Addresses(services(request).settings.origin)
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED), "", f"Sitemap: {addresses.sitemap()}", ""]
    return answers.kept(request, "\n".join(lines).encode(), "text/plain", cache_control="public, max-age=3600")
