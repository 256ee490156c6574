"""The pages that listeners read: shows, a show's episodes, an episode."""

from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from podcast_app import answers, pages, shows
from podcast_app.addresses import LANGUAGES, Addresses
from podcast_app.answers import Until
from podcast_app.http import in_reading, services
from podcast_app.listening.pages import generations
from podcast_app.models import Episode
from podcast_app.site import errors, head, paging, places, shown
from podcast_app.site.places import Nothing, Place

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
    return _page(request, "shows.html", language or LANGUAGES[0], found.until, shows=found.shows)


async def show(request: Request) -> Response:
    """A show's episodes, the newest first."""
    number = request.path_params.get("number", 1)
    found = await in_reading(request, _listing, request.path_params["show"], number, prefix(request), origin(request))
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
    shows: list[shown.ShownShow]
    until: Until


@dataclass(frozen=True, slots=True)
class _Listing:
    place: Place
    head: head.Head
    show: shown.ShownShow
    episodes: list[shown.ShownEpisode]
    paging: paging.Paging
    older: str | None  # the next page's path
    newer: str | None

    @property
    def language(self) -> str:
        return self.place.view.page_language

    def path(self, number: int) -> str:
        return replace(self.place, number=number).page(shown.HERE)


@dataclass(frozen=True, slots=True)
class EpisodePage:
    place: Place
    head: head.Head
    show: shown.ShownShow
    episode: shown.ShownEpisode
    transcripts: list[shown.ShownTranscript]

    @property
    def language(self) -> str:
        return self.place.view.page_language

    @property
    def words(self) -> dict[str, object]:
        """What episode.html says."""
        return {"head": self.head, "show": self.show, "episode": self.episode, "transcripts": self.transcripts}


def _home(session: Session, language: str | None, origin: str) -> Place | _Shows:
    if only := places.only_show(session, language):
        return only
    found = (show for show in shows.query(session) if show.archived_at is None)
    shown_shows = [shown.show(show, places.view(show, language), origin) for show in found]
    return _Shows(shown_shows, Until(None, generations(session)))


def _listing(session: Session, slug: str, number: int, language: str | None, origin: str) -> _Listing | Nothing:
    here = places.show(session, slug, language)
    if isinstance(here, Nothing):
        return here
    of_show = (Episode.show_id == here.show.id, Episode.state == "published")
    last = paging.pages(session.scalar(select(func.count(Episode.id)).where(*of_show)) or 0)
    if not 1 <= number <= last:
        return Nothing(404, here.view.page_language)
    place = replace(here, number=number)
    page = places.published(here.show.id).limit(paging.PER_PAGE).offset((number - 1) * paging.PER_PAGE)
    words = shown.show(here.show, here.view, origin)
    return _Listing(
        place=place,
        head=head.of_show(place, words, origin),
        show=words,
        episodes=[shown.episode(episode, here.show, here.view) for episode in session.scalars(page)],
        paging=paging.Paging(number, last),
        older=replace(here, number=number + 1).page(shown.HERE) if number < last else None,
        newer=replace(here, number=number - 1).page(shown.HERE) if number > 1 else None,
    )


def _episode(session: Session, show_slug: str, slug: str, language: str | None, origin: str) -> EpisodePage | Nothing:
    place = places.episode(session, show_slug, slug, language)
    return place if isinstance(place, Nothing) else episode_page(place, origin)


def episode_page(place: Place, origin: str) -> EpisodePage:
    """What listeners read of the episode in this place. A time of publication is needed, be it one to come."""
    assert place.episode is not None
    show = shown.show(place.show, place.view, origin)
    words = shown.episode(place.episode, place.show, place.view)
    transcripts = shown.transcripts(place.episode, place.show)
    return EpisodePage(place, head.of_episode(place, words, show, origin), show, words, transcripts)


def _page(request: Request, template: str, language: str, until: Until, **context: object) -> Response:
    body = pages.html(template, language, **context).encode()
    return answers.kept(request, body, "text/html", headers={"Content-Language": language}, until=until)
