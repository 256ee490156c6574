"""Tokens: keys of machines to the API, for one show, or for all shows in the hands of administrators."""

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding, error
from media import text
from podcast_app import people
from podcast_app.documents import main_text
from podcast_app.http import in_reading, in_transaction
from podcast_app.models import Show, Token, TokenId, User
from podcast_app.outcomes import Done, Refused
from podcast_app.studio import once, rights
from podcast_app.studio.doors import for_people, see_other
from podcast_app.studio.inputs import Form, remarks, sent
from podcast_app.studio.pages import language_of, page
from podcast_app.times import utcnow

NO_NAME = error("name", "The token has no name.", "Say which machine or program it is for, to know it again here.")


@for_people
async def show_page(request: Request, person: User) -> Response:
    return await _page(request, person)


@for_people
async def make(request: Request, person: User) -> Response:
    """The token stands on this one answer and nowhere else. The same form again makes no second one."""
    typed = await sent(request)
    match await in_transaction(request, _make, person, _slug(request), typed, utcnow()):
        case Done(secret) if secret:
            return await _page(request, person, secret=secret)
        case Done():
            return see_other(_here(request))
        case Refused(findings):
            return await _page(request, person, typed, findings, status=422)


@for_people
async def revoke(request: Request, person: User) -> Response:
    token_id = TokenId(request.path_params["token"])
    await in_transaction(request, _revoke, person, _slug(request), token_id, utcnow())
    return see_other(_here(request))


def _make(
    session: Session, person: User, slug: str | None, typed: Mapping[str, str], now: dt.datetime
) -> Done[str] | Refused:
    """The new token's secret; "" when this form has led to one before."""
    show = _show_to_change(session, person, slug)
    if once.result(session, person, typed) is not None:
        return Done("")
    name = text.clean_line(typed.get("name", ""))
    if not name:
        return Refused([NO_NAME])
    once.remember(session, person, typed, "made", now)
    return Done(people.create_token(session, name, show.id if show is not None else None, now))


def _revoke(session: Session, person: User, slug: str | None, token_id: TokenId, now: dt.datetime) -> None:
    show = _show_to_change(session, person, slug)
    people.end_token(session, token_id, show.id if show is not None else None, now)


def _show_to_change(session: Session, person: User, slug: str | None) -> Show | None:
    """Locked; None for all shows, which are for administrators. Raises Problem 403, 404."""
    if slug is not None:
        return rights.show_to_change(session, person, slug)
    rights.as_administrator(session, person)
    return None


def _slug(request: Request) -> str | None:
    """Of the show; None on the page of tokens for all shows."""
    slug: str | None = request.path_params.get("show")
    return slug


def _here(request: Request) -> str:
    slug = _slug(request)
    return f"/studio/shows/{slug}/tokens" if slug is not None else "/studio/people/tokens"


async def _page(
    request: Request,
    person: User,
    typed: Mapping[str, str] | None = None,
    findings: Sequence[Finding] = (),
    *,
    status: int = 200,
    secret: str = "",
) -> Response:
    show, tokens = await in_reading(request, _read, person, _slug(request))
    values = {"name": "", **(typed or {})}
    return page(
        request,
        "tokens.html",
        person,
        status_code=status,
        form=Form(values=values, remarks=remarks(language_of(request, person), findings, values)),
        form_id=secrets.token_hex(16),
        show=show,
        show_title=main_text(show).title if show is not None else "",
        time_zone=show.time_zone if show is not None else "UTC",
        here=_here(request),
        tokens=tokens,
        secret=secret,
    )


def _read(session: Session, person: User, slug: str | None) -> tuple[Show | None, Sequence[Token]]:
    if slug is None:
        rights.must_administer(person)
        return None, people.tokens_of(session, None)
    show = rights.show_of_producer(session, person, slug)
    return show, people.tokens_of(session, show.id)
