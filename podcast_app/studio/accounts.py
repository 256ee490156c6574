"""Everybody who has an account here, for administrators: their shows, the switch that makes one, and ways out."""

import datetime as dt
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding
from podcast_app import members, people
from podcast_app.documents import main_text
from podcast_app.http import Problem, in_reading, in_transaction, services
from podcast_app.models import OneTimeLink, Role, ShowId, StudioSession, Token, User, UserId
from podcast_app.outcomes import Done, Refused
from podcast_app.studio import once, rights
from podcast_app.studio.doors import for_people, see_other
from podcast_app.studio.inputs import Form, remarks, sent
from podcast_app.studio.pages import language_of, page
from podcast_app.times import utcnow

HERE = "/studio/people"


@dataclass(frozen=True, slots=True)
class Part:
    """A show that somebody works on."""

    slug: str
    title: str
    role: Role


@dataclass(frozen=True, slots=True)
class Account:
    person: User
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Accounts:
    all: Sequence[Account]
    links: Sequence[tuple[OneTimeLink, str]]  # with the show that it leads to, or whose password it sets, or ""
    tokens: Sequence[Token]  # for all shows


@for_people
async def show_page(request: Request, person: User) -> Response:
    rights.must_administer(person)
    return page(request, "accounts.html", person, accounts=await in_reading(request, _accounts, person, utcnow()))


@for_people
async def show_one(request: Request, person: User) -> Response:
    rights.must_administer(person)
    return await _page(request, person)


@for_people
async def set_administrator(request: Request, person: User) -> Response:
    wanted = (await sent(request)).get("is_administrator") == "true"
    return await _changed(request, person, lambda session, user: people.set_administrator(session, user, wanted))


@for_people
async def remove(request: Request, person: User) -> Response:
    return await _changed(request, person, people.remove, then=HERE)


@for_people
async def sign_out(request: Request, person: User) -> Response:
    """Everywhere. Whoever lost a telephone may not get to their own page."""
    return await _changed(request, person, _sign_out)


@for_people
async def password_link(request: Request, person: User) -> Response:
    """The link stands on this one answer and nowhere else. The same form again makes no second one."""
    secret = await in_transaction(request, _password_link, person, _user_id(request), await sent(request), utcnow())
    if not secret:
        return see_other(f"{HERE}/{_user_id(request)}")
    return await _page(request, person, address=f"{services(request).settings.origin}/studio/password/{secret}")


@for_people
async def take_back(request: Request, person: User) -> Response:
    await in_transaction(request, _take_back, person, request.path_params["link"])
    return see_other(HERE)


async def _changed(
    request: Request, person: User, change: Callable[[Session, User], list[Finding]], then: str = ""
) -> Response:
    """Change an account; what stands in the way is said on its page."""
    user_id = _user_id(request)
    match await in_transaction(request, _change, person, user_id, change):
        case Done():
            return see_other(then or f"{HERE}/{user_id}")
        case Refused(findings):
            return await _page(request, person, findings, status=409)


def _change(
    session: Session, person: User, user_id: UserId, change: Callable[[Session, User], list[Finding]]
) -> Done[None] | Refused:
    findings = change(session, _user_to_change(session, person, user_id))
    return Refused(findings) if findings else Done(None)


def _sign_out(session: Session, user: User) -> list[Finding]:
    people.sign_out_everywhere(session, user.id)
    return []


def _password_link(session: Session, person: User, user_id: UserId, typed: Mapping[str, str], now: dt.datetime) -> str:
    """The new link's secret; "" when this form has led to one before."""
    user = _user_to_change(session, person, user_id)
    if once.result(session, person, typed) is not None:
        return ""
    once.remember(session, person, typed, "made", now)
    return people.password_link(session, user.id, now)


def _take_back(session: Session, person: User, link: str) -> None:
    rights.as_administrator(session, person)
    people.take_back(session, link)


def _user_to_change(session: Session, person: User, user_id: UserId) -> User:
    """Raises Problem 404."""
    rights.as_administrator(session, person)
    return _user(session, user_id)


def _user(session: Session, user_id: UserId) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise Problem(404, [rights.NOT_HERE])
    return user


def _user_id(request: Request) -> UserId:
    return UserId(request.path_params["person"])


async def _page(
    request: Request, person: User, findings: Sequence[Finding] = (), *, status: int = 200, address: str = ""
) -> Response:
    account, sessions = await in_reading(request, _one, person, _user_id(request), utcnow())
    return page(
        request,
        "person.html",
        person,
        status_code=status,
        form=Form(values={}, remarks=remarks(language_of(request, person), findings, {})),
        form_id=secrets.token_hex(16),
        account=account,
        sessions=sessions,
        address=address,
    )


def _accounts(session: Session, person: User, now: dt.datetime) -> Accounts:
    users, shows, roles = people.users(session), _shows(session, person), members.by_person(session)
    names = {user.id: user.name for user in users}
    links = [(link, _leads_to(link, shows, names)) for link in people.links(session, now)]
    everybody = [_account(user, shows, roles.get(user.id, ())) for user in users]
    return Accounts(everybody, links, people.tokens_of(session, None))


def _one(session: Session, person: User, user_id: UserId, now: dt.datetime) -> tuple[Account, Sequence[StudioSession]]:
    user = _user(session, user_id)
    account = _account(user, _shows(session, person), members.by_person(session).get(user_id, ()))
    return account, people.sessions(session, user_id, now)


def _shows(session: Session, person: User) -> dict[ShowId, tuple[str, str]]:
    """Address and title of each."""
    return {show.id: (show.slug, main_text(show).title) for show in rights.shows_of(session, person)}


def _account(user: User, shows: Mapping[ShowId, tuple[str, str]], roles: Sequence[tuple[ShowId, Role]]) -> Account:
    return Account(user, [Part(*shows[show_id], role) for show_id, role in roles if show_id in shows])


def _leads_to(link: OneTimeLink, shows: Mapping[ShowId, tuple[str, str]], names: Mapping[UserId, str]) -> str:
    if link.show_id is not None and link.show_id in shows:
        return shows[link.show_id][1]
    return names.get(link.user_id, "") if link.user_id is not None else ""
