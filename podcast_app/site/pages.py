"""The pages that listeners read: shows, a show's episodes, an episode."""

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from podcast_app import answers, pages, shows
from podcast_app.addresses import LANGUAGES, Addresses
from podcast_app.answers import Until
from podcast_app.http import in_reading, services
from podcast_app.listening.pages import generations
from podcast_app.site import errors, head, places, sharing, shown
from podcast_app.site.listing import listing
from podcast_app.site.places import Nothing, Place
from podcast_app.site.sharing import Sharing

# A renamed show may get its old name back: a redirect that browsers kept for ever would then lead in circles.
REDIRECT_KEPT = "public, max-age=300"


async def home(request: Request) -> Response:
    """The only show, or the list of shows."""
    language = prefix(request)
    found = await in_reading(request, _home, language, origin(request))
    if isinstance(found, Place):
        return RedirectResponse(found.page(Addresses(origin(request))), 302, {"Cache-Control": answers.SHORTLY})
    if other := elsewhere(request, f"/{language}/" if language not in (None, LANGUAGES[0]) else "/"):
        return other
    language = language or LANGUAGES[0]
    return _page(request, "shows.html", language, found.until, head=found.head, shows=found.shows)


async def show(request: Request) -> Response:
    """A show's episodes, or those of one season of it."""
    said = request.path_params
    asked = said["show"], said.get("season"), said.get("number", 1)
    found = await in_reading(request, listing, *asked, prefix(request), origin(request))
    if isinstance(found, Nothing):
        return errors.nothing(request, found)
    if other := elsewhere(request, found.place.page(shown.HERE)):
        return other
    return _page(
        request, "show.html", found.language, found.place.until, head=found.head, show=found.show, listing=found
    )


async def episode(request: Request) -> Response:
    """An episode: listen, read, go on."""
    slugs = request.path_params["show"], request.path_params["episode"]
    found = await in_reading(request, _episode, *slugs, prefix(request), origin(request))
    if isinstance(found, Nothing):
        return errors.nothing(request, found)
    if other := elsewhere(request, found.place.page(shown.HERE)):
        return other
    return _page(request, "episode.html", found.language, found.place.until, **found.words)


def prefix(request: Request) -> str | None:
    """The language that the address begins with: "fr" in /fr/matonge/."""
    first = request.url.path.split("/")[1]
    return first if first in LANGUAGES else None


def origin(request: Request) -> str:
    return services(request).settings.origin


def elsewhere(request: Request, path: str, query: str = "") -> Response | None:
    """The way to the current address, when another one was asked for."""
    if request.url.path == path:
        return None
    # absolute, and never with the host that was asked for: it may be anybody's
    target = f"{origin(request)}{path}{'?' + query if query else ''}"
    return RedirectResponse(target, 301, {"Cache-Control": REDIRECT_KEPT})


@dataclass(frozen=True, slots=True)
class _Shows:
    head: head.HeadOfShows
    shows: list[shown.ShownShow]
    until: Until


@dataclass(frozen=True, slots=True)
class EpisodePage:
    place: Place
    head: head.Head
    show: shown.ShownShow
    episode: shown.ShownEpisode
    sharing: Sharing
    newer: shown.ShownListed | None = None  # the episodes before and after it
    older: shown.ShownListed | None = None

    @property
    def language(self) -> str:
        return self.place.view.page_language

    @property
    def words(self) -> dict[str, object]:
        """What episode.html says."""
        return {name: getattr(self, name) for name in ("head", "show", "episode", "sharing", "newer", "older")}


def _home(session: Session, language: str | None, origin: str) -> Place | _Shows:
    if only := places.only_show(session, language):
        return only
    rows = (show for show in shows.query(session) if show.archived_at is None)
    found = [Place(show, places.view(show, language)) for show in rows]
    said = head.of_shows(found, language or LANGUAGES[0], origin)
    shown_shows = [shown.show(place.show, place.view, origin) for place in found]
    return _Shows(said, shown_shows, Until(None, generations(session)))


def _episode(session: Session, show_slug: str, slug: str, language: str | None, origin: str) -> EpisodePage | Nothing:
    place = places.episode(session, show_slug, slug, language)
    if isinstance(place, Nothing):
        return place
    newer, older = (
        None if each is None else shown.listed(each, place.show, place.view) for each in places.beside(session, place)
    )
    return replace(episode_page(place, origin), newer=newer, older=older)


def episode_page(place: Place, origin: str) -> EpisodePage:
    """What listeners read of the episode in this place. A time of publication is needed, be it one to come."""
    assert place.episode is not None
    show = shown.show(place.show, place.view, origin)
    words = shown.episode(place.episode, place.show, place.view)
    said = head.of_episode(place, words, show, origin)
    return EpisodePage(place, said, show, words, sharing.of_episode(place, said, show, words, origin))


def _page(request: Request, template: str, language: str, until: Until, **context: object) -> Response:
    body = pages.html(template, language, **context).encode()
    return answers.kept(request, body, "text/html", headers={"Content-Language": language}, until=until)
