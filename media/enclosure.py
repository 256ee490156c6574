"""The file that listeners get: the original's sound, tags of our own, and nothing else of the original.

Sound that podcast players take (MP3, AAC) is copied frame by frame; any other is encoded as MP3, and so is what gets
another loudness. What recorders, editors and phones left in the file (places, names, comments, private frames) stays
out, because only sound is copied.
"""

import errno
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final, Literal

from media import mpeg
from media.ffmpeg import NO_ROOM, UNREADABLE, Failed, Input, NoRoom, Pace, run
from media.header_frame import HeaderFrame
from media.level import Level, mended
from media.measure import as_heard, measure
from media.probe import probe
from media.probe.facts import Facts, NotAudio
from media.source import FileSource
from media.tagging import EnclosureTags, ffmetadata, id3, is_png

__all__ = ["NOTHING_ELSE", "Bench", "EnclosureTags", "Made", "described", "facts_of", "make", "making", "tagged_mp3"]

BLOCK: Final = 1 << 20  # bytes copied at a time

NOTHING_ELSE: Final = ["-map_metadata", "-1", "-map_metadata:s", "-1", "-fflags", "+bitexact"]
NO_FRAMES: Final = (
    "No sound was found in this file: it is empty or damaged. Export it again from your editor and upload the new file."
)


MediaType = Literal["audio/mpeg", "audio/x-m4a", "audio/ogg"]
Extension = Literal["mp3", "m4a", "opus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A copy of an episode's sound, ready to be stored."""

    path: Path
    media_type: MediaType
    extension: Extension
    size_bytes: int
    sha256: str  # hexadecimal
    duration_ms: int  # exact
    bitrate_bps: int  # the average, of the sound alone
    sample_rate_hz: int
    channels: int


def make(
    original: Path,
    *,
    container: str,
    codec: str,
    channels: int | None,
    tags: EnclosureTags,
    directory: Path,
    ffmpeg: Path | None,
    level: Level | None = None,
    on_progress: Callable[[int], object] | None = None,
) -> Made:
    """Make the enclosure in `directory`, under a new name; an earlier enclosure is an original like any other.

    `container` and `codec` are the probe's words; MP3 whose loudness stays needs no ffmpeg. `on_progress` is told how
    many ms are encoded. Nothing is synced to disk, which is the storage's part. Raises Failed, or NoRoom when the disk
    is full; a file that was begun may then remain there.
    """
    with making(directory, ffmpeg, on_progress, Pace.BRISK) as bench:
        if level is not None:
            original = _levelled(original, level, codec, channels, bench)
        elif codec == "aac" and container in ("mp4", "adts"):
            return _m4a(original, tags, directory / f"{token_hex(8)}.m4a", bench)
        elif (container, codec) != ("mp3", "mp3"):
            original = _as_mp3(original, codec, channels, bench)
        stream = _stream(original)
        if len(stream.sample_rates_hz) > 1:  # joined recordings: players stop at the seam, or show a wrong length
            original = _as_mp3(original, "joined", channels, bench)
            stream = _stream(original)
        return _mp3(original, stream, tags, directory / f"{token_hex(8)}.mp3")


def tagged_mp3(sound: Path, tags: EnclosureTags, directory: Path) -> Made:
    """The frames of an MP3 file behind a tag of ours, in `directory` under a new name. Raises Failed."""
    return _mp3(sound, _stream(sound), tags, directory / f"{token_hex(8)}.mp3")


def facts_of(sound: Path) -> Facts:
    """What the probe sees in a file that ffmpeg has read or written. Raises Failed."""
    try:
        return probe(FileSource(sound))
    except NotAudio as refusal:
        raise Failed(UNREADABLE, detail=f"ffmpeg takes it for audio, but: {refusal}") from refusal


def described(path: Path, facts: Facts, media_type: MediaType, extension: Extension) -> Made:
    """The finished file, with the facts of its sound. Raises Failed when one is missing."""
    if not (facts.duration_ms and facts.bitrate_bps and facts.sample_rate_hz and facts.channels):
        raise Failed(UNREADABLE, detail=f"what ffmpeg made of it does not say what it is: {facts}")
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Made(
        path=path,
        media_type=media_type,
        extension=extension,
        size_bytes=path.stat().st_size,
        sha256=sha256,
        duration_ms=facts.duration_ms,
        bitrate_bps=facts.bitrate_bps,
        sample_rate_hz=facts.sample_rate_hz,
        channels=facts.channels,
    )


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and with what something is made."""

    aside: Path  # a folder for what is in between
    ffmpeg: Path | None
    on_progress: Callable[[int], object] | None
    pace: Pace

    def run(self, inputs: Sequence[Input], arguments: Sequence[str]) -> None:
        """Raises Failed."""
        run(
            self.ffmpeg,
            inputs=inputs,
            arguments=arguments,
            directory=self.aside,
            pace=self.pace,
            on_progress=self.on_progress,
        )


@contextmanager
def making(
    directory: Path, ffmpeg: Path | None, on_progress: Callable[[int], object] | None, pace: Pace
) -> Iterator[Bench]:
    """A bench in `directory`, for as long as something is made there. Raises NoRoom when the disk is full."""
    try:
        with TemporaryDirectory(dir=directory) as name:
            yield Bench(Path(name), ffmpeg, on_progress, pace)
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoom(NO_ROOM, detail=str(problem)) from problem
        raise


# -- MP3


def _stream(original: Path) -> mpeg.Stream:
    with original.open("rb") as file:
        stream = mpeg.read(file)
    if stream is None:
        raise Failed(NO_FRAMES)
    return stream


def _mp3(original: Path, stream: mpeg.Stream, tags: EnclosureTags, path: Path) -> Made:
    """The frames behind a tag of ours; hashed on the way, so that they are read no second time."""
    head = id3(tags, stream.duration_ms)
    if stream.is_variable and stream.header_frame is None:
        head += mpeg.new_header_frame(stream)
    digest = hashlib.sha256()
    with original.open("rb") as source, path.open("wb") as target:
        for block in chain([head], _frames(source, stream)):
            digest.update(block)
            target.write(block)
        size_bytes = target.tell()
    return Made(
        path=path,
        media_type="audio/mpeg",
        extension="mp3",
        size_bytes=size_bytes,
        sha256=digest.hexdigest(),
        duration_ms=stream.duration_ms,
        bitrate_bps=stream.bitrate_bps,
        sample_rate_hz=min(stream.sample_rates_hz),
        channels=stream.channels,
    )


def _frames(source: BinaryIO, stream: mpeg.Stream) -> Iterator[bytes]:
    """The true header frame, if there is one, and every frame of sound, in large blocks."""
    header_frame = [stream.header_frame] if stream.header_frame else []
    pieces: list[HeaderFrame | mpeg.Run] = [*header_frame, *stream.runs]
    for piece in pieces:
        source.seek(piece.start)
        left = piece.stop - piece.start
        while left and (block := source.read(min(BLOCK, left))):
            left -= len(block)
            yield block


def _as_mp3(original: Path, codec: str, channels: int | None, bench: Bench) -> Path:
    """The sound as bare MP3: taken out of its container when it is MP3 there, encoded otherwise."""
    return _bare_mp3(original, ["-c:a", "copy"] if codec == "mp3" else _encoding(channels), bench)


def _levelled(original: Path, level: Level, codec: str, channels: int | None, bench: Bench) -> Path:
    """The sound as bare MP3 at that level. Where its peaks are limited the result is looked at, and mended twice."""
    quality = facts_of(original).bitrate_bps if codec in ("mp3", "aac") else None
    attempt: Level | None = level
    for _ in range(3):
        if attempt is None:
            break
        sound = _bare_mp3(original, _encoding(channels, attempt.filter, quality or 0), bench)
        attempt = None if attempt.is_certain else _mended(attempt, sound, channels, bench)
    return sound


def _mended(level: Level, sound: Path, channels: int | None, bench: Bench) -> Level | None:
    measured = measure(sound, channels=channels, directory=bench.aside, ffmpeg=bench.ffmpeg, pace=Pace.BRISK)
    return mended(level, loudness_lufs=measured.loudness_lufs, true_peak_dbtp=measured.true_peak_dbtp)


def _bare_mp3(original: Path, sound: Sequence[str], bench: Bench) -> Path:
    arguments = ["-map", "0:a:0", *sound, *NOTHING_ELSE, "-id3v2_version", "0", "-f", "mp3", "sound.mp3"]
    bench.run([Input(original)], arguments)
    return bench.aside / "sound.mp3"


def _encoding(channels: int | None, filters: str = "anull", least_bps: int = 0) -> list[str]:
    """What directories recommend: 96 kbit/s for one channel, 128 for two or more; 44.1 or 48 kHz, the nearer one.

    Sound that had more before (`least_bps`) keeps up to 192, since it loses a little each time.
    """
    floor = 96 if channels == 1 else 128
    most = least_bps * 0.98 / 1000  # an average counts headers
    kbps = next((rate for rate in (96, 112, 128, 160) if rate >= max(floor, most)), 192)
    rates = "aformat=sample_rates=44100|48000"
    return ["-c:a", "libmp3lame", "-af", f"{as_heard(channels)},{filters},{rates}", "-b:a", f"{kbps}k"]


# -- M4A


def _m4a(original: Path, tags: EnclosureTags, path: Path, bench: Bench) -> Made:
    """The AAC frames in a new file that starts fast. The sound stands alone first: chapters need its exact length."""
    bare = bench.aside / "sound.m4a"
    _remux([Input(original)], ["-map", "0:a:0", "-map_chapters", "-1", *NOTHING_ELSE], bare, bench)
    facts = facts_of(bare)
    inputs, arguments = _tagged(bare, tags, facts.duration_ms or 0)
    _remux(inputs, [*arguments, "-movflags", "+faststart"], path, bench)
    return described(path, facts, "audio/x-m4a", "m4a")


def _remux(inputs: Sequence[Input], arguments: Sequence[str], path: Path, bench: Bench) -> None:
    muxer = ["-c", "copy", "-fflags", "+bitexact", "-f", "ipod", str(path.absolute())]  # ffmpeg's name for M4A
    bench.run(inputs, [*arguments, *muxer])


def _tagged(bare: Path, tags: EnclosureTags, duration_ms: int) -> tuple[list[Input], list[str]]:
    """What ffmpeg reads and does to give the sound its tags, chapters and cover; the files lie beside the sound."""
    metadata = bare.with_name("tags.txt")
    metadata.write_text(ffmetadata(tags, duration_ms), encoding="utf-8")
    inputs = [Input(bare), Input(metadata, demuxer="ffmetadata")]
    arguments = ["-map", "0:a:0", "-map_metadata", "1", "-map_metadata:s", "-1", "-map_chapters", "1"]
    if tags.cover:
        cover = bare.with_name("cover")
        cover.write_bytes(tags.cover)
        inputs.append(Input(cover, demuxer="png_pipe" if is_png(tags.cover) else "jpeg_pipe"))
        arguments += ["-map", "2:v:0", "-disposition:v:0", "attached_pic"]
    return inputs, arguments
