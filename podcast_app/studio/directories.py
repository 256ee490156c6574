"""How to get the show into the apps: what each directory asks, whether we meet it, and where its link is pasted."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds import checks
from feeds.checks import Finding
from podcast_app import apps, documents, fields, shows
from podcast_app.addresses import Addresses, views
from podcast_app.apps import App
from podcast_app.fields import ShowFields
from podcast_app.http import in_reading, in_transaction, services
from podcast_app.models import Show, User
from podcast_app.outcomes import Done, Refused
from podcast_app.settings import Settings
from podcast_app.studio import edits, rights
from podcast_app.studio.doors import for_people, see_other
from podcast_app.studio.inputs import Form, remarks, sent
from podcast_app.studio.pages import language_of, page
from podcast_app.times import utcnow

# What a directory may ask for; templates/studio/directories.html has the words.
Need = Literal["episode", "public", "cover", "description", "category", "author", "email"]


@dataclass(frozen=True, slots=True)
class Directory:
    """`key`: of apps.py."""

    key: str
    submit_at: str
    needs: tuple[Need, ...]

    @property
    def app(self) -> App:
        return apps.BY_KEY[self.key]


# The facts: Apple, "Podcast requirements"; Spotify, "Show metadata requirements" (which mails a code to the address in
# the feed, as YouTube and Amazon do).
DIRECTORIES = (
    Directory("apple", "https://podcastsconnect.apple.com/", ("episode", "public", "cover", "description", "category")),
    Directory("spotify", "https://creators.spotify.com/", ("episode", "public", "cover", "author", "email")),
    Directory("pocketcasts", "https://pocketcasts.com/submit/", ("episode", "public", "cover")),
    Directory("youtube", "https://studio.youtube.com/", ("episode", "public", "cover", "description", "email")),
    Directory("podcastindex", "https://podcastindex.org/add", ("episode", "public")),
    Directory(
        "amazon", "https://podcasters.amazon.com/", ("episode", "public", "cover", "description", "category", "email")
    ),
)


@dataclass(frozen=True, slots=True)
class Clash:
    """Somebody else changed the same link meanwhile; nothing was saved."""


@dataclass(frozen=True, slots=True)
class _Read:
    show: Show
    may_change: bool
    met: frozenset[Need]


@for_people
async def show_page(request: Request, person: User) -> Response:
    return await _answer(request, person)


@for_people
async def save(request: Request, person: User) -> Response:
    """The link that one directory gave."""
    slug, typed = request.path_params["show"], await sent(request)
    match await in_transaction(request, _save, person, slug, typed, services(request).settings, utcnow()):
        case Done(show):
            services(request).work.wake()
            return see_other(f"/studio/shows/{show.slug}/directories?saved=yes")
        case Refused(findings):
            return await _answer(request, person, typed, findings, status=422)
        case Clash():
            return await _answer(request, person, typed, status=409)


def _save(
    session: Session, person: User, slug: str, typed: Mapping[str, str], settings: Settings, now: dt.datetime
) -> Done[Show] | Refused | Clash:
    show = rights.show_to_change(session, person, slug)
    merged = edits.merge(typed, _links(show))
    if merged.clashes:
        return Clash()
    links = {name.removeprefix("links."): url for name, url in merged.changes.items()}
    changes = fields.parse(ShowFields, {"links": links})
    if isinstance(changes, list):
        return Refused([apps.not_there(app) for app in links])
    return shows.edit(session, show, changes, settings, now) if links else Done(show)


async def _answer(
    request: Request,
    person: User,
    typed: Mapping[str, str] | None = None,
    findings: Sequence[Finding] = (),
    *,
    status: int = 200,
) -> Response:
    settings = services(request).settings
    read = await in_reading(request, _read, person, request.path_params["show"], settings)
    show, saved = read.show, _links(read.show)
    merged = edits.merge(typed or {}, saved)
    values = {**saved, **merged.changes}
    return page(
        request,
        "directories.html",
        person,
        status_code=status,
        form=Form(
            values=values,
            remarks=remarks(language_of(request, person), findings, values),
            clashes=merged.clashes,
            is_open=read.may_change,
        ),
        seen={
            directory.key: edits.seen({directory.app.input: saved[directory.app.input]}) for directory in DIRECTORIES
        },
        is_saved=status == 200 and "saved" in request.query_params,
        show=show,
        show_title=documents.main_text(show).title,
        directories=DIRECTORIES,
        met=read.met,
        feed=Addresses(settings.origin).feed(show.slug, views(show.language)[0]),
    )


def _links(show: Show) -> dict[str, str]:
    return {directory.app.input: show.links.get(directory.key, "") for directory in DIRECTORIES}


def _read(session: Session, person: User, slug: str, settings: Settings) -> _Read:
    show = rights.show(session, person, slug)
    return _Read(show, rights.may_change(session, person, show), _met(session, show, settings))


def _met(session: Session, show: Show, settings: Settings) -> frozenset[Need]:
    """What we have of everything that is asked for: judged on the feed as it is made."""
    document = documents.show_document(show, views(show.language)[0], settings)
    wrong = {finding.field for finding in checks.show(document)}
    have: dict[Need, bool] = {
        "episode": shows.is_heard(session, show.id),
        "public": "show.feed_url" not in wrong,
        "cover": "show.cover" not in wrong,
        "description": "show.description" not in wrong,
        "category": "show.categories" not in wrong,
        "author": "show.author" not in wrong,
        "email": document.owner_email is not None and "show.owner_email" not in wrong,
    }
    return frozenset(need for need, is_met in have.items() if is_met)
