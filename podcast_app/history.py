"""What changed in an episode, when, and by whom: kept beside it, in the transaction that makes the change.

Whoever is about to change an episode says so (`changing`, which locks it). What differs when the transaction is
committed is written down then: fields with what stood there before, and events. The worker says so too; what it carries
out is said to be by whoever asked for it, or by nobody when it was on schedule.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal, NamedTuple, cast, get_args

from sqlalchemy import and_, event, select
from sqlalchemy.orm import Session

from podcast_app import episodes
from podcast_app.models import (
    Audio,
    AudioId,
    Cover,
    CoverId,
    Episode,
    EpisodeId,
    EpisodeState,
    EpisodeText,
    Feed,
    Json,
    Revision,
    Show,
    Transcript,
    Upload,
    UploadId,
)
from podcast_app.times import iso, utcnow

Event = Literal[
    "made",
    "due",  # to be published as soon as it is ready
    "scheduled",
    "unscheduled",
    "published",
    "withdrawn",
    "trashed",
    "put_back",
    "restored",  # a field is again as it was
    "cover_changed",
    "cover_removed",
    "transcript_added",
    "transcript_replaced",
    "transcript_removed",
    "audio_coming",  # it takes the place of what listeners have as soon as it is ready
    "audio_called_off",
    "audio_replaced",
    "audio_brought_back",
    "audio_made_again",  # the same recording, with the tags and the loudness of today
]
EVENTS: tuple[Event, ...] = get_args(Event)


class Author(NamedTuple):
    """Who makes a change. Names may be anybody's, and may change; `id` tells authors apart (access.name)."""

    name: str
    id: str


COMMAND_LINE = Author("podcast-app", "")
WORKER = Author("", "")  # nobody: it happened on schedule

# Whoever goes on writing within this time writes the same revision: forms save themselves as they are typed in.
TOGETHER = dt.timedelta(minutes=10)
# Unless more than so much of what they had written goes, which they may want back.
MOST_LOST = 40  # characters

Changes = dict[str, Json]  # field -> [before, after], as models.Revision keeps them

_WATCHED = "episodes that this transaction may change"  # in Session.info

_FIELDS = (
    Episode.language,
    Episode.spoken_language,
    Episode.season,
    Episode.number,
    Episode.type,
    Episode.explicit,
    Episode.slug,
    Episode.chapters,
    Episode.persons,
)


def changing(session: Session, episode_id: EpisodeId, by: Author) -> tuple[Show, Episode] | None:
    """As episodes.get_locked, by whoever is called so: what differs at the end is remembered as theirs."""
    found = episodes.get_locked(session, episode_id)
    if found is not None:
        watch(session, episode_id, by)
    return found


def watch(session: Session, episode_id: EpisodeId, by: Author, *, is_new: bool = False) -> None:
    """The same for an episode that is locked already. `is_new`: it is made in this transaction."""
    watched: dict[EpisodeId, _Watched] = session.info.setdefault(_WATCHED, {})
    if episode_id not in watched:
        watched[episode_id] = _Watched(by, None if is_new else _moment(session, episode_id), restores=False)
    if not event.contains(session, "before_commit", _write):
        event.listen(session, "before_commit", _write)


def marks_restored(session: Session, episode_id: EpisodeId) -> None:
    """What this transaction changes in the episode, which is watched, brings back what was there before."""
    watched = session.info[_WATCHED]
    watched[episode_id] = watched[episode_id]._replace(restores=True)


def values(session: Session, episode_id: EpisodeId) -> Mapping[str, Json]:
    """Each field that the history tells of, as it is now."""
    moment = _moment(session, episode_id)
    assert moment is not None, "it was just seen"
    return moment.fields


def of_episode(session: Session, episode_id: EpisodeId, limit: int, before: int | None = None) -> Sequence[Revision]:
    """The newest first; with `before`, those before the revision of this id."""
    query = select(Revision).where(Revision.episode_id == episode_id).order_by(Revision.id.desc()).limit(limit)
    return session.scalars(query if before is None else query.where(Revision.id < before)).all()


def newest(session: Session, episode_id: EpisodeId, *events: Event) -> Revision | None:
    """The last revision that tells of one of these."""
    told = (each for each in of_episode(session, episode_id, _LOOKED_BACK) if event_of(each) in events)
    return next(told, None)


def author(revision: Revision) -> Author:
    return Author(revision.by, revision.by_id)


def event_of(revision: Revision) -> Event | None:
    return cast(Event, revision.changes["event"][1]) if "event" in revision.changes else None  # only this module writes


_LOOKED_BACK = 200  # revisions


class _Watched(NamedTuple):
    by: Author
    before: "_Moment | None"
    restores: bool


class _Sound(NamedTuple):
    """A version of the audio."""

    id: AudioId
    upload_id: UploadId | None
    filename: str
    was_public: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """An episode at one moment, as far as its history tells of it."""

    fields: Mapping[str, Json]
    address_is_settled: bool  # until then it follows the title, and is no news
    state: EpisodeState = "draft"
    publish_at: dt.datetime | None = None
    is_trashed: bool = False
    cover: CoverId | None = None
    transcripts: Mapping[str, str]  # language -> digest
    current: _Sound | None = None
    coming: _Sound | None = None
    audios: frozenset[AudioId]


_NOTHING = _Moment(fields={}, address_is_settled=False, transcripts={}, audios=frozenset())


def _write(session: Session) -> None:
    """Before the commit: what has become of the episodes that were watched."""
    if session.in_nested_transaction():
        return  # a savepoint that is released is no commit yet
    session.flush()
    watched: dict[EpisodeId, _Watched] = session.info.pop(_WATCHED, {})
    now = utcnow()
    for episode_id, (by, before, restores) in watched.items():
        after = _moment(session, episode_id)
        if after is None:
            continue  # gone for good, and its history with it
        by = _asked_by(session, episode_id) if by == WORKER else by
        changed = _changed_fields(before, after) if before is not None else {}
        if restores and changed:
            _add(session, episode_id, by, {"event": [None, "restored"], **changed}, now)
        elif changed:
            _add_fields(session, episode_id, by, changed, now)
        for told in _events(before, after):
            _add_event(session, episode_id, by, told, now)


def _add(session: Session, episode_id: EpisodeId, by: Author, changes: Changes, now: dt.datetime) -> None:
    session.add(Revision(episode_id=episode_id, at=now, by=by.name, by_id=by.id, changes=changes))


def _add_fields(session: Session, episode_id: EpisodeId, by: Author, changes: Changes, now: dt.datetime) -> None:
    """Into the last revision, where that goes on; what is then as it was before that is no news."""
    last = next(iter(of_episode(session, episode_id, 1)), None)
    if last is None or not _goes_on(last, by, changes, now):
        _add(session, episode_id, by, changes, now)
        return
    first = {name: [last.changes.get(name, value)[0], value[1]] for name, value in changes.items()}
    both = {name: value for name, value in (last.changes | first).items() if value[0] != value[1]}
    if both:
        last.changes = both
    else:
        session.delete(last)


def _goes_on(last: Revision, by: Author, changes: Changes, now: dt.datetime) -> bool:
    """Whether the same person, a moment later, goes on with what they wrote."""
    loses = any(_lost(*changes[name]) > MOST_LOST for name in changes if name in last.changes)
    return author(last) == by and "event" not in last.changes and now - last.at <= TOGETHER and not loses


def _lost(before: Json, after: Json) -> int:
    """How many characters of a value are not there any more, what begins and ends it alike left aside."""
    old, new = (value if isinstance(value, str) else json.dumps(value) for value in (before, after))
    start = _alike(old, new)
    return len(old) - start - _alike(old[start:][::-1], new[start:][::-1])


def _alike(first: str, second: str) -> int:
    """How many characters both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def _add_event(session: Session, episode_id: EpisodeId, by: Author, told: Changes, now: dt.datetime) -> None:
    details: Changes = {"generation": [None, _generation(session, episode_id)]} if _tells(told, "published") else {}
    _add(session, episode_id, by, told | details, now)
    session.flush()  # so that they stand in this order


def _asked_by(session: Session, episode_id: EpisodeId) -> Author:
    """Whose wish the worker carries out."""
    asked = newest(session, episode_id, "due", "scheduled", "audio_coming", "audio_made_again")
    return author(asked) if asked is not None and not _tells(asked.changes, "scheduled") else WORKER


def _tells(changes: Changes, name: Event) -> bool:
    return changes.get("event") == [None, name]


def _generation(session: Session, episode_id: EpisodeId) -> int | None:
    """Of the show's main feed, which holds it from now on."""
    of_show = select(Feed.generation).join(Episode, Episode.show_id == Feed.show_id)
    return session.scalar(of_show.where(Episode.id == episode_id, Feed.view == "main"))


# --- what differs ---


def _changed_fields(before: _Moment, after: _Moment) -> Changes:
    names = dict.fromkeys([*before.fields, *after.fields])
    differing = {name: [before.fields.get(name, ""), after.fields.get(name, "")] for name in names}
    changed = {name: pair for name, pair in differing.items() if pair[0] != pair[1]}
    if not after.address_is_settled:
        changed.pop("slug", None)
    return changed


def _events(before: _Moment | None, after: _Moment) -> Iterator[Changes]:
    if before is None:
        yield _event("made")
        yield from _of_state(_NOTHING, after)
        return
    yield from _of_audio(before, after)
    if before.cover != after.cover:
        yield _event("cover_changed" if after.cover is not None else "cover_removed")
    yield from _of_transcripts(before, after)
    yield from _of_state(before, after)


def _event(name: Event, **details: Json) -> Changes:
    return {"event": [None, name], **details}


def _of_state(before: _Moment, after: _Moment) -> Iterator[Changes]:
    if before.is_trashed != after.is_trashed:
        yield _event("trashed" if after.is_trashed else "put_back")
    elif after.state == "scheduled" and (before.state, before.publish_at) != (after.state, after.publish_at):
        yield _made_due(before, after)
    elif before.state != after.state:
        yield _event(_REACHED[after.state])


_REACHED: Mapping[EpisodeState, Event] = {
    "draft": "unscheduled",
    "scheduled": "scheduled",
    "published": "published",
    "withdrawn": "withdrawn",
}


def _made_due(before: _Moment, after: _Moment) -> Changes:
    assert after.publish_at is not None
    if after.publish_at <= utcnow():
        return _event("due")
    return _event(
        "scheduled", publish_at=[iso(before.publish_at) if before.publish_at else None, iso(after.publish_at)]
    )


def _of_transcripts(before: _Moment, after: _Moment) -> Iterator[Changes]:
    for language in sorted(before.transcripts.keys() | after.transcripts.keys()):
        was, is_now = before.transcripts.get(language), after.transcripts.get(language)
        if was != is_now:
            happened: Event = "transcript_replaced" if was and is_now else "transcript_added"
            yield _event(happened if is_now else "transcript_removed", transcript=[language, language])


def _of_audio(before: _Moment, after: _Moment) -> Iterator[Changes]:
    names = [before.current.filename if before.current else "", after.current.filename if after.current else ""]
    if _id(before.current) != _id(after.current):
        if _same_recording(before.current, after.current):
            return  # it was made again, which was told when it was asked for
        comes_back = _id(after.current) in before.audios and _id(after.current) != _id(before.coming)
        comes_back |= before.coming is not None and before.coming.was_public
        yield _event("audio_brought_back" if comes_back else "audio_replaced", audio=names)
    elif _id(before.coming) != _id(after.coming) and after.coming is not None:
        again = _same_recording(after.current, after.coming)
        yield _event("audio_made_again" if again else "audio_coming", audio=[names[0], after.coming.filename])
    elif before.coming is not None and after.coming is None and after.state == "published":
        yield _event("audio_called_off", audio=[before.coming.filename, names[1]])


def _id(sound: _Sound | None) -> AudioId | None:
    return sound.id if sound is not None else None


def _same_recording(one: _Sound | None, other: _Sound | None) -> bool:
    return one is not None and other is not None and one.upload_id == other.upload_id


# --- as it is now, asked as columns: rows that are loaded may be of a moment before ---


def _moment(session: Session, episode_id: EpisodeId) -> _Moment | None:
    its_cover = and_(Cover.episode_id == Episode.id, Cover.is_current)
    columns = (*_FIELDS, Episode.slug_is_chosen, Episode.published_at, Episode.state, Episode.publish_at)
    of_it = select(*columns, Episode.trashed_at, Cover.id).join(Cover, its_cover, isouter=True)
    row = session.execute(of_it.where(Episode.id == episode_id)).first()
    if row is None:
        return None
    *values, slug_is_chosen, published_at, state, publish_at, trashed_at, cover = row
    fields = dict(zip((column.key for column in _FIELDS), values, strict=True))
    audios = _audios(session, episode_id)
    return _Moment(
        fields=fields | _texts(session, episode_id, fields["language"]),
        address_is_settled=slug_is_chosen or published_at is not None,
        state=state,
        publish_at=publish_at,
        is_trashed=trashed_at is not None,
        cover=cover,
        transcripts=_transcripts(session, episode_id),
        current=next((sound for sound, is_current, _ in audios if is_current), None),
        coming=next((sound for sound, _, is_next in audios if is_next), None),
        audios=frozenset(sound.id for sound, _, _ in audios),
    )


def _texts(session: Session, episode_id: EpisodeId, main: str) -> dict[str, str]:
    """ "title" and "notes" of the main language, and of others "title.fr", "notes.fr"."""
    rows = session.execute(
        select(EpisodeText.language, EpisodeText.title, EpisodeText.notes).where(EpisodeText.episode_id == episode_id)
    )
    found: dict[str, str] = {}
    for language, title, notes in rows:
        suffix = "" if language == main else f".{language}"
        found |= {f"title{suffix}": title, f"notes{suffix}": notes}
    return found


def _transcripts(session: Session, episode_id: EpisodeId) -> dict[str, str]:
    rows = session.execute(select(Transcript.language, Transcript.digest).where(Transcript.episode_id == episode_id))
    return {row.language: row.digest for row in rows}


def _audios(session: Session, episode_id: EpisodeId) -> list[tuple[_Sound, bool, bool]]:
    """Each with whether it is the current one, and the one to come."""
    columns = (Audio.id, Audio.upload_id, Upload.filename, Audio.name, Audio.is_current, Audio.is_next)
    of_it = select(*columns).join(Upload, Audio.upload_id == Upload.id, isouter=True)
    return [
        (_Sound(audio_id, upload_id, filename or "", name is not None), is_current, is_next)
        for audio_id, upload_id, filename, name, is_current, is_next in session.execute(
            of_it.where(Audio.episode_id == episode_id)
        )
    ]
