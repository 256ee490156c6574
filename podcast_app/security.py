"""What every answer tells browsers not to do."""

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from media.storage import Key, PartsId, Storage, Unavailable
from podcast_app.settings import Settings

# First parts of the addresses behind which somebody is signed in, or that hold a secret.
PRIVATE = frozenset({"account", "admin", "login", "logout", "preview", "setup", "studio"})

NO_DEVICES = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"


class SecurityHeaders:
    """ASGI middleware. A page that brings its own Content-Security-Policy, as the embed does, keeps it."""

    def __init__(self, app: ASGIApp, bucket: str) -> None:
        self._app = app
        self._for_public_pages = _page_headers(_public_policy(bucket), "strict-origin-when-cross-origin")
        self._for_private_pages = _page_headers(_private_policy(bucket), "same-origin")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_private = scope["path"].strip("/").split("/")[0] in PRIVATE
        for_pages = self._for_private_pages if is_private else self._for_public_pages

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                if headers.get("content-type", "").startswith("text/html"):
                    for name, value in for_pages.items():
                        headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded)


def bucket_origin(settings: Settings, storage: Storage) -> str:
    """Where audio comes from when it is not from us: "https://bucket.example.org", or "" for a local folder."""
    return _origin(settings.media_base_url) if settings.media_base_url else signed_origin(storage)


def signed_origin(storage: Storage) -> str:
    """Where signed addresses lead, also of what is not public; "" for a local folder."""
    try:
        address = storage.address(Key("public/any"), seconds=60, media_type="audio/mpeg", download_as=None)
    except Unavailable:
        return ""  # no credentials: nothing is played from there anyway
    return _origin(address) if address else ""


def parts_origin(storage: Storage) -> str:
    """Where browsers send the parts of an upload when not to us; "" for a local folder."""
    try:
        address = storage.part_address(Key("private/any"), PartsId("any"), 1, seconds=60)
    except Unavailable:
        return ""
    return _origin(address) if address else ""


def upload_policy(bucket: str, parts: str) -> str:
    """For the page whose script sends parts to this origin."""
    return _private_policy(bucket, connect=f"'self' {parts}")


def listening_policy(signed: str) -> str:
    """For the page that plays what is not public too, by addresses signed for this origin."""
    return _private_policy(signed)


def embed_policy(origin: str, bucket: str, *, style: str, script: str) -> str:
    """For what others may frame. `style`, `script`: "'sha256-...'" of all that stands inside.

    Our origin is named: a frame that is kept apart (sandbox) has none of its own that 'self' could mean.
    """
    sources = {"img-src": f"{origin} data:", "media-src": f"{origin} {bucket}", "connect-src": origin}
    inside = {"style-src": f"{style} {origin}/static/", "script-src": f"{script} {origin}/static/"}
    return _policy({**sources, **inside}, ancestors="*")


def worker_policy(bucket: str) -> str:
    """For the script that answers in the site's place where there is no network: it asks for all that pages do."""
    return _policy({"connect-src": f"'self' {bucket}", "script-src": "'self'"})


def _public_policy(bucket: str) -> str:
    """A page's script fetches an episode to keep it or send it on: /media may lead to the bucket."""
    return _policy(
        {
            "img-src": "'self'",
            "media-src": f"'self' {bucket}",
            "style-src": "'self'",
            "script-src": "'self'",
            "connect-src": f"'self' {bucket}",
            "manifest-src": "'self'",
            "worker-src": "'self'",
            "form-action": "'self'",  # the search
        }
    )


def _private_policy(bucket: str, *, connect: str = "'self'") -> str:
    """The studio also sends forms, and shows pictures that were just chosen."""
    return _policy(
        {
            "img-src": "'self' blob:",
            "media-src": f"'self' blob: {bucket}",
            "style-src": "'self'",
            "script-src": "'self'",
            "connect-src": connect,
            "form-action": "'self'",
        }
    )


def _policy(sources: dict[str, str], *, ancestors: str = "'none'") -> str:
    """Content-Security-Policy: nothing but what is named."""
    closed = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": ancestors}
    return "; ".join(f"{name} {value.strip()}" for name, value in (closed | sources).items())


def _page_headers(policy: str, referrer: str) -> dict[str, str]:
    return {"Content-Security-Policy": policy, "Referrer-Policy": referrer, "Permissions-Policy": NO_DEVICES}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
