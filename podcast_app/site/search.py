"""The page where a show's episodes are searched: who has the words, around what, and at which moment they are said."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from media.text import clean_line
from media.transcripts import Segment, from_json
from media.transcripts import Transcript as Said
from podcast_app import answers, documents, episodes, notes, pages, search
from podcast_app.addresses import views
from podcast_app.http import in_reading, place_among, services
from podcast_app.models import Episode, Transcript
from podcast_app.search import Hit
from podcast_app.site import errors, head, paging, places, shown
from podcast_app.site.pages import elsewhere, origin, prefix
from podcast_app.site.paging import PER_PAGE
from podcast_app.site.places import Nothing, Place

LONGEST = 200  # characters of a question
ROOM = 200  # characters around what was found
BEFORE = 60  # of these, at the most
A_WHILE = "private, max-age=60"  # whoever goes back to the results finds them


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a text, as it was written."""

    text: str
    is_match: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """Where the words are said."""

    start_ms: int | None  # None: nobody knows when
    pieces: list[Piece]
    language: str  # BCP 47


@dataclass(frozen=True, slots=True)
class Result:
    episode: shown.ShownListed
    title: list[Piece]
    notes: list[Piece]  # around the words; from their beginning, where these are only in the title
    language: str  # of the notes, BCP 47
    moment: Moment | None

    @property
    def path(self) -> str:
        """Of the moment, in the transcript that has it: the page may open another language's by itself."""
        assert self.moment is not None
        asked = {"transcript": self.moment.language}
        if self.moment.start_ms is not None:
            asked["t"] = shown.seconds(self.moment.start_ms)
        return f"{self.episode.path}?{urlencode(asked)}#transcript"


@dataclass(frozen=True, slots=True)
class Results:
    place: Place
    head: head.Head
    show: shown.ShownShow
    asked: str
    has_words: bool  # something can be looked for
    count: int
    results: list[Result]
    paging: paging.Paging

    def path(self, number: int) -> str:
        query = {"q": self.asked} | ({"page": str(number)} if number > 1 else {})
        return f"{shown.HERE.search(self.place.show.slug, self.place.view)}?{urlencode(query)}"


async def find(request: Request) -> Response:
    """The form, and what was found; made for each question and never kept here."""
    asked = clean_line(request.query_params.get("q", ""))[:LONGEST]
    said = (
        request.path_params["show"],
        asked,
        paging.number(request.query_params.get("page", "1")),
        prefix(request),
        origin(request),
    )
    async with place_among(services(request).searching):  # it takes long in a large library; pages are not to wait
        found = await in_reading(request, _results, *said)
    if isinstance(found, Nothing):
        return errors.nothing(request, found)
    view = found.place.view
    if other := elsewhere(request, shown.HERE.search(found.place.show.slug, view), request.url.query):
        return other
    body = pages.html("search.html", view.page_language, head=found.head, show=found.show, found=found, q=asked)
    headers = {"Content-Language": view.page_language}
    return answers.kept(request, body.encode(), "text/html", cache_control=A_WHILE, headers=headers)


def excerpt(text: str, wanted: Sequence[str]) -> list[Piece]:
    """Of a text of one line, what stands around the first of the words, these marked; without any, its beginning."""
    matches = list(search.places(text, wanted))
    start, stop = _window(text, *(matches[0] if matches else (0, 0)))
    pieces = _marked(text, matches, start, stop)
    return [*[Piece("… ")] * (start > 0), *pieces, *[Piece(" …")] * (stop < len(text))]


def moment(said: Said, language: str, wanted: Sequence[str]) -> Moment | None:
    """The first of the segments that say the most of the words, and some of what follows."""
    if not said.is_timed:
        text = " ".join(said.text.split())
        return Moment(None, excerpt(text, wanted), language) if search.count(text, wanted) else None
    counts = [search.count(segment.text, wanted) for segment in said.segments]
    most = max(counts)
    if most == 0:
        return None
    at = counts.index(most)
    return Moment(said.segments[at].start_ms, excerpt(_from(said.segments, at), wanted), language)


def _results(
    session: Session, slug: str, asked: str, number: int, language: str | None, origin: str
) -> Results | Nothing:
    place = places.show(session, slug, language)
    if isinstance(place, Nothing):
        return place
    wanted = search.words(asked)
    hits = search.find(session, place.show.id, wanted, place.view.language)
    words, last = shown.show(place.show, place.view, origin), paging.pages(len(hits))
    number = min(number, last)
    return Results(
        place=place,
        head=_head(head.of_show(place, words, origin), place, asked),
        show=words,
        asked=asked,
        has_words=bool(wanted),
        count=len(hits),
        results=_page(session, place, hits[(number - 1) * PER_PAGE : number * PER_PAGE], wanted),
        paging=paging.Paging(number, last),
    )


def _head(of_show: head.Head, place: Place, asked: str) -> head.Head:
    """In the show's other languages the same is asked."""
    query = urlencode({"q": asked})
    paths = [f"{shown.HERE.search(place.show.slug, view)}?{query}" for view in views(place.show.language)]
    translations = zip(of_show.translations, paths, strict=True)
    return replace(of_show, translations=tuple(replace(each, path=path) for each, path in translations))


def _page(session: Session, place: Place, hits: list[Hit], wanted: Sequence[str]) -> list[Result]:
    ids = [hit.episode_id for hit in hits]
    rows = session.scalars(episodes.listed(place.show.id).where(Episode.id.in_(ids)))
    found, said = {row.id: row for row in rows}, _said(session, hits)
    return [_result(place, found[hit.episode_id], hit.language, said.get(hit), wanted) for hit in hits]


def _said(session: Session, hits: list[Hit]) -> dict[Hit, Said]:
    """What is said in these episodes, in the language that the words were found in."""
    which = tuple_(Transcript.episode_id, Transcript.language)
    rows = session.execute(
        select(Transcript.episode_id, Transcript.language, Transcript.content).where(which.in_(hits))
    )
    return {Hit(episode_id, language): from_json(content) for episode_id, language, content in rows}


def _result(place: Place, row: Episode, language: str, said: Said | None, wanted: Sequence[str]) -> Result:
    episode = shown.listed(row, place.show, place.view)
    written = documents.episode_text(row, language)
    return Result(
        episode=episode,
        title=_marked(episode.title, search.places(episode.title, wanted), 0, len(episode.title)),
        notes=excerpt(notes.plain(written.notes), wanted),
        language=written.language,
        moment=moment(said, language, wanted) if said else None,
    )


def _from(segments: Sequence[Segment], at: int) -> str:
    """What is said in this one, and in the next ones if that is little."""
    text = ""
    for segment in segments[at:]:
        text = f"{text} {segment.text}".lstrip()
        if len(text) > ROOM:
            break
    return text


def _window(text: str, first: int, end: int) -> tuple[int, int]:
    """Where to begin and to stop, so that the match from `first` to `end` is inside, and no usual word is cut."""
    start = max(text.rfind(" ", 0, first - BEFORE) + 1, first - 2 * BEFORE) if first > BEFORE else 0
    stop = start + ROOM
    blank = text.rfind(" ", end, stop)
    return start, len(text) if stop >= len(text) else blank if blank > 0 else stop


def _marked(text: str, matches: Iterable[tuple[int, int]], start: int, stop: int) -> list[Piece]:
    """What stands from start to stop, the matches apart."""
    pieces, at = [], start
    for begin, end in matches:
        if begin < stop:
            pieces += [Piece(text[at:begin]), Piece(text[begin : min(end, stop)], is_match=True)]
            at = min(end, stop)
    return [piece for piece in (*pieces, Piece(text[at:stop])) if piece.text]
