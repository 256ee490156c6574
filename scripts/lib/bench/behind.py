"""Rows 8 and 15 to 18: what is made behind publication: what it costs, what it takes from others, and its memory."""

import datetime as dt
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import httpx2
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from media import ffmpeg
from media.measure import measure
from media.storage.open import open_storage
from podcast_app import behind, replacing
from podcast_app.database import Database
from podcast_app.models import Edition, Episode, EpisodeId, Measurement
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from podcast_app.work import Step, Work
from scripts.lib.bench import samples, servers
from scripts.lib.bench.crowd import FEED, slowest_percent_ms
from scripts.lib.bench.measure import Line, cpu_with_children, medians
from scripts.lib.bench.uploads import HERE, MB, folder_on_disk, upload

PIECES: Final = ("measurement", "low-mp3", "low-opus")
STEPS: Final[dict[str, Step]] = {
    "measurement": behind.measure_recording,
    "low-mp3": behind.make_low_mp3,
    "low-opus": behind.make_low_opus,
}

WAVE: Final = ["-map", "0:a:0", "-ac", "1", "-ar", "8000", "-f", "s16le", "/dev/null"]
LOUDNESS: Final = ["-map", "0:a:0", "-af", "ebur128=peak=true:framelog=verbose", "-f", "null", "/dev/null"]
BARE: Final = {
    "measurement": [*LOUDNESS, *WAVE],
    "low-mp3": ["-ac", "1", "-ar", "24000", "-b:a", "48k", "low.mp3"],
    "low-opus": ["-ac", "1", "-c:a", "libopus", "-b:a", "24k", "-application", "voip", "low.opus"],
}

AS_THE_WORKER_SAYS: Final = {"PODCAST_BASE_URL": "http://127.0.0.1:8000"}  # or each builds all feeds anew

GOAL_MB: Final = 150
PUBLICATIONS: Final = 8  # in each round
ROUNDS: Final = 3


def loudness_and_waveform() -> Iterator[Line]:
    """Row 8: a recording is measured, against a decode alone, and against what each filter adds to it."""
    with folder_on_disk() as folder:
        recording = samples.speech(HERE)
        engine = ffmpeg.find(None)
        took = medians(
            {
                "ours": cpu_with_children(lambda: measure(recording, channels=2, directory=folder, ffmpeg=engine)),
                "decode": cpu_with_children(lambda: _bare(recording, ["-f", "null", "-"], folder)),
                "wave": cpu_with_children(lambda: _bare(recording, WAVE, folder)),
                "loudness": cpu_with_children(lambda: _bare(recording, LOUDNESS, folder)),
            },
            rounds=3,
        )
    increments = took["wave"] + took["loudness"] - took["decode"]
    yield Line(8, "loudness and waveform, 10 min", "decode + what each adds", took["ours"], increments, "ms CPU", 1.1)
    yield Line(8, "loudness and waveform, 10 min", "decode alone", took["ours"], took["decode"], "ms CPU", 6)


def ten_minutes_of_speech() -> Iterator[Line]:
    """Row 15: all that comes behind, by the worker's own steps, against the same filters and encoders by hand."""
    yield from _against_bare(15, 1, rounds=3)


def an_hour_of_speech() -> Iterator[Line]:
    """Row 18: the same for an hour, once."""
    yield from _against_bare(18, 6, rounds=1)


def beside_what_is_made() -> Iterator[Line]:
    """Row 16: publishing, and the feed's slowest percent, while every core makes editions, against a worker at rest."""
    with folder_on_disk() as folder:
        data = folder / "data"
        samples.many_episodes(data, 300)[0].database.close()
        hour = _published(data, samples.repeated(samples.speech(HERE), folder / "hour.mp3", 6))
        site = _Site(data, hour, servers.command(data, "token", "create", "bench"))
        site.prepare_drafts(samples.mp3(folder / "short.mp3", MB // 2), (ROUNDS + 1) * 2 * PUBLICATIONS)
        seen: dict[bool, list[_Seen]] = {False: [], True: []}
        for _ in range(ROUNDS + 1):
            for is_busy in (False, True):
                seen[is_busy].append(site.seen(is_busy=is_busy))
    idle, busy = (_Seen(*map(median, zip(*seen[is_busy][1:], strict=True))) for is_busy in (False, True))
    yield Line(16, "publication, beside it", "nothing made", busy.publication_ms, idle.publication_ms, "ms", 1.3)
    yield Line(16, "feed 200, slowest percent", "nothing made", busy.feed_ms, idle.feed_ms, "ms", 1.3)
    yield Line(16, "feed 304, slowest percent", "nothing made", busy.unchanged_ms, idle.unchanged_ms, "ms", 1.3)


def memory_for_five_hours() -> Iterator[Line]:
    """Row 17: the most that the worker and the engine hold while five hours are measured and made light."""
    with folder_on_disk() as folder:
        data = folder / "data"
        _published(data, samples.mp3(folder / "long.mp3", 5 * 3600 * 16_000))  # 128 kbit/s; silence takes no less room
        with servers.worker(data) as worker:
            engine_mb = worker_mb = 0.0
            while not _is_all_made(data):
                engine_mb = max(engine_mb, worker.children_peak_mb())
                worker_mb = worker.peak_mb()
                time.sleep(0.2)
    yield Line(17, "worker, five hours", f"{GOAL_MB} MB", worker_mb, GOAL_MB, "MB", 1)
    yield Line(17, "its ffmpeg", f"{GOAL_MB} MB", engine_mb, GOAL_MB, "MB", 1)


class _Seen(NamedTuple):
    """How long it took from outside, in one round."""

    publication_ms: float  # from asking for it to its being public, the median
    feed_ms: float  # the slowest percent
    unchanged_ms: float  # the same, of 304


@dataclass
class _Site:
    """A library, as a site and as another worker beside it."""

    data: Path
    hour: EpisodeId  # of which everything can be made again
    token: str
    drafts: list[str] = field(default_factory=list)  # to be published yet

    def prepare_drafts(self, recording: Path, count: int) -> None:
        with (
            servers.podcast_app(self.data, settings=servers.NO_ENGINE | AS_THE_WORKER_SAYS) as site,
            self._client(site) as client,
        ):
            self.drafts = [str(upload(site, self.token, recording, title="Short")["id"]) for _ in range(count)]
            for draft in self.drafts:
                while _status(client, draft) != "ready":
                    time.sleep(0.1)

    def seen(self, *, is_busy: bool) -> _Seen:
        with _library(self.data) as work:
            work.database.write(_rest)
            if is_busy:
                work.database.write(_lag, self.hour, PIECES)
        with ExitStack() as stack:
            site = stack.enter_context(servers.podcast_app(self.data, settings=AS_THE_WORKER_SAYS))
            working = [site, stack.enter_context(servers.worker(self.data))] if is_busy else []
            while not all(process.children() for process in working):
                time.sleep(0.1)
            client = stack.enter_context(self._client(site))
            publications = [self._publication_ms(client) for _ in range(PUBLICATIONS)]
            etag = client.get(FEED, headers={"Accept-Encoding": "gzip"}).headers["etag"]
            feed_ms, unchanged_ms = slowest_percent_ms(site), slowest_percent_ms(site, f"If-None-Match: {etag}")
            assert not working or any(process.children() for process in working), "all was made before the round's end"
        return _Seen(median(publications), feed_ms, unchanged_ms)

    def _client(self, site: servers.Server) -> httpx2.Client:
        return httpx2.Client(base_url=site.origin, headers={"Authorization": f"Bearer {self.token}"}, timeout=60)

    def _publication_ms(self, client: httpx2.Client) -> float:
        path = f"/api/v1/episodes/{self.drafts.pop()}"
        start = time.perf_counter()
        client.post(f"{path}/publish").raise_for_status()
        while client.get(path).json()["state"] != "published":
            time.sleep(0.002)
        return (time.perf_counter() - start) * 1000


def _status(client: httpx2.Client, draft: str) -> object:
    editions = client.get(f"/api/v1/episodes/{draft}").json()["audio"]["editions"]
    return next(edition["status"] for edition in editions if edition["name"] == "enclosure")


def _against_bare(row: int, times: int, rounds: int) -> Iterator[Line]:
    with folder_on_disk() as folder:
        recording = samples.repeated(samples.speech(HERE), folder / "speech.mp3", times)
        data = folder / "data"
        episode_id = _published(data, recording)
        with _library(data) as work:
            ways = {}
            for name in PIECES:
                ways[name] = cpu_with_children(partial(_made_again, work, episode_id, name))
                ways[f"bare {name}"] = cpu_with_children(partial(_bare, recording, BARE[name], folder))
            took = medians(ways, rounds)
    for name in PIECES:
        yield Line(row, name, "ffmpeg by hand", took[name], took[f"bare {name}"], "ms CPU", 1.1)
    ours, theirs = (sum(took[f"{who}{name}"] for name in PIECES) for who in ("", "bare "))
    yield Line(row, f"all of it, {10 * times} min", "ffmpeg by hand", ours, theirs, "ms CPU", 1.1)


def _bare(recording: Path, arguments: Sequence[str], folder: Path) -> None:
    command = ["ffmpeg", "-nostdin", "-y", "-v", "error", "-i", str(recording), *arguments]
    subprocess.run(command, check=True, cwd=folder)


def _made_again(work: Work, episode_id: EpisodeId, name: str) -> None:
    work.database.write(_lag, episode_id, [name])
    assert STEPS[name](work), "there was nothing to make"


def _lag(session: Session, episode_id: EpisodeId, names: Sequence[str]) -> None:
    """These pieces of the episode are to be made again."""
    for name in names:
        replacing.make_again(session, episode_id, name, utcnow())


def _rest(session: Session) -> None:
    """Nothing of what lags is to be made before tomorrow."""
    for table in (Measurement, Edition):
        lagging = update(table).where(table.status != "ready")
        session.execute(lagging.values(try_again_at=utcnow() + dt.timedelta(days=1)))


def _published(data: Path, recording: Path) -> EpisodeId:
    """An episode, with the command line; what comes behind it is not made."""
    servers.command(data, "migrate")
    servers.command(data, "publish", str(recording), "--title", "Voices from the market")
    newest = select(Episode.id).where(Episode.state == "published").order_by(Episode.published_at.desc()).limit(1)
    with _library(data) as work:
        return work.database.read(lambda session: session.scalars(newest).one())


@contextmanager
def _library(data: Path) -> Iterator[Work]:
    settings = Settings(_env_file=None, data_dir=data)
    database = Database(settings.database)
    try:
        yield Work(database, open_storage(None, data), settings)
    finally:
        database.close()


def _is_all_made(data: Path) -> bool:
    def lagging(session: Session) -> list[object]:
        tables = (Measurement, Edition)
        return [row for table in tables for row in session.scalars(select(table.status)) if row != "ready"]

    with _library(data) as work:
        left = work.database.read(lagging)
        assert "failed" not in left
        return not left
