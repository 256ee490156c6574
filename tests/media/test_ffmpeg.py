"""The engine reads what it is given, within its limits, and says in plain words what went wrong."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from media import ffmpeg
from media.ffmpeg import Absent, Failed, Input, Limits, NoRoom, Pace, TimedOut

FOR_EVER_OUT = ["-af", "aloop=loop=-1:size=8000", "-f", "s16le", "pipe:1"]
FOR_EVER = ["-af", "aloop=loop=-1:size=8000", "-f", "null", "-"]


@pytest.fixture(scope="session")
def engine() -> Path:
    found = ffmpeg.find(None)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ffmpeg") / "tone.wav"
    source = ["-f", "lavfi", "-i", "sine=440:sample_rate=8000:d=2"]
    subprocess.run(["ffmpeg", "-v", "error", *source, str(path)], check=True)
    return path


def test_the_operators_ffmpeg_goes_before_the_one_on_path() -> None:
    assert ffmpeg.find(Path("/opt/ffmpeg")) == Path("/opt/ffmpeg")


def test_a_machine_without_ffmpeg_uses_the_one_in_the_wheel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wav: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    found = ffmpeg.find(None)
    ffmpeg.run(found, inputs=[Input(wav)], arguments=["out.wav"], directory=tmp_path)

    assert found is not None
    assert "imageio_ffmpeg" in str(found)
    assert (tmp_path / "out.wav").stat().st_size > 30_000


@pytest.mark.parametrize("engine_path", [None, Path("/nowhere/ffmpeg")])
def test_a_missing_engine_is_told_as_such(engine_path: Path | None, wav: Path, tmp_path: Path) -> None:
    with pytest.raises(Absent) as told:
        ffmpeg.run(engine_path, inputs=[Input(wav)], arguments=["out.wav"], directory=tmp_path)

    assert "upload the episode as MP3" in told.value.sentence


@pytest.mark.parametrize("script", ["#EXTM3U\n#EXTINF:2,\n{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile {}\n"])
def test_a_playlist_called_mp3_opens_no_other_file(script: str, engine: Path, wav: Path, tmp_path: Path) -> None:
    other = shutil.copy(wav, tmp_path / "secret.wav")
    playlist = tmp_path / "episode.mp3"
    playlist.write_text(script.format(other.name))

    with pytest.raises(Failed):
        ffmpeg.run(engine, inputs=[Input(playlist)], arguments=["out.wav"], directory=tmp_path)

    assert not (tmp_path / "out.wav").exists()


def test_a_name_that_looks_like_an_option_or_an_address_is_a_file(engine: Path, wav: Path, tmp_path: Path) -> None:
    for name in ("-i.wav", "http:x.wav", "%d é 🎙.wav"):
        path = Path(shutil.copy(wav, tmp_path / name))

        ffmpeg.run(engine, inputs=[Input(path)], arguments=["out.wav"], directory=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "limits"),
    [
        pytest.param(FOR_EVER, Limits(wall_seconds=1), id="wall", marks=pytest.mark.long),
        pytest.param(FOR_EVER_OUT, Limits(wall_seconds=1), id="wall, though it talks"),
        pytest.param(FOR_EVER, Limits(cpu_seconds=1), id="cpu"),
    ],
)
def test_a_run_that_goes_on_for_ever_is_ended(
    arguments: list[str], limits: Limits, engine: Path, wav: Path, tmp_path: Path
) -> None:
    started = time.monotonic()

    with pytest.raises(TimedOut):
        ffmpeg.run(engine, inputs=[Input(wav)], arguments=arguments, directory=tmp_path, limits=limits)

    assert time.monotonic() - started < 60
    assert working_in(tmp_path) == []


def working_in(directory: Path) -> list[int]:
    """The processes that work there, by their numbers."""
    return [int(cwd.parent.name) for cwd in Path("/proc").glob("[0-9]*/cwd") if cwd.resolve() == directory]


class Enough(Exception):
    """The listener has heard enough."""


def test_a_listener_that_raises_ends_the_child(engine: Path, wav: Path, tmp_path: Path) -> None:
    def listener(_: object) -> None:
        raise Enough

    for listening in ({"on_progress": listener}, {"on_output": listener}):
        with pytest.raises(Enough):
            ffmpeg.run(engine, inputs=[Input(wav)], arguments=FOR_EVER_OUT, directory=tmp_path, **listening)

    assert working_in(tmp_path) == []


WORKS_FOR_EVER = """
import sys
from pathlib import Path
from media.ffmpeg import Input, Limits, run

engine, wav, work, *arguments = sys.argv[1:]
inputs, limits = [Input(Path(wav))], Limits(cpu_seconds=60)
run(Path(engine), inputs=inputs, arguments=arguments, directory=Path(work), limits=limits, on_progress=print)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere its limits end it")
def test_a_process_that_is_killed_takes_its_child_with_it(engine: Path, wav: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    command = [sys.executable, "-uc", WORKS_FOR_EVER, engine, wav, work, *FOR_EVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        parent.stdout.read(1)  # how far it is
        children = working_in(work)
        parent.kill()
    end = time.monotonic() + 30
    while working_in(work) and time.monotonic() < end:
        time.sleep(0.01)

    assert children
    assert working_in(work) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere its limits end it")
def test_a_child_that_begins_when_its_parent_is_gone_does_nothing(
    engine: Path, wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)  # so that the child finds another parent than it was told

    with pytest.raises(Failed):
        ffmpeg.run(engine, inputs=[Input(wav)], arguments=["out.wav"], directory=tmp_path)

    assert not (tmp_path / "out.wav").exists()


def test_what_is_written_out_is_told_whole_and_in_small_pieces(engine: Path, wav: Path, tmp_path: Path) -> None:
    pieces: list[bytes] = []
    out = ["-f", "s16le", "pipe:1"]

    ffmpeg.run(engine, inputs=[Input(wav)], arguments=out, directory=tmp_path, on_output=pieces.append)

    assert b"".join(pieces) == wav.read_bytes()[-32_000:]
    assert max(map(len, pieces)) <= 65_536


def test_progress_is_told_in_milliseconds_up_to_the_end(engine: Path, wav: Path, tmp_path: Path) -> None:
    told: list[int] = []
    slow = ["-af", "aloop=loop=800:size=16000", "-c:a", "flac", "out.flac"]

    ffmpeg.run(engine, inputs=[Input(wav)], arguments=slow, directory=tmp_path, on_progress=told.append)

    assert told == sorted(told)
    assert told[-1] == pytest.approx(1_602_000, abs=200)


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="only Linux has it")
@pytest.mark.parametrize("pace", Pace)
def test_a_patient_run_gives_way_to_all_others_and_a_brisk_one_to_some(
    pace: Pace, engine: Path, wav: Path, tmp_path: Path
) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    expected = (os.SCHED_IDLE, 19, 19) if pace is Pace.PATIENT else (os.SCHED_OTHER, min(19, own + 10), 0)
    seen: list[tuple[int, int, int]] = []

    def look(_: object) -> None:
        (child,) = working_in(tmp_path)
        session = Path(f"/proc/{child}/autogroup")
        nice_of_session = int(session.read_text().split()[-1]) if session.exists() else expected[-1]
        seen.append((os.sched_getscheduler(child), os.getpriority(os.PRIO_PROCESS, child), nice_of_session))
        raise Enough

    with pytest.raises(Enough):
        ffmpeg.run(engine, inputs=[Input(wav)], arguments=FOR_EVER_OUT, directory=tmp_path, pace=pace, on_output=look)

    assert seen == [expected]


def test_a_file_that_grows_beyond_its_limit_fails(engine: Path, wav: Path, tmp_path: Path) -> None:
    growing = ["-af", "aloop=loop=-1:size=8000", "out.wav"]

    with pytest.raises(Failed):
        ffmpeg.run(
            engine, inputs=[Input(wav)], arguments=growing, directory=tmp_path, limits=Limits(file_bytes=1 << 20)
        )

    assert (tmp_path / "out.wav").stat().st_size <= 1 << 20


def test_memory_has_a_limit(engine: Path, wav: Path, tmp_path: Path) -> None:
    with pytest.raises(Failed):
        ffmpeg.run(
            engine, inputs=[Input(wav)], arguments=["out.wav"], directory=tmp_path, limits=Limits(memory_bytes=1 << 20)
        )


def test_a_full_disk_is_told_apart(engine: Path, wav: Path, tmp_path: Path) -> None:
    with pytest.raises(NoRoom) as told:
        ffmpeg.run(engine, inputs=[Input(wav)], arguments=["-f", "wav", "/dev/full"], directory=tmp_path)

    assert "No space left on device" in told.value.detail


def test_a_damaged_file_is_told_in_plain_words(engine: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.m4a"
    damaged.write_bytes(b"\0\0\0\x20ftypM4A " + bytes(1000))

    with pytest.raises(Failed) as told:
        ffmpeg.run(engine, inputs=[Input(damaged)], arguments=["out.wav"], directory=tmp_path)

    assert told.value.sentence == ffmpeg.UNREADABLE
    assert "ffmpeg ended with" in told.value.detail


def test_a_video_without_sound_is_told_in_plain_words(engine: Path, tmp_path: Path) -> None:
    silent = tmp_path / "silent.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=s=64x64:d=1"]
    subprocess.run(["ffmpeg", "-v", "error", *source, str(silent)], check=True)

    with pytest.raises(Failed) as told:
        ffmpeg.run(engine, inputs=[Input(silent)], arguments=["-map", "0:a:0", "out.wav"], directory=tmp_path)

    assert told.value.sentence == ffmpeg.NO_SOUND


def test_of_much_talk_only_the_end_is_kept(engine: Path, wav: Path, tmp_path: Path) -> None:
    talk = ["-af", "ashowinfo", "-f", "null", "-"]

    said = ffmpeg.run(engine, inputs=[Input(wav)] * 12, arguments=talk, directory=tmp_path, verbosity="trace")

    assert 30_000 < len(said) <= 65_536
