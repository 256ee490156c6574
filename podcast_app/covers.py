"""Covers: a picture is stored, then a transaction makes it a show's or an episode's current one."""

import re
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from media import artwork
from media.storage import Key, Storage
from podcast_app import objects
from podcast_app.database import Database
from podcast_app.models import Cover, CoverId, EpisodeId, ShowId, new_id

_NAMED = re.compile(r"/cover-([0-9a-f]{16})\.[a-z]+$")


@dataclass(frozen=True, slots=True)
class Picture:
    """A cover that is stored and announced, and that no row owns yet."""

    key: Key
    media_type: str
    extension: str
    width: int
    height: int
    is_generated: bool


def store(database: Database, storage: Storage, cover: artwork.Cover, *, is_generated: bool = False) -> Picture:
    """Put the picture to storage, announced. It goes by itself unless a transaction takes it over soon."""
    key = objects.private_key("covers")
    with objects.announced(database, key), storage.writing(key, cover.media_type) as writer:
        writer.write(cover.data)
    return Picture(key, cover.media_type, cover.extension, cover.width, cover.height, is_generated)


def set_current(session: Session, show_id: ShowId, episode_id: EpisodeId | None, picture: Picture) -> Cover:
    """Make it the episode's cover, or with `None` the show's. Earlier ones keep their addresses."""
    of_it = Cover.episode_id.is_(None) if episode_id is None else Cover.episode_id == episode_id
    earlier = update(Cover).where(Cover.show_id == show_id, of_it, Cover.is_current)
    session.execute(earlier.values(is_current=False))
    cover = add(session, show_id, episode_id, picture, is_current=True)
    session.flush()
    return cover


def set_none(session: Session, episode_id: EpisodeId) -> None:
    """The episode has no cover of its own any more."""
    own = update(Cover).where(Cover.episode_id == episode_id, Cover.is_current)
    session.execute(own.values(is_current=False))


def add(
    session: Session, show_id: ShowId, episode_id: EpisodeId | None, picture: Picture, *, is_current: bool = False
) -> Cover:
    """A picture of the show or the episode; unless it is current, of a chapter or a person that will name it."""
    objects.take_over(session, picture.key)
    cover = Cover(
        id=CoverId(new_id()),
        show_id=show_id,
        episode_id=episode_id,
        is_current=is_current,
        key=picture.key,
        media_type=picture.media_type,
        extension=picture.extension,
        width=picture.width,
        height=picture.height,
        is_generated=picture.is_generated,
    )
    session.add(cover)
    return cover


def id_in(address: str) -> CoverId | None:
    """The picture that an address of ours names; an id that no picture has, when it is another's."""
    if not address:
        return None
    named = _NAMED.search(address)
    return CoverId(named[1] if named else "-")


def of_episode(session: Session, episode_id: EpisodeId) -> list[Cover]:
    """Every cover that the episode has or had."""
    return list(session.scalars(select(Cover).where(Cover.episode_id == episode_id)))
