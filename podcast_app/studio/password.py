"""A one-time link sets a new password; whoever was signed in with the old one is out."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding
from podcast_app import people
from podcast_app.http import in_reading, in_transaction, services
from podcast_app.models import User
from podcast_app.outcomes import Done, Unknown
from podcast_app.studio.doors import browser, for_anybody, open_door, see_other
from podcast_app.studio.inputs import Form, remarks, sent
from podcast_app.studio.pages import language_of, page
from podcast_app.studio.setup import link_is_over
from podcast_app.studio.sign_in import HOME, hashed, too_often
from podcast_app.times import utcnow


@for_anybody
async def show_page(request: Request) -> Response:
    person = await in_reading(request, _whose, request.path_params["secret"], utcnow())
    return _page(request, person) if person is not None else link_is_over(request)


@for_anybody
async def change(request: Request) -> Response:
    secret = request.path_params["secret"]
    password = (await sent(request)).get("password", "")
    person = await in_reading(request, _whose, secret, utcnow())
    if person is None:
        return link_is_over(request)
    if findings := people.password_findings(password):
        return _page(request, person, findings)
    if seconds := services(request).sign_ins.wait_with_link(secret):
        return _page(request, person, [too_often("password", seconds)], 429)
    kept = await hashed(request, password)
    match await in_transaction(request, _change, secret, kept, utcnow(), browser(request)):
        case Done(session_secret):
            services(request).sign_ins.forgive(person.email)
            return open_door(request, see_other(HOME), session_secret, person.email)
        case Unknown():
            return link_is_over(request)


def _whose(session: Session, secret: str, now: dt.datetime) -> User | None:
    """The person whose password the link sets."""
    link = people.link(session, secret, "password", now)
    return session.get(User, link.user_id) if link is not None else None


def _change(
    session: Session, secret: str, hashed: str, now: dt.datetime, browser: people.Browser
) -> Done[str] | Unknown:
    link = people.link(session, secret, "password", now)
    person = session.get(User, link.user_id) if link is not None else None
    if link is None or person is None:
        return Unknown()
    people.set_password(session, person, hashed)  # and every link to do so is used up, this one too
    return Done(people.sign_in(session, person.id, now, browser))


def _page(request: Request, person: User, findings: Sequence[Finding] = (), status: int = 422) -> Response:
    values = {"password": ""}
    form = Form(values=values, remarks=remarks(language_of(request, None), findings, values))
    return page(request, "password.html", None, status_code=status if findings else 200, form=form, email=person.email)
