"""Who works on a show: their roles, and invitations as links to pass on."""

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding, error
from podcast_app import members, people
from podcast_app.documents import main_text
from podcast_app.http import Problem, in_reading, in_transaction, services
from podcast_app.members import Member
from podcast_app.models import OneTimeLink, Role, Show, User, UserId
from podcast_app.outcomes import Done, Refused
from podcast_app.studio import once, rights
from podcast_app.studio.doors import for_people, see_other
from podcast_app.studio.inputs import Form, remarks, sent
from podcast_app.studio.pages import language_of, page
from podcast_app.times import utcnow

NO_ROLE = error("role", "There is no such role.", "Choose one of those in the list.")


@dataclass(frozen=True, slots=True)
class Team:
    show: Show
    members: Sequence[Member]
    administrators: Sequence[User]
    invitations: Sequence[OneTimeLink]  # for those who may invite; nobody else sees them
    may_change: bool


@for_people
async def show_page(request: Request, person: User) -> Response:
    return await _page(request, person)


@for_people
async def invite(request: Request, person: User) -> Response:
    """The link stands on this one answer and nowhere else. The same form again makes no second one."""
    slug, typed = request.path_params["show"], await sent(request)
    match await in_transaction(request, _invite, person, slug, typed, utcnow()):
        case Done(secret) if secret:
            address = f"{services(request).settings.origin}/studio/invitation/{secret}"
            return await _page(request, person, made_for=typed.get("email", ""), address=address)
        case Done():
            return see_other(_here(slug))
        case Refused(findings):
            return await _page(request, person, typed, findings, status=422)


@for_people
async def take_back(request: Request, person: User) -> Response:
    slug = request.path_params["show"]
    await in_transaction(request, _take_back, person, slug, request.path_params["link"])
    return see_other(_here(slug))


@for_people
async def change_role(request: Request, person: User) -> Response:
    slug, role = request.path_params["show"], _role((await sent(request)).get("role", ""))
    if role is None:
        raise Problem(422, [NO_ROLE])
    await in_transaction(request, _change, person, slug, UserId(request.path_params["person"]), role)
    return see_other(_here(slug))


@for_people
async def take_off(request: Request, person: User) -> Response:
    slug, user_id = request.path_params["show"], UserId(request.path_params["person"])
    await in_transaction(request, _change, person, slug, user_id, None)
    is_out = user_id == person.id and not person.is_administrator
    return see_other("/studio/" if is_out else _here(slug))


def _invite(
    session: Session, person: User, slug: str, typed: Mapping[str, str], now: dt.datetime
) -> Done[str] | Refused:
    """The secret of the new link; "" when this form has led to one before."""
    show = rights.show_to_change(session, person, slug)
    if once.result(session, person, typed) is not None:
        return Done("")
    role, email = _role(typed.get("role", "")), typed.get("email", "").strip()
    findings = [NO_ROLE] if role is None else []
    findings += people.email_findings(email) if email else []
    if role is None or findings:
        return Refused(findings)
    once.remember(session, person, typed, "made", now)
    return Done(people.show_link(session, show.id, role, email, now))


def _take_back(session: Session, person: User, slug: str, link: str) -> None:
    people.take_back(session, link, rights.show_to_change(session, person, slug).id)


def _change(session: Session, person: User, slug: str, user_id: UserId, role: Role | None) -> None:
    show = rights.show_to_change(session, person, slug)
    if not members.change_role(session, show, user_id, role):
        raise Problem(404, [rights.NOT_HERE])


def _role(said: str) -> Role | None:
    return next((role for role in get_args(Role) if role == said), None)


def _here(slug: str) -> str:
    return f"/studio/shows/{slug}/people"


async def _page(
    request: Request,
    person: User,
    typed: Mapping[str, str] | None = None,
    findings: Sequence[Finding] = (),
    *,
    status: int = 200,
    made_for: str = "",
    address: str = "",
) -> Response:
    team = await in_reading(request, _team, person, request.path_params["show"], utcnow())
    values = {"role": "producer", "email": "", **(typed or {})}
    return page(
        request,
        "people.html",
        person,
        status_code=status,
        form=Form(values=values, remarks=remarks(language_of(request, person), findings, values)),
        form_id=secrets.token_hex(16),
        team=team,
        show=team.show,
        show_title=main_text(team.show).title,
        address=address,
        made_for=made_for,
    )


def _team(session: Session, person: User, slug: str, now: dt.datetime) -> Team:
    show = rights.show(session, person, slug)
    may_change = rights.may_change(session, person, show)
    return Team(
        show=show,
        members=members.of_show(session, show.id),
        administrators=session.scalars(select(User).where(User.is_administrator).order_by(User.name)).all(),
        invitations=people.links(session, now, show.id) if may_change else (),
        may_change=may_change,
    )
