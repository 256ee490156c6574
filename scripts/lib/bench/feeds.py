"""Rows 1, 2 and 12: what a publication costs, in computing and in the database."""

import datetime as dt
import gzip
import hashlib
import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

import podgen
from sqlalchemy.orm import Session

from feeds import generation, rss
from feeds.document import Episode
from podcast_app import episodes, objects, publishing
from podcast_app.models import EpisodeId
from podcast_app.outcomes import Done
from podcast_app.times import utcnow
from podcast_app.work import Work
from scripts.lib.bench import samples
from scripts.lib.bench.measure import Line, cpu, medians, wall

BUILT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def publishing_into_a_thousand() -> Iterator[Line]:
    """Row 1: one more episode among 1,000: its item, the feed, ETag and gzip; then the whole transaction."""
    kept, head, tail = _kept(1000)
    parts = [item.xml for item in generation.items(kept)]
    newest = count(1000)
    for number in range(1200):
        samples.described(number)

    def change() -> None:
        number = next(newest)
        document = samples.described(number)
        item = generation.Item(document.guid, document.published_at, rss.item(document))
        generation.changed(kept, head, tail, [item])

    took = medians(
        {
            "change": cpu(change, 20),
            "podgen": cpu(lambda: _podgen_whole(1000)),
            "floor": cpu(lambda: _floor(parts), 20),
            "transaction": _Publications(1000),
        }
    )
    yield Line(1, "item, join, hash, gzip", "podgen whole + gzip 6", took["change"], took["podgen"], "ms CPU", 30, True)
    yield Line(
        1, "item, join, hash, gzip", "join + sha256 + crc32 + one group", took["change"], took["floor"], "ms CPU", 1.5
    )
    yield Line(1, "the whole transaction", "podgen whole + gzip 6", took["transaction"], took["podgen"], "ms", 1 / 5)


def growing_with_the_catalogue() -> Iterator[Line]:
    """Row 2: 5,000 episodes against 1,000; and a build from nothing against podgen's."""
    ways = {}
    for size in (1000, 5000):
        kept, head, tail = _kept(size)
        document = samples.described(size)
        item = generation.Item(document.guid, document.published_at, rss.item(document))
        ways[str(size)] = cpu(partial(generation.changed, kept, head, tail, [item]), 10)
    documents = [samples.described(number) for number in range(1000)]
    ways["cold"] = cpu(lambda: _assembled(documents))
    ways["podgen"] = cpu(lambda: _podgen_whole(1000))
    took = medians(ways, rounds=3)
    yield Line(2, "publishing into 5,000", "publishing into 1,000", took["5000"], took["1000"], "ms CPU", 6)
    yield Line(2, "1,000 from nothing", "podgen whole + gzip 6", took["cold"], took["podgen"], "ms CPU", 1.3)


def transaction_against_bare_rows() -> Iterator[Line]:
    """Row 12: the publishing transaction against the same rows and bytes in bare sqlite3, both durable."""
    took = medians({"ours": _Publications(1000), "bare": bare_rows_of_a_thousand()})
    yield Line(12, "publishing transaction", "the same rows in bare sqlite3", took["ours"], took["bare"], "ms", 2)


def change_of_a_thousand() -> Callable[[], float]:
    """Milliseconds of one change of a feed of 1,000."""
    kept, head, tail = _kept(1000)
    document = samples.described(1000)
    item = generation.Item(document.guid, document.published_at, rss.item(document))
    return wall(lambda: generation.changed(kept, head, tail, [item]))


def bare_rows_of_a_thousand() -> Callable[[], float]:
    """Milliseconds of the rows of one publication among 1,000, in bare sqlite3."""
    return _Bare(1000)


def _kept(size: int) -> tuple[generation.Feed, bytes, bytes]:
    head, tail = rss.channel(samples.show(), built_at=BUILT)
    return _assembled([samples.described(number) for number in range(size)]), head, tail


def _assembled(documents: list[Episode]) -> generation.Feed:
    head, tail = rss.channel(samples.show(), built_at=BUILT)
    return generation.assemble(
        head, tail, [generation.Item(one.guid, one.published_at, rss.item(one)) for one in documents]
    )


def _podgen_whole(size: int) -> bytes:
    podcast = podgen.Podcast(
        name="Voices", description="Conversations.", website="https://podcast.example.org/voices/", explicit=False
    )
    for number in range(size):
        one = samples.described(number)
        podcast.add_episode(
            podgen.Episode(
                title=one.title,
                id=one.guid,
                link=one.url,
                summary=one.notes_html,
                long_summary=one.notes_html,
                publication_date=one.published_at,
                media=podgen.Media(
                    one.enclosure.url, one.enclosure.length, type="audio/mpeg",
                    duration=dt.timedelta(milliseconds=one.duration_ms),
                ),
            )
        )  # fmt: skip
    return gzip.compress(podcast.rss_str().encode(), 6)


def _floor(parts: list[bytes]) -> None:
    """What any way must do that ends with whole bytes: join, hash and check them, and pack what changed."""
    whole = b"".join(parts)
    hashlib.sha256(whole).digest()
    zlib.crc32(whole)
    zlib.compress(whole[:110_000], 6)


class _Publications:
    """A library of so many episodes in which one is published again and again, taken back in between."""

    def __init__(self, size: int) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.work, self.episode_id = samples.many_episodes(self.folder, size)
        self.measure = wall(self._publish)

    def __call__(self) -> float:
        self.work.database.write(_back_again, self.work, self.episode_id)
        with objects.announced(self.work.database, _KEY):
            pass
        return self.measure()

    def _publish(self) -> None:
        outcome = self.work.database.write(publishing.publish, self.episode_id, _KEY, self.work.settings, utcnow())
        assert isinstance(outcome, Done), outcome

    def __del__(self) -> None:
        self.work.database.close()
        shutil.rmtree(self.folder, ignore_errors=True)


_KEY = objects.public_key("mp3")


def _back_again(session: Session, work: Work, episode_id: EpisodeId) -> None:
    """Back to scheduled, so that it can be published once more."""
    found = episodes.get_locked(session, episode_id)
    assert found is not None
    show, episode = found
    if episode.state == "published":
        publishing.next_generation(session, show, work.settings, utcnow(), remove=[episode_id])
        episodes.enclosure(episode).public_key = None
    episode.state, episode.publish_at = "scheduled", utcnow()


class _Bare:
    """The rows that a publication writes, and nothing else: two feeds' bytes, an episode, an audio, an edition."""

    def __init__(self, size: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.blob = _kept(size)[0]
        self.database = sqlite3.connect(Path(self.folder.name) / "bare.db", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self.database.execute(f"PRAGMA {pragma}")
        self.database.execute("CREATE TABLE feeds (view PRIMARY KEY, n, gzip BLOB, idx BLOB)")
        self.database.execute("CREATE TABLE rows (id PRIMARY KEY, state, at)")
        self.database.executemany("INSERT INTO feeds VALUES (?, 0, x'', x'')", [("main",), ("fr",)])
        self.database.executemany("INSERT INTO rows VALUES (?, 'scheduled', 0)", [(n,) for n in range(4)])
        self.measure = wall(self._write)

    def __call__(self) -> float:
        return self.measure()

    def _write(self) -> None:
        self.database.execute("BEGIN IMMEDIATE")
        self.database.execute("SELECT gzip, idx FROM feeds").fetchall()
        for view in ("main", "fr"):
            self.database.execute(
                "UPDATE feeds SET n = n + 1, gzip = ?, idx = ? WHERE view = ?", (self.blob.gzip, self.blob.index, view)
            )
        for number in range(4):
            self.database.execute("UPDATE rows SET state = 'published', at = at + 1 WHERE id = ?", (number,))
        self.database.execute("COMMIT")
