"""Answers that browsers and proxies may keep: a validator over the bytes, 304, and gzip for whoever takes it."""

import gzip
import hashlib
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from podcast_app.listening import conditions, encodings

SHORTLY = "public, max-age=60"  # what changes when somebody publishes
FOREVER = "public, max-age=31536000, immutable"  # what gets another address when it changes

WORTH_PACKING = 500  # bytes; below, gzip's own head eats what it saves


def kept(
    request: Request,
    body: bytes,
    media_type: str,
    *,
    cache_control: str = SHORTLY,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """200 with the bytes, which are text, or 304 for whoever has them. One ETag for each encoding; either matches."""
    digest = hashlib.sha256(body).hexdigest()[:24]
    packed = len(body) >= WORTH_PACKING and encodings.takes_gzip(_field(request, "accept-encoding"))
    said = {
        "Cache-Control": cache_control,
        "ETag": f'"{digest}-gzip"' if packed else f'"{digest}"',
        "Vary": "Accept-Encoding",
        **(headers or {}),
    }
    if has_any(request, f'"{digest}"', f'"{digest}-gzip"'):
        return Response(status_code=304, headers=said)
    if packed:
        body, said["Content-Encoding"] = gzip.compress(body, mtime=0), "gzip"
    return Response(body, headers=said, media_type=media_type)


def has_any(request: Request, *etags: str) -> bool:
    """Whether the client has one of these already (If-None-Match)."""
    return conditions.named(_field(request, "if-none-match"), [etag.encode() for etag in etags]) is not None


def _field(request: Request, name: str) -> bytes:
    return request.headers.get(name, "").encode("latin-1")
