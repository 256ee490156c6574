"""Light copies of an episode for listeners who pay for each megabyte: made of the enclosure, they say the same.

Both are mono. MP3 plays wherever anything plays; Opus has half the size and sounds better, on devices of this decade.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import Final, Literal

from media.enclosure import NOTHING_ELSE, Bench, EnclosureTags, Made, described, facts_of, making, tagged_mp3
from media.ffmpeg import Input, Pace
from media.tagging import vorbis_comments

EditionName = Literal["low-mp3", "low-opus"]

DEMUXERS: Final = {"mp3": "mp3", "mp4": "mov"}  # what reads an enclosure, by its container

# At 48 kbit/s LAME keeps of mono what lies below 11 kHz, whatever the sample rate (measured, and speech as exact), so
# that 24 kHz lose nothing; they cost a quarter less to encode and to decode than 44.1.
LOW_MP3: Final = ["-c:a", "libmp3lame", "-ac", "1", "-ar", "24000", "-b:a", "48k", "-id3v2_version", "0", "-f", "mp3"]

# Made for speech (`voip`), and it still notices music. 48 kHz is how Opus counts; of 24 kbit/s it uses what it needs.
_SPEECH: Final = ["-vbr", "on", "-application", "voip"]
LOW_OPUS: Final = ["-c:a", "libopus", "-ac", "1", "-ar", "48000", "-b:a", "24k", *_SPEECH, "-f", "opus"]


def make(
    enclosure: Path,
    *,
    name: EditionName,
    container: str,
    tags: EnclosureTags,
    directory: Path,
    ffmpeg: Path | None,
    pace: Pace = Pace.PATIENT,
    on_progress: Callable[[int], object] | None = None,
) -> Made:
    """Make the edition in `directory`, under a new name. Raises Failed.

    `container` is the enclosure's, by the probe's words. The cover goes in as it is given, so a small one is given;
    pictures of chapters do not. `on_progress` is told how many ms are done.
    """
    light = replace(tags, chapters=tuple(replace(chapter, picture=None) for chapter in tags.chapters))
    sound = Input(enclosure, demuxer=DEMUXERS[container])
    with making(directory, ffmpeg, on_progress, pace) as bench:
        if name == "low-mp3":
            return tagged_mp3(_low_mp3(sound, bench), light, directory)
        return _low_opus(sound, light, directory / f"{token_hex(8)}.opus", bench)


def _low_mp3(sound: Input, bench: Bench) -> Path:
    """Without tags, which come when its length is known."""
    bench.run([sound], ["-map", "0:a:0", "-map_chapters", "-1", *NOTHING_ELSE, *LOW_MP3, "sound.mp3"])
    return bench.aside / "sound.mp3"


def _low_opus(sound: Input, tags: EnclosureTags, path: Path, bench: Bench) -> Made:
    """With its tags at once, which Ogg has in front; the enclosure's length is its length."""
    metadata = bench.aside / "tags.txt"
    metadata.write_text(vorbis_comments(tags, facts_of(sound.path).duration_ms or 0), encoding="utf-8")
    tagging = ["-map_metadata", "1", "-map_metadata:s", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"]
    arguments = ["-map", "0:a:0", *tagging, *LOW_OPUS, str(path.absolute())]
    bench.run([sound, Input(metadata, demuxer="ffmetadata")], arguments)
    return described(path, facts_of(path), "audio/ogg", "opus")
