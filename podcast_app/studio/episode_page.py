"""The page of one episode, as it is now and with what somebody typed into it."""

import datetime as dt
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from anyio import to_thread
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from feeds import checks
from feeds.checks import Finding
from podcast_app import documents, guests, pages, publishing, security, words
from podcast_app.addresses import Addresses, View, views
from podcast_app.http import in_reading, services
from podcast_app.models import Episode, EpisodeId, GuestLink, Revision, Show, User
from podcast_app.settings import Settings
from podcast_app.site import places
from podcast_app.site.oembed import snippet
from podcast_app.studio import after_publishing, edits, episode_form, listen, local_time, persons_form, rights, zones
from podcast_app.studio.after_publishing import After
from podcast_app.studio.inputs import Form, Remark, remarks
from podcast_app.studio.pages import language_of, page
from podcast_app.times import utcnow

# Inputs of the page that are no fields of the episode.
OTHERS = {"publish_at": "", "audio": ""}


@dataclass(frozen=True, slots=True)
class Read:
    """What the page is made from."""

    episode: Episode
    findings: list[Finding]  # of the episode as it is saved
    may_change: bool
    known: list[persons_form.Row]
    guest_links: Sequence[GuestLink]
    changed_by: Mapping[str, str]  # field -> who changed it last
    after: After | None  # what happened since it was published


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
    guest_link: str = "",
) -> Response:
    """The page. `findings` are about what was just asked for; what the episode lacks anyway is said further down."""
    here, language, now = services(request), language_of(request, person), utcnow()
    episode_read = await in_reading(request, read, person, episode_id, here.settings)
    episode, show = episode_read.episode, episode_read.episode.show
    typed = typed or {}
    form = _form(episode_read, typed, language, findings)
    answer = page(
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
        heard=f"/studio/episodes/{episode.id}/audio/{listen.best(episode)}",
        sound=_sound(episode),
        form=form,
        people=persons_form.people(
            language, typed, form.values[persons_form.FIELD], episode.persons, episode_read.known
        ),
        may_change=episode_read.may_change,
        translations=episode_form.translation_languages(form.values),
        spoken=episode_form.offered(episode.language, episode.spoken_language),
        is_due=is_due(episode, now),
        is_going_out=is_due(episode, now) and not checks.errors(episode_read.findings),
        time=_time(show, episode, typed, language, now),
        advice=_advice(episode_read, language),
        places=[_place(episode, show, view, here.settings) for view in views(show.language)],
        after=episode_read.after,
        shared=after_publishing.shared,
        guest_links=episode_read.guest_links,
        guest_link=guest_link,
        form_id=secrets.token_hex(16),
        saved_at=_saved_at(request),
    )
    signed = await to_thread.run_sync(security.signed_origin, here.storage)
    answer.headers["Content-Security-Policy"] = security.listening_policy(signed)
    return answer


def told(
    read: Read, language: str, typed: Mapping[str, str], clashes: Sequence[str], findings: Sequence[Finding]
) -> dict[str, object]:
    """What a page that saves itself says anew."""
    saved = episode_form.values(read.episode)
    said = remarks(language, findings, {**saved, **OTHERS})
    form = _form(read, {**typed, "seen": ""}, language, findings)
    return {
        "state": read.episode.state,
        "title": title(read.episode),
        "seen": edits.seen(saved),
        "elsewhere": edits.elsewhere(persons_form.gathered(typed), saved),
        "findings": [{"field": remark.field, "text": remark.text} for remark in said],
        "clashes": [
            {
                "field": name,
                "value": saved[name],
                "text": _clash_text(name, saved[name], language),
                "by": read.changed_by.get(name, ""),
            }
            for name in clashes
        ],
        "advice": pages.html(
            "studio/episode_advice.html",
            language,
            advice=_advice(read, language),
            form=replace(form, remarks=()),
            show=read.episode.show,
        ),
    }


def title(episode: Episode) -> str:
    """A draft without a title goes by its file's name."""
    named = documents.main_words(episode).title
    return named or (episode.audio.upload.filename if episode.audio else "")


def is_due(episode: Episode, now: dt.datetime) -> bool:
    """Whether it should have gone out by now."""
    return episode.state == "scheduled" and episode.publish_at is not None and episode.publish_at <= now


def read(session: Session, person: User, episode_id: EpisodeId, settings: Settings) -> Read:
    """Raises Problem 404."""
    episode = rights.episode(session, person, episode_id)
    return Read(
        episode,
        publishing.findings(episode, episode.show, settings) if episode.state != "withdrawn" else [],
        rights.may_change(session, person, episode.show),
        persons_form.known(session, episode.show),
        guests.links(session, episode.id),
        _changed_by(session, episode_id),
        after_publishing.read(session, episode, settings),
    )


def _changed_by(session: Session, episode_id: EpisodeId) -> dict[str, str]:
    last = select(Revision.by, Revision.changes).where(Revision.episode_id == episode_id)
    found: dict[str, str] = {}
    for by, changes in session.execute(last.order_by(Revision.id.desc()).limit(20)):
        for name in changes:
            found.setdefault(name, by)
    return found


def _form(read: Read, typed: Mapping[str, str], language: str, findings: Sequence[Finding]) -> Form:
    """What the person changed stands in the inputs; what only others changed is shown as it is saved now."""
    saved = episode_form.values(read.episode)
    merged = edits.merge(persons_form.gathered(typed), saved)
    return Form(
        values={**saved, **merged.changes},
        remarks=remarks(language, findings, {**saved, **OTHERS}),
        clashes={name: _clash_text(name, theirs, language) for name, theirs in merged.clashes.items()},
        changed_by=read.changed_by,
        advice=_at_fields(read, language),
        suggested=episode_form.suggested(read.episode),
        seen=edits.seen(saved),
        is_open=read.may_change and read.episode.state != "withdrawn",
    )


def _clash_text(name: str, theirs: str, language: str) -> str:
    return persons_form.in_words(language, theirs) if name == persons_form.FIELD else theirs


def _saved_at(request: Request) -> str:
    """What the address says after saving, "14:02"; nothing else that somebody wrote there."""
    said = request.query_params.get("saved", "")
    return said if re.fullmatch("[0-9]{2}:[0-9]{2}", said) else ""


def _advice(read: Read, language: str) -> list[tuple[str, Remark]]:
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


def _at_fields(read: Read, language: str) -> tuple[Remark, ...]:
    """What is worth a look, beside the input that it is about; with the errors, it stands together above the form."""
    warnings = [finding for finding in read.findings if finding.level == "warning"]
    return remarks(language, warnings, episode_form.values(read.episode))


@dataclass(frozen=True, slots=True)
class Sound:
    """How long the recording is, and how it ends."""

    duration_ms: int
    silence_end_s: int | None  # None until it is measured


def _sound(episode: Episode) -> Sound | None:
    if episode.audio is None:
        return None
    measured = episode.audio.upload.measurement
    length = (measured.duration_ms if measured else None) or episode.audio.upload.facts.get("duration_ms")
    silence_ms = measured.silence_end_ms if measured else None
    return Sound(length, None if silence_ms is None else round(silence_ms / 1000)) if length else None


@dataclass(frozen=True, slots=True)
class Time:
    """The time to go out at, as the form holds it and as clocks will show it."""

    value: str  # of the input
    which: str  # "0" or "1", when it comes twice that night
    offsets: Sequence[str]  # from UTC, of the two; empty when it comes once
    clocks: Sequence[zones.Clock]


def _time(show: Show, episode: Episode, typed: Mapping[str, str], language: str, now: dt.datetime) -> Time:
    zone, which = ZoneInfo(show.time_zone), typed.get("publish_at_which", "")
    saved = local_time.written(episode.publish_at, zone) if episode.publish_at is not None else ""
    value = typed.get("publish_at") or saved
    local = local_time.read(value)
    found = local_time.instants(local, zone) if local is not None else []
    at = episode.publish_at if value == saved else next(iter(found), None)
    offsets = [instant.astimezone(zone).isoformat()[-6:] for instant in found] if len(found) == 2 else []
    return Time(value, which, offsets, zones.clocks(show, at, language, now))


def _place(episode: Episode, show: Show, view: View, settings: Settings) -> Place:
    addresses = Addresses(settings.origin)
    return Place(
        language=view.language,
        page=addresses.episode(show.slug, episode.slug, view),
        feed=addresses.feed(show.slug, view),
        embed=snippet(places.Place(show, view, episode), addresses),
    )
