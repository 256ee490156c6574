"""Episodes that should have gone out and did not: said in red on every page of those whose they are."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from feeds import checks
from feeds.checks import Finding, error
from podcast_app import access, documents, episodes, publishing
from podcast_app.models import Episode, EpisodeId, User
from podcast_app.settings import Settings

PATIENCE = dt.timedelta(minutes=2)  # what goes out a moment late is on its way
MOST = 5  # that are named; where there are more, one reason mostly holds up all of them

PREPARING = error("audio", "Its audio is not ready yet.", "On the page of its recording you see how far it is.")
NOBODY_IS_AT_IT = error(
    "", "Nothing stands in its way, and nobody has published it.", "Tell whoever runs the site: no worker seems to run."
)


@dataclass(frozen=True, slots=True)
class Overdue:
    episode_id: EpisodeId
    title: str
    at: dt.datetime  # when it should have gone out
    time_zone: str
    reasons: Sequence[Finding]


def theirs(session: Session, person: User, settings: Settings, now: dt.datetime) -> Sequence[Overdue]:
    """Of the person's shows. One indexed question, as long as there is none."""
    late = select(Episode.id).where(Episode.state == "scheduled", Episode.publish_at < now - PATIENCE)
    of_person = late.where(Episode.trashed_at.is_(None), access.is_theirs(person, Episode.show_id))
    found = session.scalars(of_person.order_by(Episode.publish_at).limit(MOST)).all()
    rows = [episodes.get(session, episode_id) for episode_id in found]
    return [_overdue(episode, settings) for episode in rows if episode is not None]


def _overdue(episode: Episode, settings: Settings) -> Overdue:
    assert episode.publish_at is not None
    reasons = checks.errors(publishing.findings(episode, episode.show, settings)) or [_otherwise(episode)]
    assert episode.audio is not None, "an episode is made from audio"
    title = documents.main_words(episode).title or episode.audio.upload.filename
    return Overdue(episode.id, title, episode.publish_at, episode.show.time_zone, reasons)


def _otherwise(episode: Episode) -> Finding:
    return NOBODY_IS_AT_IT if episodes.enclosure(episode).status == "ready" else PREPARING
