"""Audio over HTTP: ranges, conditions and refusals from our own disk; the way to a bucket."""

import logging
import os
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy.orm import Session

from podcast_app import publishing
from podcast_app.documents import edition
from podcast_app.fields import EpisodeChanges
from podcast_app.listening.files import PIECE_BYTES
from podcast_app.models import Audio, AudioId, Edition, Episode, UploadId, new_id
from podcast_app.outcomes import Done
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from tests.podcast_app.listeners import Answered, Listener, listening, request
from tests.s3_servers import S3Server, moto_server

TITLE = "Été à Łódź: “Matonge” 1/2"
BUCKET_BASE = "https://cdn.example.org/podcasts"


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    with listening(Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("folder"))) as listener:
        yield listener


@pytest.fixture(scope="module")
def episode(listener: Listener, mp3: bytes) -> Episode:
    """Nobody changes it."""
    return listener.podcasts.published(mp3, title=TITLE)


@pytest.fixture(scope="module")
def path(listener: Listener, episode: Episode) -> str:
    return listener.audio(episode)


@pytest.fixture(scope="module")
def whole(listener: Listener, episode: Episode) -> bytes:
    return file_of(listener, episode).read_bytes()


def file_of(listener: Listener, episode: Episode) -> Path:
    assert episode.audio is not None
    key = edition(episode.audio).public_key
    assert key is not None
    path = listener.podcasts.work.storage.local_path(key)
    assert path is not None
    return path


def withdraw(listener: Listener, episode: Episode) -> None:
    work = listener.podcasts.work
    assert isinstance(work.database.write(publishing.withdraw, episode.id, work.settings, utcnow()), Done)


def without_date(answer: Answered) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in answer.headers.items() if name != "date")


# --- the whole ---


def test_the_audio_comes_whole_and_described(listener: Listener, episode: Episode, path: str, whole: bytes) -> None:
    answer = listener.get(path, {"Accept-Encoding": "gzip"})

    assert (answer.status, answer.body) == (200, whole)
    assert answer.headers["Content-Length"] == str(len(whole))
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert answer.headers["Content-Encoding"] is None
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.headers["Last-Modified"] == format_datetime(episode.published_at.replace(microsecond=0), usegmt=True)
    assert answer.headers["ETag"].startswith('"')
    assert answer.headers["Content-Disposition"] is None
    assert {"Accept-Ranges", "Content-Range", "Content-Length", "ETag"} <= set(
        answer.headers["Access-Control-Expose-Headers"].split(", ")
    )


def test_the_audio_is_as_the_feed_says(listener: Listener, path: str, whole: bytes) -> None:
    enclosure = f'url="http://127.0.0.1:8000{path}" length="{len(whole)}" type="audio/mpeg"'

    assert set(enclosure.split()) <= set(listener.podcasts.xml().replace("/>", " ").split())


def test_head_is_get_without_bytes_and_ignores_ranges(listener: Listener, path: str) -> None:
    head = listener.get(path, {"Range": "bytes=0-1"}, method="HEAD")

    assert (head.status, head.body) == (200, b"")
    assert without_date(head) == without_date(listener.get(path))


def test_only_the_id_decides(listener: Listener, episode: Episode, whole: bytes) -> None:
    for name in ("x.mp3", "%C3%A9t%C3%A9.mp3", "...", "a%20b", "%25"):
        assert listener.get(f"/media/{episode.audio.id}/{name}?a=b", {"Host": "evil"}).body == whole


@pytest.mark.parametrize("name", ["", ".", "..", "%2e%2e", "a/b", "a%2fb", "%2f", "a%00b", "a%0d%0ab", "x.mp3/"])
def test_a_name_that_is_none_leads_nowhere(listener: Listener, episode: Episode, name: str) -> None:
    answer = listener.get(f"/media/{episode.audio.id}/{name}")

    assert answer.status == 404
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


# --- parts (case C032) ---


@pytest.mark.parametrize(
    ("field", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-1", 0, 2),
        ("bytes=100-", 100, None),
        ("bytes=-1", -1, None),
        ("bytes= 0-1", 0, 2),
        ("bytes=0-99999999999999999999", 0, None),
        ("bytes=-99999999999999999999", 0, None),
        ("bytes=5000-5999", 5000, 6000),
    ],
)
def test_a_part_is_exactly_those_bytes(
    listener: Listener, path: str, whole: bytes, field: str, start: int, stop: int | None
) -> None:
    answer = listener.get(path, {"Range": field})

    assert (answer.status, answer.body) == (206, whole[start:stop])
    first = start % len(whole)
    last = first + len(answer.body) - 1
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_last_byte_is_a_part_and_what_follows_is_none(listener: Listener, path: str, whole: bytes) -> None:
    size = len(whole)

    assert listener.get(path, {"Range": f"bytes={size - 1}-"}).body == whole[-1:]
    for field in (f"bytes={size}-", f"bytes={size}-{size + 5}", "bytes=-0"):
        answer = listener.get(path, {"Range": field})
        assert (answer.status, answer.body) == (416, b"")
        assert answer.headers["Content-Range"] == f"bytes */{size}"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "field", ["bytes=5-4", "bytes=abc", "items=0-1", "bytes=-", "bytes", "", "bytes=0-1,4-5", "bytes=0-0,-1"]
)
def test_what_is_not_understood_or_needs_several_parts_gets_the_whole(
    listener: Listener, path: str, whole: bytes, field: str
) -> None:
    answer = listener.get(path, {"Range": field})

    assert (answer.status, answer.body) == (200, whole)
    assert answer.headers["Content-Range"] is None


def test_a_part_is_only_for_whoever_holds_the_same(listener: Listener, path: str, whole: bytes) -> None:
    described = listener.get(path, method="HEAD").headers
    etag, date = described["ETag"], described["Last-Modified"]

    for same in (etag, date):
        assert listener.get(path, {"Range": "bytes=0-1", "If-Range": same}).status == 206
    for other in ('"other"', f"W/{etag}", "Thu, 01 Jan 2099 00:00:00 GMT", "x", ""):
        answer = listener.get(path, {"Range": "bytes=0-1", "If-Range": other})
        assert (answer.status, answer.body) == (200, whole)


# --- conditions ---


def test_whoever_has_it_gets_304(listener: Listener, path: str) -> None:
    described = listener.get(path, method="HEAD").headers
    etag, date = described["ETag"], described["Last-Modified"]

    for headers in ({"If-None-Match": f"W/{etag}"}, {"If-None-Match": "*"}, {"If-Modified-Since": date}):
        answer = listener.get(path, {**headers, "Range": "bytes=0-1"})
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["ETag"] == etag
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert listener.get(path, {"If-None-Match": '"other"', "If-Modified-Since": date}).status == 200


def test_whoever_wants_only_what_it_once_was_gets_412(listener: Listener, path: str) -> None:
    described = listener.get(path, method="HEAD").headers
    etag, date = described["ETag"], described["Last-Modified"]

    assert listener.get(path, {"If-Match": etag}).status == 200
    assert listener.get(path, {"If-Match": f"W/{etag}"}).status == 412
    assert listener.get(path, {"If-Match": '"other"', "If-None-Match": etag}).status == 412
    assert listener.get(path, {"If-Unmodified-Since": date}).status == 200
    assert listener.get(path, {"If-Unmodified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"}).status == 412
    assert listener.get(path, {"If-Match": etag, "If-Unmodified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"}).status == 200


# --- other methods ---


def test_a_player_on_another_site_may_ask_for_ranges(listener: Listener, path: str) -> None:
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Headers": "range"}

    answer = listener.get(path, asked, method="OPTIONS")

    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]
    assert "range" in answer.headers["Access-Control-Allow-Headers"].lower()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_audio_can_only_be_read(listener: Listener, path: str, method: str) -> None:
    answer = listener.get(path, method=method)

    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


# --- saved under a name ---


def test_a_download_has_a_readable_name_in_ascii(listener: Listener, path: str, whole: bytes) -> None:
    answer = listener.get(f"{path}?download")

    assert answer.body == whole
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="_t_ _ __d_- _Matonge_ 1-2.mp3"; '
        "filename*=UTF-8''%C3%89t%C3%A9%20%C3%A0%20%C5%81%C3%B3d%C5%BA-%20%E2%80%9CMatonge%E2%80%9D%201-2.mp3"
    )
    part = listener.get(f"{path}?download=1", {"Range": "bytes=0-1"})
    assert (part.status, part.headers["Content-Disposition"]) == (206, answer.headers["Content-Disposition"])


# --- what is public ---


def test_what_is_not_published_is_not_there(listener: Listener, mp3: bytes) -> None:
    drafted = listener.podcasts.episode(listener.podcasts.draft(mp3, title="Draft"))

    for audio_id in (drafted.audio.id, drafted.audio.upload_id, new_id(), "0", "nobody", "%00", "A" * 16):
        answer = listener.get(f"/media/{audio_id}/x.mp3")
        assert answer.status == 404
        assert b"no such audio" in answer.body
        assert "pas d’audio".encode() in answer.body
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_draft_that_was_asked_for_too_early_is_there_once_published(listener: Listener, mp3: bytes) -> None:
    episode_id = listener.podcasts.draft(mp3, title="Soon", publish="now")
    early = f"/media/{listener.podcasts.episode(episode_id).audio.id}/x.mp3"
    assert listener.get(early).status == 404

    listener.podcasts.published(mp3, title="Makes the worker work")

    assert listener.get(early).status == 200


@pytest.mark.long_on_postgresql
def test_each_kind_of_database_knows_what_is_public(migrated_database_url: str, tmp_path: Path, mp3: bytes) -> None:
    with listening(Settings(_env_file=None, data_dir=tmp_path, database_url=migrated_database_url)) as listener:
        episode = listener.podcasts.published(mp3, title="Matonge")

        public = listener.get(listener.audio(episode))
        withdraw(listener, episode)
        withdrawn = listener.get(listener.audio(episode))

    assert (public.status, withdrawn.status) == (200, 410)


def test_withdrawn_audio_is_gone_at_once(listener: Listener, mp3: bytes) -> None:
    episode = listener.podcasts.published(mp3, title="To be withdrawn")
    assert listener.get(listener.audio(episode)).status == 200

    withdraw(listener, episode)

    for method in ("GET", "HEAD"):
        answer = listener.get(listener.audio(episode), method=method)
        assert answer.status == 410
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    with listener.queries() as queries:
        assert listener.get(listener.audio(episode)).status == 410
    assert queries == []


def test_an_old_address_leads_to_the_current_audio_and_never_to_a_mixture(listener: Listener, mp3: bytes) -> None:
    episode = listener.podcasts.published(mp3, title="To be replaced")
    old = listener.audio(episode)
    held = listener.get(old).headers
    current = listener.podcasts.published(mp3 + mp3, title="The newer audio")
    new_bytes = listener.get(listener.audio(current)).body

    replace_audio(listener, episode, current)

    for rest in ({"If-Range": held["ETag"]}, {"If-Range": held["Last-Modified"]}):
        answer = listener.get(old, {"Range": "bytes=100-", **rest})
        assert (answer.status, answer.body) == (200, new_bytes)
    assert listener.get(old, {"If-None-Match": held["ETag"]}).status == 200
    assert listener.get(old, {"If-Modified-Since": held["Last-Modified"]}).status == 200
    assert listener.get(old, {"Range": "bytes=100-"}).body == new_bytes[100:]


def replace_audio(listener: Listener, episode: Episode, giver: Episode) -> None:
    """The episode's current audio becomes a copy of the other's, as a replacement would leave the rows."""

    def replace(session: Session) -> None:
        old = session.get_one(Audio, episode.audio.id)
        old.is_current = False
        session.flush()
        made = session.get_one(Edition, (giver.audio.id, "enclosure"))
        facts = ("status", "key", "public_key", "media_type", "extension", "size_bytes", "sha256", "duration_ms")
        audio_id = AudioId(new_id())
        described = {fact: getattr(made, fact) for fact in facts}
        session.add(
            Audio(
                id=audio_id,
                episode_id=episode.id,
                upload_id=UploadId(old.upload_id),
                is_current=True,
                name=old.name,
                editions=[Edition(name="enclosure", address_id=audio_id, attempts=0, **described)],
            )
        )
        session.flush()
        session.expire_all()
        changed = EpisodeChanges(title="Replaced")
        outcome = publishing.edit(session, episode.id, changed, listener.podcasts.work.settings, utcnow())
        assert isinstance(outcome, Done)

    listener.podcasts.work.database.write(replace)


# --- what it costs ---


def test_an_episode_costs_one_query_and_then_none(listener: Listener, mp3: bytes) -> None:
    path = listener.audio(listener.podcasts.published(mp3, title="Counted"))

    with listener.queries() as first:
        listener.get(path, {"Range": "bytes=0-1"})
    with listener.queries() as later:
        for method in ("GET", "HEAD", "OPTIONS"):
            listener.get(path, method=method)
        listener.get(path, {"If-None-Match": "*"})
        listener.get(f"{path}?download")

    assert len(first) == 1
    assert later == []


def test_a_change_of_the_show_is_looked_up_again(listener: Listener, mp3: bytes) -> None:
    episode = listener.podcasts.published(mp3, title="Before")
    path = f"{listener.audio(episode)}?download"
    assert "Before.mp3" in listener.get(path).headers["Content-Disposition"]

    work = listener.podcasts.work
    work.database.write(publishing.edit, episode.id, EpisodeChanges(title="After"), work.settings, utcnow())

    assert "After.mp3" in listener.get(path).headers["Content-Disposition"]


def test_ids_that_lead_nowhere_are_not_kept(listener: Listener) -> None:
    path = f"/media/{new_id()}/x.mp3"

    with listener.queries() as queries:
        for _ in range(3):
            assert listener.get(path).status == 404

    assert len(queries) == 3


# --- what can go wrong ---


@pytest.fixture
def long_one(listener: Listener, mp3: bytes) -> Iterator[tuple[str, Path]]:
    """The path and the file of an audio that goes out in many pieces."""
    episode = listener.podcasts.published(mp3 * 800, title="Long")
    yield listener.audio(episode), file_of(listener, episode)
    withdraw(listener, episode)


def test_a_long_audio_comes_whole_and_in_parts(listener: Listener, long_one: tuple[str, Path]) -> None:
    path, file = long_one
    whole = file.read_bytes()
    assert len(whole) > 20 * PIECE_BYTES

    assert listener.get(path).body == whole
    for start in (0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1):
        for length in (1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES):
            answer = listener.get(path, {"Range": f"bytes={start}-{start + length - 1}"})
            assert answer.body == whole[start : start + length]


def test_what_is_not_in_memory_is_read_from_disk(listener: Listener, long_one: tuple[str, Path]) -> None:
    path, file = long_one
    whole = file.read_bytes()
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    assert listener.get(path).body == whole


def test_a_listener_who_goes_away_ends_the_reading(listener: Listener, long_one: tuple[str, Path]) -> None:
    path, file = long_one
    with listener.connected() as connection:
        connection.sendall(request(path, {}))
        connection.recv(100)
        assert is_open_here(file)

    end = time.monotonic() + 5
    while is_open_here(file):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_slow_listener_costs_the_memory_of_one_piece(listener: Listener, long_one: tuple[str, Path]) -> None:
    path, _ = long_one
    with ExitStack() as stack:
        slow = [stack.enter_context(listener.connected()) for _ in range(20)]
        tracemalloc.start()
        stack.callback(tracemalloc.stop)
        for connection in slow:
            connection.sendall(request(path, {}))
            connection.recv(100)
        time.sleep(0.5)  # until what they do not take fills every buffer of the system
        held_bytes, _ = tracemalloc.get_traced_memory()

    assert held_bytes < len(slow) * 1.3 * PIECE_BYTES


def is_open_here(file: Path) -> bool:
    """Whether this process, which is the server's, has the file open."""
    opened = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since
            opened.append(link.readlink())
    return file in opened


def test_a_missing_or_shorter_file_is_said_to_be_unreadable(
    listener: Listener, mp3: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    episode = listener.podcasts.published(mp3, title="Lost")
    file = file_of(listener, episode)
    bytes_of_it = file.read_bytes()

    file.unlink()
    file.write_bytes(bytes_of_it[:-1])
    shorter = listener.get(listener.audio(episode), {"Range": "bytes=0-1"})
    file.unlink()
    missing = listener.get(listener.audio(episode))

    for answer in (shorter, missing):
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "60"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert len(caplog.records) == 2


def test_a_file_that_ends_while_it_is_sent_cuts_the_connection(
    listener: Listener, long_one: tuple[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    path, file = long_one
    size = file.stat().st_size
    with listener.connected() as connection, caplog.at_level(logging.ERROR, "podcast_app.listening.files"):
        connection.sendall(request(path, {}))
        connection.recv(100)
        os.truncate(file, size - PIECE_BYTES)
        received = 0
        while data := connection.recv(PIECE_BYTES):
            received += len(data)

    assert received < size
    assert "early" in caplog.text


def test_while_the_database_is_away_known_audio_goes_on_and_the_rest_is_asked_to_wait(
    tmp_path: Path, mp3: bytes
) -> None:
    with listening(Settings(_env_file=None, data_dir=tmp_path)) as listener:
        known, unknown = (listener.audio(listener.podcasts.published(mp3, title=title)) for title in ("One", "Two"))
        assert listener.get(known).status == 200
        database = tmp_path / "podcast.db"
        listener.podcasts.work.database.engine.dispose()
        database.rename(tmp_path / "away.db")
        database.mkdir()  # cannot be opened as a database

        assert listener.get(known).status == 200
        assert listener.get(unknown).status == 503

        database.rmdir()
        (tmp_path / "away.db").rename(database)
        assert listener.get(unknown).status == 200


# --- a bucket ---


@pytest.fixture(scope="module")
def bucket() -> Iterator[S3Server]:
    with moto_server() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server


@pytest.fixture(scope="module")
def far_listener(bucket: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    settings = Settings(
        _env_file=None, data_dir=tmp_path_factory.mktemp("s3"), storage_url=bucket.storage_url("some/folder")
    )
    with listening(settings) as listener:
        yield listener


@pytest.fixture(scope="module")
def far_episode(far_listener: Listener, mp3: bytes) -> Episode:
    return far_listener.podcasts.published(mp3, title=TITLE)


def followed(answer: Answered, **headers: str) -> httpx2.Response:
    return httpx2.get(answer.headers["Location"], headers=headers)


def test_listeners_are_sent_to_the_bucket_for_hours_and_never_for_ever(
    far_listener: Listener, far_episode: Episode
) -> None:
    answer = far_listener.get(far_listener.audio(far_episode), {"Range": "bytes=0-1"})

    assert (answer.status, answer.body) == (302, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["X-Amz-Expires"] == ["43200"]
    part = followed(answer, Range="bytes=0-1")
    assert (part.status_code, part.headers["Content-Type"], len(part.content)) == (206, "audio/mpeg", 2)


def test_a_bucket_is_told_the_name_of_a_download(far_listener: Listener, far_episode: Episode) -> None:
    far = followed(far_listener.get(f"{far_listener.audio(far_episode)}?download"))

    assert far.headers["Content-Disposition"].startswith('attachment; filename="')
    assert "1-2.mp3" in far.headers["Content-Disposition"]


def test_head_and_304_are_ours_before_a_bucket_too(far_listener: Listener, far_episode: Episode) -> None:
    path = far_listener.audio(far_episode)

    head = far_listener.get(path, method="HEAD")

    assert head.status == 200
    assert head.headers["Content-Length"] == followed(far_listener.get(path)).headers["Content-Length"]
    assert head.headers["Accept-Ranges"] == "bytes"
    assert far_listener.get(path, {"If-None-Match": head.headers["ETag"]}).status == 304
    assert far_listener.get(path, {"If-Match": '"the bucket\'s"'}).status == 302


def test_a_redirect_costs_neither_a_query_nor_a_signature_each_time(
    far_listener: Listener, far_episode: Episode
) -> None:
    path = far_listener.audio(far_episode)
    first = far_listener.get(path)

    with far_listener.queries() as queries:
        again = far_listener.get(path)

    assert queries == []
    assert again.headers["Location"] == first.headers["Location"]


def test_withdrawn_audio_is_no_longer_led_to(far_listener: Listener, mp3: bytes) -> None:
    episode = far_listener.podcasts.published(mp3, title="To be withdrawn")
    assert far_listener.get(far_listener.audio(episode)).status == 302

    withdraw(far_listener, episode)

    assert far_listener.get(far_listener.audio(episode)).status == 410


def test_a_public_base_stands_before_the_bucket(tmp_path: Path, mp3: bytes) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, media_base_url=BUCKET_BASE)
    with listening(settings) as listener:
        episode = listener.podcasts.published(mp3, title="Matonge")
        [public] = listener.podcasts.objects("public/")

        answer = listener.get(listener.audio(episode))
        download = listener.get(f"{listener.audio(episode)}?download")

    assert (answer.status, answer.headers["Location"]) == (302, f"{BUCKET_BASE}/{public}")
    assert answer.headers["Cache-Control"] == "no-store"
    assert (download.status, download.headers["Content-Disposition"]) == (200, 'attachment; filename="Matonge.mp3"')
