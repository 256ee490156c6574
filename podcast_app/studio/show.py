"""A show's own page: its texts, its cover, and what directories want to know of it."""

import dataclasses
import datetime as dt
import zoneinfo
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding, error
from podcast_app import fields, shows
from podcast_app.addresses import Addresses
from podcast_app.covers import Picture
from podcast_app.documents import cover_address, main_text
from podcast_app.fields import ShowFields
from podcast_app.http import in_reading, in_transaction, services
from podcast_app.models import Show, User
from podcast_app.outcomes import Done, Refused
from podcast_app.settings import Settings
from podcast_app.studio import edits, episode_form, multipart, rights, show_form
from podcast_app.studio.doors import for_people, see_other
from podcast_app.studio.inputs import Form, cleaned, remarks
from podcast_app.studio.pages import language_of, page
from podcast_app.times import utcnow

CHOOSE_AGAIN = error("cover", "The picture was not saved, because something else needs a look.", "Choose it again.")


@dataclasses.dataclass(frozen=True, slots=True)
class Clash:
    """Somebody else changed the same inputs meanwhile; nothing was saved."""


@for_people
async def show_page(request: Request, person: User) -> Response:
    return await _answer(request, person, request.path_params["show"])


@for_people
async def save(request: Request, person: User) -> Response:
    slug = request.path_params["show"]
    await in_reading(request, rights.show_of_producer, person, slug)
    sent = await multipart.without_recording(request)
    typed = cleaned(sent.fields)
    picture = await multipart.cover(request, sent)
    if isinstance(picture, Finding):
        return await _answer(request, person, slug, typed, [picture], status=422)
    lost = [CHOOSE_AGAIN] if picture is not None else []
    match await in_transaction(request, _save, person, slug, typed, picture, services(request).settings, utcnow()):
        case Done(show):
            services(request).work.wake()
            return see_other(f"/studio/shows/{show.slug}/settings")
        case Refused(findings):
            return await _answer(request, person, slug, typed, [*findings, *lost], status=422)
        case Clash():
            return await _answer(request, person, slug, typed, lost, status=409)


def _save(
    session: Session,
    person: User,
    slug: str,
    typed: Mapping[str, str],
    picture: Picture | None,
    settings: Settings,
    now: dt.datetime,
) -> Done[Show] | Refused | Clash:
    show = rights.show_to_change(session, person, slug)
    saved = show_form.values(show)
    merged = edits.merge(typed, saved)
    if merged.clashes:
        return Clash()
    changes = fields.parse(ShowFields, show_form.said(merged.changes, {**saved, **merged.changes}))
    if isinstance(changes, list):
        return Refused(changes)
    if not merged.changes and picture is None:
        return Done(show)
    return shows.edit(session, show, changes, settings, now, picture=picture)


async def _answer(
    request: Request,
    person: User,
    slug: str,
    typed: Mapping[str, str] | None = None,
    findings: Sequence[Finding] = (),
    *,
    status: int = 200,
) -> Response:
    show, may_change = await in_reading(request, _read, person, slug)
    saved = show_form.values(show)
    merged = edits.merge(typed or {}, saved)
    here = [dataclasses.replace(finding, field=finding.field.removeprefix("show.")) for finding in findings]
    form = Form(
        values={**saved, **merged.changes},
        remarks=remarks(language_of(request, person), here, {**saved, "cover": ""}),
        clashes=merged.clashes,
        seen=edits.seen(saved),
        is_open=may_change,
    )
    return page(
        request,
        "show.html",
        person,
        status_code=status,
        form=form,
        show=show,
        show_title=main_text(show).title,
        cover=cover_address(None, show, Addresses("")),  # our own host, whatever its name is today
        offers_crop=multipart.offers_crop(findings, typed or {}),
        translations=show_form.translation_languages(form.values),
        category_inputs=[name for name in form.values if name.startswith("category.")],
        categories=[(choice, choice) for choice in show_form.CATEGORIES],
        spoken=episode_form.offered(show.language),
        time_zones=[(name, name) for name in sorted(zoneinfo.available_timezones())],
    )


def _read(session: Session, person: User, slug: str) -> tuple[Show, bool]:
    show = rights.show(session, person, slug)
    return show, rights.may_change(session, person, show)
