"""The least that a server could do: ASGI callables without routes, checks, database or parsing."""

import hashlib
import os
import tempfile
from pathlib import Path

from starlette.types import Receive, Scope, Send

DIRECTORY = Path(os.environ.get("BENCH_DIRECTORY", "."))


async def upload(scope: Scope, receive: Receive, send: Send) -> None:
    """Streams the body to a file, hashes and syncs it."""
    if scope["type"] != "http":
        return await _life(receive, send)
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=DIRECTORY) as file:
        more = True
        while more:
            message = await receive()
            digest.update(message.get("body", b""))
            file.write(message.get("body", b""))
            more = message.get("more_body", False)
        file.flush()
        os.fdatasync(file.fileno())
    await _answer(send, 201, digest.hexdigest().encode())
    return None


async def feed(scope: Scope, receive: Receive, send: Send) -> None:
    """The same bytes for every request, or 304 to whoever names a tag."""
    if scope["type"] != "http":
        return await _life(receive, send)
    if any(name == b"if-none-match" for name, _ in scope["headers"]):
        await _answer(send, 304, b"")
    else:
        await _answer(send, 200, BODY)
    return None


BODY = (DIRECTORY / "feed.xml.gz").read_bytes() if (DIRECTORY / "feed.xml.gz").exists() else b""


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [
        (b"content-type", b"application/rss+xml; charset=utf-8"),
        (b"content-encoding", b"gzip"),
        (b"etag", b'"1"'),
    ]
    if status != 304:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _life(receive: Receive, send: Send) -> None:
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
