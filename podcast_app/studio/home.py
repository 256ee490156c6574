"""The first pages: the shows that are a person's, and of one show every episode by its state."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds import checks
from podcast_app import documents, episodes, publishing, words
from podcast_app.addresses import Addresses, views
from podcast_app.http import in_reading, services
from podcast_app.models import Derived, Episode, EpisodeState, Show, Upload, User
from podcast_app.settings import Settings
from podcast_app.studio import rights
from podcast_app.studio.doors import for_people, see_other
from podcast_app.studio.episode_page import is_due, title
from podcast_app.studio.pages import language_of, page
from podcast_app.studio.upload import on_their_way, waiting
from podcast_app.times import utcnow

ON_A_PAGE = 50  # published or withdrawn episodes


@dataclass(frozen=True, slots=True)
class Line:
    """An episode in the list. `troubles` are in the person's language."""

    id: str
    title: str
    state: EpisodeState
    at: dt.datetime | None  # when it goes, went out, or left
    is_preparing: bool
    troubles: Sequence[str]


@dataclass(frozen=True, slots=True)
class Overview:
    show: Show
    may_change: bool
    lines: Mapping[EpisodeState, Sequence[Line]]
    older: bool  # whether there is a next page
    recordings: Sequence[Upload]
    coming: Sequence[Upload]


@for_people
async def first_page(request: Request, person: User) -> Response:
    """With one show, straight to it."""
    found = await in_reading(request, rights.shows_of, person)
    if len(found) == 1:
        return see_other(f"/studio/shows/{found[0].slug}/")
    shows = [(show.slug, documents.main_text(show).title) for show in found]
    return page(request, "shows.html", person, shows=shows)


@for_people
async def show_page(request: Request, person: User) -> Response:
    number, slug = _page_number(request), request.path_params["show"]
    settings, language = services(request).settings, language_of(request, person)
    overview = await in_reading(request, _overview, person, slug, number, language, settings, utcnow())
    show = overview.show
    return page(
        request,
        "home.html",
        person,
        overview=overview,
        coming=overview.coming if overview.may_change else (),
        offers_to_go_on=True,
        number=number,
        show=show,
        show_title=documents.main_text(show).title,
        public=Addresses(settings.origin).show(show.slug, views(show.language)[0]),
    )


def _overview(
    session: Session, person: User, slug: str, number: int, language: str, settings: Settings, now: dt.datetime
) -> Overview:
    show = rights.show(session, person, slug)
    unpublished = session.scalars(
        _of(show, "draft", "scheduled").order_by(Episode.publish_at, Episode.created_at.desc())
    )
    ended = _of(show, "published", "withdrawn").order_by(Episode.published_at.desc(), Episode.id)
    past = session.scalars(ended.offset((number - 1) * ON_A_PAGE).limit(ON_A_PAGE + 1)).all()
    lines = [_line(episode, show, language, settings, now) for episode in (*unpublished, *past[:ON_A_PAGE])]
    by_state: dict[EpisodeState, list[Line]] = {"draft": [], "scheduled": [], "published": [], "withdrawn": []}
    for line in lines:
        by_state[line.state].append(line)
    return Overview(
        show=show,
        may_change=rights.may_change(session, person, show),
        lines=by_state,
        older=len(past) > ON_A_PAGE,
        recordings=waiting(session, show.id),
        coming=on_their_way(session, show.id),
    )


def _of(show: Show, *states: EpisodeState) -> Select[Episode]:
    return episodes.whole(of_show=show.id).where(Episode.state.in_(states)).options(*episodes.ALL_AUDIO)


def _line(episode: Episode, show: Show, language: str, settings: Settings, now: dt.datetime) -> Line:
    return Line(
        id=episode.id,
        title=title(episode),
        state=episode.state,
        at=episode.withdrawn_at or episode.published_at or episode.publish_at,
        is_preparing=episodes.enclosure(episode).status == "preparing",
        troubles=_troubles(episode, show, language, settings, now),
    )


def _troubles(episode: Episode, show: Show, language: str, settings: Settings, now: dt.datetime) -> list[str]:
    """What somebody must look at: what could not be made, and what holds up an episode that is due."""
    if is_due(episode, now):
        return [words.message(language, found) for found in checks.errors(publishing.findings(episode, show, settings))]
    if episode.state == "withdrawn":
        return []
    return list(dict.fromkeys(words.plain(language, made.failure) for made in _made(episode) if made.failure))


def _made(episode: Episode) -> Iterator[Derived]:
    """What is made, or to be made, from the recording of today and the one that is to take its place."""
    for audio in episode.audios:
        if audio.is_current or audio.is_next:
            yield from audio.editions
            if audio.upload.measurement is not None:
                yield audio.upload.measurement


def _page_number(request: Request) -> int:
    said = request.query_params.get("page", "1")
    return max(1, int(said)) if said.isascii() and said.isdecimal() and len(said) < 7 else 1
