"""The player for other sites: one small document with its style and its script inside, and nothing from elsewhere."""

import base64
import hashlib
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from podcast_app import answers, pages, static_files
from podcast_app.addresses import Addresses
from podcast_app.http import in_reading, services
from podcast_app.models import Show
from podcast_app.security import embed_policy
from podcast_app.site import colours, errors, places, shown
from podcast_app.site.look import Look, look
from podcast_app.site.pages import elsewhere, origin, prefix
from podcast_app.site.places import Nothing, Place

SAID = {"theme", "color", "size", "lang", "t", "list"}  # in the address: what a Look is read from
LISTED = 20  # episodes in a page of the list
OPEN = {"Access-Control-Allow-Origin": "*"}  # a frame may have no origin of its own; ours is another one then


@dataclass(frozen=True, slots=True)
class _Player:
    """An episode to be played, or a show that has none yet."""

    place: Place  # in the language of its address
    episode: shown.ShownEpisode | None


@dataclass(frozen=True, slots=True)
class _List:
    """A page of a show's episodes, each of which leads to its player."""

    place: Place
    episodes: list[shown.ShownListed]
    has_older: bool


async def episode(request: Request) -> Response:
    """One episode."""
    wanted, slugs = look(request.query_params), (request.path_params["show"], request.path_params["episode"])
    found = await in_reading(request, _episode, *slugs, prefix(request), wanted)
    if isinstance(found, Nothing):
        return _nothing(request, found, wanted)
    return elsewhere(request, found.place.embed(shown.HERE), request.url.query) or _played(request, found, wanted)


async def show(request: Request) -> Response:
    """The show's newest episode, and the way to the others."""
    wanted = replace(look(request.query_params), has_list=True)
    found = await in_reading(request, _newest, request.path_params["show"], prefix(request), wanted)
    if isinstance(found, Nothing):
        return _nothing(request, found, wanted)
    here = replace(found.place, episode=None).embed(shown.HERE)
    return elsewhere(request, here, request.url.query) or _played(request, found, wanted)


async def episodes(request: Request) -> Response:
    """The others: shown inside the player where there are scripts, and in its place where there are none."""
    wanted, number = replace(look(request.query_params), has_list=True, start=""), request.path_params.get("number", 1)
    found = await in_reading(request, _list, request.path_params["show"], number, prefix(request), wanted)
    if isinstance(found, Nothing):
        return _nothing(request, found, wanted)
    here = _list_address(found.place, number)
    return elsewhere(request, here, request.url.query) or _listed(request, found, wanted)


def _episode(session: Session, show: str, slug: str, language: str | None, wanted: Look) -> _Player | Nothing:
    return _player(places.episode(session, show, slug, language), wanted)


def _newest(session: Session, show: str, language: str | None, wanted: Look) -> _Player | Nothing:
    return _player(places.newest(session, show, language), wanted)


def _player(found: Place | Nothing, wanted: Look) -> _Player | Nothing:
    if isinstance(found, Nothing):
        return found
    place = _as_wanted(found, wanted)
    return _Player(found, shown.episode(place.episode, place.show, place.view) if place.episode else None)


def _list(session: Session, slug: str, number: int, language: str | None, wanted: Look) -> _List | Nothing:
    here = places.show(session, slug, language)
    if isinstance(here, Nothing):
        return here
    rows = places.published(here.show.id).limit(LISTED + 1).offset(max(number - 1, 0) * LISTED)
    found = list(session.scalars(rows))
    if number < 1 or (number > 1 and not found):
        return Nothing(404, here.view.page_language)
    view = _as_wanted(here, wanted).view
    words = [shown.listed(episode, here.show, view) for episode in found[:LISTED]]
    return _List(replace(here, number=number), words, len(found) > LISTED)


def _played(request: Request, found: _Player, wanted: Look) -> Response:
    listed = _list_address(found.place, 1) + replace(wanted, start="").query
    return _answer(request, "embed.html", found.place, wanted, episode=found.episode, listed=listed)


def _listed(request: Request, found: _List, wanted: Look) -> Response:
    place, query = found.place, wanted.query
    return _answer(
        request,
        "embed_list.html",
        place,
        wanted,
        episodes=found.episodes,
        query=query,
        player=place.embed(shown.HERE) + query,
        newer=_list_address(place, place.number - 1) + query if place.number > 1 else "",
        older=_list_address(place, place.number + 1) + query if found.has_older else "",
    )


def _as_wanted(place: Place, wanted: Look) -> Place:
    return place.in_language(wanted.language) if wanted.language else place


def _list_address(place: Place, number: int) -> str:
    return shown.HERE.embed_list(place.show.slug, number, place.view)


def _answer(request: Request, template: str, found: Place, wanted: Look, **words: object) -> Response:
    place = _as_wanted(found, wanted)
    language, style = place.view.page_language, _style(wanted, place.show)
    body = pages.html(
        template,
        language,
        show=shown.show(place.show, place.view, origin(request)),
        look=wanted,
        style=style,
        first=static_files.text("first.js"),
        script=static_files.text("embed.js"),
        canonical=place.page(Addresses(origin(request))),
        **words,
    )
    headers = {"Content-Language": language, "Content-Security-Policy": _policy(request, style), **OPEN}
    is_everybodys = request.query_params.keys() <= SAID  # nobody asks twice for what somebody else makes up
    until = place.until if is_everybodys else None
    return answers.kept(request, body.encode(), "text/html", headers=headers, until=until)


def _nothing(request: Request, found: Nothing, wanted: Look) -> Response:
    """In the place of a player, in its look. Where there is no such show, whoever answers for that address says it."""
    if found.language is None:
        raise HTTPException(found.status)
    language, style = wanted.language or found.language, _style(wanted, None)
    what, mend = errors.said(found)
    body = pages.html("embed_nothing.html", language, look=wanted, style=style, what=what, mend=mend)
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": _policy(request, style), **OPEN}
    return HTMLResponse(body, found.status, headers)


def _style(wanted: Look, show: Show | None) -> str:
    """The colour that the other site says, or else the show's, as near to it as can be read."""
    colour = wanted.colour or (show.player_colour if show else "")
    ours = "".join(static_files.text(name) for name in ("embed.css", "player.css", f"embed_{wanted.size}.css"))
    return ours + (colours.style(colour, wanted.theme) if colour else "")


def _policy(request: Request, style: str) -> str:
    return embed_policy(
        origin(request),
        services(request).bucket,
        style=_digest(style),
        script=" ".join(_digest(static_files.text(name)) for name in ("first.js", "embed.js")),
    )


def _digest(text: str) -> str:
    """As Content-Security-Policy names what it allows inside the page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
