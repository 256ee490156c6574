"""A show's episodes in a list: all of them or a season's, page by page, the newest ready to be heard."""

from dataclasses import dataclass, replace

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from podcast_app import episodes
from podcast_app.models import Episode, Show
from podcast_app.site import head, paging, places, shown
from podcast_app.site.places import Nothing, Place


@dataclass(frozen=True, slots=True)
class Season:
    number: int
    path: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Listing:
    place: Place
    head: head.Head
    show: shown.ShownShow
    newest: shown.ShownEpisode | None  # whole; on the show's first page alone, where it stands before the others
    episodes: list[shown.ShownListed]
    seasons: list[Season]  # all of them, where there are several
    is_oldest_first: bool
    paging: paging.Paging

    @property
    def language(self) -> str:
        return self.place.view.page_language

    @property
    def season(self) -> int | None:
        """The one that is listed alone."""
        return self.place.season

    @property
    def previous(self) -> str | None:
        """The path of the page before this one."""
        return self.path(self.paging.number - 1) if self.paging.number > 1 else None

    @property
    def next(self) -> str | None:
        return self.path(self.paging.number + 1) if self.paging.number < self.paging.last else None

    def path(self, number: int) -> str:
        return replace(self.place, number=number).page(shown.HERE)


def listing(
    session: Session, slug: str, season: int | None, number: int, language: str | None, origin: str
) -> Listing | Nothing:
    """A page of a show's list. 404 for a page or a season that there is not."""
    here = places.show(session, slug, language)
    if isinstance(here, Nothing):
        return here
    place = replace(here, season=season, number=number)
    counts = _counts(session, place.show)
    last = paging.pages(sum(counts.values()) if season is None else counts.get(season, 0))
    if (season is not None and season not in counts) or not 1 <= number <= last:
        return Nothing(404, place.view.page_language)
    words = shown.show(place.show, place.view, origin)
    newest = _newest(session, place)
    return Listing(
        place=place,
        head=head.of_show(place, words, origin),
        show=words,
        newest=newest,
        episodes=[
            shown.listed(row, place.show, place.view) for row in session.scalars(_page(place, newest is not None))
        ],
        seasons=_seasons(place, counts),
        is_oldest_first=_is_oldest_first(place),
        paging=paging.Paging(number, last),
    )


def _counts(session: Session, show: Show) -> dict[int | None, int]:
    """How many episodes each season has, None being those of no season."""
    public = select(Episode.season, func.count()).where(Episode.show_id == show.id, Episode.state == "published")
    return dict(session.execute(public.group_by(Episode.season)).all())


def _newest(session: Session, place: Place) -> shown.ShownEpisode | None:
    if place.season is not None or place.number > 1:
        return None
    found = session.scalars(places.published(place.show.id, whole=True).limit(1)).first()
    return shown.episode(found, place.show, place.view) if found is not None else None


def _page(place: Place, has_newest: bool) -> Select[Episode]:
    """The rows of this page, without the newest one where that stands by itself."""
    of_list = [Episode.show_id == place.show.id, Episode.state == "published"]
    if place.season is not None:
        of_list.append(Episode.season == place.season)
    at = Episode.published_at.asc() if _is_oldest_first(place) else Episode.published_at.desc()
    # counted off by the index alone: with all that a row brings along, page 250 takes as long as three
    ids = select(Episode.id).where(*of_list).order_by(at, Episode.id)
    ids = ids.limit(paging.PER_PAGE - has_newest).offset((place.number - 1) * paging.PER_PAGE + has_newest)
    return episodes.listed(place.show.id).where(Episode.id.in_(ids)).order_by(at, Episode.id)


def _is_oldest_first(place: Place) -> bool:
    """A story is heard from its beginning (Apple, `itunes:type` serial)."""
    return place.season is not None and place.show.type == "serial"


def _seasons(place: Place, counts: dict[int | None, int]) -> list[Season]:
    numbers = sorted(season for season in counts if season is not None)
    if len(numbers) < 2:
        return []
    first_page = replace(place, number=1)
    return [Season(each, replace(first_page, season=each).page(shown.HERE), each == place.season) for each in numbers]
