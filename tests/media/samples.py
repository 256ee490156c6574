"""Small recordings and covers, made on the spot: by ffmpeg, Pillow and mutagen."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from mutagen.id3 import ID3, Frame
from PIL import Image

from media.source import Source

TONE = "sine=frequency=330:sample_rate=44100"
NOISE = "anoisesrc=sample_rate=44100:seed=1:amplitude=0.3"
# Loud and still by turns: an encoder that may choose gives each second another bitrate.
UNEVEN = "aevalsrc='0.5*sin(2000*t*t)*gt(mod(t,2),1)':sample_rate=44100"


class Recorded:
    """A source that remembers which parts of it were asked for."""

    def __init__(self, source: Source) -> None:
        self.size = source.size
        self.parts: list[tuple[int, int]] = []  # start and stop
        self._source = source

    @property
    def read_bytes(self) -> int:
        return sum(stop - start for start, stop in self.parts)

    def read(self, start: int, stop: int) -> bytes:
        self.parts.append((start, stop))
        return self._source.read(start, stop)


class Bytes:
    """A source in memory; what lies between `data` and `size` is zeros, as in a file with a hole."""

    def __init__(self, data: bytes, size: int | None = None) -> None:
        self.size = len(data) if size is None else size
        self._data = data

    def read(self, start: int, stop: int) -> bytes:
        stop = min(stop, self.size)
        return self._data[start:stop].ljust(stop - start, b"\0")


@dataclass(frozen=True, slots=True)
class Mark:
    """A chapter for ffmpeg to write."""

    start_ms: int
    end_ms: int
    title: str


def audio(path: Path, *options: str, seconds: float = 2, sound: str = TONE, chapters: Iterable[Mark] = ()) -> Path:
    """A recording of one channel; the suffix chooses the container, `options` are ffmpeg's for the output."""
    path.write_bytes(_encoded(path.suffix, options, seconds, sound, tuple(chapters)))
    return path


def speech(path: Path) -> Path:
    """Twenty seconds of a synthetic voice: a WAV of one channel, its peaks as far above its loudness as real ones."""
    text = "The bus was late again, and nobody seemed to mind. She laughed, then she was quiet for a while. " * 3
    subprocess.run(["espeak-ng", "-v", "en", "-w", str(path), text], check=True)
    return path


def altered(path: Path, source: Path, filters: str, *options: str) -> Path:
    """The recording through ffmpeg's filters."""
    ffmpeg("-i", str(source), "-af", filters, *options, str(path))
    return path


def video(path: Path, *options: str, seconds: float = 1) -> Path:
    """A moving picture with a tone; `-an` among the options leaves the tone out."""
    picture = f"testsrc=size=64x64:rate=10:duration={seconds}"
    ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", f"{TONE}:duration={seconds}", *options, str(path))
    return path


def repeated(path: Path, source: Path, times: int, *options: str) -> Path:
    """The recording so many times over, without encoding it again: the cheap way to a long one."""
    ffmpeg("-stream_loop", str(times - 1), "-i", str(source), "-c", "copy", *options, str(path))
    return path


def picture(colour: str = "red", side: int = 64, kind: str = "JPEG", height: int | None = None) -> bytes:
    """A picture of one colour, in RGB; a square unless a height is said."""
    file = BytesIO()
    Image.new("RGB", (side, height or side), colour).save(file, kind)
    return file.getvalue()


def tagged(path: Path, *frames: Frame, version: int = 4) -> Path:
    """The file with an ID3v2 tag of these frames in front of it, instead of the one that was there."""
    tag = ID3()
    for frame in frames:
        tag.add(frame)
    tag.save(path, v1=0, v2_version=version)
    return path


def ffmpeg(*arguments: str) -> None:
    """Raises CalledProcessError."""
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments], check=True, stdin=subprocess.DEVNULL)


@cache  # many tests begin with the same recording
def _encoded(suffix: str, options: tuple[str, ...], seconds: float, sound: str, chapters: tuple[Mark, ...]) -> bytes:
    with TemporaryDirectory() as folder:
        marks, path = Path(folder, "marks.txt"), Path(folder, f"sound{suffix}")
        marks.write_text(_ffmetadata(chapters), encoding="utf-8")
        sources = ["-f", "lavfi", "-i", sound, "-i", str(marks)]
        ffmpeg(*sources, "-map_metadata", "1", "-t", str(seconds), *options, str(path))
        return path.read_bytes()


def _ffmetadata(chapters: Iterable[Mark]) -> str:
    lines = [";FFMETADATA1"]
    for mark in chapters:
        lines += ["[CHAPTER]", "TIMEBASE=1/1000", f"START={mark.start_ms}", f"END={mark.end_ms}", f"title={mark.title}"]
    return "\n".join(lines) + "\n"
