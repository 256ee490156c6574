"""What a person may see and change. What they may not see is not there for them (404); the rest is 403.

Called inside a transaction: the Problem gives it up, and becomes a page at the door.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from feeds.checks import error
from podcast_app import access, episodes, people, shows, trash
from podcast_app.http import Problem
from podcast_app.models import Episode, EpisodeId, Show, User

NOT_HERE = error(
    "", "There is nothing here, or it is not yours to see.", "Check the address, or ask an administrator for the show."
)
THROWN_AWAY = error("", "This draft is in the trash.", "Put it back to go on with it.")
READS_ONLY = error(
    "", "You may look at this show, but not change it.", "Ask an administrator for the role of producer."
)


class InTrash(Problem):
    """The episode was thrown away; said to people of its show only."""

    def __init__(self, show: Show, thrown: trash.Thrown, *, may_change: bool) -> None:
        super().__init__(404, [THROWN_AWAY])
        self.show = show
        self.thrown = thrown
        self.may_change = may_change


def shows_of(session: Session, person: User) -> Sequence[Show]:
    """All shows that the person may see, the oldest first."""
    theirs = select(Show).where(access.is_theirs(person, Show.id)).order_by(Show.created_at, Show.id)
    return session.scalars(theirs.options(selectinload(Show.texts), joinedload(Show.cover))).all()


def may_change(session: Session, person: User, show: Show) -> bool:
    return access.role(session, person, show.id) == "producer"


def show(session: Session, person: User, slug: str) -> Show:
    """To be seen. Raises Problem 404."""
    found = shows.find(session, slug)
    if found is None or access.role(session, person, found.id) is None:
        raise Problem(404, [NOT_HERE])
    return found


def show_of_producer(session: Session, person: User, slug: str) -> Show:
    """To be seen by somebody who may change it. Raises Problem 403, 404."""
    found = show(session, person, slug)
    must_be_producer(session, person, found)
    return found


def show_to_change(session: Session, person: User, slug: str) -> Show:
    """Locked: what changes a show or its episodes happens one after the other. Raises Problem 403, 404."""
    return access.show_to_change(session, person, show_of_producer(session, person, slug).id)


def episode(session: Session, person: User, episode_id: EpisodeId) -> Episode:
    """To be seen, with its show. Raises Problem 404, InTrash."""
    found = episodes.get(session, episode_id) or trash.find(session, episode_id)
    if found is None or access.role(session, person, found.show_id) is None:
        raise Problem(404, [NOT_HERE])
    if found.trashed_at is not None:
        show = session.get_one(Show, found.show_id)
        raise InTrash(show, trash.thrown(found), may_change=may_change(session, person, show))
    return found


def episode_of_producer(session: Session, person: User, episode_id: EpisodeId) -> Episode:
    """To be seen by somebody who may change it. Raises Problem 403, 404."""
    found = episode(session, person, episode_id)
    must_be_producer(session, person, found.show)
    return found


def episode_to_change(session: Session, person: User, episode_id: EpisodeId) -> tuple[Show, Episode]:
    """Locked, its show first; what is changed is remembered as the person's. Raises Problem 403, 404."""
    episode_of_producer(session, person, episode_id)
    locked = access.episode_to_change(session, person, episode_id)
    if locked is None:
        raise Problem(404, [NOT_HERE])
    return locked


def must_administer(person: User) -> None:
    """For others there is nothing here. Raises Problem 404."""
    if not person.is_administrator:
        raise Problem(404, [NOT_HERE])


def as_administrator(session: Session, person: User) -> None:
    """As must_administer, at this very moment: locked, so that nobody stops being one meanwhile."""
    if person.id not in {administrator.id for administrator in people.administrators(session)}:
        raise Problem(404, [NOT_HERE])


def must_be_producer(session: Session, person: User, show: Show) -> None:
    """Raises Problem 403."""
    if not may_change(session, person, show):
        raise Problem(403, [READS_ONLY])
