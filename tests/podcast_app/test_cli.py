"""Each command as an operator types it, and what it says when it cannot."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from _pytest.mark import ParameterSet

from podcast_app import people
from podcast_app.settings import Settings
from podcast_app.times import utcnow
from tests.commands import podcast_app, started
from tests.podcast_app.jobs import episode_called
from tests.podcasts import Place, at
from tests.site import free_port, running


@pytest.fixture
def home(sqlite_place: Place) -> Path:
    """The data folder of a library with its first show."""
    return sqlite_place.data_dir


@pytest.fixture
def recording(mp3: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("recordings") / "Épisode 1.mp3"
    file.write_bytes(mp3)
    return file


def assert_refused(done: subprocess.CompletedProcess[str], *words: str, status: int = 1) -> None:
    """It says so in a sentence on standard error: these words are in it, and nothing for programmers."""
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr


def each_is_long(*cases: tuple[object, ...]) -> list[ParameterSet]:
    """A process takes a second to start: of cases that are alike, the first ones are in every run."""
    return [pytest.param(*case, marks=pytest.mark.long) for case in cases]


# --- beginnings ---


@pytest.mark.long
def test_a_database_that_is_not_migrated_names_the_command_that_does_it(tmp_path: Path) -> None:
    assert_refused(podcast_app("show", "list", data_dir=tmp_path), "podcast-app migrate")

    first, again = (podcast_app("migrate", data_dir=tmp_path) for _ in range(2))

    assert [(done.returncode, done.stdout, done.stderr) for done in (first, again)] == [(0, "", "")] * 2
    assert "diaspora-insights" in podcast_app("show", "list", data_dir=tmp_path).stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PODCAST_STORAGE_URL", "ftp://bucket"),
        *each_is_long(("PODCAST_DATA_DIR", "/proc/nowhere")),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path, name: str, value: str) -> None:
    assert_refused(podcast_app("show", "list", data_dir=tmp_path, **{name: value}), f"{name}: ")


@pytest.mark.long
def test_a_file_of_settings_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("PODCAST_BASE_URL=https://é.example.org".encode("latin-1"))

    assert_refused(podcast_app("show", "list", data_dir=tmp_path), ".env", "UTF-8")


@pytest.mark.long
@pytest.mark.skipif(os.getuid() == 0, reason="root may read every file")
def test_a_file_of_settings_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").touch(mode=0)

    assert_refused(podcast_app("show", "list", data_dir=tmp_path), ".env", "Permission denied")


@pytest.mark.long
def test_a_database_that_is_away_is_said_to_be_without_its_password(tmp_path: Path) -> None:
    away = {"DATABASE_URL": f"postgres://user:s3cret@127.0.0.1:{free_port()}/podcast"}

    done = podcast_app("show", "list", data_dir=tmp_path, **away)

    assert_refused(done, "The database does not answer")
    assert "s3cret" not in done.stderr
    assert_refused(podcast_app("check", data_dir=tmp_path, **away), "The database does not answer", status=2)


@pytest.mark.long
def test_a_database_that_is_none_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "podcast.db").write_bytes(b"This is a letter, and no database. " * 100)

    assert_refused(podcast_app("show", "list", data_dir=tmp_path), "not a database")


@pytest.mark.long
def test_an_unknown_command_is_an_error_of_use(tmp_path: Path) -> None:
    assert podcast_app("pubish", data_dir=tmp_path).returncode == 2


# --- shows, people, tokens ---


@pytest.mark.long
def test_a_show_is_made_listed_and_changed(home: Path) -> None:
    made = podcast_app(
        "show", "create", "Récits d'ailleurs – 日本", "--language", "fr", "--category", "News/Politics", data_dir=home
    )
    changes = ("--rename", "recits", "--even-loudness")
    edited = podcast_app("show", "edit", "recits-d-ailleurs", *changes, data_dir=home)
    listed = podcast_app("show", "list", data_dir=home)

    assert made.stdout == "http://127.0.0.1:8000/recits-d-ailleurs/\n"
    assert edited.returncode == 0, edited.stderr
    assert "recits " in listed.stdout
    assert "Récits d'ailleurs – 日本" in listed.stdout
    with at(Place(f"sqlite:///{home / 'podcast.db'}", home)) as library:
        [show] = [show for show in library.shows() if show.slug == "recits"]
    assert show.categories == [["News", "Politics"]]
    assert show.even_loudness


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (("show", "edit", "nowhere", "--title", "x"), "nowhere"),
        *each_is_long(
            (("show", "create", "X", "--slug", "studio"), "slug"),
            (("show", "edit", "diaspora-insights", "--time-zone", "Mars/Base"), "time_zone"),
            (("user", "add", "nobody"), "email"),
            (("user", "password", "nobody@example.org"), "nobody@example.org"),
            (("user", "role", "nobody@example.org", "diaspora-insights", "producer"), "nobody@example.org"),
            (("user", "role", "nobody@example.org", "diaspora-insights", "king"), "producer"),
            (("token", "revoke", "nothing"), "nothing"),
            (("token", "create", "x", "--show", "nowhere"), "nowhere"),
        ),
    ],
)
def test_what_is_not_there_or_not_right_is_named(home: Path, command: tuple[str, ...], word: str) -> None:
    assert_refused(podcast_app(*command, data_dir=home), word)


@pytest.mark.long
def test_a_token_is_printed_alone_and_is_good_until_it_is_revoked(home: Path) -> None:
    secret = podcast_app("token", "create", "the archive", data_dir=home).stdout

    assert secret.startswith("pod_")
    assert secret.count("\n") == 1
    with at(Place(f"sqlite:///{home / 'podcast.db'}", home)) as library:
        database = library.work.database
        assert database.read(people.token, secret.strip()) is not None

        assert podcast_app("token", "revoke", "the archive", data_dir=home).returncode == 0

        assert database.read(people.token, secret.strip()) is None
    listed = podcast_app("token", "list", data_dir=home).stdout
    assert "the archive" in listed
    assert secret.strip() not in listed


@pytest.mark.long
def test_a_person_is_invited_by_a_link(home: Path) -> None:
    link = podcast_app("user", "add", "anna@example.org", data_dir=home).stdout.strip()

    with at(Place(f"sqlite:///{home / 'podcast.db'}", home)) as library:
        secret = link.removeprefix("http://127.0.0.1:8000/studio/setup/")
        found = library.work.database.read(lambda session: people.link(session, secret, "account", utcnow()))
    assert found.email == "anna@example.org"
    assert not found.is_administrator


# --- publishing ---


def test_publishing_prints_the_address_of_the_episode_alone(home: Path, recording: Path) -> None:
    notes = recording.with_name("notes.md")
    notes.write_text("Là-bas, *toujours*.", encoding="utf-8")

    done = podcast_app("publish", recording, "--title", "Là-bas", "--notes", notes, data_dir=home)

    assert (done.returncode, done.stdout, done.stderr) == (0, "http://127.0.0.1:8000/diaspora-insights/la-bas\n", "")
    with at(Place(f"sqlite:///{home / 'podcast.db'}", home)) as library:
        [words] = library.episode(episode_called(library, "Là-bas")).texts
        assert words.notes == "Là-bas, *toujours*."
        assert "Là-bas" in library.xml()


@pytest.mark.long
def test_a_machine_without_a_word_of_utf_8_publishes_in_every_script(home: Path, recording: Path) -> None:
    ascii_only = {"LANG": "", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    done = podcast_app("publish", recording, "--title", "Récits d'ailleurs – 日本", data_dir=home, **ascii_only)

    assert (done.returncode, done.stdout) == (0, "http://127.0.0.1:8000/diaspora-insights/recits-d-ailleurs\n")
    with at(Place(f"sqlite:///{home / 'podcast.db'}", home)) as library:
        episode = library.episode(episode_called(library, "Récits d'ailleurs – 日本"))
        assert episode.audio.upload.filename == "Épisode 1.mp3"


@pytest.mark.long
def test_a_draft_and_a_scheduled_episode_say_what_they_wait_for(home: Path, recording: Path) -> None:
    draft = podcast_app("publish", recording, "--draft", data_dir=home)
    later = podcast_app("publish", recording, "--title", "X", "--at", "2150-12-10T09:00+01:00", data_dir=home)

    assert draft.stdout.startswith("A draft: http://127.0.0.1:8000/studio/episodes/")
    assert later.stdout.startswith("Scheduled for 2150-12-10T08:00:00Z: ")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("letter.mp3", b"Dear all, this is a letter. " * 50, ["text"]),
        *each_is_long(
            ("missing.mp3", None, ["missing.mp3"]),
            ("folder.mp3", "folder", ["folder.mp3", "folder"]),
            ("empty.mp3", b"", ["empty"]),
        ),
    ],
)
def test_what_is_no_recording_is_refused_and_leaves_nothing(
    home: Path, name: str, content: bytes | str | None, words: list[str]
) -> None:
    file = home / name
    if content == "folder":
        file.mkdir()
    elif isinstance(content, bytes):
        file.write_bytes(content)

    assert_refused(podcast_app("publish", file, "--title", "X", data_dir=home), *words)

    with at(Place(f"sqlite:///{home / 'podcast.db'}", home)) as library:
        assert library.objects("private/originals/") == set()
        assert library.loose() == set()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--at", "tomorrow"), "publish: "),
        *each_is_long(
            (("--at", "2030-12-10T09:00"), "publish: "),
            (("--season", "0"), "season: "),
            (("--language", "klingon"), "language: "),
            (("--notes", "missing.md"), "missing.md"),
            (("--show", "nowhere"), "nowhere"),
            (("--server", "http://127.0.0.1:1"), "PODCAST_TOKEN"),
            (("--server", "http://127.0.0.1:1", "--token", "x"), "was not reached"),
        ),
    ],
)
def test_what_cannot_be_published_so_is_said_before_the_file_is_read(
    home: Path, recording: Path, options: tuple[str, ...], word: str
) -> None:
    assert_refused(podcast_app("publish", recording, "--title", "X", *options, data_dir=home), word)


def test_an_episode_that_fails_its_checks_is_kept_as_a_draft(home: Path, recording: Path) -> None:
    done = podcast_app("publish", recording, data_dir=home)

    assert done.returncode == 1
    assert done.stderr.startswith("title: ")
    assert "The episode is kept as a draft" in done.stderr


@pytest.mark.long
def test_who_stops_waiting_leaves_the_episode_due(home: Path, recording: Path, tmp_path: Path) -> None:
    engine = tmp_path / "ffmpeg"
    engine.write_text("#!/bin/sh\nsleep 60\n")
    engine.chmod(0o755)
    raw = recording.with_suffix(".wav")
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", recording, raw], check=True)
    with (
        at(Place(f"sqlite:///{home / 'podcast.db'}", home)) as library,
        started("publish", raw, "--title", "Slow", data_dir=home, PODCAST_FFMPEG=str(engine)) as process,
    ):
        end = time.monotonic() + 30
        while not list((home / "work").glob("*/*")):
            assert time.monotonic() < end
            time.sleep(0.05)

        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)

        assert process.returncode == 130
        assert "Traceback" not in said
        assert library.episode(episode_called(library, "Slow")).state == "scheduled"


@pytest.mark.skipif(os.getuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_said_to_be_and_keeps_nothing_half_written(home: Path, wav: bytes) -> None:
    with _small_disk(home / "storage" / "private" / "originals"), _small_disk(home / "storage" / ".partial"):
        file = home / "long.wav"
        file.write_bytes(wav * 12)

        assert_refused(podcast_app("publish", file, "--title", "X", data_dir=home), "The disk is full")

        assert [path for path in (home / "storage" / ".partial").rglob("*") if path.is_file()] == []


@contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.long
def test_a_recording_is_sent_to_a_site_over_http(sqlite_place: Place, recording: Path, tmp_path: Path) -> None:
    settings = Settings(port=free_port(), data_dir=sqlite_place.data_dir, _env_file=None)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with running(settings) as site:
        there = ("--server", settings.origin)

        done = podcast_app(
            "publish", recording, "--title", "Là-bas", *there, data_dir=elsewhere, PODCAST_TOKEN=site.token
        )
        stranger = podcast_app("publish", recording, "--title", "X", *there, "--token", "pod_x", data_dir=elsewhere)
        unfit = podcast_app(
            "publish", recording, "--title", "X", "--season", "0", *there, "--token", site.token, data_dir=elsewhere
        )

        assert (done.returncode, done.stdout) == (0, f"{settings.origin}/diaspora-insights/la-bas\n"), done.stderr
        assert site.listener.get(done.stdout.strip()).status_code == 200
        assert stranger.returncode == unfit.returncode == 1
        assert "season" in unfit.stderr
        assert "Traceback" not in stranger.stderr + unfit.stderr


# --- serving ---


def test_serving_prints_the_link_for_the_first_account_and_stops_when_told(tmp_path: Path) -> None:
    for _ in range(2):  # the second time on what the first one left
        port = free_port()
        with started("serve", "--port", str(port), data_dir=tmp_path) as process:
            site = process.stdout.readline()
            link = process.stdout.readline().split()[-1]
            _wait_for(f"http://127.0.0.1:{port}/readyz", process)

            assert f"http://127.0.0.1:{port}/" in site
            assert httpx2.get(link).status_code == 200
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=15)

        assert process.returncode == 0, said
        assert "Traceback" not in said


@pytest.mark.long
def test_a_worker_publishes_alone_and_stops_when_told(sqlite_place: Place, mp3: bytes) -> None:
    with at(sqlite_place) as library, started("worker", data_dir=sqlite_place.data_dir) as process:
        episode_id = library.draft(mp3, title="Alone", publish="now")
        end = time.monotonic() + 30
        while library.episode(episode_id).state != "published":
            assert time.monotonic() < end
            time.sleep(0.1)

        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=15)

    assert process.returncode == 0
    assert "Traceback" not in said


def _wait_for(address: str, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 30
    while True:
        assert process.poll() is None, process.stderr.read()
        try:
            if httpx2.get(address).status_code == 200:
                return
        except httpx2.TransportError:
            assert time.monotonic() < end
            time.sleep(0.05)
