"""A one-time link makes an account: the first one, which `scripts/serve` prints, or an invitation."""

import datetime as dt
from collections.abc import Mapping

from anyio import to_thread
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding
from podcast_app import people
from podcast_app.addresses import page_language
from podcast_app.http import in_reading, in_transaction, services
from podcast_app.models import User
from podcast_app.outcomes import Done, Refused, Unknown
from podcast_app.studio.doors import for_anybody, open_door, see_other
from podcast_app.studio.inputs import Form, remarks, sent
from podcast_app.studio.pages import language_of, page
from podcast_app.studio.sign_in import HOME
from podcast_app.times import utcnow


@for_anybody
async def show_page(request: Request) -> Response:
    """Looking at the link does not use it up: mail programs look at every link."""
    link = await in_reading(request, people.link, request.path_params["secret"], "account", utcnow())
    if link is None:
        return link_is_over(request)
    return _page(request, {"name": "", "email": link.email, "language": language_of(request, None)})


@for_anybody
async def create(request: Request) -> Response:
    secret, typed = request.path_params["secret"], await sent(request)
    if await in_reading(request, people.link, secret, "account", utcnow()) is None:
        return link_is_over(request)  # before a hash is computed for a stranger
    password = typed.get("password", "")
    if findings := people.password_findings(password):
        return _page(request, typed, findings)
    hashed = await to_thread.run_sync(people.password_hash, password, limiter=services(request).sign_ins.hashing)
    match await in_transaction(request, _create, secret, typed, hashed, utcnow()):
        case Done(session_secret):
            return open_door(request, see_other(HOME), session_secret)
        case Refused(findings):
            return _page(request, typed, findings)
        case Unknown():
            return link_is_over(request)


def link_is_over(request: Request) -> Response:
    """Used before, or too old, or never there: which of them is nobody's business."""
    return page(request, "link_is_over.html", None, status_code=410)


def _create(
    session: Session, secret: str, typed: Mapping[str, str], hashed: str, now: dt.datetime
) -> Done[str] | Refused | Unknown:
    """The account, in place of the link; and the new person's first browser session."""
    link = people.link(session, secret, "account", now)
    if link is None:
        return Unknown()
    made = people.add_user(
        session,
        email=typed.get("email", ""),
        name=typed.get("name", ""),
        hashed=hashed,
        language=page_language(typed.get("language", "")),
        is_administrator=link.is_administrator,
        now=now,
    )
    if not isinstance(made, User):
        return Refused(made)
    session.delete(link)
    return Done(people.sign_in(session, made.id, now))


def _page(request: Request, typed: Mapping[str, str], findings: list[Finding] | None = None) -> Response:
    values = {name: typed.get(name, "") for name in ("name", "email", "language", "password")}
    shown = remarks(language_of(request, None), findings or [], values)
    form = Form(values=values | {"password": ""}, remarks=shown)
    return page(request, "setup.html", None, status_code=422 if findings else 200, form=form)
