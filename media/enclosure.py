"""The file that listeners get: the original's sound, tags of our own, and nothing else of the original.

Sound that podcast players take (MP3, AAC) is copied frame by frame; any other is encoded as MP3. What recorders,
editors and phones left in the file (places, names, comments, private frames) stays out, because only sound is copied.
"""

import errno
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final, Literal

from media import mpeg
from media.ffmpeg import NO_ROOM, UNREADABLE, Failed, Input, NoRoom, run
from media.header_frame import HeaderFrame
from media.probe import probe
from media.probe.facts import Facts, NotAudio
from media.source import FileSource
from media.tagging import EnclosureTags, ffmetadata, id3, is_png

__all__ = ["EnclosureTags", "Made", "make"]

BLOCK: Final = 1 << 20  # bytes copied at a time

NOTHING_ELSE: Final = ["-map_metadata", "-1", "-map_metadata:s", "-1", "-fflags", "+bitexact"]
NO_FRAMES: Final = (
    "No sound was found in this file: it is empty or damaged. Export it again from your editor and upload the new file."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An enclosure, ready to be stored."""

    path: Path
    media_type: Literal["audio/mpeg", "audio/x-m4a"]
    extension: Literal["mp3", "m4a"]
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
) -> Made:
    """Make the enclosure in `directory`, under a new name; an earlier enclosure is an original like any other.

    `container` and `codec` are the probe's words; MP3 needs no ffmpeg. Nothing is synced to disk, which is the
    storage's part. Raises Failed, or NoRoom when the disk is full; a file that was begun may then remain there.
    """
    with _full_disk_told(), TemporaryDirectory(dir=directory) as name:
        aside = Path(name)
        if codec == "aac" and container in ("mp4", "adts"):
            return _m4a(original, tags, directory / f"{token_hex(8)}.m4a", aside, ffmpeg)
        if (container, codec) != ("mp3", "mp3"):
            original = _as_mp3(original, codec, channels, aside, ffmpeg)
        stream = _stream(original)
        if len(stream.sample_rates_hz) > 1:  # joined recordings: players stop at the seam, or show a wrong length
            original = _as_mp3(original, "joined", channels, aside, ffmpeg)
            stream = _stream(original)
        return _mp3(original, stream, tags, directory / f"{token_hex(8)}.mp3")


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


def _as_mp3(original: Path, codec: str, channels: int | None, aside: Path, ffmpeg: Path | None) -> Path:
    """The sound as bare MP3: taken out of its container when it is MP3 there, encoded otherwise."""
    sound = ["-c:a", "copy"] if codec == "mp3" else _speech_quality(channels)
    arguments = ["-map", "0:a:0", *sound, *NOTHING_ELSE, "-id3v2_version", "0", "-f", "mp3", "sound.mp3"]
    run(ffmpeg, inputs=[Input(original)], arguments=arguments, directory=aside)
    return aside / "sound.mp3"


def _speech_quality(channels: int | None) -> list[str]:
    """What directories recommend: 96 kbit/s for one channel, 128 for two or more; 44.1 or 48 kHz, the nearer one."""
    count, bitrate = ("1", "96k") if channels == 1 else ("2", "128k")
    rate = "aformat=sample_rates=44100|48000"
    return ["-c:a", "libmp3lame", "-af", rate, "-ac", count, "-b:a", bitrate]


# -- M4A


def _m4a(original: Path, tags: EnclosureTags, path: Path, aside: Path, ffmpeg: Path | None) -> Made:
    """The AAC frames in a new file that starts fast. The sound stands alone first: chapters need its exact length."""
    bare = aside / "sound.m4a"
    _remux([Input(original)], ["-map", "0:a:0", "-map_chapters", "-1", *NOTHING_ELSE], bare, ffmpeg)
    facts = _facts(bare)
    if not (facts.duration_ms and facts.bitrate_bps and facts.sample_rate_hz and facts.channels):
        raise Failed(UNREADABLE, detail=f"what ffmpeg made of it does not say what it is: {facts}")
    inputs, arguments = _tagged(bare, tags, facts.duration_ms)
    _remux(inputs, [*arguments, "-movflags", "+faststart"], path, ffmpeg)
    return Made(
        path=path,
        media_type="audio/x-m4a",
        extension="m4a",
        size_bytes=path.stat().st_size,
        sha256=_sha256(path),
        duration_ms=facts.duration_ms,
        bitrate_bps=facts.bitrate_bps,
        sample_rate_hz=facts.sample_rate_hz,
        channels=facts.channels,
    )


def _remux(inputs: Sequence[Input], arguments: Sequence[str], path: Path, ffmpeg: Path | None) -> None:
    muxer = ["-c", "copy", "-fflags", "+bitexact", "-f", "ipod", path.name]  # ipod is ffmpeg's name for M4A
    run(ffmpeg, inputs=inputs, arguments=[*arguments, *muxer], directory=path.parent)


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


def _facts(path: Path) -> Facts:
    """What the probe sees in a file that ffmpeg has just written."""
    try:
        return probe(FileSource(path))
    except NotAudio as refusal:
        raise Failed(UNREADABLE, detail=f"what ffmpeg made of it is no audio: {refusal}") from refusal


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _full_disk_told() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoom(NO_ROOM, detail=str(problem)) from problem
        raise
