"""What a listener's address stands for: a show or an episode in one view, what has left, or nothing."""

from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from podcast_app import episodes, shows
from podcast_app.addresses import Addresses, View, views
from podcast_app.answers import Until
from podcast_app.models import Audio, Episode, EpisodeSlug, Measurement, Show, ShowId, Upload

# What the player draws besides, of an episode that is there whole.
_PEAKS = joinedload(Episode.audio).joinedload(Audio.upload).joinedload(Upload.measurement).undefer(Measurement.peaks)


@dataclass(frozen=True, slots=True)
class Place:
    """A show as one view has it, or a published episode of it."""

    show: Show
    view: View
    episode: Episode | None = None
    season: int | None = None  # alone; None: all episodes
    number: int = 1  # of the page, where there are many episodes

    @property
    def until(self) -> Until:
        """What holds of this place holds until then."""
        return Until(self.show.id, self.show.generation)

    def page(self, addresses: Addresses) -> str:
        """The address of its page: the current one, whichever was asked for."""
        if self.episode is None:
            return addresses.listing(self.show.slug, self.number, self.view, self.season)
        return addresses.episode(self.show.slug, self.episode.slug, self.view)

    def embed(self, addresses: Addresses) -> str:
        return addresses.embed(self.show.slug, self.episode.slug if self.episode else None, self.view)

    def in_language(self, language: str | None) -> "Place":
        """The same in the view of this language; where there is none, in the show's own."""
        return replace(self, view=view(self.show, language))


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nobody finds anything here: not yet, never or for now (404), or no longer (410, withdrawn)."""

    status: Literal[404, 410]
    language: str | None  # of the page that says so; None: there is not even such a show
    is_resting: bool = False  # the whole show is archived


def show(session: Session, slug: str, language: str | None) -> Place | Nothing:
    """The show that has this address, or had it. `language`: the page's prefix, "fr"; None without one."""
    found = shows.find(session, slug)
    if found is None:
        return Nothing(404, None)
    here = view(found, language)
    return Place(found, here) if found.archived_at is None else Nothing(404, here.page_language, is_resting=True)


def episode(session: Session, show_slug: str, slug: str, language: str | None) -> Place | Nothing:
    """The published episode that has this address, or had it."""
    here = show(session, show_slug, language)
    if isinstance(here, Nothing):
        return here
    with_address = episodes.whole().options(_PEAKS).join(EpisodeSlug, EpisodeSlug.episode_id == Episode.id)
    found = session.scalars(with_address.where(EpisodeSlug.show_id == here.show.id, EpisodeSlug.slug == slug)).first()
    if found is not None and found.state == "published":
        return replace(here, episode=found)
    return Nothing(410 if found is not None and found.state == "withdrawn" else 404, here.view.page_language)


def newest(session: Session, show_slug: str, language: str | None) -> Place | Nothing:
    """The show with its newest episode, if it has one."""
    here = show(session, show_slug, language)
    if isinstance(here, Nothing):
        return here
    return replace(here, episode=session.scalars(published(here.show.id, whole=True).limit(1)).first())


def published(show_id: ShowId, *, whole: bool = False) -> Select[Episode]:
    """What listeners find in a show, the newest first: as a list says it, or whole, as their pages do."""
    rows = episodes.whole(of_show=show_id).options(_PEAKS) if whole else episodes.listed(show_id)
    return rows.where(Episode.state == "published").order_by(Episode.published_at.desc(), Episode.id)


def beside(session: Session, place: Place) -> tuple[Episode | None, Episode | None]:
    """The episodes that went out next after this one, and last before it."""
    here = place.episode
    assert here is not None
    all_others = published(place.show.id).where(Episode.id != here.id)
    earlier = (Episode.published_at == here.published_at) & (Episode.id > here.id)  # of the same moment: as lists are
    is_older = (Episode.published_at < here.published_at) | earlier
    older = session.scalars(all_others.where(is_older).limit(1)).first()
    upwards = all_others.where(~is_older).order_by(None).order_by(Episode.published_at, Episode.id.desc())
    return session.scalars(upwards.limit(1)).first(), older


def only_show(session: Session, language: str | None) -> Place | None:
    """The show, where there is exactly one; archived ones aside."""
    found = session.scalars(select(Show.slug).where(Show.archived_at.is_(None)).limit(2)).all()
    here = show(session, found[0], language) if len(found) == 1 else None
    return here if isinstance(here, Place) else None


def view(show: Show, language: str | None) -> View:
    """The view under this prefix. Without one, or under the show's own language, it is the main view."""
    of_show = views(show.language)
    return next((view for view in of_show if view.name == language), of_show[0])
