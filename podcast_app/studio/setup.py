"""A one-time link makes an account: the first one, which `scripts/serve` prints, or one of the command line."""

import datetime as dt
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding
from podcast_app import people
from podcast_app.addresses import page_language
from podcast_app.http import Problem, in_reading, in_transaction, services
from podcast_app.models import User
from podcast_app.outcomes import Done, Refused, Unknown
from podcast_app.studio.doors import browser, for_anybody, open_door, see_other
from podcast_app.studio.inputs import Form, remarks, sent
from podcast_app.studio.pages import language_of, page
from podcast_app.studio.sign_in import HOME, hashed, too_often
from podcast_app.times import utcnow


@for_anybody
async def show_page(request: Request) -> Response:
    """Looking at the link does not use it up: mail programs look at every link."""
    link = await in_reading(request, people.link, request.path_params["secret"], "account", utcnow())
    if link is None:
        return link_is_over(request)
    return _page(request, {"email": link.email, "language": language_of(request, None)})


@for_anybody
async def create(request: Request) -> Response:
    secret, typed = request.path_params["secret"], await sent(request)
    if await in_reading(request, people.link, secret, "account", utcnow()) is None:
        return link_is_over(request)  # before a hash is computed for a stranger
    kept = await kept_password(request, secret, typed)
    if not isinstance(kept, str):
        return _page(request, typed, kept.findings, kept.status)
    match await in_transaction(request, _create, secret, typed, kept, utcnow(), browser(request)):
        case Done(session_secret):
            return open_door(request, see_other(HOME), session_secret, typed.get("email", ""))
        case Refused(findings):
            return _page(request, typed, findings)
        case Unknown():
            return link_is_over(request)


async def kept_password(request: Request, secret: str, typed: Mapping[str, str]) -> str | Problem:
    """What is kept of a new account's password that was typed behind this link, or all that is wrong with what was."""
    password = typed.get("password", "")
    if findings := [*people.email_findings(typed.get("email", "")), *people.password_findings(password)]:
        return Problem(422, findings)
    if seconds := services(request).sign_ins.wait_with_link(secret):
        return Problem(429, [too_often("password", seconds)])
    return await hashed(request, password)


def account(
    session: Session, typed: Mapping[str, str], hashed: str, *, is_administrator: bool, now: dt.datetime
) -> User | list[Finding]:
    """The account that was asked for."""
    return people.add_user(
        session,
        email=typed.get("email", ""),
        name=typed.get("name", ""),
        hashed=hashed,
        language=page_language(typed.get("language", "")),
        is_administrator=is_administrator,
        now=now,
    )


def account_form(request: Request, typed: Mapping[str, str], findings: Sequence[Finding] = ()) -> Form:
    """As it was filled in; a password never comes back."""
    values = {name: typed.get(name, "") for name in ("name", "email", "language", "password")}
    return Form(values=values | {"password": ""}, remarks=remarks(language_of(request, None), findings, values))


def link_is_over(request: Request, person: User | None = None) -> Response:
    """Used before, or too old, or never there: which of them is nobody's business. Raises Problem 429."""
    if seconds := services(request).sign_ins.wait_after_guess():
        raise Problem(429, [too_often("", seconds)], headers={"Retry-After": str(seconds)})
    return page(request, "link_is_over.html", person, status_code=410)


def _create(
    session: Session, secret: str, typed: Mapping[str, str], hashed: str, now: dt.datetime, browser: people.Browser
) -> Done[str] | Refused | Unknown:
    """The account, in place of the link; and the new person's first browser session."""
    link = people.link(session, secret, "account", now)
    if link is None:
        return Unknown()
    made = account(session, typed, hashed, is_administrator=link.is_administrator, now=now)
    if not isinstance(made, User):
        return Refused(made)
    session.delete(link)
    return Done(people.sign_in(session, made.id, now, browser))


def _page(request: Request, typed: Mapping[str, str], findings: Sequence[Finding] = (), status: int = 422) -> Response:
    form = account_form(request, typed, findings)
    return page(request, "setup.html", None, status_code=status if findings else 200, form=form)
