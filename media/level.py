"""How a recording becomes as loud as others: one gain for all of it, and where its peaks leave no room, a limiter.

Not ffmpeg's `loudnorm`: measured on speech with high peaks it ended 1.5 to 3.5 LU too quiet, let peaks of +2 dBTP
through when it was asked for more, and costs three times as much. What the limiter takes away is estimated here, and
mended after a look at the result.
"""

from dataclasses import dataclass, replace
from typing import Final

TARGET_LUFS: Final = -16.0  # Apple, "Audio requirements": around it, within 1
HIGHEST_PEAK_DBTP: Final = -1.0  # the same: more may be distorted by a player's decoder
TOLERANCE_LU: Final = 1.0  # nobody hears less
NEAR_LU: Final = 0.6  # what was evened is to be nearer, and rather so much quieter than limited
CEILING_DBTP: Final = -2.0  # encoding lifts peaks: of speech by less than this leaves
LOWEST_CEILING_DBTP: Final = -12.0  # after mending
CERTAIN_DBTP: Final = -3.5  # from here on whatever is encoded stays below the highest
MP3_LOSS_DB: Final = 0.4  # LAME turns down what it encodes, to lift peaks less (seen from 96 to 160 kbit/s)
MOST_GAIN_DB: Final = 40.0  # what needs more is the noise of a microphone that was off
MOST_DRIVE_DB: Final = 50.0  # the same, with what the limiter takes away
LOSS_PER_DB: Final = 0.3  # of loudness, for each dB that a limiter takes from the peaks of speech


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What is to be done to the sound before it is encoded as MP3."""

    gain_db: float  # what its loudness changes by
    drive_db: float  # what its samples are multiplied by
    ceiling_dbtp: float | None  # above it they are limited; None: nothing is so loud
    is_certain: bool = False  # peaks have so much room that nobody need look at the result

    @property
    def is_linear(self) -> bool:
        """The same gain everywhere: the recording's own dynamics stay."""
        return self.ceiling_dbtp is None

    @property
    def filter(self) -> str:
        """The same for ffmpeg's -af. At 192 kHz the limiter sees the peaks between samples."""
        drive = f"volume={self.drive_db:.2f}dB"
        if self.ceiling_dbtp is None:
            return drive
        limit = 10 ** (self.ceiling_dbtp / 20)
        return (
            f"{drive},aresample=192000,alimiter=limit={limit:.4f}:level=0:attack=5:release=50:latency=1,aresample=44100"
        )


def plan(*, loudness_lufs: float | None, true_peak_dbtp: float | None) -> Level | None:
    """What makes a recording that was measured so as loud as others; None when it is, or nothing is to be heard."""
    if loudness_lufs is None or true_peak_dbtp is None:
        return None
    wanted_db = min(TARGET_LUFS - loudness_lufs, MOST_GAIN_DB)
    if abs(wanted_db) <= TOLERANCE_LU and true_peak_dbtp <= HIGHEST_PEAK_DBTP:
        return None
    gain_db = min(wanted_db, CEILING_DBTP - true_peak_dbtp)
    if gain_db >= wanted_db - NEAR_LU:
        is_certain = true_peak_dbtp + gain_db <= CERTAIN_DBTP
        return Level(gain_db=gain_db, drive_db=gain_db + MP3_LOSS_DB, ceiling_dbtp=None, is_certain=is_certain)
    lost_db = LOSS_PER_DB * (true_peak_dbtp + wanted_db - CEILING_DBTP)
    return Level(gain_db=wanted_db, drive_db=wanted_db + MP3_LOSS_DB + lost_db, ceiling_dbtp=CEILING_DBTP)


def mended(level: Level, *, loudness_lufs: float | None, true_peak_dbtp: float | None) -> Level | None:
    """A better one, when what that level made measures so; None when it is right."""
    if level.is_certain or loudness_lufs is None or true_peak_dbtp is None:
        return None
    missing_db = TARGET_LUFS - loudness_lufs
    too_high_db = max(0.0, true_peak_dbtp - HIGHEST_PEAK_DBTP)
    if abs(missing_db) <= NEAR_LU and not too_high_db:
        return None
    ceiling_dbtp = (CEILING_DBTP if level.ceiling_dbtp is None else level.ceiling_dbtp) - 1.2 * too_high_db
    return replace(
        level,
        drive_db=min(level.drive_db + missing_db * (1 + LOSS_PER_DB), MOST_DRIVE_DB),
        ceiling_dbtp=max(ceiling_dbtp, LOWEST_CEILING_DBTP),
    )
