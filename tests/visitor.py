"""Somebody who reads the site's pages, and the library behind it: what the library publishes, the next page shows."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx2
from lxml import html
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from media import artwork
from media.storage import Key
from podcast_app import covers, publishing, shows
from podcast_app.fields import EpisodeChanges, ShowFields
from podcast_app.models import (
    Audio,
    AudioId,
    Edition,
    Episode,
    EpisodeId,
    EpisodeSlug,
    EpisodeText,
    ShowId,
    Upload,
    UploadId,
)
from podcast_app.outcomes import Done
from podcast_app.times import utcnow
from tests.podcasts import Library, Place, at
from tests.site import Site, running


@dataclass(frozen=True)
class Visitor:
    """`library` writes in this thread: nothing happens behind a test's back."""

    site: Site
    podcasts: Library

    @property
    def origin(self) -> str:
        return self.site.settings.origin

    def get(self, path: str, **headers: str) -> httpx2.Response:
        """Ask for exactly this; no redirect is followed."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.site.listener.get(path, headers=said)

    def page(self, path: str) -> html.HtmlElement:
        answer = self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return html.fromstring(answer.text)

    def change(self, episode: Episode, **said: object) -> None:
        changes = EpisodeChanges.model_validate(said)
        settings = self.site.settings
        done = self.podcasts.work.database.write(publishing.edit, episode.id, changes, settings, utcnow())
        assert isinstance(done, Done), done

    def withdraw(self, episode: Episode) -> None:
        done = self.podcasts.work.database.write(publishing.withdraw, episode.id, self.site.settings, utcnow())
        assert isinstance(done, Done), done

    def rename_show(self, slug: str) -> None:
        answer = self.site.api.patch(f"/api/v1/shows/{self.podcasts.show().slug}", json={"slug": slug})
        assert answer.status_code == 200, answer.text


@contextmanager
def visiting(place: Place) -> Iterator[Visitor]:
    with at(place) as library, running(place.settings, with_worker=False) as site:
        # what the library writes, the site hears of at once, as of what its own process commits
        yield Visitor(site, replace(library, work=replace(library.work, database=site.database)))


@contextmanager
def queries() -> Iterator[list[str]]:
    """What this process, its server included, reads from any database within the block."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        is_routine = "FROM feeds" in statement or statement.startswith("SELECT shows.id, shows.generation")
        if statement.startswith("SELECT") and not is_routine:  # what is new is asked every second
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def add_show(visitor: Visitor, slug: str, title: str) -> None:
    """Another show, without episodes."""
    database, storage = visitor.site.database, visitor.site.storage
    picture = covers.store(database, storage, artwork.generated(title))
    said = ShowFields(slug=slug, title=title, description="Another one.", author="IOM", categories=(("Arts", None),))
    made = database.write(shows.create, said, picture, visitor.site.settings, utcnow())
    assert isinstance(made, Done), made


def add_many(session: Session, show_id: ShowId, count: int) -> None:
    """That many published episodes as rows alone, called "Number 1" and so on: pages need no bytes."""
    for number in range(1, count + 1):
        session.add(_episode(show_id, number))
    session.flush()
    for number in range(1, count + 1):
        session.add(EpisodeSlug(show_id=show_id, slug=f"number-{number}", episode_id=EpisodeId(f"e{number}")))
        session.add(_audio(show_id, number))


def _episode(show_id: ShowId, number: int) -> Episode:
    return Episode(
        id=EpisodeId(f"e{number}"),
        show_id=show_id,
        guid=f"number-{number}",
        slug=f"number-{number}",
        state="published",
        language="en",
        spoken_language="en",
        published_at=_day(number),
        created_at=_day(number),
        texts=[EpisodeText(language="en", title=f"Number {number}", notes="")],
    )


def _audio(show_id: ShowId, number: int) -> Audio:
    upload = Upload(
        id=UploadId(f"u{number}"),
        show_id=show_id,
        state="complete",
        filename="number.mp3",
        key=Key(f"private/originals/{number}"),
        size_bytes=1,
        facts={"duration_ms": 60_000, "has_video": False},
        created_at=_day(number),
    )
    audio_id = AudioId(f"a{number}")
    made = Edition(
        name="enclosure",
        address_id=audio_id,
        status="ready",
        media_type="audio/mpeg",
        extension="mp3",
        size_bytes=1,
    )
    return Audio(id=audio_id, episode_id=EpisodeId(f"e{number}"), upload=upload, name="number.mp3", editions=[made])


def _day(number: int) -> dt.datetime:
    return dt.datetime(2020, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=number)
