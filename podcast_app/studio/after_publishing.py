"""What happened after an episode was published: in which version of the feed it is, and who has come for that."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from podcast_app import apps, history
from podcast_app.listening import readers
from podcast_app.models import Episode, Feed, FeedFetch, Show
from podcast_app.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """Of a published or withdrawn episode. `came` and `awaited` are empty when that was too long ago to be known."""

    at: dt.datetime  # when it became public, whatever date it carries
    by: str  # "": by itself, on schedule
    generation: int | None  # of the show's feed, the first that held it; None: before a history was kept
    is_copied: bool  # that or a later one lies in storage
    copied_at: dt.datetime | None  # when one was put there last
    is_announced: bool | None  # hubs were told of it; None: there are none
    announced_at: dt.datetime | None  # when they were last told
    came: Mapping[str, dt.datetime]  # reader -> when it first came for it
    awaited: Sequence[str]  # readers that know the show, and have not come yet


def read(session: Session, episode: Episode, settings: Settings) -> After | None:
    """None for what was never public."""
    if episode.state not in ("published", "withdrawn"):
        return None
    assert episode.published_at is not None
    revision = history.newest(session, episode.id, "published")
    generation = revision.changes.get("generation", [None, None])[1] if revision else None
    feed = session.get(Feed, (episode.show_id, "main"))
    is_known = feed is not None and generation is not None and generation > feed.generation - readers.KEPT
    at = revision.at if revision else episode.published_at
    came = _came(session, episode, at, generation) if is_known else {}
    return After(
        at=at,
        by=revision.by if revision else "",
        generation=generation,
        is_copied=feed is not None and feed.copied_generation >= (generation or feed.generation),
        copied_at=feed.copied_at if feed else None,
        is_announced=_is_announced(feed, generation, settings),
        announced_at=feed.announced_at if feed else None,
        came=came,
        awaited=[name for name in _knowing(session, episode.show) if name not in came] if is_known else [],
    )


def shared(page: str, title: str) -> Mapping[str, str]:
    """Where a click sends the address of the episode's page: "WhatsApp", "Facebook" and "e-mail"."""
    return {
        "WhatsApp": "https://wa.me/?" + urlencode({"text": f"{title} {page}"}),
        "Facebook": "https://www.facebook.com/sharer/sharer.php?" + urlencode({"u": page}),
        "e-mail": f"mailto:?subject={quote(title)}&body={quote(page)}",
    }


def _is_announced(feed: Feed | None, generation: int | None, settings: Settings) -> bool | None:
    if not settings.websub_hubs:
        return None
    return feed is not None and feed.announced_generation >= (generation or feed.generation)


def _came(session: Session, episode: Episode, since: dt.datetime, generation: int | None) -> dict[str, dt.datetime]:
    """Who fetched a feed that held it, the first first."""
    # what another process served in the second before it heard of the new generation is not meant
    held_it = or_(FeedFetch.view != "main", FeedFetch.generation >= (generation or 0))
    first = select(FeedFetch.reader, func.min(FeedFetch.at).label("at"))
    first = first.where(FeedFetch.show_id == episode.show_id, FeedFetch.at >= since, held_it)
    if episode.withdrawn_at is not None:
        first = first.where(FeedFetch.at < episode.withdrawn_at)
    rows = session.execute(first.group_by(FeedFetch.reader).order_by("at"))
    return {row.reader: row.at for row in rows}


def _knowing(session: Session, show: Show) -> Iterator[str]:
    """Readers that have come for the show before, or have a page of it."""
    came = set(session.scalars(select(FeedFetch.reader).where(FeedFetch.show_id == show.id).distinct()))
    listed = {apps.BY_KEY[key].name for key, address in show.links.items() if address and key in apps.BY_KEY}
    yield from (name for name in readers.NAMES if name in came | listed)
