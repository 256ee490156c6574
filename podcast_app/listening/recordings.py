"""What an address under /media/ leads to: the current audio of a published episode, whichever id of it is asked for."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from media.storage import Key
from podcast_app.models import Audio, AudioId, Edition, Episode, EpisodeText, ShowId

LONGEST_NAME = 100  # characters of a title that make a file's name; file systems take 255 bytes

_NO_FILE_NAME = str.maketrans('/\\:*?"<>|', "-" * 9)  # at least one system refuses each of these


@dataclass(frozen=True, slots=True)
class Recording:
    """The enclosure of a published episode."""

    show_id: ShowId
    key: Key
    media_type: str
    size_bytes: int
    sha256: str
    modified_at: dt.datetime | None  # None at a former address, where these bytes are not those of publication
    file_name: str  # to save it under; any letters


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The episode was public once, and never will be again."""

    show_id: ShowId


def find(session: Session, audio_id: AudioId) -> Recording | Withdrawn | None:
    """In one query. None: no such audio, or not public."""
    asked, current = aliased(Audio), aliased(Audio)
    row = session.execute(
        select(Episode, Edition, current.id, EpisodeText.title)
        .join(asked, asked.episode_id == Episode.id)
        .join(current, and_(current.episode_id == Episode.id, current.is_current))
        .join(Edition, and_(Edition.audio_id == current.id, Edition.name == "enclosure"))
        .join(EpisodeText, and_(EpisodeText.episode_id == Episode.id, EpisodeText.language == Episode.language))
        .where(asked.id == audio_id)
    ).one_or_none()
    if row is None:
        return None
    episode, edition, current_id, title = row
    match episode.state:
        case "published":
            return _recording(episode, edition, title, is_former=current_id != audio_id)
        case "withdrawn":
            return Withdrawn(episode.show_id)
        case _:
            return None


def _recording(episode: Episode, edition: Edition, title: str, *, is_former: bool) -> Recording:
    assert edition.public_key is not None
    assert edition.media_type is not None
    assert edition.size_bytes is not None
    assert edition.sha256 is not None
    return Recording(
        show_id=episode.show_id,
        key=edition.public_key,
        media_type=edition.media_type,
        size_bytes=edition.size_bytes,
        sha256=edition.sha256,
        modified_at=None if is_former else episode.published_at,
        file_name=f"{title.translate(_NO_FILE_NAME)[:LONGEST_NAME].strip(' .')}.{edition.extension}",
    )
