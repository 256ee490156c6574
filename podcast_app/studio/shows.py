"""The shows: all that are a person's, and a new one, which an administrator makes."""

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence

from anyio import to_thread
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding, error
from media import artwork
from podcast_app import covers, documents, fields, shows
from podcast_app.covers import Picture
from podcast_app.fields import ShowFields
from podcast_app.http import Problem, in_reading, in_transaction, services
from podcast_app.models import Show, User
from podcast_app.outcomes import Done, Refused
from podcast_app.settings import Settings
from podcast_app.studio import episode_form, once, rights, show_form
from podcast_app.studio.doors import for_people, see_other
from podcast_app.studio.inputs import Form, remarks, sent
from podcast_app.studio.pages import language_of, page
from podcast_app.times import utcnow

FOR_ADMINISTRATORS = error("", "Only administrators make new shows.", "Ask one of them for it.")


@for_people
async def first_page(request: Request, person: User) -> Response:
    """With one show, straight to it."""
    found = await in_reading(request, rights.shows_of, person)
    return see_other(f"/studio/shows/{found[0].slug}/") if len(found) == 1 else _listed(request, person, found)


@for_people
async def list_page(request: Request, person: User) -> Response:
    return _listed(request, person, await in_reading(request, rights.shows_of, person))


def _listed(request: Request, person: User, found: Sequence[Show]) -> Response:
    """The page of these shows, the archived ones apart."""
    named = [(show.slug, documents.main_text(show).title, show.archived_at) for show in found]
    return page(
        request,
        "shows.html",
        person,
        shows=[(slug, title) for slug, title, archived_at in named if archived_at is None],
        archived=[(slug, title) for slug, title, archived_at in named if archived_at is not None],
    )


@for_people
async def new_page(request: Request, person: User) -> Response:
    _must_be_administrator(person)
    return _form_page(request, person, {"language": language_of(request, person)})


@for_people
async def create(request: Request, person: User) -> Response:
    _must_be_administrator(person)
    typed = await sent(request)
    said = fields.parse(ShowFields, _said(typed))
    if isinstance(said, list):
        return _form_page(request, person, typed, said)
    here = services(request)
    drawn = await to_thread.run_sync(artwork.generated, said.title, limiter=here.drawing)
    picture = await to_thread.run_sync(lambda: covers.store(here.database, here.storage, drawn, is_generated=True))
    match await in_transaction(request, _make, person, typed, said, picture, here.settings, utcnow()):
        case Done(slug):
            here.work.wake()
            return see_other(f"/studio/shows/{slug}/")
        case Refused(findings):
            return _form_page(request, person, typed, findings)


def _make(
    session: Session,
    person: User,
    typed: Mapping[str, str],
    said: ShowFields,
    picture: Picture,
    settings: Settings,
    now: dt.datetime,
) -> Done[str] | Refused:
    """The new show's address. The person is locked, so that a form that is sent twice makes one show."""
    session.execute(select(User.id).where(User.id == person.id).with_for_update())
    if (earlier := once.result(session, person, typed)) is not None:
        return Done(earlier)
    made = shows.create(session, said, picture, settings, now)
    if isinstance(made, Refused):
        return made
    once.remember(session, person, typed, made.it.slug, now)
    return Done(made.it.slug)


def _said(typed: Mapping[str, str]) -> dict[str, object]:
    inputs = {name: typed.get(name, "") for name in ("title", "language", "author", "description")}
    chosen = typed.get("category.0", "")
    return inputs | ({"categories": [show_form.category(chosen)]} if chosen else {})


def _form_page(request: Request, person: User, typed: Mapping[str, str], findings: Sequence[Finding] = ()) -> Response:
    names = ("title", "language", "author", "description", "category.0")
    values = {name: typed.get(name, "") for name in names}
    language = language_of(request, person)
    return page(
        request,
        "new_show.html",
        person,
        status_code=422 if findings else 200,
        form=Form(values=values, remarks=remarks(language, findings, values)),
        form_id=typed.get("form_id") or secrets.token_hex(16),
        categories=[(choice, show_form.in_words(language, choice)) for choice in show_form.CATEGORIES],
        spoken=episode_form.offered(*filter(None, [values["language"]])),
    )


def _must_be_administrator(person: User) -> None:
    """Raises Problem 403."""
    if not person.is_administrator:
        raise Problem(403, [FOR_ADMINISTRATORS])
