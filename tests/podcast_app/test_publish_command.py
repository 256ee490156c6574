"""`podcast-app publish --server`: a recording that is sent over a bad line arrives whole, and once."""

import io
import os
import pty
import signal
import subprocess
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy import select

from podcast_app import publish_command, remote
from podcast_app.cli import CommandFailed
from podcast_app.fingerprint import fingerprint
from podcast_app.models import Upload
from podcast_app.settings import Settings
from tests.commands import PROGRAM, started, surroundings
from tests.podcast_app.gate import Answer, Gate, gate_before
from tests.podcasts import Place
from tests.s3_servers import S3Server, moto_server
from tests.site import SLUG, Site, free_port, running

MIB = 2**20
PARTS = 6  # of 5 MiB


@pytest.fixture(scope="module")
def long_recording(mp3: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of that tone."""
    file = tmp_path_factory.mktemp("recordings") / "long.mp3"
    file.write_bytes((mp3 * (26 * MIB // len(mp3) + 1))[: 26 * MIB])
    return file


@pytest.fixture
def recording(long_recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, for a test alone."""
    file = tmp_path_factory.mktemp("mine") / long_recording.name
    file.hardlink_to(long_recording)
    return file


@pytest.fixture
def site(sqlite_place: Place) -> Iterator[Site]:
    """A site without a worker: nothing here waits for audio, unless it says so."""
    settings = Settings(port=free_port(), data_dir=sqlite_place.data_dir, _env_file=None)
    with running(settings, with_worker=False) as site:
        yield site


@pytest.fixture
def gate(site: Site) -> Iterator[Gate]:
    with gate_before(site.settings.origin) as gate:
        yield gate


def publish(site: Site, address: str, file: Path, **said: object) -> str:
    """The command, in this process. What it prints; raises CommandFailed with what it says."""
    return publish_command.over_http(file, address, site.token, SLUG, {"title": "Long", **said})


def uploads(site: Site) -> list[tuple[str, bool]]:
    """State, and whether an episode was made from it."""
    return [
        (upload["state"], upload["episode"] is not None) for upload in site.api.get("/api/v1/uploads").json()["items"]
    ]


def episodes(site: Site) -> list[str]:
    items = site.api.get(f"/api/v1/shows/{SLUG}/episodes").json()["items"]
    return [f"A draft: {item['id']}" for item in items]


def assert_stored(site: Site, file: Path) -> None:
    """There is one upload, and it has these bytes."""
    key = site.database.read(lambda session: session.scalars(select(Upload.key)).one())
    assert site.storage.read(key, 0, file.stat().st_size + 1) == file.read_bytes()


@contextmanager
def publishing(address: str, token: str, file: Path, home: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The command as a process of its own."""
    there = ("--server", address, "--token", token, "--show", SLUG, "--title", "Long", "--draft")
    with started("publish", file, *there, *options, data_dir=home) as process:
        yield process


# --- fingerprints ---


@pytest.mark.parametrize("size_bytes", [1, 4096, MIB - 1, MIB, MIB + 1, 3 * MIB + 4095])
def test_a_fingerprint_is_of_samples_from_all_over_the_file_and_of_its_end(size_bytes: int) -> None:
    content = (bytes(range(256)) * (size_bytes // 250 + 1))[::-1][:size_bytes]
    samples = [content[start : start + 4096] for start in range(0, size_bytes, 65536)] + [content[-4096:]]

    found = fingerprint(io.BytesIO(content), size_bytes)

    assert found == f"sampled-1:{zlib.crc32(b''.join(samples)):08x}"


def test_samples_of_a_large_file_lie_further_apart() -> None:
    class Sparse(io.BytesIO):
        starts: ClassVar[list[int]] = []

        def seek(self, start: int, whence: int = 0) -> int:
            self.starts.append(start)
            return super().seek(start, whence)

    fingerprint(Sparse(), 5 * 2**30)

    assert Sparse.starts[:3] == [0, 10 * 65536, 20 * 65536]
    assert len(Sparse.starts) == 8193


def test_a_fingerprint_is_the_same_for_ever() -> None:
    assert fingerprint(io.BytesIO(b"podcast" * 300_000), 2_100_000) == "sampled-1:1080e739"


# --- going on ---


@pytest.mark.long
@pytest.mark.parametrize("death", [signal.SIGINT, signal.SIGKILL], ids=lambda death: death.name)
def test_who_is_stopped_goes_on_with_the_parts_that_are_missing(
    site: Site, gate: Gate, recording: Path, tmp_path: Path, death: signal.Signals
) -> None:
    gate.holds_after(4)
    with publishing(gate.address, site.token, recording, tmp_path) as process:
        gate.wait_for(4)
        process.send_signal(death)
        _, said = process.communicate(timeout=20)
    assert process.returncode == (130 if death == signal.SIGINT else -death)
    assert "Traceback" not in said
    if death == signal.SIGINT:
        assert said.splitlines()[-1] == "Stopped. Run the same command again to go on."

    first, gate.rule = len(gate.passed), Gate.rule
    with publishing(gate.address, site.token, recording, tmp_path) as process:
        printed, said = process.communicate(timeout=60)

    assert printed == f"{episodes(site)[0]}\n", said
    assert "Going on: 4 of 6 parts are safe already." in said
    assert len(gate.passed) - first == PARTS - 4
    assert Counter(gate.passed) == Counter(range(1, PARTS + 1))
    assert_stored(site, recording)


@pytest.mark.long
def test_a_site_that_is_killed_and_comes_back_gets_the_rest(
    sqlite_place: Place, recording: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = Settings(port=free_port(), data_dir=sqlite_place.data_dir, _env_file=None)
    with running(settings, with_worker=False) as site:
        token = site.token
    web = ("web", "--port", str(settings.port))
    with (
        gate_before(settings.origin) as gate,
        started(*web, data_dir=settings.data_dir) as killed,
    ):
        _wait_for(settings.origin)
        gate.holds_after(2)
        with publishing(gate.address, token, recording, tmp_path_factory.mktemp("home")) as process:
            gate.wait_for(2)
            killed.kill()
            killed.wait()
            gate.opened.set()
            with started(*web, data_dir=settings.data_dir):
                printed, said = process.communicate(timeout=90)

    assert printed.startswith("A draft: "), said
    assert Counter(gate.passed) == Counter(range(1, PARTS + 1))


@pytest.mark.long
def test_what_the_storage_has_lost_is_sent_again(site: Site, gate: Gate, recording: Path) -> None:
    def rule(number: int, _path: str) -> Answer | None:  # something that only seems to take the first part
        return Answer(204) if gate.came.count(number) == 1 and number == 1 else None

    gate.rule = rule

    publish(site, gate.address, recording)

    assert gate.came.count(1) == 2
    assert_stored(site, recording)


@pytest.mark.long
def test_a_site_that_fails_for_a_while_is_asked_again(
    site: Site, gate: Gate, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def rule(number: int, _path: str) -> Answer | None:
        return Answer(507) if number == 2 and gate.came.count(2) <= 2 else None

    gate.rule = rule

    publish(site, gate.address, recording)

    assert gate.came.count(2) == 3
    assert "answered 507 Insufficient Storage. Trying again for up to an hour." in capsys.readouterr().err


@pytest.mark.long
def test_a_site_that_fails_for_too_long_is_given_up(
    site: Site, gate: Gate, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "PATIENCE_SECONDS", 1)
    gate.rule = lambda _number, _path: Answer(503)

    with pytest.raises(CommandFailed, match=r"503 Service Unavailable.*Run the same command again to go on"):
        publish(site, gate.address, recording)

    assert uploads(site) == [("open", False)]


# --- said again ---


def test_the_same_command_said_again_is_the_same_episode(site: Site, gate: Gate, recording: Path) -> None:
    first = publish(site, gate.address, recording)
    sent = list(gate.came)

    again = publish(site, gate.address, recording)

    assert again == first
    assert gate.came == sent
    assert episodes(site) == [first]


@pytest.mark.long
def test_other_fields_make_another_episode(site: Site, gate: Gate, recording: Path) -> None:
    first = publish(site, gate.address, recording)

    other = publish(site, gate.address, recording, number=2)

    assert sorted(episodes(site)) == sorted([first, other])
    assert Counter(gate.passed) == Counter([*range(1, PARTS + 1)] * 2)


@pytest.mark.long
def test_what_was_refused_for_its_fields_costs_no_second_upload(site: Site, gate: Gate, recording: Path) -> None:
    taken = site.episode(recording, title="Taken", slug="taken").json()
    with pytest.raises(CommandFailed, match="slug: This address is, or was, another episode's"):
        publish(site, gate.address, recording, slug="taken")

    made = publish(site, gate.address, recording, slug="free")

    assert sorted(episodes(site)) == sorted([made, f"A draft: {taken['id']}"])
    assert Counter(gate.passed) == Counter(range(1, PARTS + 1))


@pytest.mark.long
def test_a_recording_without_a_title_waits_for_one(
    site: Site, gate: Gate, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandFailed, match="--title"):
        publish(site, gate.address, recording, title="", publish="2150-12-10T09:00+01:00")

    later = publish(site, gate.address, recording, publish="2150-12-10T09:00+01:00")

    assert later.startswith("Scheduled for 2150-12-10T08:00:00Z: ")
    assert Counter(gate.passed) == Counter(range(1, PARTS + 1))
    assert "The recording is there already." in capsys.readouterr().err


@pytest.mark.long
def test_an_episode_that_was_deleted_is_made_anew(site: Site, recording: Path) -> None:
    first = publish(site, site.settings.origin, recording)
    assert site.api.delete(f"/api/v1/episodes/{first.removeprefix('A draft: ')}").status_code == 204

    again = publish(site, site.settings.origin, recording)

    assert again != first
    assert episodes(site) == [again]


@pytest.mark.long
def test_an_episode_that_was_withdrawn_is_made_anew(sqlite_place: Place, mp3: bytes, tmp_path: Path) -> None:
    file = tmp_path / "short.mp3"
    file.write_bytes(mp3)
    with running(Settings(port=free_port(), data_dir=sqlite_place.data_dir, _env_file=None)) as site:
        first = publish(site, site.settings.origin, file, publish="now")
        assert publish(site, site.settings.origin, file, publish="now") == first
        [episode] = site.api.get(f"/api/v1/shows/{SLUG}/episodes").json()["items"]
        assert site.api.post(f"/api/v1/episodes/{episode['id']}/withdraw").status_code == 200

        again = publish(site, site.settings.origin, file, publish="now")

        assert again != first
        assert site.listener.get(again).status_code == 200


@pytest.mark.long
def test_two_who_publish_the_same_file_at_once_send_it_once(
    site: Site, gate: Gate, recording: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    gate.holds_after(2)
    with publishing(gate.address, site.token, recording, tmp_path_factory.mktemp("one")) as one:
        gate.wait_for(2)
        with publishing(gate.address, site.token, recording, tmp_path_factory.mktemp("other")) as other:
            while len(gate.came) < 2 + 3 + 3:  # both have theirs on the way
                time.sleep(0.05)
            gate.opened.set()
            printed = [process.communicate(timeout=90)[0] for process in (one, other)]

    assert printed == [f"{episodes(site)[0]}\n"] * 2
    assert len(episodes(site)) == 1
    assert_stored(site, recording)


# --- refused ---


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx2.Response(308, headers={"Location": "https://site.example.org/api/v1/shows"}), "Give that address"),
        (httpx2.Response(404, headers={"Content-Type": "text/html"}, text="<h1>Nothing</h1>"), "with a web page"),
        (httpx2.Response(403, json={"title": "Forbidden", "detail": "You may read this show."}), "You may read this"),
    ],
)
def test_an_answer_that_is_of_no_use_is_a_sentence(answer: httpx2.Response, words: str) -> None:
    answer.request = httpx2.Request("GET", "http://site.example.org/api/v1/shows")

    with pytest.raises(remote.Refusal, match=words):
        remote.body_of(answer)


@pytest.mark.long
@pytest.mark.parametrize(
    ("show", "said", "word"),
    [
        ("nowhere", {}, "show: There is no such show here"),
        (SLUG, {"publish": "tomorrow"}, "publish: "),
        (SLUG, {"season": 0}, "season: "),
    ],
)
def test_what_is_wrong_with_the_fields_or_the_show_costs_no_byte(
    site: Site, gate: Gate, recording: Path, show: str, said: dict[str, object], word: str
) -> None:
    with pytest.raises(CommandFailed, match=word):
        publish_command.over_http(recording, gate.address, site.token, show, {"title": "Long", **said})

    assert gate.came == []
    assert uploads(site) == []


def test_an_unknown_token_ends_it_at_once(site: Site, gate: Gate, recording: Path) -> None:
    with pytest.raises(CommandFailed, match="does not know this token"):
        publish_command.over_http(recording, gate.address, "pod_x", SLUG, {"title": "Long"})

    assert gate.came == []


def test_a_file_that_changes_while_it_is_sent_is_not_kept(site: Site, gate: Gate, recording: Path) -> None:
    content = recording.read_bytes()
    recording.unlink()
    recording.write_bytes(content)
    gate.holds_after(2)

    def goes_on_recording() -> None:
        gate.wait_for(2)
        with recording.open("ab") as file:
            file.write(b"more")
        gate.opened.set()

    recorder = threading.Thread(target=goes_on_recording)
    recorder.start()
    with pytest.raises(CommandFailed, match=r"changed while it was sent\. Nothing of it was kept there"):
        publish(site, gate.address, recording)
    recorder.join()

    assert uploads(site) == []
    assert episodes(site) == []


def test_what_is_no_recording_leaves_nothing(site: Site, tmp_path: Path) -> None:
    letter = tmp_path / "letter.mp3"
    letter.write_bytes(b"Dear all, this is a letter. " * 50)

    with pytest.raises(CommandFailed, match=r"audio: .*text"):
        publish(site, site.settings.origin, letter)

    assert uploads(site) == []


@pytest.mark.long
def test_a_proxy_that_takes_no_parts_is_named(site: Site, gate: Gate, recording: Path) -> None:
    gate.rule = lambda _number, _path: Answer(413, b"<h1>Request Entity Too Large</h1>")

    with pytest.raises(CommandFailed, match=r"refuses requests of 5242880 bytes \(413\).*client_max_body_size"):
        publish(site, gate.address, recording)


def test_a_page_in_the_place_of_an_answer_is_said_to_be_one(site: Site, gate: Gate, recording: Path) -> None:
    gate.rule = lambda _number, _path: Answer(200, b"<h1>Welcome to the hotel</h1>")

    with pytest.raises(CommandFailed, match="answered 200 OK with a web page"):
        publish(site, gate.address, recording)


# --- seen ---


def test_a_log_gets_a_line_now_and_then(site: Site, recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(site, site.settings.origin, recording)

    lines = capsys.readouterr().err.splitlines()
    assert 3 <= len(lines) <= 10
    assert lines[-1] == "long.mp3: 100 % (27.3 MB)"
    assert all("parts are safe" in line for line in lines[:-1])


@pytest.mark.long
def test_a_terminal_gets_a_bar(site: Site, gate: Gate, recording: Path, tmp_path: Path) -> None:
    gate.holds_after(4)
    seen, terminal = pty.openpty()
    there = ("--server", gate.address, "--token", site.token, "--title", "Long", "--draft")
    with subprocess.Popen(
        [PROGRAM, "publish", recording, *there],
        env=surroundings(tmp_path, TERM="xterm", COLUMNS="120"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=terminal,
        encoding="utf-8",
    ) as process:
        os.close(terminal)
        shown = ""
        while "4 of 6 parts are safe" not in shown:
            shown += os.read(seen, 65536).decode()
        gate.opened.set()
        reader = threading.Thread(target=_drain, args=(seen,))
        reader.start()
        printed, _ = process.communicate(timeout=60)
        reader.join()

    assert printed == f"{episodes(site)[0]}\n"


def _drain(terminal: int) -> None:
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:  # the other side is closed
        os.close(terminal)


# --- a bucket ---


@contextmanager
def on_a_bucket(place: Place, public_endpoint: str, **settings: object) -> Iterator[Site]:
    """A site whose storage is the bucket that was made for it, and whom browsers reach there."""
    chosen = Settings(
        port=free_port(), data_dir=place.data_dir, _env_file=None, storage_url=public_endpoint, **settings
    )
    with running(chosen, with_worker=False) as site:
        yield site


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    with moto_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.mark.long
def test_parts_go_to_the_bucket_and_not_through_the_site(
    sqlite_place: Place, bucket: S3Server, recording: Path
) -> None:
    with (
        gate_before(bucket.endpoint) as door,
        on_a_bucket(sqlite_place, f"{bucket.storage_url()}&public_endpoint={door.address}") as site,
        gate_before(site.settings.origin) as gate,
    ):
        publish(site, gate.address, recording)

        assert gate.came == []
        assert Counter(door.passed) == Counter(range(1, PARTS + 1))
        assert_stored(site, recording)


@pytest.mark.long
def test_an_address_that_is_over_is_asked_for_again(sqlite_place: Place, bucket: S3Server, recording: Path) -> None:
    with (
        gate_before(bucket.endpoint) as door,
        on_a_bucket(
            sqlite_place, f"{bucket.storage_url()}&public_endpoint={door.address}", upload_address_seconds=5
        ) as site,
        gate_before(site.settings.origin) as gate,
    ):
        refused = []

        def rule(number: int, path: str) -> Answer | None:  # as S3 does; moto believes every signature
            if not _is_over(path):
                return None
            refused.append(number)
            return Answer(403, b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")

        door.rule = rule
        door.seconds_a_piece = 0.1  # 8 s a part

        publish(site, gate.address, recording)

        assert refused
        assert gate.came == []
        assert Counter(door.passed) == Counter(range(1, PARTS + 1))


@pytest.mark.parametrize("shut", ["unreachable", pytest.param("refused", marks=pytest.mark.long)])
def test_who_is_not_let_into_the_bucket_goes_through_the_site(
    sqlite_place: Place, bucket: S3Server, recording: Path, shut: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with gate_before(bucket.endpoint) as door:
        door.rule = lambda _number, _path: Answer(403, b"<Error><Code>AccessDenied</Code></Error>")
        public = door.address if shut == "refused" else f"http://127.0.0.1:{free_port()}"
        with (
            on_a_bucket(sqlite_place, f"{bucket.storage_url()}&public_endpoint={public}") as site,
            gate_before(site.settings.origin) as gate,
        ):
            publish(site, gate.address, recording)

            assert Counter(gate.passed) == Counter(range(1, PARTS + 1))
            assert_stored(site, recording)
    assert capsys.readouterr().err.count("The recording goes through http") == 1


def _is_over(address: str) -> bool:
    said = parse_qs(urlsplit(address).query)
    signed_at = datetime.strptime(said["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return signed_at + timedelta(seconds=int(said["X-Amz-Expires"][0])) < datetime.now(UTC)


def _wait_for(origin: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            if httpx2.get(f"{origin}/readyz", timeout=5).is_success:
                return
        except httpx2.TransportError:
            pass
        assert time.monotonic() < end
        time.sleep(0.05)
