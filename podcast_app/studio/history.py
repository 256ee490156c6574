"""An episode's history: who changed what and when, the newest first; what a field held before can be brought back."""

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding, error
from podcast_app import documents, fields, history, publishing
from podcast_app.addresses import Addresses
from podcast_app.fields import EpisodeChanges
from podcast_app.history import Event
from podcast_app.http import Problem, in_reading, in_transaction, services
from podcast_app.models import Episode, EpisodeId, Json, Revision, Show, User
from podcast_app.outcomes import Conflict, Done, Refused, Unknown
from podcast_app.settings import Settings
from podcast_app.studio import edits, part, rights
from podcast_app.studio.differences import Difference, difference
from podcast_app.studio.doors import for_people, see_other
from podcast_app.studio.episode import conflict_finding
from podcast_app.studio.inputs import Form, remarks, sent
from podcast_app.studio.pages import language_of
from podcast_app.times import utcnow

ON_A_PAGE = 30

NOT_FIELDS = frozenset({"event", "publish_at", "generation", "transcript", "audio"})  # of a revision's changes

ORDER = (
    *("title", "notes", "season", "number", "type", "persons", "chapters"),
    *("language", "spoken_language", "explicit", "slug"),
)

CHANGED = error(
    "",
    "Somebody changed this text after you opened the page, so it was left as it is.",
    "Look at both below, and choose again.",
)
NO_LONGER = error("", "This is no longer in the history.", "Open the history again.")


@dataclass(frozen=True, slots=True)
class Change:
    """A difference, and what its form sends to bring back what was before; "" when that is what stands there now."""

    difference: Difference
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    id: int
    at: dt.datetime
    by: str  # "" when it happened on schedule
    email: str  # of an account that is still there: names may be anybody's
    event: Event | None
    changes: Sequence[Change]
    publish_at: dt.datetime | None  # what it was scheduled for
    generation: int | None  # of the feed, the first that held it
    filename: str  # of the recording that it is about
    language: str  # of the transcript


@dataclass(frozen=True, slots=True)
class _Read:
    episode: Episode
    is_open: bool
    entries: Sequence[Entry]
    has_older: bool


@for_people
async def show_page(request: Request, person: User) -> Response:
    return await _answer(request, person)


@for_people
async def restore(request: Request, person: User) -> Response:
    """The field is again as it was before this revision; a revision of its own."""
    revision, typed, settings = request.path_params["revision"], await sent(request), services(request).settings
    outcome = await in_transaction(request, _restore, person, part.asked(request), revision, typed, settings, utcnow())
    match outcome:
        case Done():
            services(request).work.wake()
            return see_other(f"/studio/episodes/{part.asked(request)}/history")
        case Refused(findings):
            return await _answer(request, person, findings, 409 if CHANGED in findings else 422)
        case Conflict() as conflict:
            return await _answer(request, person, [conflict_finding(conflict)], 409)
        case Unknown():
            raise AssertionError("the episode is locked")


async def _answer(request: Request, person: User, findings: Sequence[Finding] = (), status: int = 200) -> Response:
    read = await in_reading(request, _read, person, part.asked(request), _before(request))
    form = Form(values={}, remarks=remarks(language_of(request, person), findings, {}), is_open=read.is_open)
    return part.part_page(
        request,
        "history.html",
        person,
        read.episode,
        status,
        form=form,
        entries=read.entries,
        has_older=read.has_older,
    )


def _before(request: Request) -> int | None:
    said = request.query_params.get("before", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else None


def _read(session: Session, person: User, episode_id: EpisodeId, before: int | None) -> _Read:
    episode, is_open = part.read(session, person, episode_id)
    found = history.of_episode(session, episode_id, ON_A_PAGE + 1, before)
    now = history.values(session, episode_id)
    knows_the_team = rights.may_change(session, person, episode.show)  # whose addresses viewers do not see
    emails = _emails(session, {revision.by_id for revision in found}) if knows_the_team else {}
    entries = [_entry(revision, now, emails.get(revision.by_id, "")) for revision in found[:ON_A_PAGE]]
    return _Read(episode, is_open, entries, has_older=len(found) > ON_A_PAGE)


def _entry(revision: Revision, now: Mapping[str, Json], email: str) -> Entry:
    fields = {name: pair for name, pair in revision.changes.items() if name not in NOT_FIELDS}
    details = {name: pair[1] for name, pair in revision.changes.items() if name in NOT_FIELDS}
    names = sorted(fields, key=_place)
    changes = [Change(difference(name, *fields[name]), _seen(name, fields[name][0], now)) for name in names]
    at = details.get("publish_at")
    return Entry(
        id=revision.id,
        at=revision.at,
        by=revision.by,
        email=email,
        event=history.event_of(revision),
        changes=changes,
        publish_at=dt.datetime.fromisoformat(at) if at else None,
        generation=details.get("generation"),
        filename=details.get("audio", ""),
        language=details.get("transcript", ""),
    )


def _emails(session: Session, authors: Collection[str]) -> dict[str, str]:
    """Those of the authors who have an account."""
    ids = [author.removeprefix("user:") for author in authors if author.startswith("user:")]
    rows = session.execute(select(User.id, User.email).where(User.id.in_(ids)))
    return {f"user:{row.id}": row.email for row in rows}


def _place(name: str) -> tuple[int, str]:
    """Where a field stands on the page of an episode; translations after the main text."""
    base, _, language = name.partition(".")
    return ORDER.index(base) if base in ORDER else len(ORDER), language


def _seen(name: str, before: Json, now: Mapping[str, Json]) -> str:
    is_now = now.get(name, "")
    return edits.seen({name: _written(is_now)}) if is_now != before else ""


def _written(value: Json) -> str:
    return json.dumps(value, sort_keys=True)


def _restore(
    session: Session,
    person: User,
    episode_id: EpisodeId,
    revision_id: int,
    typed: Mapping[str, str],
    settings: Settings,
    now: dt.datetime,
) -> publishing.Outcome:
    show, episode = rights.episode_to_change(session, person, episode_id)
    revision, name = session.get(Revision, revision_id), typed.get("field", "")
    if revision is None or revision.episode_id != episode_id or name not in revision.changes or name in NOT_FIELDS:
        raise Problem(404, [NO_LONGER])
    before, is_now = revision.changes[name][0], history.values(session, episode_id)
    mine = {"seen": typed.get("seen", ""), name: _written(before)}
    merged = edits.merge(mine, {name: _written(is_now.get(name, ""))})
    if merged.clashes:
        return Refused([CHANGED])
    if not merged.changes:
        return Done(episode)
    changes = fields.parse(EpisodeChanges, _said(name, before, is_now, show, episode, settings))
    if isinstance(changes, list):
        return Refused(changes)
    history.marks_restored(session, episode_id)
    return publishing.edit(session, episode_id, changes, settings, now)


def _said(
    name: str, value: Json, is_now: Mapping[str, Json], show: Show, episode: Episode, settings: Settings
) -> dict[str, object]:
    """A field's value as somebody would say it who wants it so."""
    addresses = Addresses(settings.origin)
    base, _, language = name.partition(".")
    if language:
        other = "notes" if base == "title" else "title"
        return {"translations": {language: {base: value, other: is_now.get(f"{other}.{language}", "")}}}
    if name == "chapters":
        return {name: [_with_picture(row, _of_chapter(row, show, episode, addresses)) for row in value]}
    if name == "persons":
        return {name: [_with_picture(row, documents.person_picture(row, show, addresses)) for row in value]}
    return {name: value}


def _of_chapter(row: Json, show: Show, episode: Episode, addresses: Addresses) -> str | None:
    return addresses.cover(show.slug, episode.slug, row["picture"], "jpg") if row.get("picture") else None


def _with_picture(row: Json, address: str | None) -> dict[str, Json]:
    return {name: value for name, value in row.items() if name != "picture"} | {"image_url": address or ""}
