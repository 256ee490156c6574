"""Who works on a show, and how people come to it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from podcast_app import episodes, people
from podcast_app.models import Membership, OneTimeLink, Role, Show, ShowId, User, UserId
from podcast_app.outcomes import Done, Unknown

INVITATION = "invitation"

_RANKS: Mapping[Role | None, int] = {None: 0, "viewer": 1, "producer": 2}


@dataclass(frozen=True, slots=True)
class Member:
    person: User
    role: Role


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that is good, and the show that it leads to. `session.delete(link)` uses it up."""

    link: OneTimeLink
    show: Show
    role: Role


def of_show(session: Session, show_id: ShowId) -> list[Member]:
    """Those who have a role in it, by name; administrators need none."""
    rows = select(User, Membership.role).join(Membership, Membership.user_id == User.id)
    found = session.execute(rows.where(Membership.show_id == show_id).order_by(User.name, User.email))
    return [Member(person, role) for person, role in found]


def by_person(session: Session) -> dict[UserId, Sequence[tuple[ShowId, Role]]]:
    """Everybody's roles."""
    found: dict[UserId, list[tuple[ShowId, Role]]] = {}
    for membership in session.scalars(select(Membership)):
        found.setdefault(membership.user_id, []).append((membership.show_id, membership.role))
    return dict(found)


def change_role(session: Session, show: Show, user_id: UserId, role: Role | None) -> bool:
    """Of somebody who has one in the show, which is locked; `None` takes them off. False: they have none."""
    if session.get(Membership, (user_id, show.id), populate_existing=True) is None:
        return False
    people.set_role(session, user_id, show.id, role)
    return True


def invitation(session: Session, secret: str, now: dt.datetime) -> Invitation | None:
    """The invitation, while it is good, to look at."""
    good = select(OneTimeLink).where(OneTimeLink.secret_hash == people.digest(secret), OneTimeLink.expires_at > now)
    link = session.scalars(good.where(OneTimeLink.purpose == INVITATION)).one_or_none()
    if link is None or link.show_id is None or link.role is None:
        return None
    show = session.scalars(select(Show).where(Show.id == link.show_id).options(selectinload(Show.texts))).one()
    return Invitation(link, show, link.role)


def invitation_to_use(session: Session, secret: str, now: dt.datetime) -> Invitation | None:
    """The same, locked: first the show and then the link, as whoever ends links of a show does."""
    found = invitation(session, secret, now)
    if found is None:
        return None
    show = episodes.locked_show(session, found.show.id)
    link = people.link(session, secret, INVITATION, now)
    return Invitation(link, show, found.role) if link is not None else None


def is_more(session: Session, invitation: Invitation, person: User) -> bool:
    """Whether it gives the person anything that they do not have."""
    return _RANKS[invitation.role] > _RANKS[people.role(session, person, invitation.show.id)]


def use(session: Session, secret: str, user_id: UserId, now: dt.datetime) -> Done[Show] | Unknown:
    """Somebody with an account joins. Unknown: the invitation is over, or the account has just gone."""
    invitation = invitation_to_use(session, secret, now)
    person = session.get(User, user_id, with_for_update=True)
    if invitation is None or person is None:
        return Unknown()
    join(session, invitation, person)
    return Done(invitation.show)


def join(session: Session, invitation: Invitation, person: User) -> None:
    """Use the invitation up, if it gives the person anything; it stays for somebody else otherwise."""
    if is_more(session, invitation, person):
        people.set_role(session, person.id, invitation.show.id, invitation.role)
        session.delete(invitation.link)
