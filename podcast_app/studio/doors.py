"""Who may come in: each studio handler stands behind one of two doors."""

import datetime as dt
import secrets
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from urllib.parse import quote

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from media import text
from podcast_app import access, devices, people
from podcast_app.http import Problem, in_reading, services
from podcast_app.models import User
from podcast_app.settings import Settings
from podcast_app.studio import kept_form, overdue, rights
from podcast_app.studio.inputs import Form
from podcast_app.studio.kept_form import KeptForm
from podcast_app.studio.overdue import Overdue
from podcast_app.studio.pages import PRIVATE, page, problem_page
from podcast_app.times import utcnow

Handler = Callable[[Request], Awaitable[Response]]
HandlerForPeople = Callable[[Request, User], Awaitable[Response]]

SIGN_IN = "/studio/sign-in"
KNOWN_COOKIE = "podcast_known"
KNOWN_SECONDS = 180 * 24 * 60 * 60
_SESSION_SECONDS = int(people.SESSION_LASTS.total_seconds())


def for_anybody(handler: Handler) -> Handler:
    """Also for who is not signed in. A form of another site is refused."""

    @wraps(handler)
    async def guarded(request: Request) -> Response:
        return await _behind(request, None, lambda: handler(request))

    return guarded


def for_people(handler: HandlerForPeople) -> Handler:
    """For people who are signed in; others sign in first, and come back."""

    @wraps(handler)
    async def guarded(request: Request) -> Response:
        person = await known(request)
        return await _behind(
            request, person, lambda: handler(request, person) if person is not None else _sign_in_first(request)
        )

    return guarded


async def known(request: Request) -> User | None:
    """Who is signed in with this browser."""
    secret = request.cookies.get(access.SESSION_COOKIE)
    if not secret:
        return None
    person, late = await in_reading(request, _with_overdue, secret, services(request).settings, utcnow())
    request.state.overdue = late  # for every page (pages.py)
    return person


def browser(request: Request) -> people.Browser:
    """What somebody signs in with now."""
    device = devices.name(request.headers.get("user-agent", ""))
    return people.Browser(device, request.cookies.get(access.SESSION_COOKIE, ""))


def see_other(path: str) -> Response:
    """After a form: the page to look at now. A path only, so no header can send anybody elsewhere."""
    return RedirectResponse(path, 303, PRIVATE)


def open_door(request: Request, answer: Response, secret: str, email: str) -> Response:
    """The answer, with which this browser is signed in from now on, and known as one where this person was."""
    expires_at, name = int(utcnow().timestamp()) + KNOWN_SECONDS, secrets.token_hex(8)
    signature = services(request).signer.sign(_known(text.clean_line(email).lower(), name), expires_at)
    _set_cookie(request, answer, KNOWN_COOKIE, f"{expires_at}.{name}.{signature}", KNOWN_SECONDS, path=SIGN_IN)
    return _set_cookie(request, answer, access.SESSION_COOKIE, secret, _SESSION_SECONDS, path="/")


def known_as(request: Request, email: str) -> str:
    """A name for this browser, if this person has signed in with it before; or else "".

    Strangers' tries to guess the password must not keep its owner out: such a browser has tries of its own.
    """
    said, _, rest = request.cookies.get(KNOWN_COOKIE, "").partition(".")
    name, _, signature = rest.partition(".")
    expires_at = int(said) if said.isascii() and said.isdecimal() and len(said) < 12 else 0
    is_ours = services(request).signer.has_signed(_known(email, name), expires_at, signature)
    return f"browser:{name}" if is_ours and utcnow().timestamp() < expires_at else ""


def _known(email: str, browser: str) -> str:
    return f"signed in before: {email} {browser}"


def _set_cookie(request: Request, answer: Response, name: str, value: str, seconds: int, *, path: str) -> Response:
    """The answer with a cookie that no script reads and no other site sends along."""
    secure = _is_secure(request)
    answer.set_cookie(name, value, max_age=seconds, path=path, secure=secure, httponly=True, samesite="lax")
    return answer


def close_door(request: Request, answer: Response) -> Response:
    answer.delete_cookie(access.SESSION_COOKIE, path="/", secure=_is_secure(request), httponly=True, samesite="lax")
    return answer


async def _behind(request: Request, person: User | None, handle: Callable[[], Awaitable[Response]]) -> Response:
    try:
        access.must_be_our_page(request)
        return await handle()
    except rights.InTrash as it:
        of_it = {"show": it.show, "thrown": it.thrown, "may_change": it.may_change}
        return page(request, "in_trash.html", person, status_code=it.status, **of_it)
    except Problem as problem:  # here, and not on the last page, since here we know whom we talk to
        return problem_page(request, person, problem)


def _with_overdue(
    session: Session, secret: str, settings: Settings, now: dt.datetime
) -> tuple[User | None, Sequence[Overdue]]:
    """The person, and what of theirs should have gone out: in one reading, since every page asks."""
    person = people.signed_in(session, secret, now)
    return person, overdue.theirs(session, person, settings, now) if person is not None else ()


async def _sign_in_first(request: Request) -> Response:
    if request.method in ("GET", "HEAD"):
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return see_other(f"{SIGN_IN}?next={quote(asked, safe='')}")
    return signed_out(request, await kept_form.received(request), Form(values={"email": ""}), 401)


def signed_out(request: Request, kept: KeptForm | None, form: Form, status: int) -> Response:
    """Where one signs in and loses nothing. What cannot be kept, the browser still has, and can send once more."""
    if kept is None:
        return page(request, "signed_out.html", None, status_code=status)
    return page(request, "sign_in.html", None, status_code=status, form=form, hidden=kept.hidden, kept=kept)


def _is_secure(request: Request) -> bool:
    return services(request).settings.origin.startswith("https:")
