"""The first page of a show: what needs attention and every episode by its state."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds import checks
from media import text
from podcast_app import documents, episodes, publishing, trash, words
from podcast_app.addresses import Addresses, views
from podcast_app.http import in_reading, services
from podcast_app.models import (
    Audio,
    Derived,
    Edition,
    Episode,
    EpisodeId,
    EpisodeState,
    EpisodeText,
    Measurement,
    Show,
    Upload,
    User,
)
from podcast_app.search import folded
from podcast_app.settings import Settings
from podcast_app.site import paging, shown
from podcast_app.studio import rights
from podcast_app.studio.doors import for_people
from podcast_app.studio.episode_page import is_due, title
from podcast_app.studio.new_episode import lets_send_parts
from podcast_app.studio.pages import language_of, page
from podcast_app.studio.upload import on_their_way, refused, waiting
from podcast_app.times import utcnow
from podcast_app.trash import Thrown

ON_A_PAGE = 50  # published or withdrawn episodes
LONGEST_SEARCH = 200  # characters


@dataclass(frozen=True, slots=True)
class Trouble:
    """What somebody must look at, in the person's language; and which file to make again, if that may help."""

    said: str
    again: str = ""  # its name in the address: "enclosure"


@dataclass(frozen=True, slots=True)
class Line:
    """An episode in the list."""

    id: str
    title: str
    state: EpisodeState
    at: dt.datetime | None  # when it goes, went out, or left
    is_due: bool
    is_preparing: bool
    duration_ms: int | None
    cover: str


@dataclass(frozen=True, slots=True)
class Held:
    """An episode that needs attention, and why."""

    line: Line
    troubles: Sequence[Trouble]


@dataclass(frozen=True, slots=True)
class Overview:
    show: Show
    may_change: bool
    lines: Mapping[EpisodeState, Sequence[Line]]
    older: bool  # whether there is a next page
    recordings: Sequence[Upload]
    coming: Sequence[Upload]
    refused: Sequence[Upload]
    held: Sequence[Held]
    thrown: Thrown | None  # away just now

    @property
    def is_unlisted(self) -> bool:
        """Listeners can hear it, and nobody has said in which apps: that is for those who may."""
        return self.may_change and bool(self.lines["published"]) and not self.show.links


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the page is to show."""

    slug: str
    number: int  # of the page
    search: str
    thrown: str  # id of the episode that was thrown away just now, or ""
    language: str
    now: dt.datetime


@for_people
async def show_page(request: Request, person: User) -> Response:
    settings = services(request).settings
    search = text.clean_line(request.query_params.get("q", ""))[:LONGEST_SEARCH]
    thrown = text.clean_line(request.query_params.get("thrown", ""))
    slug, language = request.path_params["show"], language_of(request, person)
    asked = _Asked(slug, paging.number(request.query_params.get("page", "1")), search, thrown, language, utcnow())
    overview = await in_reading(request, _overview, person, asked, settings)
    show = overview.show
    answer = page(
        request,
        "home.html",
        person,
        overview=overview,
        number=asked.number,
        search=search,
        now=asked.now,
        show=show,
        show_title=documents.main_text(show).title,
        public=Addresses(settings.origin).show(show.slug, views(show.language)[0]),
    )
    return await lets_send_parts(request, answer) if overview.may_change else answer


def found(session: Session, show: Show, search: str) -> set[EpisodeId]:
    """Episodes with these words in a title, or in the name of their file. Compared here: no two databases agree on
    which letters are the same."""
    titles = select(Episode.id, EpisodeText.title).join(EpisodeText).where(Episode.show_id == show.id)
    files = (
        select(Episode.id, Upload.filename)
        .join(Audio, (Audio.episode_id == Episode.id) & Audio.is_current)
        .join(Upload, Audio.upload_id == Upload.id)
        .where(Episode.show_id == show.id)
    )
    wanted = folded(search).split()
    named = [row for query in (titles, files) for row in session.execute(query)]
    return {episode_id for episode_id, name in named if wanted and all(word in folded(name) for word in wanted)}


def _overview(session: Session, person: User, asked: _Asked, settings: Settings) -> Overview:
    show = rights.show(session, person, asked.slug)
    may_change = rights.may_change(session, person, show)
    past, older = _past(session, show, asked)
    unpublished = session.scalars(
        _of(session, show, asked, "draft", "scheduled").order_by(Episode.publish_at, Episode.created_at.desc())
    )
    by_state: dict[EpisodeState, list[Line]] = {"draft": [], "scheduled": [], "published": [], "withdrawn": []}
    for episode in (*unpublished, *past):
        by_state[episode.state].append(_line(episode, show, asked))
    is_first = asked.number == 1 and not asked.search
    shows_uploads = may_change and is_first
    return Overview(
        show=show,
        may_change=may_change,
        lines=by_state,
        older=older,
        recordings=waiting(session, show.id) if shows_uploads else (),
        coming=on_their_way(session, show.id) if shows_uploads else (),
        refused=refused(session, show.id, asked.now) if shows_uploads else (),
        held=list(_held(session, show, asked, settings)) if is_first else (),
        thrown=_thrown(session, show, asked) if may_change and asked.thrown else None,
    )


def _thrown(session: Session, show: Show, asked: _Asked) -> Thrown | None:
    episode = trash.get(session, show.id, EpisodeId(asked.thrown))
    return trash.thrown(episode) if episode is not None else None


def _past(session: Session, show: Show, asked: _Asked) -> tuple[Sequence[Episode], bool]:
    """A page of what was public, and whether there is another one."""
    ended = _of(session, show, asked, "published", "withdrawn").order_by(Episode.published_at.desc(), Episode.id)
    found = session.scalars(ended.offset((asked.number - 1) * ON_A_PAGE).limit(ON_A_PAGE + 1)).all()
    return found[:ON_A_PAGE], len(found) > ON_A_PAGE


def _of(session: Session, show: Show, asked: _Asked, *states: EpisodeState) -> Select[Episode]:
    of_show = episodes.whole(of_show=show.id).where(Episode.state.in_(states)).options(*episodes.ALL_AUDIO)
    return of_show.where(Episode.id.in_(found(session, show, asked.search))) if asked.search else of_show


def _held(session: Session, show: Show, asked: _Asked, settings: Settings) -> Iterator[Held]:
    """Whose work failed, wherever in the list they stand; and those that are due and do not go out."""
    failed = (
        select(Audio.episode_id)
        .join(Audio.editions)
        .outerjoin(Measurement, Measurement.upload_id == Audio.upload_id)
        .where(Audio.is_current | Audio.is_next, Edition.failure.is_not(None) | Measurement.failure.is_not(None))
    )
    due = (Episode.state == "scheduled") & (Episode.publish_at <= asked.now)
    wanted = _of(session, show, asked, "draft", "scheduled", "published").where(due | Episode.id.in_(failed))
    for episode in session.scalars(wanted.order_by(Episode.created_at.desc(), Episode.id)):
        if troubles := _troubles(episode, show, asked, settings):
            yield Held(_line(episode, show, asked), troubles)


def _line(episode: Episode, show: Show, asked: _Asked) -> Line:
    return Line(
        id=episode.id,
        title=title(episode),
        state=episode.state,
        at=episode.withdrawn_at or episode.published_at or episode.publish_at,
        is_due=is_due(episode, asked.now),
        is_preparing=episodes.enclosure(episode).status == "preparing",
        duration_ms=documents.duration_ms(episode.audio) if episode.audio and episode.state != "withdrawn" else None,
        cover=_cover(episode, show),
    )


def _cover(episode: Episode, show: Show) -> str:
    """A small one. What is not public has no public address."""
    if episode.cover is not None and episode.state != "published":
        return f"/studio/episodes/{episode.id}/picture?small"
    return shown.cover(episode, show, shown.THUMBNAIL_PX).webp


def _troubles(episode: Episode, show: Show, asked: _Asked, settings: Settings) -> list[Trouble]:
    """What could not be made, and what holds up an episode that is due."""
    held_up = checks.errors(publishing.findings(episode, show, settings)) if is_due(episode, asked.now) else []
    failures = {
        words.plain(asked.language, made.failure): made.name if isinstance(made, Edition) else "measurement"
        for made in _made(episode)
        if made.failure
    }
    return [
        *(Trouble(words.message(asked.language, found)) for found in held_up),
        *(Trouble(said, name) for said, name in failures.items()),
    ]


def _made(episode: Episode) -> Iterator[Derived]:
    """What is made, or to be made, from the recording of today and the one that is to take its place."""
    for audio in episode.audios:
        if audio.is_current or audio.is_next:
            if audio.upload.measurement is not None:
                yield audio.upload.measurement
            yield from sorted(audio.editions, key=lambda made: made.name, reverse=True)  # the enclosure last: it counts
