"""The library in numbers, for Prometheus: read from the database, so every process says the same.

Names of shows and what lags; no titles, no people.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVarTuple, get_args

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute, Session

from podcast_app.database import Database, is_away
from podcast_app.models import (
    Audio,
    AudioStatus,
    Edition,
    Episode,
    EpisodeState,
    Feed,
    LooseObject,
    Measurement,
    Show,
    Upload,
    UploadState,
)
from podcast_app.publishing import LIGHT
from podcast_app.times import utcnow

Labels = tuple[str, ...]
Ts = TypeVarTuple("Ts")


def exposition_of(database: Database) -> bytes:
    """The numbers in Prometheus' text format. Where the database is away, they are few."""
    try:
        return exposition(database.read(_library, utcnow()))
    except SQLAlchemyError as failure:
        if not is_away(failure):
            raise
        return exposition(None)


def exposition(library: Iterable[GaugeMetricFamily] | None) -> bytes:
    """What is known of the library, None for nothing, and what this process costs."""
    up = GaugeMetricFamily("podcast_database_up", "Whether the database answers.", value=0 if library is None else 1)
    registry = CollectorRegistry()
    registry.register(_Known([up, *(library or ())]))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Known(Collector):
    def __init__(self, families: Iterable[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._families


def _library(session: Session, now: dt.datetime) -> list[GaugeMetricFamily]:
    return [*_counts(session), *_lags(session, now)]


def _counts(session: Session) -> Iterator[GaugeMetricFamily]:
    uploads = _by(session, Upload.state)
    episodes = _by(session, Episode.state, but=Episode.trashed_at.is_not(None))
    rows = session.execute(select(Show.slug, Feed.view, Feed.generation).join(Show, Show.id == Feed.show_id))
    generations: dict[Labels, int] = {(slug, view): generation for slug, view, generation in rows}
    loose = session.scalar(select(func.count()).select_from(LooseObject)) or 0
    yield _family("podcast_uploads", "Recordings that arrived.", ["state"], _zeros(UploadState) | uploads)
    yield _family("podcast_episodes", "Episodes.", ["state"], _zeros(EpisodeState) | episodes)
    yield _family(
        "podcast_editions",
        "Audio that listeners get, by encoding.",
        ["edition", "status"],
        _editions(session),
    )
    yield _family(
        "podcast_measurements",
        "Recordings that are, or are to be, measured.",
        ["status"],
        _measurements(session),
    )
    yield _family("podcast_feed_generation", "How often the feed has changed.", ["show", "view"], generations)
    yield GaugeMetricFamily(
        "podcast_loose_objects", "Stored objects that are being written, or to be deleted.", value=loose
    )


def _lags(session: Session, now: dt.datetime) -> Iterator[GaugeMetricFamily]:
    """All of them 0 when nothing lags."""
    due = select(func.min(Episode.publish_at)).where(Episode.state == "scheduled")
    uncopied = select(func.min(Feed.modified_at)).where(Feed.copied_generation < Feed.generation)
    unswept = select(func.min(LooseObject.delete_after))
    leases = max(
        _age(session, select(func.min(table.lease_until)), now) for table in (Edition, Measurement, Feed, Upload)
    )
    yield GaugeMetricFamily(
        "podcast_publication_lag_seconds", "How late the latest due episode is.", value=_age(session, due, now)
    )
    yield GaugeMetricFamily(
        "podcast_feed_copy_lag_seconds",
        "Since when a feed's newest generation is not in storage.",
        value=_age(session, uncopied, now),
    )
    yield GaugeMetricFamily(
        "podcast_sweep_lag_seconds", "How late the deletion of an object is.", value=_age(session, unswept, now)
    )
    yield GaugeMetricFamily(
        "podcast_lease_overdue_seconds", "How long nobody has taken over what a worker left.", value=leases
    )


def _editions(session: Session) -> dict[Labels, int]:
    """Those of audio that listeners have, or are to have."""
    counted = select(Edition.name, Edition.status, func.count()).join(Audio, Audio.id == Edition.audio_id)
    rows = session.execute(_of_wanted_audio(counted).group_by(Edition.name, Edition.status))
    none: dict[Labels, int] = {(name, status): 0 for name in ("enclosure", *LIGHT) for status in get_args(AudioStatus)}
    return none | {(name, status): count for name, status, count in rows}


def _measurements(session: Session) -> dict[Labels, int]:
    """The same of their recordings."""
    counted = select(Measurement.status, func.count(Measurement.upload_id.distinct()))
    wanted = _of_wanted_audio(counted.join(Audio, Audio.upload_id == Measurement.upload_id))
    rows = session.execute(wanted.group_by(Measurement.status))
    return _zeros(AudioStatus) | {(status,): count for status, count in rows}


def _of_wanted_audio(counted: Select[*Ts]) -> Select[*Ts]:
    """Of what was replaced or withdrawn nothing is made any more."""
    of_episodes = counted.join(Episode, Episode.id == Audio.episode_id)
    is_wanted = or_(Audio.is_current, Audio.is_next)
    return of_episodes.where(is_wanted, Episode.state != "withdrawn", Episode.trashed_at.is_(None))


def _by(
    session: Session, *columns: InstrumentedAttribute[str], but: ColumnElement[bool] | None = None
) -> dict[Labels, int]:
    """How many rows have each of these values, but for some."""
    counted = select(*columns, func.count()).group_by(*columns)
    rows = session.execute(counted if but is None else counted.where(~but))
    return {tuple(labels): count for *labels, count in rows}


def _zeros(states: object) -> dict[Labels, int]:
    """A state that nothing is in is a line too, or an alarm on it would never end."""
    return {(state,): 0 for state in get_args(states)}


def _age(session: Session, oldest: Select[dt.datetime] | Select[dt.datetime | None], now: dt.datetime) -> float:
    """Seconds since that moment; 0 when there is none, or it is to come."""
    moment = session.scalar(oldest)
    return max(0.0, (now - moment).total_seconds()) if moment is not None else 0.0


def _family(name: str, about: str, labels: list[str], values: Mapping[Labels, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, about, labels=labels)
    for of, value in values.items():
        family.add_metric(of, value)
    return family
