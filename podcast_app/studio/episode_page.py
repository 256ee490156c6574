"""The page of one episode, as it is now and with what somebody typed into it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds.checks import Finding
from podcast_app import documents, publishing, words
from podcast_app.addresses import Addresses, View, views
from podcast_app.http import in_reading, services
from podcast_app.models import Episode, EpisodeId, Show, User
from podcast_app.settings import Settings
from podcast_app.site.oembed import TALL, WIDTH, iframe
from podcast_app.studio import edits, episode_form, local_time, persons_form, rights
from podcast_app.studio.inputs import Form, Remark, remarks
from podcast_app.studio.pages import language_of, page
from podcast_app.times import utcnow

# Inputs of the page that are no fields of the episode.
OTHERS = {"publish_at": "", "audio": ""}


@dataclass(frozen=True, slots=True)
class _Read:
    episode: Episode
    findings: list[Finding]
    may_change: bool
    known: list[persons_form.Row]


@dataclass(frozen=True, slots=True)
class Place:
    """Where listeners of one language find the episode."""

    language: str
    page: str
    feed: str
    embed: str  # HTML, to be pasted


async def answer(
    request: Request,
    person: User,
    episode_id: EpisodeId,
    typed: Mapping[str, str] | None = None,
    findings: Sequence[Finding] = (),
    *,
    status: int = 200,
) -> Response:
    """The page. `findings` are about what was just asked for; what the episode lacks anyway is said further down."""
    settings, language = services(request).settings, language_of(request, person)
    read = await in_reading(request, _read, person, episode_id, settings)
    episode, show = read.episode, read.episode.show
    zone, typed = ZoneInfo(show.time_zone), typed or {}
    form = _form(read, typed, language, findings)
    publish_at = typed.get("publish_at") or (
        local_time.written(episode.publish_at, zone) if episode.publish_at is not None else ""
    )
    return page(
        request,
        "episode.html",
        person,
        status_code=status,
        episode=episode,
        show=show,
        show_title=documents.main_text(show).title,
        title=title(episode),
        audio=episode.audio,
        made=documents.edition(episode.audio) if episode.audio else None,
        coming=next((audio for audio in episode.audios if audio.is_next), None),
        form=form,
        people=persons_form.people(language, typed, episode.persons, read.known),
        may_change=read.may_change,
        translations=episode_form.translation_languages(form.values),
        spoken=episode_form.offered(episode.language, episode.spoken_language),
        is_due=is_due(episode, utcnow()),
        publish_at=publish_at,
        publish_at_which=typed.get("publish_at_which", ""),
        hours=_hours(publish_at, zone),
        advice=_advice(read, language),
        places=[_place(episode, show, view, settings) for view in views(show.language)],
    )


def title(episode: Episode) -> str:
    """A draft without a title goes by its file's name."""
    named = documents.main_words(episode).title
    return named or (episode.audio.upload.filename if episode.audio else "")


def is_due(episode: Episode, now: dt.datetime) -> bool:
    """Whether it should have gone out by now."""
    return episode.state == "scheduled" and episode.publish_at is not None and episode.publish_at <= now


def _read(session: Session, person: User, episode_id: EpisodeId, settings: Settings) -> _Read:
    episode = rights.episode(session, person, episode_id)
    found = publishing.findings(episode, episode.show, settings) if episode.state != "withdrawn" else []
    may_change, known = rights.may_change(session, person, episode.show), persons_form.known(session, episode.show)
    return _Read(episode, found, may_change, known)


def _form(read: _Read, typed: Mapping[str, str], language: str, findings: Sequence[Finding]) -> Form:
    """What the person changed stands in the inputs; what only others changed is shown as it is saved now."""
    saved = episode_form.values(read.episode)
    merged = edits.merge(persons_form.gathered(typed), saved)
    clashes = dict(merged.clashes)
    if persons_form.FIELD in clashes:
        clashes[persons_form.FIELD] = persons_form.in_words(language, clashes[persons_form.FIELD])
    return Form(
        values={**saved, **merged.changes},
        remarks=remarks(language, findings, {**saved, **OTHERS}),
        clashes=clashes,
        advice=_at_fields(read, language),
        suggested=episode_form.suggested(read.episode),
        seen=edits.seen(saved),
        is_open=read.may_change and read.episode.state != "withdrawn",
    )


def _advice(read: _Read, language: str) -> list[tuple[str, Remark]]:
    """Level and words of what the checks say, each with its input's name; those about the show keep `show.`"""
    inputs = {**episode_form.values(read.episode), **OTHERS}
    return [
        (
            finding.level,
            Remark(finding.field, words.message(language, finding))
            if finding.field.startswith("show.")
            else remarks(language, [finding], inputs)[0],
        )
        for finding in read.findings
    ]


def _at_fields(read: _Read, language: str) -> tuple[Remark, ...]:
    """What is worth a look, beside the input that it is about; with the errors, it stands together above the form."""
    warnings = [finding for finding in read.findings if finding.level == "warning"]
    return remarks(language, warnings, episode_form.values(read.episode))


def _hours(publish_at: str, zone: ZoneInfo) -> list[str]:
    """When the time comes twice that night: the two offsets from UTC, "+02:00" and "+01:00"."""
    local = local_time.read(publish_at)
    found = local_time.instants(local, zone) if local is not None else []
    return [instant.astimezone(zone).isoformat()[-6:] for instant in found] if len(found) == 2 else []


def _place(episode: Episode, show: Show, view: View, settings: Settings) -> Place:
    addresses = Addresses(settings.origin)
    return Place(
        language=view.language,
        page=addresses.episode(show.slug, episode.slug, view),
        feed=addresses.feed(show.slug, view),
        embed=iframe(addresses.embed(show.slug, episode.slug, view), title(episode), WIDTH, TALL),
    )
