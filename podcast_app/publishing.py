"""The heart: an episode becomes public and leaves again, and its show's feeds with it, in one transaction.

A feed is kept as finished bytes. Each change makes the feeds' next generation from the last one: the changed item is
rendered, the others are taken as they are. Nothing here commits, and a refusal has written nothing that stays: the
caller gives the transaction up.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from feeds import checks, document, generation, rss
from feeds.checks import Finding, error, warning
from media.storage import Key
from podcast_app import covers, documents, episodes, loudness, objects, search
from podcast_app.addresses import Addresses, View, feed_path, feed_views, views
from podcast_app.fields import EpisodeChanges
from podcast_app.models import Audio, AudioId, Edition, Episode, EpisodeId, Feed, Show, new_id
from podcast_app.outcomes import Conflict, Done, Refused, Unknown
from podcast_app.settings import Settings

LIGHT = frozenset({"low-mp3", "low-opus"})  # editions for slow or costly lines

# A due episode whose checks fail is looked at again after this; somebody may have mended it.
TRY_AGAIN = dt.timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class NotYet:
    """Not due, not ready, or held up by findings. The worker comes back to it."""

    findings: tuple[Finding, ...] = ()


Outcome = Done[Episode] | Refused | Conflict | Unknown

ARCHIVED = error("show.archived", "This show is archived.", "Bring it back in its settings, then publish.")
NEVER_PUBLIC = Conflict("Only a published episode can be withdrawn.", "Delete this one instead.")


def findings(episode: Episode, show: Show, settings: Settings) -> list[Finding]:
    """Everything that checks say about the documents that listeners would get, in every view of the show."""
    found: dict[tuple[str, str], Finding] = {}
    if show.archived_at is not None:
        found[ARCHIVED.field, ARCHIVED.problem] = ARCHIVED
    for view in views(show.language):
        described = documents.show_document(show, view, settings)
        of_episode = checks.episode(documents.episode_document(episode, show, view, settings), described)
        for finding in (*checks.show(described), *of_episode, *_of_audio(episode, show)):
            found.setdefault((finding.field, finding.problem), finding)
    return list(found.values())


def make_due(
    session: Session, episode_id: EpisodeId, at: dt.datetime | None, settings: Settings, now: dt.datetime
) -> Outcome:
    """Publish as soon as its time has come and its enclosure is ready. `at=None`: now."""
    found = episodes.to_change(session, episode_id)
    if not isinstance(found, tuple):
        return found
    show, episode = found
    if episode.state == "published":
        return Done(episode)
    if errors := checks.errors(findings(episode, show, settings)):
        return Refused(errors)
    if at is None and episode.state == "scheduled" and episode.publish_at is not None and episode.publish_at <= now:
        return Done(episode)  # asked again while it is on its way: its time stays
    episode.state = "scheduled"
    episode.publish_at = at or now
    episode.try_again_at = None
    _changed(episode)
    _enclosure_follows(episode, show)
    return Done(episode)


def unschedule(session: Session, episode_id: EpisodeId) -> Outcome:
    """Back to draft."""
    found = episodes.get_locked(session, episode_id)
    if found is None:
        return Unknown()
    _, episode = found
    if episode.state == "scheduled":
        episode.state = "draft"
        episode.publish_at = None
        _changed(episode)
    return Done(episode)


def publish(
    session: Session, episode_id: EpisodeId, public_key: Key, settings: Settings, now: dt.datetime
) -> Outcome | NotYet:
    """A due episode becomes public. `public_key`: where its enclosure's bytes were copied to, announced before."""
    found = episodes.get_locked(session, episode_id)
    if found is None:
        return Unknown()
    show, episode = found
    enclosure = episodes.enclosure(episode)
    if not _is_due(episode, now) or enclosure.status != "ready":
        return NotYet()
    if not is_current(episode, show):
        _enclosure_follows(episode, show)
        return NotYet()
    if errors := checks.errors(findings(episode, show, settings)):
        episode.try_again_at = now + TRY_AGAIN
        return NotYet(tuple(errors))
    assert episode.audio is not None
    assert enclosure.extension is not None
    episode.audio.name = documents.public_name(episode, enclosure.extension)
    objects.take_over(session, public_key)
    enclosure.public_key, enclosure.public_at = public_key, episode.publish_at
    add_light_editions(episode.audio)
    episode.state = "published"
    episode.published_at = episode.publish_at
    _settle_guid(show, settings)
    _changed(episode)
    next_generation(session, show, settings, now, put=[episode])
    return Done(episode)


def edit(
    session: Session, episode_id: EpisodeId, changes: EpisodeChanges, settings: Settings, now: dt.datetime
) -> Outcome:
    """Change the episode's fields. A published one must still pass its checks, and its feeds move with it."""
    found = episodes.to_change(session, episode_id)
    if not isinstance(found, tuple):
        return found
    show, episode = found
    if refused := [*episodes.apply(session, show, episode, changes), *_of_time(episode, changes)]:
        return Refused(refused)
    _changed(episode)
    if episode.state == "published":
        if errors := checks.errors(findings(episode, show, settings)):
            return Refused(errors)
        next_generation(session, show, settings, now, put=[episode])
        return Done(episode)
    if "publish_at" in changes.model_fields_set:
        if changes.publish_at is None:
            return unschedule(session, episode_id)
        return make_due(session, episode_id, changes.publish_at, settings, now)
    if episode.state == "scheduled":
        episode.try_again_at = None
        _enclosure_follows(episode, show)
    return Done(episode)


def set_cover(
    session: Session, episode_id: EpisodeId, picture: covers.Picture | None, settings: Settings, now: dt.datetime
) -> Outcome:
    """The episode's own cover; with None the show's stands in."""
    found = episodes.to_change(session, episode_id)
    if not isinstance(found, tuple):
        return found
    show, episode = found
    if picture is None:
        covers.set_none(session, episode_id)
    else:
        covers.set_current(session, show.id, episode_id, picture)
    session.refresh(episode, ["cover"])
    episode.suggested = {name: source for name, source in episode.suggested.items() if name != "cover"}
    changed(session, show, episode, settings, now)
    return Done(episode)


def withdraw(session: Session, episode_id: EpisodeId, settings: Settings, now: dt.datetime) -> Outcome:
    """Out of every feed at once, its copies released, its GUID kept as a tombstone. It is final."""
    found = episodes.get_locked(session, episode_id)
    if found is None:
        return Unknown()
    show, episode = found
    if episode.state == "withdrawn":
        return Done(episode)
    if episode.state != "published":
        return NEVER_PUBLIC
    for audio in episodes.audios(session, episode.id):
        for made in audio.editions:
            objects.release(session, made.public_key, now)
            objects.release(session, made.key, now)
            made.public_key = made.key = None
        if audio.upload is not None:
            audio.upload.episode_id = None  # the same audio can become a new draft
        audio.is_next = False
    episode.state = "withdrawn"
    episode.withdrawn_at = now
    _changed(episode)
    next_generation(session, show, settings, now, remove=[episode.id])
    return Done(episode)


def changed(session: Session, show: Show, episode: Episode, settings: Settings, now: dt.datetime) -> None:
    """Something beside its fields was: what is public of it moves along."""
    _changed(episode)
    session.flush()
    if episode.state == "published":
        next_generation(session, show, settings, now, put=[episode])
    elif episode.state == "scheduled":
        _enclosure_follows(episode, show)


def add_light_editions(audio: Audio) -> None:
    """To be made for what is public, behind its publication."""
    there = {edition.name for edition in audio.editions}
    for name in LIGHT - there:
        audio.editions.append(Edition(name=name, address_id=AudioId(new_id()), status="preparing", attempts=0))


def next_generation(
    session: Session,
    show: Show,
    settings: Settings,
    now: dt.datetime,
    *,
    put: Sequence[Episode] = (),
    remove: Collection[EpisodeId] = (),
) -> None:
    """The show's pages, search and feeds with these episodes changed or gone. Costs the change, not the catalogue;
    where no byte would differ, the feed stays as it is."""
    show.generation += 1
    search.forget(session, remove)
    for episode in put:
        search.index(session, episode)
    for view in feed_views(show.language):
        last = _last(session, show, view)
        if last is None or last.made_with != made_with(settings):
            _replace(session, show, view, settings, now, last)
        else:
            _advance(show, view, settings, now, last, [_item(episode, show, view, settings) for episode in put], remove)


def rebuild(session: Session, show: Show, settings: Settings, now: dt.datetime) -> None:
    """Every item of every feed anew: a change of the show's address or language, of the origin, of the renderer."""
    show.generation += 1
    for view in feed_views(show.language):
        _replace(session, show, view, settings, now, _last(session, show, view))


def made_with(settings: Settings) -> str:
    """What a generation's bytes depend on besides the rows."""
    return json.dumps([rss.RENDERER, settings.origin, *settings.websub_hubs])


def recorded_origin(session: Session) -> str | None:
    """The origin that the feeds were last made for."""
    made = session.scalar(select(Feed.made_with).limit(1))
    return json.loads(made)[1] if made is not None else None


def tags_digest(episode: Episode, show: Show, audio: Audio | None = None) -> str:
    """Of what makes an enclosure what it is besides the recording: its tags, and whether its loudness is evened."""
    words = documents.main_words(episode)
    picture = (episode.cover or show.cover).id
    chapters = [[each.start_ms, each.title, each.url] for each in documents.chapters(episode, audio)]
    rows = documents.chapter_rows(episode, audio) if audio else episode.chapters
    pictures = [chapter["picture"] for chapter in rows if chapter.get("picture")]
    tags = [words.title, documents.main_text(show).title, show.author, picture, episode.number, chapters, pictures]
    return hashlib.sha256(json.dumps([*tags, show.even_loudness]).encode()).hexdigest()


def is_current(episode: Episode, show: Show) -> bool:
    """Whether the enclosure carries the tags, and has the loudness, that it should have."""
    return episodes.enclosure(episode).tags_digest == tags_digest(episode, show)


class _Item(NamedTuple):
    """An episode as one feed's item, and what it was made from."""

    kept: generation.Item
    document: document.Episode


def _advance(
    show: Show,
    view: View,
    settings: Settings,
    now: dt.datetime,
    last: Feed,
    put: Sequence[_Item],
    remove: Collection[EpisodeId],
) -> None:
    """The feed's next generation from its last one, unless no byte but the date would differ."""
    described = documents.show_document(show, view, settings)
    kept = generation.Feed(gzip=last.gzip, index=last.index, etag=last.etag, size_bytes=last.size_bytes)
    items = [item.kept for item in put]
    if not generation.differs(kept, *rss.channel(described, built_at=last.modified_at), items, remove):
        return
    built_at = _moment(last, now)
    head, tail = rss.channel(described, built_at=built_at)
    for item in put:
        unread = list(checks.reads_back(head, item.kept.xml, tail, item.document))
        assert not unread, f"the item of {item.document.guid} does not read back: {unread}"
    _store(last, generation.changed(kept, head, tail, items, remove), built_at, show, view, settings)


def _replace(session: Session, show: Show, view: View, settings: Settings, now: dt.datetime, last: Feed | None) -> None:
    """The feed built from nothing, in the place of the last one."""
    described = documents.show_document(show, view, settings)
    published = session.scalars(episodes.whole(of_show=show.id).where(Episode.state == "published"))
    items = [_item(episode, show, view, settings).kept for episode in published]
    if last is not None:
        same = generation.assemble(*rss.channel(described, built_at=last.modified_at), items)
        if same.etag == last.etag:
            last.made_with, last.path = made_with(settings), feed_path(show.slug, view)
            return
    else:
        last = Feed(show_id=show.id, view=view.name, generation=0, copied_generation=0, announced_generation=0)
        session.add(last)
    built_at = _moment(last, now)
    _store(last, generation.assemble(*rss.channel(described, built_at=built_at), items), built_at, show, view, settings)


def _store(
    feed: Feed, made: generation.Feed, built_at: dt.datetime, show: Show, view: View, settings: Settings
) -> None:
    feed.generation += 1
    feed.gzip, feed.index, feed.etag, feed.size_bytes = made.gzip, made.index, made.etag, made.size_bytes
    feed.modified_at = built_at
    feed.path = feed_path(show.slug, view)
    feed.made_with = made_with(settings)
    feed.try_again_at = None


def _moment(last: Feed, now: dt.datetime) -> dt.datetime:
    """The time of the next generation. HTTP's dates count whole seconds, so each must be a second after the last,
    or a reader that asks `If-Modified-Since` would miss it."""
    now = now.replace(microsecond=0)
    return now if last.modified_at is None else max(now, last.modified_at + dt.timedelta(seconds=1))


def _item(episode: Episode, show: Show, view: View, settings: Settings) -> _Item:
    made = documents.episode_document(episode, show, view, settings)
    return _Item(generation.Item(key=episode.id, published_at=made.published_at, xml=rss.item(made)), made)


def _last(session: Session, show: Show, view: View) -> Feed | None:
    query = select(Feed).where(Feed.show_id == show.id, Feed.view == view.name)
    return session.scalars(query.options(undefer(Feed.gzip), undefer(Feed.index))).one_or_none()


def _of_audio(episode: Episode, show: Show) -> Iterable[Finding]:
    assert episode.audio is not None
    if episode.audio.upload.facts["has_video"]:
        yield warning(
            "audio",
            "The file is a video, and listeners get its sound alone.",
            "If its pictures matter, say in the notes where they can be seen.",
        )
    yield from loudness.findings(episode.audio.upload.measurement, is_evened=show.even_loudness)
    made = episodes.enclosure(episode)
    if made.status == "failed":
        assert made.failure is not None  # a sentence of ours: the edge translates it like any other
        yield Finding("error", "audio", made.failure, "Upload the file again, or try another one.")


def _of_time(episode: Episode, changes: EpisodeChanges) -> Iterable[Finding]:
    """What is public went out at its time; saying that time again, as it was read, changes nothing."""
    if episode.state != "published" or "publish_at" not in changes.model_fields_set:
        return
    assert episode.publish_at is not None
    if changes.publish_at is None or abs(changes.publish_at - episode.publish_at) >= dt.timedelta(seconds=1):
        yield error(
            "publish_at", "This episode is public already.", "Leave its time as it is, or withdraw the episode."
        )


def _is_due(episode: Episode, now: dt.datetime) -> bool:
    return episode.state == "scheduled" and episode.publish_at is not None and episode.publish_at <= now


def _changed(episode: Episode) -> None:
    episode.version += 1


def _enclosure_follows(episode: Episode, show: Show) -> None:
    """Tags are those of publication: an enclosure made with others is made again."""
    enclosure = episodes.enclosure(episode)
    if enclosure.status == "ready" and not is_current(episode, show):
        enclosure.status = "preparing"
        enclosure.try_again_at = None


def _settle_guid(show: Show, settings: Settings) -> None:
    """podcast:guid is the UUIDv5 of the feed's address at the first publication under a real origin (Podcasting 2.0,
    `guid`: without the scheme), and never changes after."""
    addresses = Addresses(settings.origin)
    if not show.guid_is_final and not addresses.is_private:
        address = addresses.feed(show.slug, views(show.language)[0]).partition("://")[2].rstrip("/")
        show.guid = str(uuid.uuid5(documents.PODCAST_NAMESPACE, address))
        show.guid_is_final = True


def copy_key(path: str) -> Key:
    """Where the copy of the feed at this path lies in storage."""
    return Key(f"feeds{path}")
