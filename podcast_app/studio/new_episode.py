"""A new episode, on one page: its recording, sent in parts or with the form, and what somebody writes meanwhile.

What was suggested and what was written are told apart by `seen` (edits.py): suggestions that nobody touched are made
anew when the episode is, so that what the file says wins over the next number, and what was written over both.
"""

import datetime as dt
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from anyio import to_thread
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding, error
from media import text
from podcast_app import access, drafts, fields, forms, history, security, suggesting, uploads
from podcast_app.addresses import Addresses
from podcast_app.covers import id_in
from podcast_app.documents import main_text
from podcast_app.fields import EpisodeFields, NewEpisode, PersonFields
from podcast_app.http import Problem, in_reading, in_transaction, services
from podcast_app.models import EpisodeId, Json, Show, Upload, UploadId, User
from podcast_app.outcomes import Done, Refused
from podcast_app.settings import Settings
from podcast_app.studio import edits, episode_form, multipart, once, persons_form, rights
from podcast_app.studio.doors import for_people, see_other
from podcast_app.studio.inputs import Form, cleaned, remarks, sent
from podcast_app.studio.pages import PRIVATE, language_of, page
from podcast_app.studio.persons_form import Row
from podcast_app.suggesting import Suggestions
from podcast_app.times import utcnow
from podcast_app.uploads import Inspected

NO_RECORDING = error("audio", "There is no recording yet.", "Choose the audio file of this episode.")


@dataclass(frozen=True, slots=True)
class _Read:
    show: Show
    upload: Upload | None  # the one that the page is about: still coming, or whole
    suggestions: Suggestions
    known: Sequence[Row]  # people


@for_people
async def show_page(request: Request, person: User) -> Response:
    read = await _read_page(request, person, text.clean(request.query_params.get("upload", "")))
    if read.upload is not None and read.upload.episode_id is not None:
        return see_other(f"/studio/episodes/{read.upload.episode_id}")
    typed = read.upload.typed if read.upload is not None else None
    return await _page(request, person, read, persons_form.gathered(typed or {}))


@for_people
async def create(request: Request, person: User) -> Response:
    show = await in_reading(request, rights.show_of_producer, person, request.path_params["show"])
    form = await multipart.with_recording(request)
    typed = persons_form.gathered(cleaned(form.fields))
    upload, pictures = await _recording(request, person, show, form, typed)
    if isinstance(upload, Finding):
        return await _again(request, person, typed, "", [upload])
    here = services(request)
    said = await in_reading(request, _said, show, typed, here.settings)
    if isinstance(said, list):
        return await _again(request, person, typed, upload.id, said)
    made = await in_transaction(
        request, _make, person, show.slug, upload.id, pictures, typed, said, here.settings, utcnow()
    )
    match made:
        case Done(episode_id):
            here.work.wake()
            return see_other(f"/studio/episodes/{episode_id}")
        case Refused(findings):
            return await _again(request, person, typed, upload.id, findings)


@for_people
async def keep_text(request: Request, person: User) -> Response:
    """What is written while the recording's parts travel, kept with it: 204."""
    typed = await sent(request)
    show, upload = request.path_params["show"], UploadId(request.path_params["upload"])
    await in_transaction(request, _keep_text, person, show, upload, typed)
    return Response(status_code=204, headers=PRIVATE)


async def _recording(
    request: Request, person: User, show: Show, form: forms.Form, typed: Mapping[str, str]
) -> tuple[Upload | Finding, uploads.Pictures]:
    """The recording as an upload that waits, whatever becomes of the fields; and its pictures."""
    if form.failure is not None:
        return multipart.not_kept(form.failure), uploads.Pictures()
    if form.audio is not None:
        inspected = await multipart.inspected(request, form.audio)
        if isinstance(inspected, Finding):
            return inspected, uploads.Pictures()
        return await in_transaction(request, _keep, person, show.slug, inspected, utcnow()), inspected.pictures
    upload = await in_reading(request, _kept, show, typed.get("upload_id", ""))
    if upload is None:
        return NO_RECORDING, uploads.Pictures()
    here = services(request)
    return upload, await to_thread.run_sync(uploads.pictures_of, here.database, here.storage, upload)


def _keep(session: Session, person: User, slug: str, inspected: Inspected, now: dt.datetime) -> Upload:
    return uploads.record(session, rights.show_to_change(session, person, slug).id, inspected, now)


def _kept(session: Session, show: Show, upload_id: str) -> Upload | None:
    upload = session.get(Upload, UploadId(upload_id)) if upload_id else None
    return upload if upload is not None and upload.show_id == show.id else None


def _make(
    session: Session,
    person: User,
    slug: str,
    upload_id: UploadId,
    pictures: uploads.Pictures,
    typed: Mapping[str, str],
    said: NewEpisode,
    settings: Settings,
    now: dt.datetime,
) -> Done[EpisodeId] | Refused:
    show = rights.show_to_change(session, person, slug)
    if (earlier := once.result(session, person, typed)) is not None:
        if earlier != session.get_one(Upload, upload_id).episode_id:
            uploads.discard(session, upload_id, now)  # the same recording once more; the one in use stays
        return Done(EpisodeId(earlier))
    before = suggesting.from_before(session, show, settings)
    made = drafts.from_upload(session, show.id, upload_id, pictures, said, settings, now, before)
    if isinstance(made, Refused):
        return made
    session.get_one(Upload, upload_id).typed = None  # it is the episode's from now on
    history.watch(session, made.episode.id, access.author(person), is_new=True)
    once.remember(session, person, typed, made.episode.id, now)
    return Done(made.episode.id)


def _keep_text(session: Session, person: User, slug: str, upload_id: UploadId, typed: Mapping[str, str]) -> None:
    """Raises Problem 403, 404: gone, or an episode already."""
    show = rights.show_of_producer(session, person, slug)
    upload = session.get(Upload, upload_id, with_for_update=True)
    if upload is None or upload.show_id != show.id or upload.state == "refused" or upload.episode_id is not None:
        raise Problem(404, [rights.NOT_HERE])
    inputs = {"seen", *_blank(show)}
    upload.typed = {name: said for name, said in typed.items() if name in inputs or name.startswith("person.")}


def _said(session: Session, show: Show, typed: Mapping[str, str], settings: Settings) -> NewEpisode | list[Finding]:
    """What was written. The rest is suggested."""
    written = _written(typed, _blank(show))
    said = episode_form.said(written, typed)
    if persons_form.FIELD in written:
        if findings := persons_form.findings(typed):
            return findings
        known = persons_form.known(session, show)
        said[persons_form.FIELD] = persons_form.said(typed, known, show, Addresses(settings.origin))
    return fields.parse(NewEpisode, said | ({"publish": "now"} if typed.get("then") == "publish" else {}))


def _written(typed: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """A title is never taken away: left empty, as its hint says, it is the file's."""
    written = edits.written(typed, names)
    return {name: value for name, value in written.items() if value.strip() or name != "title"}


def _blank(show: Show) -> dict[str, str]:
    """Each input of the form, and what it holds before anything is known."""
    return episode_form.empty(show.language) | {"spoken_language": show.language, persons_form.FIELD: ""}


def _offered(show: Show, suggestions: Suggestions) -> tuple[dict[str, str], dict[str, str]]:
    """What each input holds before anybody writes; and where those that are suggested came from."""
    values, sources = _blank(show), dict[str, str]()
    for source, suggested in suggestions.items():
        for name in suggested.model_fields_set & (values.keys() - sources.keys()):
            values[name], sources[name] = _as_input(getattr(suggested, name)), source
    return values, sources


def _as_input(value: Json) -> str:
    match value:
        case tuple():
            return persons_form.text(_rows(value))
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def _rows(persons: Iterable[PersonFields]) -> list[Json]:
    """As an episode keeps them."""
    return [{**person.model_dump(exclude={"image_url"}), "picture": id_in(person.image_url)} for person in persons]


async def _read_page(request: Request, person: User, upload_id: str) -> _Read:
    settings = services(request).settings
    return await in_reading(request, _read, person, request.path_params["show"], upload_id, settings)


def _read(session: Session, person: User, slug: str, upload_id: str, settings: Settings) -> _Read:
    show = rights.show_of_producer(session, person, slug)
    upload = _kept(session, show, upload_id)
    if upload is not None and upload.state == "refused":
        upload = None
    is_whole = upload is not None and upload.state == "complete"
    from_file = uploads.suggestions(upload.facts) if upload is not None and is_whole else EpisodeFields()
    suggestions = {"file": from_file, **suggesting.from_before(session, show, settings)}
    return _Read(show, upload, suggestions, persons_form.known(session, show))


async def _again(
    request: Request, person: User, typed: Mapping[str, str], upload_id: str, findings: Sequence[Finding]
) -> Response:
    """The form with what was written, and what is wrong with it."""
    return await _page(request, person, await _read_page(request, person, upload_id), typed, findings)


async def _page(
    request: Request, person: User, read: _Read, typed: Mapping[str, str], findings: Sequence[Finding] = ()
) -> Response:
    here, show, language = services(request), read.show, language_of(request, person)
    offered, sources = _offered(show, read.suggestions)
    written = _written(typed, offered)
    values = {**offered, **written}
    form = Form(
        values=values,
        remarks=remarks(language, findings, {**values, "audio": ""}),
        suggested={name: source for name, source in sources.items() if name not in written},
        seen=edits.seen(offered),
    )
    answer = page(
        request,
        "new_episode.html",
        person,
        status_code=422 if findings else 200,
        form=form,
        written=" ".join(written),
        people=persons_form.people(language, typed, values[persons_form.FIELD], _hosts(read.suggestions), read.known),
        show=show,
        show_title=main_text(show).title,
        upload=read.upload,
        form_id=typed.get("form_id") or secrets.token_hex(16),
        translations=episode_form.translation_languages(values),
        spoken=episode_form.offered(values["language"], values["spoken_language"]),
        most_bytes=here.settings.max_upload_bytes,
    )
    return await lets_send_parts(request, answer)


def _hosts(suggestions: Suggestions) -> list[Json]:
    return _rows(suggestions["last"].persons) if "last" in suggestions else []


async def lets_send_parts(request: Request, answer: Response) -> Response:
    """The page, whose script may send parts to where the storage takes them."""
    here = services(request)
    parts = await to_thread.run_sync(security.parts_origin, here.storage)
    answer.headers["Content-Security-Policy"] = security.upload_policy(here.bucket, parts)
    return answer
