"""Links for guests: whoever has one sees an episode before it is public, without an account, until it is taken back."""

import datetime as dt
import secrets
from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from podcast_app import episodes, people
from podcast_app.models import Episode, EpisodeId, GuestLink


def make(session: Session, episode_id: EpisodeId, now: dt.datetime) -> str:
    """A link's secret, which nobody can find out later."""
    secret = secrets.token_urlsafe(32)
    session.add(GuestLink(secret_hash=people.digest(secret), episode_id=episode_id, created_at=now))
    return secret


def take_back(session: Session, episode_id: EpisodeId, secret_hash: str) -> None:
    of_episode = (GuestLink.episode_id == episode_id, GuestLink.secret_hash == secret_hash)
    session.execute(delete(GuestLink).where(*of_episode))


def links(session: Session, episode_id: EpisodeId) -> Sequence[GuestLink]:
    """Those that open the episode, the oldest first."""
    of_episode = select(GuestLink).where(GuestLink.episode_id == episode_id)
    return session.scalars(of_episode.order_by(GuestLink.created_at, GuestLink.secret_hash)).all()


def episode(session: Session, secret: str) -> Episode | None:
    """What the link opens, with its show; nothing when it was taken back, or the episode was."""
    link = session.get(GuestLink, people.digest(secret))
    found = episodes.get(session, link.episode_id) if link is not None else None
    return None if found is None or found.state == "withdrawn" else found
