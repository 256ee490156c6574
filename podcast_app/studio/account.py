"""A person's own page: name, language of the studio, password, and where they are signed in."""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding, error
from media import text
from podcast_app import people
from podcast_app.access import SESSION_COOKIE
from podcast_app.addresses import page_language
from podcast_app.http import in_reading, in_transaction, services
from podcast_app.models import User, UserId
from podcast_app.studio.doors import browser, for_people, open_door, see_other
from podcast_app.studio.inputs import Form, remarks, sent
from podcast_app.studio.pages import language_of, page
from podcast_app.studio.sign_in import hashed, is_right, too_often
from podcast_app.times import utcnow

HERE = "/studio/account"

WRONG_PASSWORD = error("old_password", "This is not your password of until now.", "Check it, and try again.")


@for_people
async def show_page(request: Request, person: User) -> Response:
    return await _page(request, person)


@for_people
async def save(request: Request, person: User) -> Response:
    await in_transaction(request, _save, person.id, await sent(request))
    return see_other(HERE)


@for_people
async def change_password(request: Request, person: User) -> Response:
    """The new one signs out every other browser; this one stays."""
    typed, sign_ins = await sent(request), services(request).sign_ins
    if seconds := sign_ins.wait_where_known(person.email):
        return await _page(request, person, [too_often("old_password", seconds)], 429)
    if not await is_right(request, typed.get("old_password", ""), person):
        return await _page(request, person, [WRONG_PASSWORD], 422)
    sign_ins.forgive(person.email)
    password = typed.get("password", "")
    if findings := people.password_findings(password):
        return await _page(request, person, findings, 422)
    kept = await hashed(request, password)
    secret = await in_transaction(request, _set_password, person.id, kept, browser(request))
    return open_door(request, see_other(HERE), secret, person.email)


@for_people
async def end_session(request: Request, person: User) -> Response:
    """Sign out on one browser. When it is this one, the next page is the one to sign in."""
    await in_transaction(request, people.end_session, person.id, request.path_params["session"])
    return see_other(HERE)


def _save(session: Session, user_id: UserId, typed: Mapping[str, str]) -> None:
    person = session.get_one(User, user_id)
    person.name = text.clean_line(typed.get("name", ""))[:255] or person.name
    person.language = page_language(typed.get("language", person.language))


def _set_password(session: Session, user_id: UserId, hashed: str, browser: people.Browser) -> str:
    people.set_password(session, session.get_one(User, user_id), hashed)
    return people.sign_in(session, user_id, utcnow(), browser)


async def _page(request: Request, person: User, findings: Sequence[Finding] = (), status: int = 200) -> Response:
    values = {"name": person.name, "language": page_language(person.language), "old_password": "", "password": ""}
    return page(
        request,
        "account.html",
        person,
        status_code=status,
        form=Form(values=values, remarks=remarks(language_of(request, person), findings, values)),
        sessions=await in_reading(request, people.sessions, person.id, utcnow()),
        this_one=people.digest(request.cookies.get(SESSION_COOKIE, "")),
        session_lasts=people.SESSION_LASTS,
    )
