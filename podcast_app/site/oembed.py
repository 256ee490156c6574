"""oEmbed 1.0: what a site needs to show an episode whose address somebody pasted."""

import re
from dataclasses import dataclass, replace
from html import escape
from urllib.parse import SplitResult, unquote, urlencode, urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from podcast_app import documents, words
from podcast_app.addresses import LANGUAGES, Addresses
from podcast_app.http import in_reading, language, services
from podcast_app.models import Audio, AudioId, Edition, Episode, Show
from podcast_app.site import places, shown
from podcast_app.site.look import Look, look
from podcast_app.site.places import Nothing, Place

WIDTH, TALL, COMPACT = 640, 270, 80  # pixels; static/embed.css fits in them
CACHE_SECONDS = 3600
OPEN = {"Access-Control-Allow-Origin": "*"}

ONLY_JSON = "Only JSON is offered here. Ask with format=json."
NO_ADDRESS = "The address is missing. Add url= with the address of an episode."
UNKNOWN = "There is no such episode here. Copy the address from the episode's page."
GONE = "This episode was withdrawn. Take it off your page."

NUMBER = re.compile(r"[1-9]\d{0,4}")
SCHEME = re.compile(r"https?://", re.IGNORECASE)
# What stands below the address of a show or of an episode: it means the whole.
BELOW = re.compile(
    r"(?P<place>/.*?)/(embed(/episodes(/\d+)?)?|episodes/(\d+|season-\d+(/\d+)?|kept)|search|feed(-low)?\.xml"
    r"|(chapters|waveform)\.json|transcript\.(?P<language>[a-z]+)?[^/]+)"
)

AS_USUAL = Look()


@dataclass(frozen=True, slots=True)
class Pasted:
    """An address of ours, in whichever form somebody copied it."""

    show: str | None = None  # None: the site's first page
    episode: str | None = None
    language: str | None = None
    audio: str | None = None  # of an address below /media, which names neither show nor episode
    look: Look = AS_USUAL


async def discover(request: Request) -> Response:
    asked, origin = request.query_params, services(request).settings.origin
    if asked.get("format", "json") != "json":
        return _no(request, 501, ONLY_JSON)
    if not asked.get("url"):
        return _no(request, 400, NO_ADDRESS)
    pasted = read(asked["url"], origin)
    if pasted is None:
        return _no(request, 404, UNKNOWN)
    found = await in_reading(request, _place, pasted)
    if found is None:
        return _yes(_list_of_shows(Addresses(origin), pasted.language or LANGUAGES[0]))
    if isinstance(found, Nothing):
        return _no(request, found.status, GONE if found.status == 410 else UNKNOWN)
    if _has_moved(found, pasted):
        now = {**asked, "url": found.page(Addresses(origin)) + pasted.look.query}
        return RedirectResponse(f"{origin}/oembed?{urlencode(now)}", 301, OPEN)
    limits = _limit(asked, "maxwidth"), _limit(asked, "maxheight")
    return _yes(_described(found, Addresses(origin), pasted.look, *limits))


def read(url: str, origin: str) -> Pasted | None:
    """What an address of ours names; None for anybody else's.

    With http or https or neither, with or without "www.", a slash at the end, a query, a fragment, /fr/; of a page, of
    a player, of a feed, of the audio or of a transcript.
    """
    url = url.strip()
    try:
        parts = urlsplit(url if SCHEME.match(url) else f"https://{url}")
        if _host(parts) != _host(urlsplit(origin)):
            return None
    except ValueError:  # a port that is no number, half an IPv6 address
        return None
    path = parts.path.rstrip("/")
    whole = BELOW.fullmatch(path)
    names = [unquote(name) for name in (whole["place"] if whole else path).split("/") if name]
    pasted = None if any("\0" in name for name in names) else _named(names)
    wanted, read_in = _wishes(parts), whole["language"] if whole else None  # a transcript says its language itself
    return pasted and replace(
        pasted, language=wanted.language or read_in or pasted.language, look=replace(wanted, language=None)
    )


def snippet(place: Place, addresses: Addresses, *, height: int = TALL) -> str:
    """What somebody copies into a page of their own: the player, compact where it is to be lower than TALL, and a link
    in it for where frames are taken out."""
    title = _title(place)
    link = f'<a href="{escape(place.page(addresses))}">{escape(title)}</a>'
    wanted = Look(size="tall" if height >= TALL else "compact")
    return iframe(place.embed(addresses) + wanted.query, title, WIDTH, height, link)


def iframe(src: str, title: str, width: int, height: int, inside: str = "") -> str:
    """`inside`: HTML for where there are no frames. WordPress takes frames only when they are empty, and leaves them no
    style: it knows an older way to have no line around."""
    line = "" if inside else ' frameborder="0"'
    size = f'width="{width}" height="{height}" style="border:0;max-width:100%"'
    return f'<iframe src="{escape(src)}" title="{escape(title)}" {size}{line} loading="lazy">{inside}</iframe>'


def _host(parts: SplitResult) -> tuple[str, int | None]:
    """The host and its port, where that is none that goes without saying."""
    return (parts.hostname or "").removeprefix("www."), parts.port if parts.port not in (80, 443) else None


def _named(names: list[str]) -> Pasted | None:
    language = names.pop(0) if names and names[0] in LANGUAGES else None
    match names:
        case ["media", audio, *_]:
            return Pasted(audio=audio)
        case []:
            return Pasted(language=language)
        case [show]:
            return Pasted(show, language=language)
        case [show, episode]:
            return Pasted(show, episode, language)
        case _:
            return None


def _wishes(parts: SplitResult) -> Look:
    """What the address says of the player; the moment also as a fragment, as players and pages of ours write it."""
    asked = look(QueryParams(parts.query))
    return replace(asked, start=look(QueryParams(parts.fragment)).start or asked.start)


def _place(session: Session, pasted: Pasted) -> Place | Nothing | None:
    """None: the list of all shows."""
    if pasted.audio is not None:
        return _heard(session, AudioId(pasted.audio))
    if pasted.show is None:
        return places.only_show(session, pasted.language)
    if pasted.episode is None:
        return places.show(session, pasted.show, pasted.language)
    return places.episode(session, pasted.show, pasted.episode, pasted.language)


def _heard(session: Session, address_id: AudioId) -> Place | Nothing:
    """The episode that this is, or was, the audio of."""
    slugs = select(Show.slug, Episode.slug).join(Episode, Episode.show_id == Show.id)
    of_audio = slugs.join(Audio, Audio.episode_id == Episode.id).join(Edition, Edition.audio_id == Audio.id)
    found = session.execute(of_audio.where(Edition.address_id == address_id)).first()
    return places.episode(session, *found, None) if found else Nothing(404, None)


def _has_moved(place: Place, pasted: Pasted) -> bool:
    return (pasted.show is not None and pasted.show != place.show.slug) or (
        pasted.episode is not None and place.episode is not None and pasted.episode != place.episode.slug
    )


def _limit(asked: QueryParams, name: str) -> int | None:
    """A number of pixels; what is none counts as not said."""
    said = asked.get(name, "")
    return int(said) if NUMBER.fullmatch(said) else None


def _described(
    place: Place, addresses: Addresses, wanted: Look, maxwidth: int | None, maxheight: int | None
) -> dict[str, str | int]:
    show = documents.show_text(place.show, place.view.language).title
    if maxheight is not None and maxheight < TALL:
        wanted = replace(wanted, size="compact")
    width = min(WIDTH, maxwidth or WIDTH)
    height = min(TALL if wanted.size == "tall" else COMPACT, maxheight or TALL)
    return {
        "version": "1.0",
        "type": "rich",
        "title": documents.episode_text(place.episode, place.view.language).title if place.episode else show,
        "author_name": place.show.author or show,
        "author_url": addresses.show(place.show.slug, place.view),
        **_provider(addresses),
        "html": iframe(place.embed(addresses) + wanted.query, _title(place), width, height),
        "width": width,
        "height": height,
        **_thumbnail(place, addresses, maxwidth, maxheight),
    }


def _list_of_shows(addresses: Addresses, language: str) -> dict[str, str | int]:
    """A title and no player: there is not the one show to be heard."""
    return {"version": "1.0", "type": "link", "title": words.plain(language, "Podcasts"), **_provider(addresses)}


def _provider(addresses: Addresses) -> dict[str, str | int]:
    """The site, one for all its shows and languages: Drupal looks a provider up by it."""
    provider = {"provider_name": urlsplit(addresses.origin).netloc, "provider_url": f"{addresses.origin}/"}
    return {**provider, "cache_age": CACHE_SECONDS}


def _title(place: Place) -> str:
    """Of the frame, for those who hear the page."""
    show = documents.show_text(place.show, place.view.language).title
    return f"{documents.episode_text(place.episode, place.view.language).title} – {show}" if place.episode else show


def _thumbnail(place: Place, addresses: Addresses, maxwidth: int | None, maxheight: int | None) -> dict[str, str | int]:
    """A small cover; none where even that is larger than what was asked for."""
    side = shown.PORTRAIT_PX
    if side > min(maxwidth or side, maxheight or side):
        side = shown.THUMBNAIL_PX
    if side > min(maxwidth or side, maxheight or side):
        return {}
    path = shown.cover(place.episode, place.show, side).jpg
    return {"thumbnail_url": addresses.origin + path, "thumbnail_width": side, "thumbnail_height": side}


def _yes(described: dict[str, str | int]) -> Response:
    return JSONResponse(described, headers={"Cache-Control": f"public, max-age={CACHE_SECONDS}", **OPEN})


def _no(request: Request, status: int, sentence: str) -> Response:
    return JSONResponse({"error": words.plain(language(request), sentence)}, status, OPEN)
