"""The trash: a draft that was thrown away can come back for a while; then the worker deletes it for good.

Whoever does not ask for it here does not find it: its queries (episodes.whole, episodes.listed) leave it out.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from podcast_app import documents, episodes, history
from podcast_app.models import Episode, EpisodeId, Show, ShowId
from podcast_app.outcomes import Conflict, Done, Unknown
from podcast_app.publishing import Outcome
from podcast_app.times import utcnow
from podcast_app.work import Work

KEPT = dt.timedelta(days=30)

IS_PUBLIC = Conflict("A published episode cannot be deleted.", "Withdraw it instead.")


@dataclass(frozen=True, slots=True)
class Thrown:
    """What lies there, as people are told of it."""

    id: EpisodeId
    title: str
    filename: str
    at: dt.datetime
    until: dt.datetime


def throw_away(session: Session, episode_id: EpisodeId, now: dt.datetime) -> Outcome:
    """A draft or a scheduled episode goes to the trash, off the schedule. Its address is free for others."""
    found = episodes.get_locked(session, episode_id)
    if found is None:
        return Unknown()
    _, episode = found
    if episode.state not in ("draft", "scheduled"):
        return IS_PUBLIC
    episode.state, episode.publish_at, episode.try_again_at = "draft", None, None
    episode.trashed_at = now
    episode.version += 1
    episodes.give_back_address(session, episode)
    return Done(episode)


def put_back(session: Session, show_id: ShowId, episode_id: EpisodeId, by: history.Author) -> Done[Episode] | Unknown:
    """It is a draft again, under its old address or, where that is another's by now, one beside it."""
    found = _locked(session, show_id, episode_id)
    if found is None:
        return Unknown()
    show, episode = found
    history.watch(session, episode.id, by)
    episode.trashed_at = None
    episode.version += 1
    episodes.take_address(session, show, episode)
    return Done(episode)


def delete(session: Session, show_id: ShowId, episode_id: EpisodeId, now: dt.datetime) -> None:
    """For good, with everything of it. Silent when it is not there any more."""
    found = _locked(session, show_id, episode_id)
    if found is not None:
        episodes.delete_unpublished(session, found[1], now)


def of_show(session: Session, show_id: ShowId) -> Sequence[Episode]:
    """What lies in the show's trash, the last thrown away first."""
    thrown = episodes.thrown_away().where(Episode.show_id == show_id)
    return session.scalars(thrown.order_by(Episode.trashed_at.desc(), Episode.id)).all()


def get(session: Session, show_id: ShowId, episode_id: EpisodeId) -> Episode | None:
    """One of these."""
    one = episodes.thrown_away().where(Episode.show_id == show_id, Episode.id == episode_id)
    return session.scalars(one.execution_options(populate_existing=True)).one_or_none()


def thrown(episode: Episode) -> Thrown:
    """One of these, in words. A draft without a title goes by its file's name."""
    assert episode.trashed_at is not None
    assert episode.audio is not None, "an episode is made from audio"
    filename = episode.audio.upload.filename
    title = documents.main_words(episode).title or filename
    return Thrown(episode.id, title, filename, episode.trashed_at, episode.trashed_at + KEPT)


def find(session: Session, episode_id: EpisodeId) -> Episode | None:
    """One of any show's."""
    return session.scalars(episodes.thrown_away().where(Episode.id == episode_id)).one_or_none()


def empty(work: Work) -> bool:
    """What has lain there long enough goes for good, one at a time."""
    return work.database.write(_delete_oldest, utcnow())


def _delete_oldest(session: Session, now: dt.datetime) -> bool:
    over = select(Episode.show_id, Episode.id).where(Episode.trashed_at <= now - KEPT).order_by(Episode.trashed_at)
    oldest = session.execute(over.limit(1)).first()
    if oldest is None:
        return False
    delete(session, oldest.show_id, oldest.id, now)
    return True


def _locked(session: Session, show_id: ShowId, episode_id: EpisodeId) -> tuple[Show, Episode] | None:
    show = episodes.locked_show(session, show_id)
    episode = get(session, show_id, episode_id)
    return None if episode is None else (show, episode)
