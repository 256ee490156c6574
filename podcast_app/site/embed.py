"""The player for other sites: one small document with its style inside, no script and nothing from elsewhere."""

import base64
import hashlib
import re
from dataclasses import dataclass

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from podcast_app import answers, pages, static_files
from podcast_app.addresses import LANGUAGES
from podcast_app.http import in_reading, services
from podcast_app.models import Show
from podcast_app.security import embed_policy
from podcast_app.site import colours, errors, places, shown
from podcast_app.site.pages import elsewhere, prefix
from podcast_app.site.places import Nothing, Place

COLOR = re.compile(r"[0-9A-Fa-f]{6}")
TIME = re.compile(r"(\d{1,3}:)?(\d{1,2}:)?\d{1,6}(\.\d{1,3})?")  # Media Fragments URI 1.0, normal play time


@dataclass(frozen=True, slots=True)
class Look:
    """What the other site asked for. What cannot be read counts as not said."""

    theme: str  # "light", "dark", "auto"
    color: str  # "a3401d", or ""
    size: str  # "compact", "tall"
    language: str | None
    start: str  # "90", "1:30", or ""


async def episode(request: Request) -> Response:
    """One episode."""
    slugs = request.path_params["show"], request.path_params["episode"]
    return _answer(request, await in_reading(request, places.episode, *slugs, prefix(request)))


async def show(request: Request) -> Response:
    """The show's newest episode."""
    return _answer(request, await in_reading(request, places.newest, request.path_params["show"], prefix(request)))


def look(asked: QueryParams) -> Look:
    color, start = asked.get("color", "").removeprefix("#"), asked.get("t", "")
    return Look(
        theme=_one_of(asked.get("theme"), "auto", "light", "dark"),
        color=color.lower() if COLOR.fullmatch(color) else "",
        size=_one_of(asked.get("size"), "tall", "compact"),
        language=asked["lang"] if asked.get("lang") in LANGUAGES else None,
        start=start if TIME.fullmatch(start) else "",
    )


def _answer(request: Request, found: Place | Nothing) -> Response:
    wanted = look(request.query_params)
    if isinstance(found, Nothing):
        return errors.nothing(request, found, {"Content-Security-Policy": embed_policy("'self'", "")})
    is_of_show = "episode" not in request.path_params
    here = Place(found.show, found.view) if is_of_show else found
    if other := elsewhere(request, here.embed(shown.HERE), request.url.query):
        return other
    return _document(request, found.in_language(wanted.language) if wanted.language else found, wanted)


def _document(request: Request, place: Place, wanted: Look) -> Response:
    style = static_files.text("embed.css") + _colour(wanted, place.show)
    body = pages.html(
        "embed.html",
        place.view.page_language,
        show=shown.show(place.show, place.view, services(request).settings.origin),
        episode=shown.episode(place.episode, place.show, place.view) if place.episode else None,
        look=wanted,
        style=style,
    )
    policy = embed_policy(_digest(style), services(request).bucket)
    headers = {"Content-Security-Policy": policy}
    return answers.kept(request, body.encode(), "text/html", headers=headers, until=place.until)


def _colour(wanted: Look, show: Show) -> str:
    """A colour of the other site's, as it is there, takes the place of ours; or else the show's."""
    if wanted.color:
        return f":root:root{{--accent:#{wanted.color}}}"
    themes: dict[str, colours.Theme] = {"light": "light", "dark": "dark"}
    return colours.style(show.player_colour, themes.get(wanted.theme)) if show.player_colour else ""


def _digest(style: str) -> str:
    """As Content-Security-Policy names what it allows inside the page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


def _one_of(asked: str | None, usual: str, *others: str) -> str:
    return asked if asked in others else usual
