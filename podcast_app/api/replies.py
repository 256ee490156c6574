"""An answer as a value: made inside a transaction, kept under a key perhaps, sent afterwards."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from podcast_app.answers import has_any

# A version of ours inside an ETag, also when a proxy has marked it as weak.
_VERSION = re.compile(r'(?:W/)?"v(\d{1,9})(?:[.-][^"]*)?"')


@dataclass(frozen=True, slots=True)
class Reply:
    """A status, a JSON body, and what of the headers depends on them."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    media_type: str = "application/json"

    def response(self) -> Response:
        said = {"Cache-Control": "no-store", "Vary": "Accept-Language", **self.headers}
        return Response(self.body, self.status, said, self.media_type if self.body else None)


def json_reply(answer: BaseModel, *, status: int = 200, location: str | None = None) -> Reply:
    """The answer as JSON."""
    return Reply(status, answer.model_dump_json().encode(), {"Location": location} if location else {})


def versioned(reply: Reply, version: int) -> Reply:
    """With an ETag: the version, which edits raise, and a digest of the body, since the audio's state, the show's
    address or the findings' language change it without an edit."""
    etag = f'"v{version}.{hashlib.sha256(reply.body).hexdigest()[:12]}"'
    return replace(reply, headers={**reply.headers, "ETag": etag, "Cache-Control": "private, no-cache"})


def if_new(request: Request, reply: Reply) -> Response:
    """304 for whoever has it already."""
    response = reply.response()
    if not has_any(request, response.headers["etag"]):
        return response
    said = {name: response.headers[name] for name in ("etag", "cache-control", "vary")}
    return Response(status_code=304, headers=said)


def expected_versions(request: Request) -> frozenset[int] | None:
    """What If-Match names; None: any version will do.

    Only the version counts: audio that became ready meanwhile is no reason to refuse somebody's correction.
    """
    asked = request.headers.get("if-match")
    if asked is None or asked.strip() == "*":
        return None
    return frozenset(int(found[1]) for found in _VERSION.finditer(asked))
