"""An invitation to a show: a new person makes an account with it, and somebody who has one joins with one press."""

import datetime as dt
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding
from podcast_app import members
from podcast_app.documents import main_text
from podcast_app.http import in_reading, in_transaction
from podcast_app.members import Invitation
from podcast_app.models import Show, User
from podcast_app.outcomes import Done, Refused, Unknown
from podcast_app.people import Browser, sign_in
from podcast_app.studio.doors import browser, for_anybody, known, open_door, see_other
from podcast_app.studio.inputs import sent
from podcast_app.studio.pages import language_of, page
from podcast_app.studio.setup import account, account_form, kept_password, link_is_over
from podcast_app.times import utcnow


@for_anybody
async def show_page(request: Request) -> Response:
    """Looking at it does not use it up: mail programs look at every link."""
    return await _page(request, await known(request), {"language": language_of(request, None)})


@for_anybody
async def answer(request: Request) -> Response:
    """From whom it comes decides what it does. `as` is who the page was made for: nobody joins as somebody else."""
    secret, typed, person = request.path_params["secret"], await sent(request), await known(request)
    if typed.get("as", "") != (person.id if person is not None else ""):
        return see_other(request.url.path)  # signed in or out meanwhile, in another window
    if person is not None:
        outcome = await in_transaction(request, members.use, secret, person.id, utcnow())
        return _in(outcome) if isinstance(outcome, Done) else link_is_over(request, person)
    return await _make_account(request, secret, typed)


async def _make_account(request: Request, secret: str, typed: Mapping[str, str]) -> Response:
    if await in_reading(request, members.invitation, secret, utcnow()) is None:
        return link_is_over(request)  # before a hash is computed for a stranger
    kept = await kept_password(request, secret, typed)
    if not isinstance(kept, str):
        return await _page(request, None, typed, kept.findings, kept.status)
    match await in_transaction(request, _make_and_join, secret, typed, kept, utcnow(), browser(request)):
        case Done((show, session_secret)):
            return open_door(request, _in(Done(show)), session_secret, typed.get("email", ""))
        case Refused(findings):
            return await _page(request, None, typed, findings, 422)
        case Unknown():
            return link_is_over(request)


def _in(joined: Done[Show]) -> Response:
    return see_other(f"/studio/shows/{joined.it.slug}/")


def _make_and_join(
    session: Session, secret: str, typed: Mapping[str, str], hashed: str, now: dt.datetime, browser: Browser
) -> Done[tuple[Show, str]] | Refused | Unknown:
    """The account, its role in the show, and the new person's first browser session."""
    invitation = members.invitation_to_use(session, secret, now)
    if invitation is None:
        return Unknown()
    made = account(session, typed, hashed, is_administrator=False, now=now)
    if not isinstance(made, User):
        return Refused(made)
    members.join(session, invitation, made)
    return Done((invitation.show, sign_in(session, made.id, now, browser)))


async def _page(
    request: Request,
    person: User | None,
    typed: Mapping[str, str],
    findings: Sequence[Finding] = (),
    status: int = 200,
) -> Response:
    found = await in_reading(request, _look, request.path_params["secret"], person, utcnow())
    if found is None:
        return link_is_over(request, person)
    invitation, is_more = found
    return page(
        request,
        "invitation.html",
        person,
        status_code=status,
        form=account_form(request, {"email": invitation.link.email, **typed}, findings),
        show_title=main_text(invitation.show).title,
        home=f"/studio/shows/{invitation.show.slug}/",
        role=invitation.role,
        is_more=is_more,
    )


def _look(session: Session, secret: str, person: User | None, now: dt.datetime) -> tuple[Invitation, bool] | None:
    """The invitation, and whether it gives this person anything that they do not have."""
    invitation = members.invitation(session, secret, now)
    if invitation is None:
        return None
    return invitation, person is None or members.is_more(session, invitation, person)
