"""How loud an episode is: told in words, and brought to where other podcasts are when the show asks for it."""

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podcast_app import loudness
from podcast_app.models import Measurement
from podcast_app.settings import Settings
from tests.media.samples import NOISE, audio
from tests.site import SLUG, Site, free_port, running

SHOW = f"/api/v1/shows/{SLUG}"
QUIET = f"{NOISE},volume=-25dB"
PEAKY = f"{NOISE},volume='if(lt(mod(t,1),0.01),3,0.05)':eval=frame"
SILENT = "anullsrc=sample_rate=44100:channel_layout=mono"

Answer = dict[str, Any]  # JSON


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    settings = Settings(port=free_port(), data_dir=tmp_path_factory.mktemp("loudness"), _env_file=None)
    with running(settings, with_behind=True) as site:
        yield site


@pytest.fixture
def evened(site: Site) -> Iterator[None]:
    """The show's switch is on."""
    assert site.api.patch(SHOW, json={"even_loudness": True}).json()["even_loudness"] is True
    yield
    assert site.api.patch(SHOW, json={"even_loudness": False}).json()["even_loudness"] is False


def measured(site: Site, episode: Answer) -> Answer:
    """The episode, once its recording is measured."""
    end = time.monotonic() + 30
    while True:
        found: Answer = site.api.get(f"/api/v1/episodes/{episode['id']}").json()
        if found["audio"]["measurement"]["status"] == "ready":
            return found
        assert time.monotonic() < end, found["audio"]
        time.sleep(0.1)


def heard(site: Site, episode: Answer, folder: Path) -> tuple[float, float]:
    """Loudness (LUFS) and true peak (dBTP) of what listeners get, by ffmpeg itself."""
    file = folder / "heard.mp3"
    file.write_bytes(site.listener.get(episode["audio"]["url"]).content)
    run = subprocess.run(
        ["ffmpeg", "-nostdin", "-nostats", "-i", file, "-af", "ebur128=peak=true", "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    summary = run.stderr.rpartition("Summary:")[2]
    [loud], [peak] = (re.findall(rf"{name}:\s+(\S+) (?:LUFS|dBFS)", summary) for name in ("I", "Peak"))
    return float(loud), float(peak)


def gain(episode: Answer) -> float | None:
    found: float | None = next(each["gain_db"] for each in episode["audio"]["editions"] if each["name"] == "enclosure")
    return found


@pytest.mark.usefixtures("evened")
@pytest.mark.parametrize(
    ("sound", "name"),
    [
        (QUIET, "quiet.mp3"),
        pytest.param(PEAKY, "peaky.wav", marks=pytest.mark.long),
        pytest.param(f"{NOISE},volume=10dB", "loud.mp3", marks=pytest.mark.long),
    ],
    ids=["quiet", "quiet with peaks", "loud"],
)
def test_where_the_show_evens_loudness_listeners_hear_minus_16_lufs(
    site: Site, tmp_path: Path, sound: str, name: str
) -> None:
    episode = site.published(audio(tmp_path / name, seconds=6, sound=sound), name, title=name)

    loud, peak = heard(site, episode, tmp_path)

    assert loud == pytest.approx(-16, abs=1)
    assert peak <= -0.9
    before = measured(site, episode)["audio"]["measurement"]["loudness_lufs"]
    assert gain(episode) == pytest.approx(-16 - before, abs=1)
    assert [finding for finding in measured(site, episode)["findings"] if "dB" in finding["problem"]] == []


def test_where_it_does_not_the_recording_stays_as_it_is_and_its_producer_is_told(site: Site, tmp_path: Path) -> None:
    recording = audio(tmp_path / "quiet.mp3", seconds=4, sound=QUIET)
    episode = measured(site, site.published(recording, title="As recorded"))

    assert gain(episode) is None
    assert heard(site, episode, tmp_path)[0] == pytest.approx(episode["audio"]["measurement"]["loudness_lufs"], abs=0.3)
    off = round(-16 - episode["audio"]["measurement"]["loudness_lufs"])
    [finding] = [each for each in episode["findings"] if each["field"] == "audio"]
    assert finding["level"] == "warning"
    assert finding["problem"] == f"The recording is {off} dB too quiet for a phone on a bus."
    french = site.api.get(f"/api/v1/episodes/{episode['id']}", headers={"Accept-Language": "fr"}).json()["findings"]
    assert f"L’enregistrement est trop faible de {off}\u00a0dB pour un téléphone dans un bus." in [
        each["problem"] for each in french
    ]


def test_the_switch_reaches_a_draft_before_it_goes_out(site: Site, tmp_path: Path) -> None:
    draft = measured(site, site.episode(audio(tmp_path / "quiet.mp3", seconds=4, sound=QUIET), title="Switched").json())
    site.api.patch(SHOW, json={"even_loudness": True})
    site.api.post(f"/api/v1/episodes/{draft['id']}/publish")

    episode = site.wait_for(draft["id"], "published")
    site.api.patch(SHOW, json={"even_loudness": False})

    assert heard(site, episode, tmp_path)[0] == pytest.approx(-16, abs=1)
    assert gain(episode) == pytest.approx(-16 - draft["audio"]["measurement"]["loudness_lufs"], abs=1)


@pytest.mark.long
@pytest.mark.usefixtures("evened")
def test_silence_goes_out_as_it_is_with_a_word(site: Site, tmp_path: Path) -> None:
    recording = audio(tmp_path / "silent.mp3", seconds=6, sound=SILENT)
    episode = measured(site, site.published(recording, title="Nothing"))

    assert gain(episode) == 0
    assert episode["audio"]["measurement"]["loudness_lufs"] is None
    assert "There is nothing to hear in this recording." in [each["problem"] for each in episode["findings"]]


# --- in words ---

RIGHT = Measurement(status="ready", loudness_lufs=-16.4, true_peak_dbtp=-1.2, silence_start_ms=600, silence_end_ms=4999)


def said(*, is_evened: bool = False, **values: object) -> list[str]:
    names = ("status", "loudness_lufs", "true_peak_dbtp", "silence_start_ms", "silence_end_ms")
    row = Measurement(**{name: getattr(RIGHT, name) for name in names} | values)
    return [finding.problem.format(**dict(finding.values)) for finding in loudness.findings(row, is_evened=is_evened)]


def test_what_is_right_or_not_measured_yet_needs_no_word() -> None:
    assert list(loudness.findings(None, is_evened=False)) == []
    assert said() == said(status="preparing", loudness_lufs=-40.0) == said(status="failed") == []


@pytest.mark.parametrize(
    ("loudness_lufs", "words"),
    [
        (-25.1, ["The recording is 9 dB too quiet for a phone on a bus."]),
        (-18.4, []),
        (-13.6, []),
        (-9.0, ["The recording is 7 dB louder than other podcasts."]),
    ],
)
def test_loudness_is_told_where_it_matters_and_nobody_else_mends_it(loudness_lufs: float, words: list[str]) -> None:
    assert said(loudness_lufs=loudness_lufs) == words
    assert said(loudness_lufs=loudness_lufs, is_evened=True) == []


def test_clipping_and_silence_are_told_in_any_case() -> None:
    clipped = ["The loudest moments are cut off (clipped), and may crackle."]
    assert said(true_peak_dbtp=0.3) == said(true_peak_dbtp=0.3, is_evened=True) == clipped
    assert said(silence_start_ms=5400) == ["The recording begins with 5 seconds of silence."]
    assert said(silence_end_ms=61_000) == ["The recording ends with 61 seconds of silence."]
