"""What a producer should know about how loud a recording is: in words, and only where it matters."""

from collections.abc import Iterator

from feeds.checks import Finding, warning
from podcast_app.models import Measurement

WANTED_LUFS = -16  # Apple, "Audio requirements"; -19 for one channel is as loud to the ear
QUIET_LU, LOUD_LU = 3, 3  # from there on it is worth a word
CLIPPED_DBTP = -0.1  # the highest step that a file can hold: what was louder was cut off
LONG_SILENCE_MS = 5000


def findings(measured: Measurement | None, *, is_evened: bool) -> Iterator[Finding]:
    """Warnings; none while nothing is measured. Where the show evens loudness, being quiet or loud needs no mending."""
    if measured is not None and measured.status == "failed" and is_evened:
        yield warning(
            "audio",
            "How loud the recording is could not be found out, so its loudness is as it was recorded.",
            "Listen to it before it goes out.",
        )
    if measured is None or measured.status != "ready":
        return
    if measured.loudness_lufs is None:
        yield warning("audio", "There is nothing to hear in this recording.", "Check that the right file was chosen.")
        return
    if not is_evened:
        yield from _level(measured.loudness_lufs)
    if measured.true_peak_dbtp is not None and measured.true_peak_dbtp >= CLIPPED_DBTP:
        yield warning(
            "audio",
            "The loudest moments are cut off (clipped), and may crackle.",
            "Export it again with the peaks at -1 dB, if the recording itself is clean.",
        )
    yield from _silence(measured)


def _level(loudness_lufs: float) -> Iterator[Finding]:
    off = round(loudness_lufs - WANTED_LUFS)
    if off <= -QUIET_LU:
        yield warning(
            "audio",
            "The recording is {count} dB too quiet for a phone on a bus.",
            "Switch on “even out loudness” for the show, or raise it to -16 LUFS in your editor.",
            count=-off,
        )
    elif off >= LOUD_LU:
        yield warning(
            "audio",
            "The recording is {count} dB louder than other podcasts.",
            "Switch on “even out loudness” for the show, or lower it to -16 LUFS in your editor.",
            count=off,
        )


def _silence(measured: Measurement) -> Iterator[Finding]:
    for silence_ms, problem in (
        (measured.silence_start_ms, "The recording begins with {count} seconds of silence."),
        (measured.silence_end_ms, "The recording ends with {count} seconds of silence."),
    ):
        if silence_ms is not None and silence_ms >= LONG_SILENCE_MS:
            yield warning("audio", problem, "Cut it off in your editor, if it is not meant.", count=silence_ms // 1000)
