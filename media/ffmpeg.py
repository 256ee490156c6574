"""The one audio engine: ffmpeg, as a limited child that reads the local files it is given and nothing else.

Uploaded audio is hostile until decoded: the child has its own session, a clean environment and limits on time,
memory and files, and may open no format that names other files (a playlist called .mp3 does). What it says and
gives is heard in small pieces as it comes, so that this process needs no more memory for five hours than for one.
"""

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import IO

Listener = Callable[[bytes], object]  # is told what comes out of a pipe, piece by piece


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


class Pace(IntEnum):
    """How much a run takes from who works beside it; the number is its `nice`."""

    BRISK = 10  # somebody waits for it
    PATIENT = 19  # works only while nobody else wants the processor or the disk

    @property
    def limits(self) -> Limits:
        return Limits(wall_seconds=6 * 3600) if self is Pace.PATIENT else Limits()


NO_ENGINE = (
    "This server cannot convert audio yet: ffmpeg is missing. Ask its administrator to install ffmpeg, "
    "or upload the episode as MP3."
)
NO_ENGINE_BEHIND = (
    "This server cannot measure or convert audio yet: ffmpeg is missing. Ask its administrator to install ffmpeg."
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

ONE_CORE = ["-threads", "1"]  # or decoders of FLAC and ALAC take them all

# In sh: the child is killed when the thread that started it ends, which waits for it and so ends only with its process.
# If that was before this was said, the child has another parent by now. The `setpriv` of util-linux can do this, not
# that of BusyBox; where it cannot, the child has its limits.
STILL_OURS = """sh -c 'test "$PPID" = "$0" && exec "$@"' "$parent\""""
WITH_US = f'setpriv --pdeathsig KILL true 2>/dev/null && set -- setpriv --pdeathsig KILL {STILL_OURS} "$@"'

PIECE = 65536  # bytes: what a pipe holds


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
    pace: Pace = Pace.BRISK,
    on_progress: Callable[[int], object] | None = None,
    on_output: Listener | None = None,
) -> str:
    """Run ffmpeg over the inputs in `directory`, and return the last 64 kB of what it said on standard error.

    `arguments` are those of the outputs; a relative name lands in `directory`, and what goes to `pipe:1` is told to
    `on_output`. `on_progress` is told twice a second how many milliseconds of sound are done. Blocks until the child
    has ended, and leaves no child behind, also when a listener raises. Should this process be killed, Linux kills the
    child with it; elsewhere the child's own CPU limit ends it. Raises Failed.
    """
    if engine is None:
        raise _absent(pace)
    limits = limits or pace.limits
    talk = _Talk()
    with _pipe() as (reports, told):
        command = _limited(_command(engine, inputs, arguments, verbosity, told), limits, pace)
        with _started(command, directory, told) as child:
            listeners: dict[IO[bytes] | None, Listener] = {
                child.stdout: on_output or _unheard,
                child.stderr: talk,
                reports: _Progress(on_progress or _unheard),
            }
            try:
                if pace is Pace.PATIENT:
                    _give_way(child.pid)
                _hear_out(child, listeners, time.monotonic() + limits.wall_seconds)
            finally:
                _end(child)
    said = str(talk)
    if child.returncode or UNFINISHED in said:
        raise _failure(child.returncode, said, pace)
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
    return [*chosen, *whitelists, *ONE_CORE, "-i", f"file:{source.path.absolute()}"]


def _command(
    engine: Path, inputs: Sequence[Input], arguments: Sequence[str], verbosity: str, told: IO[bytes]
) -> list[str]:
    options = [option for source in inputs for option in _reading(source)]
    reporting = ["-nostats", "-progress", f"pipe:{told.fileno()}"]
    return [str(engine), "-nostdin", "-hide_banner", "-y", "-v", verbosity, *reporting, *options, *arguments]


def _limited(command: list[str], limits: Limits, pace: Pace) -> list[str]:
    """The command, behind a shell that lowers its own limits and then becomes it.

    Python's preexec_fn may deadlock beside threads, and `prlimit` is not on every machine; `sh` and `nice` are.
    Units are those of POSIX: seconds, kB, blocks of 512 bytes. A limit that cannot be set is a stricter one already.
    """
    lower = 'for limit in "c 0" "n 64" "t $1" "v $2" "f $3"; do ulimit -$limit; done 2>/dev/null'
    numbers = [limits.cpu_seconds, limits.memory_bytes // 1024, limits.file_bytes // 512, os.getpid()]
    script = f'{lower}; parent=$4; shift 4; {WITH_US}; exec nice -n {pace:d} "$@"'
    return ["/bin/sh", "-c", script, "sh", *map(str, numbers), *command]


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """The end to read from, and the end to write to."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", 0) as reader, os.fdopen(writing, "wb", 0) as writer:
        yield reader, writer


def _started(command: list[str], directory: Path, told: IO[bytes]) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(  # noqa: S603 - a fixed program; file names are single arguments, behind `file:`
        command,
        cwd=directory,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=[told.fileno()],
        start_new_session=True,
    )
    told.close()  # the child has its own: when that is closed, the reports have an end
    return child


def _give_way(pid: int) -> None:
    """Make a child that has just started, and has no threads yet, wait for all others; on Linux `nice` is not enough.

    Each session gets its fair share of the processor, however nice its processes are, unless the session itself is
    (sched(7), "The autogroup feature"); the child has a session of its own. SCHED_IDLE also waits for an idle disk.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # no such feature here, or the child is gone already
            Path(f"/proc/{pid}/autogroup").write_text(f"{Pace.PATIENT:d}")
        with contextlib.suppress(OSError):
            os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))


def _hear_out(child: subprocess.Popen[bytes], listeners: Mapping[IO[bytes] | None, Listener], deadline: float) -> None:
    """Tell each listener what comes out of its pipe, until all are closed. Raises TimedOut when the deadline passes."""
    with selectors.DefaultSelector() as selector:
        for pipe, listener in listeners.items():
            assert pipe is not None
            selector.register(pipe, selectors.EVENT_READ, listener)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if time.monotonic() >= deadline:
                raise TimedOut(TOO_LONG, detail="the time limit passed")
            for key, _ in ready:
                if more := os.read(key.fd, PIECE):
                    key.data(more)
                else:
                    selector.unregister(key.fileobj)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(10)  # it closed its pipes: it is on its way out, or will be helped


def _unheard(_: object) -> None:
    """Nobody listens."""


class _Talk:
    """The last 64 kB of what was said, however much there is."""

    def __init__(self) -> None:
        self._said = b""

    def __call__(self, more: bytes) -> None:
        self._said = (self._said + more)[-PIECE:]

    def __str__(self) -> str:
        return self._said.decode(errors="replace")


class _Progress:
    """Reads ffmpeg's reports, lines of names and values, and passes on how far the sound is done."""

    def __init__(self, on_progress: Callable[[int], object]) -> None:
        self._on_progress = on_progress
        self._rest = b""  # of a line that has not come whole

    def __call__(self, more: bytes) -> None:
        *lines, self._rest = (self._rest + more)[-PIECE:].split(b"\n")
        for line in lines:
            name, _, value = line.partition(b"=")
            if name == b"out_time_us" and value.isdigit():  # before the first sound it is "N/A"
                self._on_progress(int(value) // 1000)


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _absent(pace: Pace, detail: str = "") -> Absent:
    """What nobody waits for is made of what is public already: to upload an MP3 would not help."""
    return Absent(NO_ENGINE if pace is Pace.BRISK else NO_ENGINE_BEHIND, detail=detail)


def _failure(status: int, said: str, pace: Pace) -> Failed:
    detail = f"ffmpeg ended with {status}: {_last_line(said)}"
    if "No space left on device" in said:
        return NoRoom(NO_ROOM, detail=detail)
    if status in (-signal.SIGKILL, -signal.SIGXCPU):  # at its CPU limit the system kills it
        return TimedOut(TOO_LONG, detail=detail)
    if status in (126, 127):  # the shell's words for a program that is not there
        return _absent(pace, detail)
    if "matches no streams" in said or "does not contain any stream" in said:
        return Failed(NO_SOUND, detail=detail)
    return Failed(UNREADABLE, detail=detail)


def _last_line(said: str) -> str:
    """The last line that says something: ffmpeg closes with general ones ("Conversion failed!")."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if line != "Conversion failed!" and not line.startswith("Error opening")]
    return (telling or lines or ["it said nothing"])[-1][-300:]
