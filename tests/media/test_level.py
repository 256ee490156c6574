"""A recording is brought to -16 LUFS, and below -1 dBTP, whatever it was like before."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import enclosure, ffmpeg
from media.enclosure import EnclosureTags, Made
from media.ffmpeg import Pace
from media.level import Level, mended, plan
from media.measure import Measured, measure
from media.probe import Facts, probe
from media.source import FileSource
from tests.media.samples import altered, audio
from tests.media.samples import ffmpeg as run_ffmpeg

TAGS = EnclosureTags(title="Trois voix", show="Récits d’ailleurs")
TURNS = "volume=if(lt(mod(t\\,20)\\,10)\\,0.03\\,1):eval=frame"
DECIBELS = st.floats(-69.9, 20)


@pytest.fixture
def measured(tmp_path: Path) -> Callable[[Path], Measured]:
    return lambda path: measure(
        path, channels=_facts(path).channels, directory=tmp_path, ffmpeg=ffmpeg.find(None), pace=Pace.BRISK
    )


@pytest.fixture
def evened(tmp_path: Path, measured: Callable[[Path], Measured]) -> Callable[[Path], tuple[Level | None, Made]]:
    """The plan for a recording, and the enclosure that is made by it."""

    def made(recording: Path) -> tuple[Level | None, Made]:
        facts, found = _facts(recording), measured(recording)
        level = plan(loudness_lufs=found.loudness_lufs, true_peak_dbtp=found.true_peak_dbtp)
        return level, enclosure.make(
            recording,
            container=facts.container,
            codec=facts.codec,
            channels=facts.channels,
            tags=TAGS,
            directory=tmp_path,
            ffmpeg=ffmpeg.find(None),
            level=level,
        )

    return made


# -- What is planned


def test_what_is_as_loud_as_others_is_left_alone() -> None:
    assert plan(loudness_lufs=-16.9, true_peak_dbtp=-1.0) is None
    assert plan(loudness_lufs=-15.1, true_peak_dbtp=-3.0) is None


def test_what_is_silent_is_left_alone() -> None:
    assert plan(loudness_lufs=None, true_peak_dbtp=None) is None


def test_where_peaks_leave_room_all_of_it_gets_one_gain() -> None:
    quiet, loud = plan(loudness_lufs=-30.0, true_peak_dbtp=-16.5), plan(loudness_lufs=-9.0, true_peak_dbtp=0.5)

    assert quiet is not None
    assert loud is not None
    assert (quiet.gain_db, quiet.is_linear, quiet.filter) == (14.0, True, "volume=14.40dB")
    assert (loud.gain_db, loud.is_linear, loud.filter) == (-7.0, True, "volume=-6.60dB")


def test_where_they_do_not_they_are_limited() -> None:
    level = plan(loudness_lufs=-24.0, true_peak_dbtp=-4.0)

    assert level is not None
    assert level.gain_db == 8.0
    assert not level.is_linear
    assert "alimiter" in level.filter


def test_a_peak_that_is_too_high_is_turned_down_a_little_rather_than_limited() -> None:
    level = plan(loudness_lufs=-15.3, true_peak_dbtp=-0.9)

    assert level is not None
    assert level.is_linear
    assert level.gain_db == pytest.approx(-1.1)


@given(loudness=DECIBELS, peak=DECIBELS)
def test_no_plan_lifts_a_peak_too_high_or_noise_to_the_sky(loudness: float, peak: float) -> None:
    level = plan(loudness_lufs=loudness, true_peak_dbtp=peak)

    if level is not None:
        assert level.gain_db <= 40
        assert (level.ceiling_dbtp if level.ceiling_dbtp is not None else peak + level.gain_db) <= -2 + 1e-9


@given(loudness=DECIBELS, peak=DECIBELS)
def test_what_came_out_right_is_not_mended_and_the_rest_is(loudness: float, peak: float) -> None:
    level = Level(gain_db=6, drive_db=8, ceiling_dbtp=-2)

    better = mended(level, loudness_lufs=loudness, true_peak_dbtp=peak)

    assert (better is None) == (abs(loudness + 16) <= 0.6 and peak <= -1)
    if better is not None:
        assert better.gain_db == level.gain_db
        assert -12 <= better.ceiling_dbtp <= -2
        assert better.drive_db > level.drive_db or loudness >= -16


# -- What is heard


@pytest.mark.parametrize(
    ("filters", "options", "is_linear"),
    [
        pytest.param("volume=-19dB", [], False, id="very quiet"),
        pytest.param("volume=30dB", [], True, id="clipped", marks=pytest.mark.long),
        pytest.param(TURNS, [], False, id="whispered and shouted", marks=pytest.mark.long),
        pytest.param("volume=-8dB", ["-ac", "2", "-ar", "44100"], False, id="two channels", marks=pytest.mark.long),
        pytest.param(
            "volume=-10dB,alimiter=limit=0.0625:level=0", ["-ac", "2"], True, id="flat", marks=pytest.mark.long
        ),
    ],
)
def test_a_recording_of_any_kind_is_heard_as_loud_as_others(  # a table of recordings
    filters: str,
    options: list[str],
    is_linear: bool,
    speech: Path,
    evened: Callable[[Path], tuple[Level, Made]],
    measured: Callable[[Path], Measured],
    tmp_path: Path,
) -> None:
    recording = altered(tmp_path / "recording.wav", speech, filters, *options)

    level, made = evened(recording)

    found = measured(made.path)
    assert found.loudness_lufs == pytest.approx(-16, abs=1)
    assert found.true_peak_dbtp <= -1
    assert level.is_linear == is_linear
    assert made.duration_ms == pytest.approx(measured(recording).duration_ms, abs=2)
    assert probe(FileSource(made.path)).tags.title == TAGS.title


@pytest.mark.long
def test_hard_claps_over_a_far_voice_are_mended_until_they_fit(
    speech: Path, evened: Callable[[Path], tuple[Level, Made]], measured: Callable[[Path], Measured], tmp_path: Path
) -> None:
    claps = "aevalsrc='0.95*(random(0)*2-1)*lt(mod(t,7),0.01)':d=30:s=44100"
    both = "[0]aresample=44100,volume=-14dB[voice];[voice][1]amix=inputs=2:normalize=0:duration=first"
    recording = tmp_path / "claps.wav"
    run_ffmpeg("-i", str(speech), "-f", "lavfi", "-i", claps, "-filter_complex", both, str(recording))

    _, made = evened(recording)

    found = measured(made.path)
    assert found.loudness_lufs == pytest.approx(-16, abs=1)
    assert found.true_peak_dbtp <= -1


def test_an_mp3_of_high_quality_keeps_much_of_it(evened: Callable[[Path], tuple[Level, Made]], tmp_path: Path) -> None:
    for kbps, kept in ((64, 96), (160, 160), (256, 192)):
        original = audio(tmp_path / f"{kbps}.mp3", "-b:a", f"{kbps}k", seconds=3)

        _, made = evened(original)

        assert made.bitrate_bps == pytest.approx(kept * 1000, rel=0.01)


def test_an_aac_gets_another_loudness_as_an_mp3(
    evened: Callable[[Path], tuple[Level, Made]], measured: Callable[[Path], Measured], tmp_path: Path
) -> None:
    _, made = evened(audio(tmp_path / "phone.m4a", "-c:a", "aac", seconds=3))

    assert (made.extension, made.media_type) == ("mp3", "audio/mpeg")
    assert measured(made.path).loudness_lufs == pytest.approx(-16, abs=1)


def test_sound_of_many_channels_is_evened_as_listeners_hear_it_from_two(
    tmp_path: Path,
    measured: Callable[[Path], Measured],
    evened: Callable[[Path], tuple[Level | None, Made]],
) -> None:
    six = "aevalsrc='" + "|".join(["0.02*sin(2000*t)*(1+sin(3*t))"] * 6) + "':channel_layout=5.1:sample_rate=44100"
    recording = audio(tmp_path / "six.wav", sound=six, seconds=6)

    _, made = evened(recording)
    found = measured(made.path)

    assert made.channels == 2
    assert found.loudness_lufs == pytest.approx(-16, abs=1)
    assert found.true_peak_dbtp is not None
    assert found.true_peak_dbtp <= -1


def test_many_channels_are_measured_as_they_are_in_the_enclosure(
    tmp_path: Path, measured: Callable[[Path], Measured]
) -> None:
    six = "aevalsrc='" + "|".join(["0.5*sin(2000*t)*(1+sin(3*t))/2"] * 6) + "':channel_layout=5.1:sample_rate=44100"
    recording = audio(tmp_path / "six.flac", sound=six, seconds=4)
    facts = _facts(recording)

    made = enclosure.make(
        recording,
        container=facts.container,
        codec=facts.codec,
        channels=facts.channels,
        tags=TAGS,
        directory=tmp_path,
        ffmpeg=ffmpeg.find(None),
    )
    before, after = measured(recording), measured(made.path)

    assert before.loudness_lufs == pytest.approx(after.loudness_lufs, abs=1)
    assert before.true_peak_dbtp == pytest.approx(after.true_peak_dbtp, abs=1)


def _facts(path: Path) -> Facts:
    return probe(FileSource(path))
