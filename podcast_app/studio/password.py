"""A one-time link sets a new password; whoever was signed in with the old one is out."""

import datetime as dt

from anyio import to_thread
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding
from podcast_app import people
from podcast_app.http import in_reading, in_transaction, services
from podcast_app.models import User
from podcast_app.outcomes import Done, Unknown
from podcast_app.studio.doors import for_anybody, open_door, see_other
from podcast_app.studio.inputs import Form, remarks, sent
from podcast_app.studio.pages import language_of, page
from podcast_app.studio.setup import link_is_over
from podcast_app.studio.sign_in import HOME
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
    hashed = await to_thread.run_sync(people.password_hash, password, limiter=services(request).sign_ins.hashing)
    match await in_transaction(request, _change, secret, hashed, utcnow()):
        case Done(session_secret):
            services(request).sign_ins.forgive(person.email)
            return open_door(request, see_other(HOME), session_secret)
        case Unknown():
            return link_is_over(request)


def _whose(session: Session, secret: str, now: dt.datetime) -> User | None:
    """The person whose password the link sets."""
    link = people.link(session, secret, "password", now)
    return session.get(User, link.user_id) if link is not None else None


def _change(session: Session, secret: str, hashed: str, now: dt.datetime) -> Done[str] | Unknown:
    link = people.link(session, secret, "password", now)
    person = session.get(User, link.user_id) if link is not None else None
    if link is None or person is None:
        return Unknown()
    people.set_password(session, person, hashed)
    session.delete(link)
    return Done(people.sign_in(session, person.id, now))


def _page(request: Request, person: User, findings: list[Finding] | None = None) -> Response:
    values = {"password": ""}
    form = Form(values=values, remarks=remarks(language_of(request, None), findings or [], values))
    return page(request, "password.html", None, status_code=422 if findings else 200, form=form, email=person.email)
