"""Signing in and out."""

import re

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding, error
from media import text
from podcast_app import people
from podcast_app.access import SESSION_COOKIE
from podcast_app.http import in_reading, in_transaction, services
from podcast_app.models import User
from podcast_app.studio.doors import (
    SIGN_IN,
    browser,
    close_door,
    for_anybody,
    for_people,
    open_door,
    see_other,
    set_cookie,
)
from podcast_app.studio.inputs import Form, remarks, sent
from podcast_app.studio.pages import language_of, page
from podcast_app.times import utcnow

HOME = "/studio/"
KNOWN_COOKIE = "podcast_known"
KNOWN_SECONDS = 180 * 24 * 60 * 60
_KNOWN = "signed in here before: "
OURS = re.compile(r"/studio/[a-z0-9/_-]*(\?[a-z0-9=&_-]*)?", re.IGNORECASE)

# One sentence, whichever of the two is wrong: it tells nobody who has an account here.
WRONG = error("email", "This e-mail address and this password do not belong together.", "Check both, and try again.")


@for_anybody
async def show_page(request: Request) -> Response:
    return _page(request, Form(values={"email": ""}), request.query_params.get("next", ""))


@for_anybody
async def sign_in(request: Request) -> Response:
    typed = await sent(request)
    email, next_page = text.clean_line(typed.get("email", ""))[:255].lower(), typed.get("next", "")
    sign_ins = services(request).sign_ins
    if seconds := sign_ins.wait_where_known(email) if _is_known(request, email) else sign_ins.wait(email):
        answer = _again(request, email, next_page, too_often("email", seconds), 429)
        answer.headers["Retry-After"] = str(seconds)
        return answer
    person = await in_reading(request, people.user_by_email, email)
    if not await is_right(request, typed.get("password", ""), person) or person is None:
        return _again(request, email, next_page, WRONG, 422)
    sign_ins.forgive(email)
    secret = await in_transaction(request, people.sign_in, person.id, utcnow(), browser(request))
    answer = see_other(next_page if OURS.fullmatch(next_page) else HOME)
    return open_door(request, _known_from_now_on(request, email, answer), secret)


@for_anybody
async def sign_out(request: Request) -> Response:
    if secret := request.cookies.get(SESSION_COOKIE):
        await in_transaction(request, people.sign_out, secret)
    return close_door(request, see_other(SIGN_IN))


@for_people
async def sign_out_everywhere(request: Request, person: User) -> Response:
    await in_transaction(request, people.sign_out_everywhere, person.id)
    return close_door(request, see_other(SIGN_IN))


async def hashed(request: Request, password: str) -> str:
    """What is kept of a new password."""
    return await to_thread.run_sync(people.password_hash, password, limiter=services(request).sign_ins.hashing)


async def is_right(request: Request, password: str, person: User | None) -> bool:
    """Whether this is the person's password; for nobody it takes as long."""
    hashed = person.password_hash if person is not None else None
    password = password[: people.LONGEST_PASSWORD + 1]
    return await to_thread.run_sync(people.is_right, password, hashed, limiter=services(request).sign_ins.hashing)


def _known_from_now_on(request: Request, email: str, answer: Response) -> Response:
    """The answer, after which this browser is one where this person has signed in."""
    expires_at = int(utcnow().timestamp()) + KNOWN_SECONDS
    value = f"{expires_at}.{services(request).signer.sign(_KNOWN + email, expires_at)}"
    return set_cookie(request, answer, KNOWN_COOKIE, value, KNOWN_SECONDS, path=SIGN_IN)


def _is_known(request: Request, email: str) -> bool:
    said, _, signature = request.cookies.get(KNOWN_COOKIE, "").partition(".")
    expires_at = int(said) if said.isascii() and said.isdecimal() and len(said) < 12 else 0
    is_ours = services(request).signer.has_signed(_KNOWN + email, expires_at, signature)
    return is_ours and utcnow().timestamp() < expires_at


def too_often(field: str, seconds: int) -> Finding:
    return error(
        field,
        "There were too many tries in a short time.",
        "Wait {seconds} seconds, then try again. If the password is lost, an administrator can help.",
        seconds=seconds,
    )


def _again(request: Request, email: str, next_page: str, finding: Finding, status: int) -> Response:
    values = {"email": email}
    form = Form(values=values, remarks=remarks(language_of(request, None), [finding], values))
    return _page(request, form, next_page, status)


def _page(request: Request, form: Form, next_page: str, status: int = 200) -> Response:
    return page(request, "sign_in.html", None, status_code=status, form=form, next_page=next_page)
