"""An episode's parts: its chapters, its transcripts, its waveform. Pages and apps of any origin may read them."""

import json
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from media import chapters, transcripts
from media.transcripts import html_fragment
from podcast_app import answers, documents, formats, pages
from podcast_app.addresses import Addresses
from podcast_app.answers import Until
from podcast_app.http import in_reading, services
from podcast_app.models import Measurement, Transcript
from podcast_app.site import colours, places
from podcast_app.site.places import Nothing, Place

OPEN = {"Access-Control-Allow-Origin": "*"}
CHAPTERS_TYPE = "application/json+chapters"  # Podcasting 2.0, JSON chapters


class Part(NamedTuple):
    body: bytes
    media_type: str


class Reading(NamedTuple):
    """Where a transcript is read."""

    place: Place  # the episode, in the language that its page has around it
    page: str  # the address of the episode's own
    moment: str  # of a moment of it, but for the seconds at its end; "": nothing plays there


class _Found(NamedTuple):
    part: Part
    until: Until


async def chapters_json(request: Request) -> Response:
    """JSON chapters 1.2; 404 for an episode that has none."""
    addresses = Addresses(services(request).settings.origin)
    return await _answer(request, lambda _session, place: _chapters(place, addresses))


async def transcript(request: Request) -> Response:
    """The transcript in one language and format; 404 where there is none, or not in this format."""
    language, extension = request.path_params["language"], request.path_params["extension"]
    addresses = Addresses(services(request).settings.origin)

    def part(session: Session, place: Place) -> Part | None:
        here = place.in_language(language.partition("-")[0])
        page = here.page(addresses)
        return transcript_part(session, Reading(here, page, f"{page}?t="), language, extension)

    return await _answer(request, part)


async def waveform_json(request: Request) -> Response:
    """How loud it is over its length: `peaks`, each 0 to 255, over equal parts of `duration_ms`."""
    return await _answer(request, _waveform)


async def _answer(request: Request, part: Callable[[Session, Place], Part | None]) -> Response:
    show, episode = request.path_params["show"], request.path_params["episode"]
    found = await in_reading(request, _found, show, episode, part)
    if isinstance(found, Nothing):
        raise HTTPException(found.status)
    return answers.kept(request, found.part.body, found.part.media_type, headers=OPEN, until=found.until)


def _found(
    session: Session, show: str, episode: str, make: Callable[[Session, Place], Part | None]
) -> _Found | Nothing:
    place = places.episode(session, show, episode, None)
    if isinstance(place, Nothing):
        return place
    part = make(session, place)
    return Nothing(404, None) if part is None else _Found(part, place.until)


def _chapters(place: Place, addresses: Addresses) -> Part | None:
    assert place.episode is not None
    found = documents.inside(documents.chapters(place.episode), place.episode)
    if not found:
        return None
    told = chapters.as_json(
        found,
        title=documents.main_words(place.episode).title,
        show=documents.main_text(place.show).title,
        pictures=documents.chapter_pictures(place.episode, place.show, addresses),
    )
    return Part(json.dumps(told, ensure_ascii=False).encode(), CHAPTERS_TYPE)


def transcript_part(session: Session, reading: Reading, language: str, extension: str) -> Part | None:
    """The episode's transcript in this language, as such a file, if there is one."""
    episode, written = reading.place.episode, transcripts.FORMATS.get(extension)
    assert episode is not None
    wanted = (Transcript.episode_id == episode.id, Transcript.language == language)
    content = session.scalar(select(Transcript.content).where(*wanted))
    if content is None or written is None:
        return None
    said = transcripts.from_json(content)
    if written.needs_times and not said.is_timed:
        return None
    body = _page(said, language, reading) if extension == "html" else written.write(said, language)
    return Part(body, written.media_type)


def _page(said: transcripts.Transcript, language: str, reading: Reading) -> bytes:
    """For people; and apps find in it what they look for: the elements of Podcasting 2.0, and whole addresses."""
    place, episode = reading.place, reading.place.episode
    assert episode is not None
    page = pages.html(
        "transcript.html",
        place.view.page_language,
        words=documents.episode_text(episode, place.view.language),
        styles=colours.address(place.show.page_colour),
        spoken=formats.language_name(language),
        spoken_language=language,
        page=reading.page,
        said=html_fragment.write(said, language, reading.moment).decode(),
    )
    return page.encode()


def _waveform(session: Session, place: Place) -> Part | None:
    assert place.episode is not None
    assert place.episode.audio is not None
    measured = select(Measurement.peaks, Measurement.duration_ms)
    row = session.execute(measured.where(Measurement.upload_id == place.episode.audio.upload_id)).one_or_none()
    if row is None or row.peaks is None:
        return None
    told = {"version": 1, "duration_ms": row.duration_ms, "peaks": list(row.peaks)}
    return Part(json.dumps(told, separators=(",", ":")).encode(), "application/json")
