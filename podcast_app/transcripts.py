"""What is said in an episode, written down: one text for each language, given out in every format that it can have."""

import datetime as dt
import hashlib
import json

from sqlalchemy.orm import Session

from feeds.checks import Finding, error
from media import transcripts
from podcast_app import episodes, publishing
from podcast_app.models import Episode, EpisodeId, Transcript
from podcast_app.outcomes import Done
from podcast_app.publishing import Outcome
from podcast_app.settings import Settings

WORDLESS = error("transcript", "There are no words in this file.", "Export the transcript again, and choose that file.")


def read(data: bytes, filename: str, media_type: str) -> transcripts.Transcript | Finding:
    """What the file says, or why it cannot be used: the line, where one is to blame."""
    try:
        said = transcripts.read(data, filename=filename, media_type=media_type)
    except transcripts.Unreadable as refused:  # its one sentence holds both problem and mend
        return Finding("error", "transcript", refused.sentence, "", tuple(refused.values.items()))
    return said if transcripts.formats(said) else WORDLESS


def put(
    session: Session,
    episode_id: EpisodeId,
    language: str,
    said: transcripts.Transcript,
    filename: str,
    is_captions: bool | None,
    settings: Settings,
    now: dt.datetime,
) -> Outcome:
    """In the place of an earlier one in this language. `is_captions=None`: when no other one is."""
    found = episodes.to_change(session, episode_id)
    if not isinstance(found, tuple):
        return found
    show, episode = found
    row = _of(episode, language)
    if row is None:
        row = Transcript(language=language, is_captions=False)
        episode.transcripts.append(row)
    content = transcripts.to_json(said)
    row.content, row.digest = content, hashlib.sha256(json.dumps(content).encode()).hexdigest()
    row.filename, row.is_timed = filename, said.is_timed
    _mark(episode, row, is_captions)
    publishing.changed(session, show, episode, settings, now)
    return Done(episode)


def remove(session: Session, episode_id: EpisodeId, language: str, settings: Settings, now: dt.datetime) -> Outcome:
    """Silent when there is none in this language."""
    found = episodes.to_change(session, episode_id)
    if not isinstance(found, tuple):
        return found
    show, episode = found
    row = _of(episode, language)
    if row is not None:
        episode.transcripts.remove(row)
        publishing.changed(session, show, episode, settings, now)
    return Done(episode)


def _of(episode: Episode, language: str) -> Transcript | None:
    return next((row for row in episode.transcripts if row.language == language), None)


def _mark(episode: Episode, row: Transcript, is_captions: bool | None) -> None:
    """At most one serves as captions, and only one that has times can."""
    others = [other for other in episode.transcripts if other is not row]
    wanted = not any(other.is_captions for other in others) if is_captions is None else is_captions
    row.is_captions = wanted and row.is_timed
    if row.is_captions:
        for other in others:
            other.is_captions = False
