"""oEmbed 1.0: what a site needs to show an episode whose address somebody pasted."""

import re
from dataclasses import dataclass
from html import escape
from urllib.parse import SplitResult, unquote, urlencode, urlsplit

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from podcast_app import documents, words
from podcast_app.addresses import LANGUAGES, Addresses
from podcast_app.http import in_reading, language
from podcast_app.site import places, shown
from podcast_app.site.pages import origin
from podcast_app.site.places import Nothing, Place

WIDTH, TALL, COMPACT = 640, 184, 76  # pixels; static/embed.css fits in them
CACHE_SECONDS = 3600
OPEN = {"Access-Control-Allow-Origin": "*"}

ONLY_JSON = "Only JSON is offered here. Ask with format=json."
NO_ADDRESS = "The address is missing. Add url= with the address of an episode."
UNKNOWN = "There is no such episode here. Copy the address from the episode's page."
GONE = "This episode was withdrawn. Take it off your page."

NUMBER = re.compile(r"[1-9]\d{0,4}")
SCHEME = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pasted:
    """An address of ours, in whichever form somebody copied it."""

    show: str | None  # None: the site's first page
    episode: str | None
    language: str | None


async def discover(request: Request) -> Response:
    asked = request.query_params
    if asked.get("format", "json") != "json":
        return _no(request, 501, ONLY_JSON)
    if not asked.get("url"):
        return _no(request, 400, NO_ADDRESS)
    pasted = read(asked["url"], origin(request))
    found = await in_reading(request, _place, pasted) if pasted else Nothing(404, None)
    if isinstance(found, Nothing):
        return _no(request, found.status, GONE if found.status == 410 else UNKNOWN)
    if pasted and _has_moved(found, pasted):
        now = {**asked, "url": found.page(Addresses(origin(request)))}
        return RedirectResponse(f"{origin(request)}/oembed?{urlencode(now)}", 301, OPEN)
    described = _described(found, origin(request), _limit(asked.get("maxwidth")), _limit(asked.get("maxheight")))
    return JSONResponse(described, headers={"Cache-Control": f"public, max-age={CACHE_SECONDS}", **OPEN})


def read(url: str, origin: str) -> Pasted | None:
    """The show and the episode that an address of ours names; None for anybody else's.

    With http or https or neither, with or without "www.", a slash at the end, a query, a fragment, /fr/ or /embed.
    """
    url = url.strip()
    try:
        parts = urlsplit(url if SCHEME.match(url) else f"https://{url}")
        if _host(parts) != _host(urlsplit(origin)):
            return None
    except ValueError:  # a port that is no number, half an IPv6 address
        return None
    names = [unquote(name) for name in parts.path.split("/") if name]
    asked = names.pop(0) if names and names[0] in LANGUAGES else None
    if names[1:] and names[-1] == "embed":
        names.pop()
    if len(names) > 2 or any("\0" in name for name in names):
        return None
    return Pasted(names[0] if names else None, names[1] if names[1:] else None, asked)


def _host(parts: SplitResult) -> tuple[str, int | None]:
    """The host and its port, where that is none that goes without saying."""
    return (parts.hostname or "").removeprefix("www."), parts.port if parts.port not in (80, 443) else None


def _place(session: Session, pasted: Pasted) -> Place | Nothing:
    if pasted.show is None:
        return places.only_show(session, pasted.language) or Nothing(404, None)
    if pasted.episode is None:
        return places.show(session, pasted.show, pasted.language)
    return places.episode(session, pasted.show, pasted.episode, pasted.language)


def _has_moved(place: Place, pasted: Pasted) -> bool:
    return (pasted.show is not None and pasted.show != place.show.slug) or (
        place.episode is not None and pasted.episode != place.episode.slug
    )


def _limit(asked: str | None) -> int | None:
    """A number of pixels; what is none counts as not said."""
    return int(asked) if asked is not None and NUMBER.fullmatch(asked) else None


def _described(place: Place, origin: str, maxwidth: int | None, maxheight: int | None) -> dict[str, str | int]:
    addresses = Addresses(origin)
    show = documents.show_text(place.show, place.view.language).title
    title = documents.episode_text(place.episode, place.view.language).title if place.episode else show
    is_tall = maxheight is None or maxheight >= TALL
    width, height = min(WIDTH, maxwidth or WIDTH), min(TALL if is_tall else COMPACT, maxheight or TALL)
    player = place.embed(addresses) + ("" if is_tall else "?size=compact")
    return {
        "version": "1.0",
        "type": "rich",
        "title": title,
        "author_name": place.show.author or show,
        "author_url": addresses.show(place.show.slug, place.view),
        "provider_name": show,
        "provider_url": f"{origin}/",
        "cache_age": CACHE_SECONDS,
        "html": iframe(player, title if title == show else f"{title} – {show}", width, height),
        "width": width,
        "height": height,
        **_thumbnail(place, addresses, maxwidth, maxheight),
    }


def iframe(src: str, title: str, width: int, height: int) -> str:
    size = f'width="{width}" height="{height}"'
    return f'<iframe src="{escape(src)}" title="{escape(title)}" {size} style="border:0" loading="lazy"></iframe>'


def _thumbnail(place: Place, addresses: Addresses, maxwidth: int | None, maxheight: int | None) -> dict[str, str | int]:
    """A small cover; none where even that is larger than what was asked for."""
    side = shown.PORTRAIT_PX
    if side > min(maxwidth or side, maxheight or side):
        side = shown.THUMBNAIL_PX
    if side > min(maxwidth or side, maxheight or side):
        return {}
    path = shown.cover(place.episode, place.show, side).jpg
    return {"thumbnail_url": addresses.origin + path, "thumbnail_width": side, "thumbnail_height": side}


def _no(request: Request, status: int, sentence: str) -> Response:
    return JSONResponse({"error": words.plain(language(request), sentence)}, status, OPEN)
