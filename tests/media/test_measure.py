"""A recording in numbers: compared with ffmpeg's own filters, one at a time, and with what was put into the file."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from media import ffmpeg
from media.ffmpeg import Failed, Pace
from media.measure import MOST_PEAKS, Measured, _Wave, measure
from media.probe import NotAudio, probe
from media.source import FileSource
from tests.media.samples import altered, audio, repeated

ENGINES = pytest.mark.parametrize("engine", [ffmpeg.find(None), ffmpeg._from_the_wheel()], ids=["path", "wheel"])


@pytest.fixture
def measured(tmp_path: Path) -> Callable[[Path], Measured]:
    def measured_by(path: Path, engine: Path | None = None) -> Measured:
        return measure(
            path, channels=channels(path), directory=tmp_path, ffmpeg=engine or ffmpeg.find(None), pace=Pace.BRISK
        )

    return measured_by


def loudnorm(path: Path) -> dict[str, float]:
    """What another filter measures."""
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(path), "-af", "loudnorm=print_format=json", "-f", "null"]
    said = subprocess.run([*command, "-"], check=True, capture_output=True, text=True).stderr
    return {name: float(value) for name, value in json.loads(said[said.rindex("{") :]).items() if "input" in name}


def decoded_ms(path: Path) -> float:
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:a:0", "-ac", "1", "-ar", "48000", "-f", "s16le"]
    return len(subprocess.run([*command, "-"], check=True, capture_output=True).stdout) / 96


@pytest.mark.long
@ENGINES
def test_loudness_and_true_peak_are_those_of_another_meter(
    engine: Path, speech: Path, measured: Callable[..., Measured], tmp_path: Path
) -> None:
    voice = altered(tmp_path / "voice.mp3", speech, "volume=-7dB", "-ar", "44100", "-ac", "2", "-b:a", "128k")

    found, expected = measured(voice, engine), loudnorm(voice)

    assert found.loudness_lufs == pytest.approx(expected["input_i"], abs=0.2)
    assert found.range_lu == pytest.approx(expected["input_lra"], abs=0.5)
    assert found.true_peak_dbtp == pytest.approx(expected["input_tp"], abs=0.2)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("constant.mp3", ["-b:a", "64k"]),
        ("bare.mp3", ["-q:a", "6", "-write_xing", "0"]),
        ("phone.m4a", ["-c:a", "aac"]),
        ("phone.wav", ["-ar", "8000"]),
        ("studio.flac", ["-ar", "96000", "-ac", "2"]),
        ("light.opus", ["-c:a", "libopus"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_duration_is_what_a_decoder_hears(
    name: str, options: list[str], measured: Callable[..., Measured], tmp_path: Path
) -> None:
    recording = audio(tmp_path / name, *options, seconds=3.21)

    assert measured(recording).duration_ms == pytest.approx(decoded_ms(recording), abs=1)


@ENGINES
def test_silence_at_both_ends_is_measured(engine: Path, measured: Callable[..., Measured], tmp_path: Path) -> None:
    quiet = altered(
        tmp_path / "q.wav", audio(tmp_path / "tone.wav", seconds=2), "adelay=1234,apad=pad_dur=2.5", "-ac", "2"
    )

    found = measured(quiet, engine)

    assert (found.silence_start_ms, found.silence_end_ms) == pytest.approx((1234, 2500), abs=5)


def test_a_breath_is_no_silence_and_neither_is_the_noise_of_a_room(
    measured: Callable[..., Measured], tmp_path: Path
) -> None:
    breath = altered(tmp_path / "breath.wav", audio(tmp_path / "tone.wav", seconds=1), "adelay=400,apad=pad_dur=0.4")
    noise = "aevalsrc='if(gt(t,1),0.5,0.01)*(2*random(0)-1)':sample_rate=44100"  # -40 dBFS is to be heard
    room = audio(tmp_path / "room.wav", seconds=2, sound=noise)

    for recording in (breath, room):
        assert (measured(recording).silence_start_ms, measured(recording).silence_end_ms) == (0, 0)


def test_what_is_all_silent_has_no_loudness_and_is_silent_to_its_end(
    measured: Callable[..., Measured], tmp_path: Path
) -> None:
    found = measured(audio(tmp_path / "nothing.wav", seconds=3, sound="anullsrc=sample_rate=44100"))

    assert (found.loudness_lufs, found.range_lu, found.true_peak_dbtp) == (None,) * 3
    assert (found.silence_start_ms, found.silence_end_ms, found.duration_ms) == (3000, 3000, 3000)
    assert set(found.peaks) == {0}


def test_a_moment_of_sound_has_a_length_and_peaks(measured: Callable[..., Measured], tmp_path: Path) -> None:
    found = measured(audio(tmp_path / "moment.wav", seconds=0.06))

    assert found.duration_ms == 60
    assert len(found.peaks) == 2


def test_peaks_follow_the_sound_and_see_its_lower_half(measured: Callable[..., Measured], tmp_path: Path) -> None:
    swelling = "aevalsrc='-t/10*abs(sin(2000*t))':sample_rate=44100"  # never above zero

    peaks = measured(audio(tmp_path / "swelling.wav", seconds=10, sound=swelling)).peaks

    assert len(peaks) == 200
    assert peaks == pytest.approx([255 * (place + 1) / 200 for place in range(200)], abs=6)


@pytest.mark.parametrize("seconds", [1, 30, 31, 61, 1000, pytest.param(2500, marks=pytest.mark.long)])
def test_peaks_are_a_few_hundred_however_long_it_is(seconds: int) -> None:
    wave = _Wave()
    loud_half = (b"\0" * 16000 * (seconds // 2)) + b"\0\x7f" * 8000 * (seconds - seconds // 2)

    for start in range(0, len(loud_half), 65535):  # wherever the pieces are cut
        wave.add(loud_half[start : start + 65535])
    wave.end()

    peaks = wave.peaks()
    assert min(MOST_PEAKS / 2, seconds * 20) <= len(peaks) <= MOST_PEAKS
    assert peaks.index(254) == pytest.approx(len(peaks) * (seconds // 2) / seconds, abs=1)
    assert set(peaks[peaks.index(254) :]) == {254}


@pytest.mark.long
def test_how_far_it_is_is_told_in_milliseconds_of_sound(tmp_path: Path) -> None:
    told: list[int] = []
    long = repeated(tmp_path / "long.wav", audio(tmp_path / "tone.wav", seconds=60), 5)

    measure(long, channels=1, directory=tmp_path, ffmpeg=ffmpeg.find(None), pace=Pace.BRISK, on_progress=told.append)

    assert told == sorted(told)
    assert told[-1] == pytest.approx(300_000, abs=100)


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXTINF:2,\nsecret.wav\n",
        b"ID3\4\0\0\0\0\0\x10" + bytes(5000),
        b"OggS" + bytes(200),
        b"\xff\xfb" * 999,
    ],
    ids=["playlist", "only a tag", "Ogg of nothing", "false frames"],
)
def test_what_cannot_be_heard_is_refused_with_a_sentence(
    content: bytes, measured: Callable[..., Measured], tmp_path: Path
) -> None:
    audio(tmp_path / "secret.wav")
    hostile = tmp_path / "episode.mp3"
    hostile.write_bytes(content)

    with pytest.raises(Failed) as told:
        measured(hostile)

    assert re.search(r"[.]$", told.value.sentence)


def test_every_public_sample_is_measured_or_refused(corpora: Path, measured: Callable[..., Measured]) -> None:
    heard = 0
    for path in sorted(path for path in (corpora / "audio").rglob("*") if path.is_file()):
        try:
            found = measured(path)
        except Failed:
            continue
        heard += 1
        assert found.duration_ms == pytest.approx(decoded_ms(path), abs=2), path

    assert heard > 140


def test_channels_that_do_not_say_where_they_belong_are_measured(
    tmp_path: Path, measured: Callable[[Path], Measured]
) -> None:
    seven = "aevalsrc='" + "|".join(["0.1*sin(2000*t)"] * 7) + "':sample_rate=44100"
    recording = audio(tmp_path / "seven.wav", sound=seven)

    assert measured(recording).loudness_lufs is not None


def channels(path: Path) -> int | None:
    try:
        return probe(FileSource(path)).channels
    except NotAudio:
        return None
