"""A library without HTTP: what the API, the studio and the command line stand on, with one process's hands."""

import datetime as dt
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from media.storage.open import open_storage
from podcast_app import drafts, episodes, shows, uploads, worker
from podcast_app.database import Database
from podcast_app.fields import NewEpisode, parse
from podcast_app.models import Edition, Episode, EpisodeId, Feed, LooseObject, Measurement, Show, Upload, UploadId
from podcast_app.outcomes import Refused
from podcast_app.settings import Settings
from podcast_app.setup import first_start
from podcast_app.times import utcnow
from podcast_app.work import Work


@dataclass(frozen=True)
class Place:
    """Where a library lies: what another process needs to work in it too."""

    database_url: str
    data_dir: Path
    port: int = 8000  # of its address

    @property
    def settings(self) -> Settings:
        return Settings(_env_file=None, database_url=self.database_url, data_dir=self.data_dir, port=self.port)


def copied(first_show: Path, folder: Path) -> Place:
    """The library in this folder once more: on SQLite, where everything lies in the one folder."""
    shutil.copytree(first_show, folder, dirs_exist_ok=True)
    return Place(f"sqlite:///{folder / 'podcast.db'}", folder)


@dataclass(frozen=True)
class Library:
    """One show, and what can be done with it."""

    work: Work

    def shows(self) -> list[Show]:
        return self.work.database.read(shows.query)

    def show(self) -> Show:
        return self.shows()[0]

    def draft(self, audio: bytes, filename: str = "recording.mp3", **said: object) -> EpisodeId:
        """A new episode from this audio; `publish` makes it due."""
        fields = parse(NewEpisode, said)
        assert isinstance(fields, NewEpisode), fields
        made = self.work.database.write(
            drafts.from_recording,
            self.show().id,
            self._received(audio, filename),
            fields,
            self.work.settings,
            utcnow(),
        )
        assert not isinstance(made, Refused), made
        return made.episode.id

    def upload(self, audio: bytes, filename: str) -> UploadId:
        """A recording that waits for what is made from it."""
        inspected = self._received(audio, filename)
        return self.work.database.write(uploads.record, self.show().id, inspected, utcnow()).id

    def _received(self, audio: bytes, filename: str) -> uploads.Inspected:
        original = uploads.Original(self.work.database, self.work.storage, self.work.settings.max_upload_bytes)
        original.write(audio)
        return uploads.inspect(self.work.database, self.work.storage, original.finish(filename))

    def published(self, audio: bytes, **said: object) -> Episode:
        episode_id = self.draft(audio, **{"publish": "now", **said})
        worker.catch_up(self.work)
        episode = self.episode(episode_id)
        assert episode.state == "published", episode.state
        return episode

    def episode(self, episode_id: EpisodeId) -> Episode:
        episode = self.work.database.read(episodes.get, episode_id)
        assert episode is not None
        return episode

    def feed(self, view: str = "main") -> Feed:
        """The current generation, its bytes loaded."""

        def load(session: Session) -> Feed:
            feeds = select(Feed).where(Feed.view == view).options(undefer(Feed.gzip), undefer(Feed.index))
            return session.scalars(feeds).one()

        return self.work.database.read(load)

    def xml(self, view: str = "main") -> str:
        return zlib.decompress(self.feed(view).gzip, wbits=31).decode()

    def objects(self, prefix: str = "") -> set[str]:
        """Keys in storage."""
        return {str(stored.key) for stored in self.work.storage.list(prefix)}

    def an_hour_passes(self) -> None:
        """For everything that ends by itself: leases, pauses, the patience with objects that nobody owns."""
        leased = (Edition.lease_until, Measurement.lease_until, Feed.lease_until, Upload.lease_until)
        paused = (Edition.try_again_at, Measurement.try_again_at, Upload.try_again_at)
        columns = (LooseObject.delete_after, Upload.expires_at, *leased, *paused)

        def move(session: Session) -> None:
            for column in columns:
                for row in session.scalars(select(column.class_).where(column.is_not(None))):
                    setattr(row, column.key, getattr(row, column.key) - dt.timedelta(hours=1))

        self.work.database.write(move)

    def loose(self) -> set[str]:
        """Keys that no row owns."""
        return self.work.database.read(lambda session: {str(key) for key in session.scalars(select(LooseObject.key))})


@contextmanager
def opened(database_url: str, data_dir: Path, **settings: object) -> Iterator[Library]:
    """A new library with its first show, in this database and folder."""
    chosen = Settings(_env_file=None, database_url=database_url, data_dir=data_dir, **settings)
    first_start(chosen)
    with _at_hand(chosen) as library:
        yield library


@contextmanager
def at(place: Place) -> Iterator[Library]:
    """A library that is there already."""
    with _at_hand(place.settings) as library:
        yield library


@contextmanager
def _at_hand(settings: Settings) -> Iterator[Library]:
    database = Database(settings.database)
    try:
        yield Library(Work(database, open_storage(settings.storage_url or None, settings.data_dir), settings))
    finally:
        database.close()
