"""A show's own page: its texts, its cover, and what directories and apps want to know of it."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds import checks
from feeds.checks import Finding, error
from podcast_app import apps, documents, fields, shows
from podcast_app.addresses import Addresses, views
from podcast_app.covers import Picture
from podcast_app.documents import cover_address, main_text
from podcast_app.fields import ShowFields
from podcast_app.http import in_reading, in_transaction, services
from podcast_app.models import Show, User
from podcast_app.outcomes import Done, Refused
from podcast_app.settings import Settings
from podcast_app.studio import edits, episode_form, multipart, persons_form, rights, show_form, zones
from podcast_app.studio.doors import for_people, see_other
from podcast_app.studio.inputs import Form, cleaned, remarks, sent
from podcast_app.studio.pages import language_of, page
from podcast_app.times import utcnow

CHOOSE_AGAIN = error("cover", "The picture was not saved, because something else needs a look.", "Choose it again.")
PURPOSES = ("verify", "applepodcastsverify", "ai-content", "release")  # Podcasting 2.0, `txt`


@dataclasses.dataclass(frozen=True, slots=True)
class Clash:
    """Somebody else changed the same inputs meanwhile; nothing was saved."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Read:
    """What the page is made from."""

    show: Show
    may_change: bool
    known: list[persons_form.Row]
    advice: list[Finding]  # what directories would like otherwise
    in_the_way: Finding | None  # of putting the show away


@for_people
async def show_page(request: Request, person: User) -> Response:
    return await _answer(request, person, request.path_params["show"])


@for_people
async def save(request: Request, person: User) -> Response:
    slug = request.path_params["show"]
    await in_reading(request, rights.show_of_producer, person, slug)
    form = await multipart.without_recording(request)
    typed = show_form.gathered(cleaned(form.fields))
    picture = await multipart.cover(request, form)
    if isinstance(picture, Finding):
        return await _answer(request, person, slug, typed, [picture], status=422)
    lost = [CHOOSE_AGAIN] if picture is not None else []
    match await in_transaction(request, _save, person, slug, typed, picture, services(request).settings, utcnow()):
        case Done(show):
            services(request).work.wake()
            return see_other(f"/studio/shows/{show.slug}/settings?saved=yes")
        case Refused(findings):
            return await _answer(request, person, slug, typed, [*findings, *lost], status=422)
        case Clash():
            return await _answer(request, person, slug, typed, lost, status=409)


@for_people
async def archive(request: Request, person: User) -> Response:
    """Put the show away, or bring it back: `archived` is "true" or "false"."""
    slug, typed = request.path_params["show"], await sent(request)
    wanted = ShowFields(archived=typed.get("archived") == "true")
    match await in_transaction(request, _archive, person, slug, wanted, services(request).settings, utcnow()):
        case Done(show):
            services(request).work.wake()
            return see_other("/studio/shows/" if wanted.archived else f"/studio/shows/{show.slug}/")
        case Refused(findings):
            return await _answer(request, person, slug, None, findings, status=422)


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
    said = show_form.said(merged.changes, {**typed, **saved, **merged.changes}, now)
    wrong = show_form.findings(show, merged.changes, {**saved, **merged.changes})
    if persons_form.FIELD in merged.changes:
        known = persons_form.known(session, show)
        said |= {persons_form.FIELD: persons_form.said(typed, known, show, Addresses(settings.origin))}
        wrong += persons_form.findings(typed)
    changes = fields.parse(ShowFields, said)
    if wrong or isinstance(changes, list):
        return Refused([*wrong, *(changes if isinstance(changes, list) else [])])
    if not merged.changes and picture is None:
        return Done(show)
    return shows.edit(session, show, changes, settings, now, picture=picture)


def _archive(
    session: Session, person: User, slug: str, wanted: ShowFields, settings: Settings, now: dt.datetime
) -> Done[Show] | Refused:
    return shows.edit(session, rights.show_to_change(session, person, slug), wanted, settings, now)


async def _answer(
    request: Request,
    person: User,
    slug: str,
    typed: Mapping[str, str] | None = None,
    findings: Sequence[Finding] = (),
    *,
    status: int = 200,
) -> Response:
    language, settings = language_of(request, person), services(request).settings
    read = await in_reading(request, _read, person, slug, settings)
    show, typed = read.show, typed or {}
    form = _form(read, language, typed, findings)
    return page(
        request,
        "show.html",
        person,
        status_code=status,
        form=form,
        show=show,
        show_title=main_text(show).title,
        is_saved=status == 200 and "saved" in request.query_params,
        in_the_way=read.in_the_way,
        people=_people(language, typed, form.values[persons_form.FIELD], read),
        codes=show_form.shown_codes(show, typed, form.values["verification"]),
        purposes=PURPOSES,
        zones=show_form.shown_zones(form.values["zones"]),
        apps=apps.APPS,
        feed=Addresses(settings.origin).feed(show.slug, views(show.language)[0]),
        cover=cover_address(None, show, Addresses("")),  # our own host, whatever its name is today
        offers_crop=multipart.offers_crop(findings, typed),
        translations=show_form.translation_languages(form.values),
        category_inputs=[name for name in form.values if name.startswith("category.")],
        categories=[(choice, show_form.in_words(language, choice)) for choice in show_form.CATEGORIES],
        site_colours=show_form.COLOURS,
        spoken=episode_form.offered(show.language),
        time_zones=zones.offered(language, show.time_zone),
    )


def _form(read: _Read, language: str, typed: Mapping[str, str], findings: Sequence[Finding]) -> Form:
    saved = show_form.values(read.show)
    merged = edits.merge(typed, saved)
    clashes = dict(merged.clashes)
    if persons_form.FIELD in clashes:
        clashes[persons_form.FIELD] = persons_form.in_words(language, clashes[persons_form.FIELD])
    inputs = {**saved, "cover": "", "archived": ""}
    return Form(
        values={**saved, **merged.changes},
        remarks=remarks(language, map(_beside, findings), inputs),
        advice=remarks(language, map(_beside, read.advice), inputs),
        clashes=clashes,
        seen=edits.seen(saved),
        is_open=read.may_change,
    )


def _beside(finding: Finding) -> Finding:
    """The checks of an episode say "show.title"; here it is the title."""
    return dataclasses.replace(finding, field=finding.field.removeprefix("show."))


def _people(language: str, typed: Mapping[str, str], value: str, read: _Read) -> persons_form.People:
    """Who makes a show is its host, more often than not."""
    people = persons_form.people(language, typed, value, read.show.persons, read.known)
    rows = [row if row.name or row.url else persons_form.Row(role="cast/host") for row in people.rows]
    return dataclasses.replace(people, rows=rows)


def _read(session: Session, person: User, slug: str, settings: Settings) -> _Read:
    show = rights.show(session, person, slug)
    return _Read(
        show=show,
        may_change=rights.may_change(session, person, show),
        known=persons_form.known(session, show),
        advice=list(checks.show(documents.show_document(show, views(show.language)[0], settings))),
        in_the_way=shows.in_the_way_of_archiving(session, show.id),
    )
