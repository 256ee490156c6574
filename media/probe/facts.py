"""What is known of an audio file: the words of the probe."""

from dataclasses import dataclass
from typing import Literal

Container = Literal["mp3", "mp4", "adts", "wav", "aiff", "flac", "ogg"]


class NotAudio(Exception):
    """The file cannot be an episode. The sentence tells a producer why, and what to do.

    `sentence` is English, with {names} that `values` fill; who shows it may translate it first. str() is English.
    """

    def __init__(self, sentence: str, **values: str) -> None:
        super().__init__(sentence, values)
        self.sentence = sentence
        self.values = values

    def __str__(self) -> str:
        return self.sentence.format(**self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What the file says of itself, through media.text; "" or None where it says nothing.

    Several values of one field are joined by " / ".
    """

    title: str = ""
    artist: str = ""
    comment: str = ""  # the longer description where there is one; may have several lines
    track: int | None = None
    season: int | None = None  # of a set: ID3 TPOS, MP4 season or disk, Vorbis SEASON or DISCNUMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The cover inside the file, or a chapter's picture, as it is there."""

    media_type: str  # by its bytes: "image/jpeg", "image/png", "image/gif", "image/webp"
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A part of the episode that has a name."""

    start_ms: int
    end_ms: int | None = None  # None: up to the next one
    title: str = ""
    url: str | None = None  # http or https
    picture: Picture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the probe found. Numbers that a damaged or odd file hides are None."""

    container: Container
    codec: str  # "mp3", "aac", "alac", "pcm", "flac", "vorbis", "opus", "speex", "adpcm" ...
    media_type: str  # "audio/mpeg", "audio/x-m4a"
    extension: str  # without the dot: "mp3", "m4a"
    duration_ms: int | None
    duration_is_exact: bool  # within 2 %; otherwise the best guess that reading a little allows
    bitrate_bps: int | None  # the average
    sample_rate_hz: int | None
    channels: int | None
    has_video: bool
    tags: Tags
    chapters: tuple[Chapter, ...]  # by start, no two at the same one
    cover: Picture | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """The sound of a file, as its container describes it."""

    codec: str
    seconds: float | None
    is_exact: bool
    bitrate_bps: float | None
    sample_rate_hz: int | None
    channels: int | None
    has_video: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What stands beside the sound. Chapters may still be in any order, and too many."""

    tags: Tags = Tags()
    chapters: tuple[Chapter, ...] = ()
    cover: Picture | None = None
