"""Who asks: a machine with a token, or a person whose browser is signed in; and what they may do in which show."""

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session
from starlette.requests import HTTPConnection, Request

from feeds.checks import error
from podcast_app import people
from podcast_app.http import Problem, in_reading, services
from podcast_app.models import Membership, Role, ShowId, Token, User
from podcast_app.times import utcnow

SESSION_COOKIE = "podcast_session"

_READING = frozenset({"GET", "HEAD", "OPTIONS"})

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
    """What the caller may do in the show; None: it is not theirs to know of."""
    match caller:
        case Token(show_id=narrowed):
            return "producer" if narrowed in (None, show_id) else None
        case User():
            return people.role(session, caller, show_id)


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


def _bearer(connection: HTTPConnection) -> str | None:
    """The token of `Authorization: Bearer ...`. Other schemes are a proxy's business."""
    scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
    return secret.strip() or None if scheme.lower() == "bearer" else None


def _is_from(origin: str, request: Request) -> bool:
    """Browsers send Sec-Fetch-Site to https and to this machine only, so elsewhere Origin must do; without both, no."""
    site, sender = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    return (site or sender) is not None and site in (None, "same-origin") and sender in (None, origin)
