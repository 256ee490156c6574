"""Signing in and out."""

from collections.abc import Mapping

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding, error
from media import text
from podcast_app import people
from podcast_app.access import SESSION_COOKIE
from podcast_app.http import in_reading, in_transaction, services
from podcast_app.models import User
from podcast_app.studio import kept_form
from podcast_app.studio.doors import (
    SIGN_IN,
    browser,
    close_door,
    for_anybody,
    for_people,
    known_as,
    open_door,
    see_other,
    signed_out,
)
from podcast_app.studio.inputs import Form, remarks, sent
from podcast_app.studio.pages import OURS, language_of, page
from podcast_app.times import utcnow

HOME = "/studio/"

# One sentence, whichever of the two is wrong: it tells nobody who has an account here.
WRONG = error("email", "This e-mail address and this password do not belong together.", "Check both, and try again.")


@for_anybody
async def show_page(request: Request) -> Response:
    return _page(request, Form(values={"email": ""}), request.query_params.get("next", ""))


@for_anybody
async def sign_in(request: Request) -> Response:
    typed = await sent(request)
    email = text.clean_line(typed.get("email", ""))[:255].lower()
    sign_ins, mark = services(request).sign_ins, known_as(request, email)
    if seconds := sign_ins.wait_where_known(mark) if mark else sign_ins.wait(email):
        answer = _again(request, email, typed, too_often("email", seconds), 429)
        answer.headers["Retry-After"] = str(seconds)
        return answer
    person = await in_reading(request, people.user_by_email, email)
    if not await is_right(request, typed.get("password", ""), person) or person is None:
        return _again(request, email, typed, WRONG, 422)
    sign_ins.forgive(mark or email)
    secret = await in_transaction(request, people.sign_in, person.id, utcnow(), browser(request))
    return open_door(request, _inside(request, person, typed), secret, email)


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


def too_often(field: str, seconds: int) -> Finding:
    return error(
        field,
        "There were too many tries in a short time.",
        "Wait {seconds} seconds, then try again. If the password is lost, an administrator can help.",
        seconds=seconds,
    )


def _inside(request: Request, person: User, typed: Mapping[str, str]) -> Response:
    """Where somebody wanted to go; or the form that they had sent, to be sent on."""
    if kept := kept_form.carried(typed):
        return page(request, "go_on.html", person, kept=kept)
    next_page = typed.get("next", "")
    return see_other(next_page if OURS.fullmatch(next_page) else HOME)


def _again(request: Request, email: str, typed: Mapping[str, str], finding: Finding, status: int) -> Response:
    values = {"email": email}
    form = Form(values=values, remarks=remarks(language_of(request, None), [finding], values))
    if kept := kept_form.carried(typed):
        return signed_out(request, kept, form, status)
    return _page(request, form, typed.get("next", ""), status)


def _page(request: Request, form: Form, next_page: str, status: int = 200) -> Response:
    return page(request, "sign_in.html", None, status_code=status, form=form, hidden={"next": next_page}, kept=None)
