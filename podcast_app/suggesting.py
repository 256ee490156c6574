"""What a new episode of a show probably has: the next number, and what the last one had."""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podcast_app.addresses import Addresses
from podcast_app.documents import person_picture
from podcast_app.fields import EpisodeFields, PersonFields
from podcast_app.models import Episode, Json, Show
from podcast_app.settings import Settings

# Where a suggestion comes from ("file", "next", "last"), and what it says; of two that say the same field, the first.
Suggestions = Mapping[str, EpisodeFields]


def from_before(session: Session, show: Show, settings: Settings) -> Suggestions:
    """ "next" and "last", as far as the show's last whole episode says anything that a new one has not by itself."""
    last = _last(session, show)
    if last is None:
        return {}
    return {"next": _said(_next_number(session, last)), "last": _said(_of_last(last, show, settings))}


def _last(session: Session, show: Show) -> Episode | None:
    """Trailers and bonuses come in between, and count nothing."""
    when = func.coalesce(Episode.published_at, Episode.publish_at, Episode.created_at)
    whole = select(Episode).where(Episode.show_id == show.id, Episode.type == "full", Episode.trashed_at.is_(None))
    wanted = whole.where(Episode.state != "withdrawn").order_by(when.desc(), Episode.created_at.desc(), Episode.id)
    return session.scalars(wanted.limit(1)).one_or_none()


def _next_number(session: Session, last: Episode) -> dict[str, Json]:
    """After the highest of the season: drafts made meanwhile have theirs. Numbers once given are not given again, so
    withdrawn episodes count."""
    if last.number is None:
        return {}
    of_season = select(func.max(Episode.number)).where(Episode.show_id == last.show_id, Episode.season == last.season)
    if last.season is None:
        of_season = select(func.max(Episode.number)).where(Episode.show_id == last.show_id, Episode.season.is_(None))
    return {"number": (session.scalar(of_season.where(Episode.trashed_at.is_(None))) or 0) + 1}


def _of_last(last: Episode, show: Show, settings: Settings) -> dict[str, Json]:
    addresses = Addresses(settings.origin)
    hosts = tuple(_person(each, show, addresses) for each in last.persons if each["role"] == "host")
    usual = {
        "language": (last.language, show.language),
        "spoken_language": (last.spoken_language, show.language),
        "season": (last.season, None),
        "explicit": (last.explicit, None),
        "persons": (hosts, ()),
    }
    return {name: had for name, (had, has) in usual.items() if had != has}


def _person(person: Json, show: Show, addresses: Addresses) -> PersonFields:
    return PersonFields.model_construct(
        name=person["name"],
        role=person["role"],
        group=person["group"],
        url=person.get("url") or "",
        image_url=person_picture(person, show, addresses) or "",
    )


def _said(values: dict[str, Json]) -> EpisodeFields:
    """What stands in our own rows was checked when it came."""
    return EpisodeFields.model_construct(set(values), **values)
