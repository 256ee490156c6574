"""What listeners will get, before they get it: the episode's page and its feed item, by the code that makes both.

What was typed is put into the rows as if it were saved, read from there as listeners read it, and given up.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from anyio import to_thread
from lxml import etree
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from feeds import rss
from feeds.elements import NAMESPACES
from podcast_app import documents, episodes, pages, security
from podcast_app.addresses import View
from podcast_app.http import Problem, in_reading, in_transaction, services
from podcast_app.models import Episode, EpisodeId, Show, User
from podcast_app.settings import Settings
from podcast_app.site import places, shown
from podcast_app.site.pages import EpisodePage, episode_page
from podcast_app.site.parts import Part, Reading, transcript_part
from podcast_app.site.places import Place
from podcast_app.studio import rights, typed
from podcast_app.studio.doors import for_people
from podcast_app.studio.inputs import sent
from podcast_app.studio.listen import best
from podcast_app.studio.pages import PRIVATE, page
from podcast_app.times import utcnow


@for_people
async def preview(request: Request, person: User) -> Response:
    """The page in the view of `?language=`; with `?as=feed` the item of its feed."""
    episode_id, fields = EpisodeId(request.path_params["id"]), await sent(request)
    asked, as_feed = request.query_params.get("language"), request.query_params.get("as") == "feed"
    settings = services(request).settings
    if as_feed:
        item = await in_transaction(request, _item, person, episode_id, fields, asked, settings, utcnow())
        return page(request, "preview_feed.html", person, item=item)
    found = await in_transaction(request, _page, person, episode_id, fields, asked, settings, utcnow())
    return await shown_page(request, found, is_guest=False)


@for_people
async def transcript(request: Request, person: User) -> Response:
    """As a preview links to it."""
    episode_id, language, extension = (request.path_params[name] for name in ("id", "language", "extension"))
    return as_file(await in_reading(request, _transcript, person, EpisodeId(episode_id), language, extension))


def as_file(found: Part | None) -> Response:
    """Raises Problem 404."""
    if found is None:
        raise Problem(404, [rights.NOT_HERE])
    return Response(found.body, headers=PRIVATE, media_type=found.media_type)


async def shown_page(request: Request, found: EpisodePage, *, is_guest: bool) -> Response:
    """The listener's page, for those who may see it before. Nobody keeps it, frames it, or finds it."""
    body = pages.html("preview.html", found.language, path=request.url.path, is_guest=is_guest, **found.words)
    answer = HTMLResponse(body, headers=PRIVATE)
    signed = await to_thread.run_sync(security.signed_origin, services(request).storage)
    answer.headers["Content-Security-Policy"] = security.listening_policy(signed)
    return answer


def before_publication(
    episode: Episode, show: Show, view: View, settings: Settings, here: str, sound: str
) -> EpisodePage:
    """The page as it will be, its audio (of the name `sound`), cover and transcripts from below `here`.

    Needs a time of publication.
    """
    found = episode_page(Place(show, view, episode), settings.origin)
    if episode.state == "published":
        return found
    audio, own = f"{here}/audio/{sound}", f"{here}/picture"
    assert episode.audio is not None, "an episode is made from audio"
    words = replace(
        found.episode,
        title=found.episode.title or episode.audio.upload.filename,
        audio=audio,
        size_bytes=found.episode.size_bytes or episode.audio.upload.size_bytes,
        chapters=tuple(
            replace(chapter, audio=f"{audio}#{chapter.audio.partition('#')[2]}") for chapter in found.episode.chapters
        ),
    )
    if words.has_cover:
        words = replace(words, portrait=shown.Sized(own, own), thumbnail=shown.Sized(own, own))
    return replace(found, episode=replace(words, transcripts=tuple(_from(here, row) for row in words.transcripts)))


def _from(here: str, transcript: shown.ShownTranscript) -> shown.ShownTranscript:
    def moved(path: str) -> str:
        return f"{here}/{path.rpartition('/')[2]}" if path else ""

    files = tuple((name, moved(path)) for name, path in transcript.files)
    return replace(transcript, files=files, lines=moved(transcript.lines))


def _page(
    session: Session,
    person: User,
    episode_id: EpisodeId,
    fields: Mapping[str, str],
    language: str | None,
    settings: Settings,
    now: dt.datetime,
) -> EpisodePage:
    show, episode = _as_if_saved(session, person, episode_id, fields, settings, now)
    view = places.view(show, language)
    found = before_publication(episode, show, view, settings, f"/studio/episodes/{episode.id}", best(episode))
    session.rollback()
    return found


def _transcript(session: Session, person: User, episode_id: EpisodeId, language: str, extension: str) -> Part | None:
    episode = rights.episode(session, person, episode_id)
    return not_public_yet(session, episode, language, extension, f"/studio/episodes/{episode.id}")


def not_public_yet(
    session: Session, episode: Episode, language: str, extension: str, page: str, moment: str = ""
) -> Part | None:
    """The transcript, as such a file, of an episode that is read at `page`."""
    place = Place(episode.show, places.view(episode.show, language.partition("-")[0]), episode)
    return transcript_part(session, Reading(place, page, moment), language, extension)


def _item(
    session: Session,
    person: User,
    episode_id: EpisodeId,
    fields: Mapping[str, str],
    language: str | None,
    settings: Settings,
    now: dt.datetime,
) -> str:
    """The item, readable; "" as long as there is neither title nor notes, because no feed may hold such a one."""
    show, episode = _as_if_saved(session, person, episode_id, fields, settings, now)
    made = documents.episode_document(episode, show, places.view(show, language), settings)
    session.rollback()
    return _readable(rss.item(made)) if made.title.strip() or made.notes_html else ""


def _as_if_saved(
    session: Session,
    person: User,
    episode_id: EpisodeId,
    fields: Mapping[str, str],
    settings: Settings,
    now: dt.datetime,
) -> tuple[Show, Episode]:
    """What cannot be used is left as it is saved; the form says so beside the field."""
    episode = rights.episode(session, person, episode_id)
    show = episode.show
    if fields and rights.may_change(session, person, show) and episode.state != "withdrawn":
        episodes.locked_show(session, show.id)  # as whoever saves: rows are written, though not for long
        said = typed.read(session, show, episode, fields, settings)
        episodes.apply(session, show, episode, said.changes)
    dated(episode, now)
    return show, episode


def dated(episode: Episode, now: dt.datetime) -> None:
    """A page needs a day: the one it is to go out on, or today."""
    episode.published_at = episode.published_at or episode.publish_at or now


def _readable(item: bytes) -> str:
    """A line for each element, without the names of the namespaces, which stand at the top of a feed."""
    names = " ".join(f'xmlns:{prefix}="{address}"' for prefix, address in NAMESPACES.items())
    parser = etree.XMLParser(remove_blank_text=True, strip_cdata=False, resolve_entities=False)
    root = etree.fromstring(f"<rss {names}>".encode() + item + b"</rss>", parser)
    etree.indent(root)
    lines = etree.tostring(root, encoding="unicode").splitlines()[1:-1]
    return "\n".join(line.removeprefix("  ") for line in lines)
