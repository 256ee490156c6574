"""Style sheets, scripts and pictures of our own, made small, under addresses that change with them."""

import hashlib
import mimetypes
from functools import cache
from pathlib import Path

import minify
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from podcast_app import answers

FOLDER = Path(__file__).parent / "static"

# What listeners' pages and the player on other sites take in one request: files one after the other. A script in them
# imports nothing, and what it names is its own (each stands in a block).
TOGETHER = {
    "site.css": (
        "base.css",
        "frame.css",
        "listing.css",
        "episode.css",
        "player.css",
        "player_wide.css",
        "share.css",
        "search.css",
    ),
    "site.js": ("player.js", "copy.js", "share.js"),
    "embed.js": ("player.js", "parent.js"),
}


def address(name: str) -> str:
    """Where pages find the file. All files share one version in the path, so that modules can import each other."""
    assert name in _files(), f"there is no static file {name}"
    return f"/static/{version()}/{name}"


async def serve(request: Request) -> Response:
    """A file; for a year when its address carries our version, for a minute when it carries another process's."""
    name = request.path_params["name"]
    if name not in _files():
        raise HTTPException(404)
    return _answer(name, is_ours=request.path_params["version"] == version())


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
def _answer(name: str, *, is_ours: bool) -> answers.Kept:
    lasting = answers.FOREVER if is_ours else answers.SHORTLY
    # players in frames without an origin of their own import the transcript's script
    headers = {"Cache-Control": lasting, "Access-Control-Allow-Origin": "*"}
    return answers.Kept(_files()[name], _media_type(name), headers)


@cache
def _files() -> dict[str, bytes]:
    """Every file, read once: they are few and small, and no path from outside ever reaches the disk."""
    paths = (path for path in FOLDER.rglob("*") if path.is_file())
    files = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in paths}
    together = {name: _together(name, [files[part] for part in parts]) for name, parts in TOGETHER.items()}
    return {name: _small(name, body) for name, body in (files | together).items()}


def _together(name: str, parts: list[bytes]) -> bytes:
    return b"\n".join(b"{%b\n}" % part for part in parts) if name.endswith(".js") else b"".join(parts)


def _small(name: str, body: bytes) -> bytes:
    """What is written for people to read costs listeners nothing: neither comments nor long names."""
    if not name.endswith((".css", ".js")):
        return body
    return str(minify.string(_media_type(name), body.decode())).encode()


def _media_type(name: str) -> str:
    known = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}  # whatever the machine's table says
    return known.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
