"""Style sheets, scripts and pictures of our own, under addresses that change with them."""

import hashlib
import mimetypes
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from podcast_app import answers

FOLDER = Path(__file__).parent / "static"


def address(name: str) -> str:
    """Where pages find the file. All files share one version in the path, so that modules can import each other."""
    assert name in _files(), f"there is no static file {name}"
    return f"/static/{version()}/{name}"


async def serve(request: Request) -> Response:
    """A file; for a year when its address carries our version, for a minute when it carries another process's."""
    name = request.path_params["name"]
    body = _files().get(name)
    if body is None:
        raise HTTPException(404)
    ours = request.path_params["version"] == version()
    return answers.kept(request, body, _media_type(name), cache_control=answers.FOREVER if ours else answers.SHORTLY)


def text(name: str) -> str:
    """A file's text, for a page that carries it inside."""
    return _files()[name].decode()


@cache
def version() -> str:
    """Of all files together, 12 characters."""
    digest = hashlib.sha256()
    for name, body in sorted(_files().items()):
        digest.update(f"{name}\0{len(body)}\0".encode() + body)
    return digest.hexdigest()[:12]


@cache
def _files() -> dict[str, bytes]:
    """Every file, read once: they are few and small, and no path from outside ever reaches the disk."""
    paths = (path for path in FOLDER.rglob("*") if path.is_file())
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in paths}


def _media_type(name: str) -> str:
    known = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}  # whatever the machine's table says
    return known.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
