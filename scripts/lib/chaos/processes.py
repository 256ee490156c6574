"""Our processes as a supervisor keeps them: whoever ends is started again at once. Each has a clock of its own."""

import shutil
import signal
import struct
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from tests.commands import PROGRAM, surroundings

SOURCE = Path(__file__).with_name("clock.c")


@dataclass
class Supervised:
    """A `podcast-app` that is meant to run. `origin`: where it answers, when it does."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    origin: str | None = None
    is_wanted: bool = True
    starts: int = 0
    popen: subprocess.Popen[bytes] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def ensure(self) -> None:
        """Start it, unless it runs or is not meant to."""
        with self.lock:
            if self.is_wanted and (self.popen is None or self.popen.poll() is not None):
                self._start()

    def kill(self) -> None:
        """As `kill -9` or the kernel without memory does."""
        self._signal(signal.SIGKILL)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def ask_to_stop(self) -> None:
        """In good order, and for good."""
        with self.lock:
            self.is_wanted = False
        self._signal(signal.SIGTERM)

    def wait(self) -> None:
        """Until it has stopped. Raises subprocess.TimeoutExpired."""
        if self.popen is not None:
            self.popen.wait(30)

    def set_clock(self, seconds: int) -> None:
        """How far its wall clock is ahead, from now on."""
        with self._clock.open("r+b" if self._clock.exists() else "wb") as file:
            file.write(struct.pack("q", seconds))

    @property
    def _clock(self) -> Path:
        return self.folder / f"{self.name}.clock"

    def _start(self) -> None:
        if not self._clock.exists():
            self.set_clock(0)
        clock = {"LD_PRELOAD": str(self.folder / "clock.so"), "CHAOS_CLOCK": str(self._clock)}
        with self.log.open("ab") as output:
            self.popen = subprocess.Popen(
                [PROGRAM, *self.arguments],
                cwd=self.folder,
                env=surroundings(self.folder, **self.environment, **clock),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.starts += 1

    def _signal(self, number: signal.Signals) -> None:
        with self.lock:
            if self.popen is not None and self.popen.poll() is None:
                self.popen.send_signal(number)


@contextmanager
def supervised(processes: list[Supervised], folder: Path) -> Iterator[None]:
    """They run, and are started again as often as they end, until the block does."""
    _compile_clock(folder / "clock.so")
    done = threading.Event()
    for process in processes:
        process.ensure()

    def keep() -> None:
        while not done.wait(0.3):
            for process in processes:
                process.ensure()

    keeper = threading.Thread(target=keep, name="supervisor", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()
        for process in processes:
            process.kill()
            process.wait()


def command(environment: Mapping[str, str], data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ours to its end, with the right clock."""
    return subprocess.run(
        [PROGRAM, *arguments],
        cwd=data_dir,
        env=surroundings(data_dir, **environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def is_ready(origin: str) -> bool:
    try:
        return httpx2.get(f"{origin}/readyz", timeout=5).status_code == 200
    except httpx2.TransportError:
        return False


def _compile_clock(target: Path) -> None:
    compiler = shutil.which("tcc") or shutil.which("cc")
    assert compiler, "tcc is missing: scripts/test and scripts/chaos install it, or say how"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", target, SOURCE], check=True)
