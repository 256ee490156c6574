"""The engine reads what it is given, within its limits, and says in plain words what went wrong."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from media import ffmpeg
from media.ffmpeg import Absent, Failed, Input, Limits, NoRoom, TimedOut

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


@pytest.mark.parametrize("limits", [Limits(wall_seconds=1), Limits(cpu_seconds=1)], ids=["wall", "cpu"])
def test_a_run_that_goes_on_for_ever_is_ended(limits: Limits, engine: Path, wav: Path, tmp_path: Path) -> None:
    started = time.monotonic()

    with pytest.raises(TimedOut):
        ffmpeg.run(engine, inputs=[Input(wav)], arguments=FOR_EVER, directory=tmp_path, limits=limits)

    assert time.monotonic() - started < 60
    assert [cwd for cwd in Path("/proc").glob("[0-9]*/cwd") if cwd.resolve() == tmp_path] == []  # nobody works there


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
