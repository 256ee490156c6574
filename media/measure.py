"""What a recording sounds like, in numbers: its exact length, loudness, peaks for a waveform, silence at its ends.

One run of the engine decodes it once, for the loudness (EBU R128) and for a small copy of the sound, which is reduced
to peaks while it comes.
"""

import math
import re
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from sys import byteorder
from typing import Final

from media.ffmpeg import UNREADABLE, Failed, Input, Pace, run

MOST_PEAKS: Final = 600
LEAST_SILENCE_MS: Final = 500  # a shorter one is a breath
SILENCE: Final = 104  # of 32768: -50 dBFS; the noise of a quiet room is below it
SAMPLES_PER_MS: Final = 8
BLOCK: Final = 50 * SAMPLES_PER_MS  # samples that become one number at once

# A second in one piece: by itself ffmpeg writes 26 ms at a time, and reading that costs more than reducing it.
_SMALL: Final = f"aformat=s16:{1000 * SAMPLES_PER_MS}:mono,asetnsamples={1000 * SAMPLES_PER_MS}:p=0"
_SAMPLES: Final = ["-map", "0:a:0", "-af", _SMALL, "-f", f"s16{byteorder[0]}e", "pipe:1"]
UPPER: Final = 1 if byteorder == "little" else 0  # which byte of a sample
_STRENGTH: Final = bytes(min(upper, 255 - upper) for upper in range(256))  # a sample has 256 times this, to 256 more
_UNHEARD: Final = -70.0  # LUFS: what is not louder is not measured (EBU R128, the absolute gate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A recording in numbers. The three of its loudness are None when there is nothing to be heard."""

    duration_ms: int  # exact: as it is decoded
    loudness_lufs: float | None  # of the whole; a mono file is measured as one loudspeaker
    range_lu: float | None  # between still and loud passages
    true_peak_dbtp: float | None  # above 0: it distorts
    silence_start_ms: int  # 0 when it is shorter than half a second; the whole duration when all is silent
    silence_end_ms: int
    peaks: tuple[int, ...]  # 0 to 255, at most 600, over equal times; of both channels' mean, not of its loudest


def measure(
    audio: Path,
    *,
    channels: int | None,
    directory: Path,
    ffmpeg: Path | None,
    pace: Pace = Pace.PATIENT,
    on_progress: Callable[[int], object] | None = None,
) -> Measured:
    """Measure a file of any kind that the probe takes; `channels` by the probe. `on_progress` is told how many ms are
    done. Raises Failed."""
    wave = _Wave()
    said = run(
        ffmpeg,
        inputs=[Input(audio)],
        arguments=[*_loudness_of(channels), *_SAMPLES],
        directory=directory,
        verbosity="info",  # the filter tells what it has measured
        pace=pace,
        on_progress=on_progress,
        on_output=wave.add,
    )
    wave.end()
    if not wave.samples:
        raise Failed(UNREADABLE, detail="nothing could be decoded")
    loudness, spread, true_peak = _loudness(said)
    return Measured(
        duration_ms=wave.samples // SAMPLES_PER_MS,
        silence_start_ms=_if_silence(wave.quiet_at_start),
        silence_end_ms=_if_silence(wave.quiet_at_end),
        peaks=wave.peaks(),
        loudness_lufs=loudness,
        range_lu=spread,
        true_peak_dbtp=true_peak,
    )


def as_heard(channels: int | None) -> str:
    """ffmpeg's filter to the one or two channels that listeners get.

    Said aloud, because ebur128 refuses sound that does not say itself where its channels belong; and of more than two
    the mix must not be louder than they are: of whole numbers ffmpeg takes care of that, of others it does not.
    """
    if (channels or 0) > 2:
        return "aresample=ochl=stereo:rematrix_maxval=1"
    return f"aformat=channel_layouts={'mono' if channels == 1 else 'stereo'}"


def _loudness_of(channels: int | None) -> list[str]:
    return ["-map", "0:a:0", "-af", f"{as_heard(channels)},ebur128=peak=true:framelog=verbose", "-f", "null", "-"]


def _loudness(said: str) -> tuple[float, float, float] | tuple[None, None, None]:
    """Loudness, range and true peak, by the summary in what the engine said; the last one, if it changed
    its mind about the kind of sound while it read."""
    summary = said.rpartition("Summary:")[2]
    found = [re.search(rf"\b{name}:\s+(\S+) (?:LUFS|LU|dBFS)\n", summary) for name in ("I", "LRA", "Peak")]
    loudness, spread, true_peak = (float(number[1]) if number else -math.inf for number in found)
    if loudness <= _UNHEARD or not math.isfinite(true_peak):
        return None, None, None
    return loudness, spread, true_peak


def _if_silence(quiet_samples: int) -> int:
    """In ms; 0 for what is too short to be called so."""
    quiet_ms = quiet_samples // SAMPLES_PER_MS
    return quiet_ms if quiet_ms >= LEAST_SILENCE_MS else 0


class _Wave:
    """The samples, reduced while they come: kept are the peaks, and the last block in which there is sound."""

    def __init__(self) -> None:
        self.samples = 0
        self._first_sound: int | None = None  # samples before it
        self._last_sound: tuple[int, bytes] | None = None  # samples before the block, and the block
        self._rest = b""
        self._peaks: list[int] = []
        self._blocks = 0
        self._blocks_per_peak = 1

    @property
    def quiet_at_start(self) -> int:
        """Samples; all of them when nothing is to be heard."""
        return self.samples if self._first_sound is None else self._first_sound

    @property
    def quiet_at_end(self) -> int:
        if self._last_sound is None:
            return self.samples
        before, data = self._last_sound
        block = array("h", data)
        return self.samples - before - len(block) + _quiet(reversed(block))

    def peaks(self) -> tuple[int, ...]:
        return tuple(min(255, peak >> 7) for peak in self._peaks)

    def add(self, more: bytes) -> None:
        """So many more bytes of the samples, wherever they are cut."""
        data = self._rest + more
        size = 2 * BLOCK
        whole = len(data) - len(data) % size
        for start in range(0, whole, size):
            self._add_block(data[start : start + size])
        self._rest = data[whole:]

    def end(self) -> None:
        if self._rest:
            self._add_block(self._rest)

    def _add_block(self, data: bytes) -> None:
        """Most blocks are neither quiet nor louder than what came before them, which their upper bytes alone tell."""
        self._begin_peak()
        peak = max(data[UPPER::2].translate(_STRENGTH)) << 8
        if not peak or peak + 256 > self._peaks[-1]:
            block = array("h", data)
            peak = max(max(block), -min(block))
            self._peaks[-1] = max(self._peaks[-1], peak)
        if peak > SILENCE:
            if self._first_sound is None:
                self._first_sound = self.samples + _quiet(array("h", data))
            self._last_sound = self.samples, data
        self.samples += len(data) // 2
        self._blocks += 1

    def _begin_peak(self) -> None:
        """One more, unless the block belongs to the last; when they are too many, each two become one."""
        if self._blocks == MOST_PEAKS * self._blocks_per_peak:
            self._peaks = [max(two) for two in zip(self._peaks[::2], self._peaks[1::2], strict=True)]
            self._blocks_per_peak *= 2
        if self._blocks % self._blocks_per_peak == 0:
            self._peaks.append(0)


def _quiet(block: Iterable[int]) -> int:
    """So many samples come before the first that is heard; there is one."""
    return next(place for place, sample in enumerate(block) if abs(sample) > SILENCE)
