"""The one audio engine: ffmpeg, as a limited child that reads the local files it is given and nothing else.

Uploaded audio is hostile until decoded: the child has its own session, a clean environment and limits on time,
memory and files, and may open no format that names other files (a playlist called .mp3 does).
"""

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO


class Failed(Exception):
    """The audio could not be made; `sentence` tells a producer why and what helps, `detail` an operator."""

    def __init__(self, sentence: str, *, detail: str = "", **values: str | int) -> None:
        super().__init__(detail or sentence)
        self.sentence = sentence  # English, with {places} for `values`; French stands in the catalogue
        self.detail = detail
        self.values = values


class Absent(Failed):
    """There is no ffmpeg here, and this file needs one."""


class TimedOut(Failed):
    """It took longer than its limits allow; a quieter machine may manage."""


class NoRoom(Failed):
    """The disk is full."""


@dataclass(frozen=True, slots=True)
class Input:
    """A local file to read; a file of our own making names its `demuxer`, and is taken for nothing else."""

    path: Path
    demuxer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may use at most."""

    cpu_seconds: int = 3600  # an hour of speech costs 30 to 80
    wall_seconds: int = 7200
    memory_bytes: int = 1 << 30
    file_bytes: int = 4 << 30  # of each file that it writes


NO_ENGINE = (
    "This server cannot convert audio yet: ffmpeg is missing. Ask its administrator to install ffmpeg, "
    "or upload the episode as MP3."
)
NO_ROOM = "The server's disk is full. Ask its administrator to make room, then try again."
TOO_LONG = "Preparing this audio took too long and was stopped. Try again later, or upload the episode as MP3."
NO_SOUND = "There is no sound in this file. Choose the file that holds the recording."
UNREADABLE = (
    "This audio cannot be read: the file is damaged, or was cut short. Export it again from your editor "
    "and upload the new file."
)

UNFINISHED = "Error writing trailer"  # version 5.1 says it on a full disk, and ends with 0 as if all were well

# What the probe takes, by ffmpeg's names. No playlist, no concatenation script: they open other files (seen with 5.1).
FORMATS = "mp3,mov,ogg,wav,w64,flac,aac,aiff"


def find(setting: Path | None) -> Path | None:
    """The engine: the operator's choice, else the `ffmpeg` on PATH, else the one in the imageio-ffmpeg wheel."""
    if setting is not None:
        return setting
    on_path = shutil.which("ffmpeg")
    return Path(on_path).absolute() if on_path else _from_the_wheel()


def run(
    engine: Path | None,
    *,
    inputs: Sequence[Input],
    arguments: Sequence[str],
    directory: Path,
    limits: Limits | None = None,
    verbosity: str = "error",
) -> str:
    """Run ffmpeg over the inputs in `directory`, and return the last 64 kB of what it said on standard error.

    `arguments` are those of the outputs; a relative name lands in `directory`. Blocks until the child has ended,
    and leaves no child behind. Should this process be killed, the child's own CPU limit ends it. Raises Failed.
    """
    if engine is None:
        raise Absent(NO_ENGINE)
    limits = limits or Limits()
    options = [option for source in inputs for option in _reading(source)]
    command = [str(engine), "-nostdin", "-hide_banner", "-y", "-v", verbosity, *options, *arguments]
    with _started(_limited(command, limits), directory) as child:
        try:
            said = _listen(child, time.monotonic() + limits.wall_seconds)
        finally:
            _end(child)
    if child.returncode or UNFINISHED in said:
        raise _failure(child.returncode, said)
    return said


def _from_the_wheel() -> Path | None:
    import imageio_ffmpeg  # late: most machines have ffmpeg, and need not pay for this

    try:
        return Path(imageio_ffmpeg.get_ffmpeg_exe())  # looks beside its own code, and never downloads
    except RuntimeError:
        return None


def _reading(source: Input) -> list[str]:
    """Options that open one input. The whitelists belong to an input, so they stand before each."""
    chosen = ["-f", source.demuxer] if source.demuxer else []
    whitelists = ["-format_whitelist", source.demuxer or FORMATS, "-protocol_whitelist", "file"]
    return [*chosen, *whitelists, "-i", f"file:{source.path.absolute()}"]


def _limited(command: list[str], limits: Limits) -> list[str]:
    """The command, behind a shell that lowers its own limits and then becomes it.

    Python's preexec_fn may deadlock beside threads, and `prlimit` is not on every machine; `sh` and `nice` are.
    Units are those of POSIX: seconds, kB, blocks of 512 bytes. A limit that cannot be set is a stricter one already.
    """
    lower = 'for limit in "c 0" "n 64" "t $1" "v $2" "f $3"; do ulimit -$limit; done 2>/dev/null'
    numbers = [limits.cpu_seconds, limits.memory_bytes // 1024, limits.file_bytes // 512]
    return ["/bin/sh", "-c", f'{lower}; shift 3; exec nice -n 10 "$@"', "sh", *map(str, numbers), *command]


def _started(command: list[str], directory: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - a fixed program; file names are single arguments, behind `file:`
        command,
        cwd=directory,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def _listen(child: subprocess.Popen[bytes], deadline: float) -> str:
    """The last 64 kB of standard error, however much there is. Raises TimedOut when the deadline passes."""
    said = b""
    with selectors.DefaultSelector() as selector:
        stream = _standard_error(child)
        selector.register(stream, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimedOut(TOO_LONG, detail="the time limit passed")
            if not (more := os.read(stream.fileno(), 65536)):
                break
            said = (said + more)[-65536:]
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(10)  # it closed its output: it is on its way out, or will be helped
    return said.decode(errors="replace")


def _standard_error(child: subprocess.Popen[bytes]) -> IO[bytes]:
    assert child.stderr is not None
    return child.stderr


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _failure(status: int, said: str) -> Failed:
    detail = f"ffmpeg ended with {status}: {_last_line(said)}"
    if "No space left on device" in said:
        return NoRoom(NO_ROOM, detail=detail)
    if status in (-signal.SIGKILL, -signal.SIGXCPU):  # at its CPU limit the system kills it
        return TimedOut(TOO_LONG, detail=detail)
    if status in (126, 127):  # the shell's words for a program that is not there
        return Absent(NO_ENGINE, detail=detail)
    if "matches no streams" in said or "does not contain any stream" in said:
        return Failed(NO_SOUND, detail=detail)
    return Failed(UNREADABLE, detail=detail)


def _last_line(said: str) -> str:
    """The last line that says something: ffmpeg closes with general ones ("Conversion failed!")."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if line != "Conversion failed!" and not line.startswith("Error opening")]
    return (telling or lines or ["it said nothing"])[-1][-300:]
