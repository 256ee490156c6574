"""What an address under /media/ leads to: the current audio of a published episode, whichever id of it is asked for."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from media.storage import Key
from podcast_app.models import Audio, AudioId, Edition, Episode, EpisodeText, ShowId

LONGEST_NAME = 100  # characters of a title that make a file's name; file systems take 255 bytes

_NO_FILE_NAME = str.maketrans('/\\:*?"<>|', "-" * 9)  # at least one system refuses each of these


@dataclass(frozen=True, slots=True)
class Recording:
    """What listeners get of a published episode: its enclosure, or a light edition."""

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


def find(session: Session, address_id: AudioId) -> Recording | Withdrawn | None:
    """In one query. None: no such audio, or not public."""
    asked, former, current = aliased(Edition), aliased(Audio), aliased(Audio)
    rows = session.execute(
        select(asked.name, Episode, Edition, EpisodeText.title)
        .join(former, asked.audio_id == former.id)
        .join(Episode, former.episode_id == Episode.id)
        .join(current, and_(current.episode_id == Episode.id, current.is_current))
        .join(Edition, and_(Edition.audio_id == current.id, Edition.name.in_((asked.name, "enclosure"))))
        .join(EpisodeText, and_(EpisodeText.episode_id == Episode.id, EpisodeText.language == Episode.language))
        .where(asked.address_id == address_id)
    ).all()
    if not rows:
        return None
    name, episode, _, title = rows[0]
    match episode.state:
        case "published":
            return _recording(episode, _best(name, [edition for _, _, edition, _ in rows]), title, address_id)
        case "withdrawn":
            return Withdrawn(episode.show_id)
        case _:
            return None


def _best(name: str, editions: Sequence[Edition]) -> Edition:
    """The one that was asked for; or the enclosure, while that one is not made for the audio of today."""
    public = [edition for edition in editions if edition.public_key is not None]
    return next((edition for edition in public if edition.name == name), None) or public[0]


def _recording(episode: Episode, edition: Edition, title: str, address_id: AudioId) -> Recording:
    assert edition.public_key is not None
    assert edition.media_type is not None
    assert edition.size_bytes is not None
    assert edition.sha256 is not None
    size = "" if edition.name == "enclosure" else " - low data"
    name = title.translate(_NO_FILE_NAME)[:LONGEST_NAME].strip(" .")
    return Recording(
        show_id=episode.show_id,
        key=edition.public_key,
        media_type=edition.media_type,
        size_bytes=edition.size_bytes,
        sha256=edition.sha256,
        modified_at=edition.public_at if edition.address_id == address_id else None,
        file_name=f"{name}{size}.{edition.extension}",
    )
