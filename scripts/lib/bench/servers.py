"""Servers to measure, each in a process of its own, and what they cost."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

PROGRAM = Path(sys.executable).parent / "podcast-app"


NO_ENGINE = {"PODCAST_FFMPEG": "/nowhere/ffmpeg"}  # what comes behind publication fails at once, and disturbs no figure


class Process:
    """A process that runs beside us."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def cpu_ms(self) -> float:
        """CPU time so far, of all threads of the process and its living children."""
        return sum(_cpu_ms(pid) for pid in (self._process.pid, *self.children()))

    def children(self) -> list[int]:
        """Of all its threads; one that has just ended has none."""
        found: list[int] = []
        for thread in Path(f"/proc/{self._process.pid}/task").iterdir():
            with suppress(OSError):
                found += map(int, (thread / "children").read_text().split())
        return found

    def memory_mb(self) -> float:
        return _status(self._process.pid, "VmRSS") / 1024

    def peak_mb(self) -> float:
        """The most that it has held so far."""
        return _status(self._process.pid, "VmHWM") / 1024

    def children_peak_mb(self) -> float:
        """The most that one of its living children has held so far."""
        peaks = [0.0]
        for child in self.children():
            with suppress(OSError, AssertionError):  # it has just ended, and has no memory any more
                peaks.append(_status(child, "VmHWM") / 1024)
        return max(peaks)

    def read_mb(self) -> float:
        """What it has read so far, from files and connections."""
        found = re.search(r"^rchar: (\d+)", Path(f"/proc/{self._process.pid}/io").read_text(), re.MULTILINE)
        assert found
        return int(found[1]) / 1e6

    @contextmanager
    def memory_watched(self) -> Iterator[list[float]]:
        """What it holds, in MB, looked at fifty times a second while the block lasts."""
        seen = [self.memory_mb()]
        done = threading.Event()

        def look() -> None:
            while not done.wait(0.02):
                seen.append(self.memory_mb())

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            yield seen
        finally:
            done.set()
            watcher.join()


class Server(Process):
    """A process that listens on a port of this machine."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        super().__init__(process)
        self.port = port
        self.origin = f"http://127.0.0.1:{port}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def podcast_app(data_dir: Path, *arguments: str, settings: Mapping[str, str] = NO_ENGINE) -> Iterator[Server]:
    """Ours, as `scripts/serve` runs it."""
    port = free_port()
    environment = os.environ | {"PODCAST_DATA_DIR": str(data_dir), **settings}
    with running([str(PROGRAM), "serve", "--port", str(port), *arguments], port, environment) as server:
        yield server


@contextmanager
def bare(application: str, directory: Path) -> Iterator[Server]:
    """A bare ASGI callable of bare.py, under the same uvicorn."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", f"scripts.lib.bench.bare:{application}", "--port", str(port),
               "--no-access-log", "--log-level", "error", "--loop", "uvloop", "--http", "httptools"]  # fmt: skip
    with running(command, port, os.environ | {"BENCH_DIRECTORY": str(directory)}) as server:
        yield server


def command(data_dir: Path, *arguments: str) -> str:
    """What a command of ours prints."""
    environment = os.environ | {"PODCAST_DATA_DIR": str(data_dir)}
    done = subprocess.run([str(PROGRAM), *arguments], check=True, capture_output=True, text=True, env=environment)
    return done.stdout.strip()


@contextmanager
def running(command: list[str], port: int, environment: dict[str, str] | None = None) -> Iterator[Server]:
    with _started(command, environment) as process:
        _wait_for(port, process)
        yield Server(process, port)


@contextmanager
def worker(data_dir: Path) -> Iterator[Process]:
    """Ours, without the web; its feeds say that the site is at port 8000."""
    with _started([str(PROGRAM), "worker"], os.environ | {"PODCAST_DATA_DIR": str(data_dir)}) as process:
        yield Process(process)


@contextmanager
def _started(command: list[str], environment: Mapping[str, str] | None) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    while True:
        assert process.poll() is None, "the server ended"
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return


def _cpu_ms(pid: int) -> float:
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e6


def _status(pid: int, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1])
