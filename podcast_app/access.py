"""Who asks: a machine with a token, or a person whose browser is signed in; and what they may do in which show."""

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session
from starlette.requests import HTTPConnection, Request

from feeds.checks import error
from podcast_app import episodes, history, people
from podcast_app.http import Problem, in_reading, services
from podcast_app.models import Episode, EpisodeId, Membership, Role, Show, ShowId, Token, User
from podcast_app.times import utcnow

SESSION_COOKIE = "podcast_session"

_READING = frozenset({"GET", "HEAD", "OPTIONS"})

NO_PRODUCER = error(
    "", "You may not change this show, or not any more.", "Ask an administrator for the role of producer."
)

Caller = Token | User


async def person_or_token(request: Request) -> Caller | None:
    """The caller, None when nobody is known. Raises Problem 403 when another site makes a browser send a change."""
    if secret := _bearer(request):
        return await in_reading(request, people.token, secret)
    if secret := request.cookies.get(SESSION_COOKIE):
        must_be_our_page(request)
        return await in_reading(request, people.signed_in, secret, utcnow())
    return None


def must_be_our_page(request: Request) -> None:
    """A browser sends its cookie with whatever any site makes it send; so a change must come from a page of ours.

    Raises Problem 403. A request with a token needs no such proof: no site can make a browser add one.
    """
    origin = services(request).settings.origin
    if request.method not in _READING and not _is_from(origin, request):
        elsewhere = error(
            "", "This did not come from a page of this site.", "Open {origin} and try it there.", origin=origin
        )
        raise Problem(403, [elsewhere])


def role(session: Session, caller: Caller, show_id: ShowId) -> Role | None:
    """What the caller may do in the show; None: it is not theirs to know of.

    As the database says now: a long upload may outlive the token that it began with.
    """
    match caller:
        case Token():
            token = session.get(Token, caller.id, populate_existing=True)
            is_good = token is not None and token.revoked_at is None and token.show_id in (None, show_id)
            return "producer" if is_good else None
        case User():
            person = session.get(User, caller.id, populate_existing=True)
            return people.role(session, person, show_id) if person is not None else None


def show_to_change(session: Session, caller: Caller, show_id: ShowId) -> Show:
    """The show, locked; only then is the caller's role looked at, which may have ended while this waited for its turn.

    Raises Problem 403.
    """
    show = episodes.locked_show(session, show_id)
    _must_be_producer(session, caller, show_id)
    return show


def episode_to_change(session: Session, caller: Caller, episode_id: EpisodeId) -> tuple[Show, Episode] | None:
    """The same for an episode, its show first; what is changed is remembered as the caller's. Raises Problem 403."""
    found = history.changing(session, episode_id, author(caller))
    if found is not None:
        _must_be_producer(session, caller, found[0].id)
    return found


def is_theirs(caller: Caller, show_id: InstrumentedAttribute[ShowId]) -> ColumnElement[bool]:
    """For queries: the rows of shows in which the caller has a role."""
    match caller:
        case Token(show_id=None) | User(is_administrator=True):
            return true()
        case Token(show_id=narrowed):
            return show_id == narrowed
        case User(id=user_id):
            return show_id.in_(select(Membership.show_id).where(Membership.user_id == user_id))


def name(caller: Caller) -> str:
    """Tells callers apart, whichever table they are from."""
    return f"token:{caller.id}" if isinstance(caller, Token) else f"user:{caller.id}"


def author(caller: Caller) -> history.Author:
    return history.Author(caller.name, name(caller))


def _must_be_producer(session: Session, caller: Caller, show_id: ShowId) -> None:
    if role(session, caller, show_id) != "producer":
        raise Problem(403, [NO_PRODUCER])


def _bearer(connection: HTTPConnection) -> str | None:
    """The token of `Authorization: Bearer ...`. Other schemes are a proxy's business."""
    scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
    return secret.strip() or None if scheme.lower() == "bearer" else None


def _is_from(origin: str, request: Request) -> bool:
    """Browsers send Sec-Fetch-Site to https and to this machine only, so elsewhere Origin must do; without both, no."""
    site, sender = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    return (site or sender) is not None and site in (None, "same-origin") and sender in (None, origin)
