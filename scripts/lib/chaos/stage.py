"""Where it is played: all parts real, each with a way to hurt it."""

import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from podcast_app import people
from podcast_app.database import Database
from podcast_app.times import utcnow
from scripts.lib.chaos.processes import Supervised, command, supervised
from scripts.lib.chaos.proxy import FaultyProxy
from tests.postgresql import PostgreSQL
from tests.s3_servers import S3Server, moto_server
from tests.site import free_port

ROOM_MB = 192
BASE_URL = "http://127.0.0.1:8000"  # nobody listens there: processes are asked by their own ports


@dataclass
class Room:
    """A small disk that can be filled to the brim."""

    folder: Path

    def fill(self) -> None:
        with suppress(OSError), self._ballast.open("ab", buffering=0) as file:
            size = 2**20
            while size:
                size = _written(file.fileno(), size)

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


@dataclass
class Stage:
    """Running processes and what they stand on. None: this stage has no such thing."""

    name: str
    environment: dict[str, str]
    database_url: str
    folder: Path  # logs and clocks: never full
    data_dir: Path
    processes: list[Supervised]
    token: str
    room: Room | None
    postgresql: PostgreSQL | None = None
    bucket: S3Server | None = None
    proxy: FaultyProxy | None = None

    @property
    def origins(self) -> list[str]:
        return [process.origin for process in self.processes if process.origin]

    @property
    def web(self) -> Supervised:
        """One that answers."""
        return next(process for process in self.processes if process.origin)

    def check(self) -> subprocess.CompletedProcess[str]:
        return command(self.environment, self.data_dir, "check")


@contextmanager
def many_machines(
    postgresql: PostgreSQL, folder: Path, chance: Random, *, with_room: bool, of_each: int = 2
) -> Iterator[Stage]:
    """Web processes and workers, on PostgreSQL and a bucket that is reached through a faulty proxy."""
    with (
        moto_server() as bucket,
        FaultyProxy(_port(bucket), chance).running() as proxy,
        _room(folder, with_room) as room,
    ):
        database = postgresql.create()
        with postgresql.connect() as connection:
            # what is acknowledged survives a crash of the server; for the tests' speed it is off otherwise
            connection.execute(f"ALTER DATABASE {database} SET synchronous_commit = on".encode())
        storage = f"s3://{bucket.bucket}/?endpoint=http://127.0.0.1:{proxy.port}"
        environment = {"PODCAST_DATABASE_URL": postgresql.url(database), "PODCAST_STORAGE_URL": storage}
        environment |= {"PODCAST_BASE_URL": BASE_URL, **bucket.environment}
        kinds = [(f"{kind}-{number}", kind) for kind in ("web", "worker") for number in range(1, of_each + 1)]
        with _playing("PostgreSQL and a bucket", environment, postgresql.url(database), folder, kinds, room) as stage:
            stage.postgresql, stage.bucket, stage.proxy = postgresql, bucket, proxy
            yield stage


@contextmanager
def one_machine(folder: Path, *, with_room: bool) -> Iterator[Stage]:
    """Two processes that do everything, on SQLite and a folder."""
    with _room(folder, with_room) as room:
        environment = {"PODCAST_BASE_URL": BASE_URL}
        url = f"sqlite:///{folder / 'data' / 'podcast.db'}"
        kinds = [("serve-1", "serve"), ("serve-2", "serve")]
        with _playing("SQLite and a folder", environment, url, folder, kinds, room) as stage:
            yield stage


def may_mount() -> bool:
    """Whether a small disk can be had."""
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "podcast-chaos", folder], stderr=subprocess.DEVNULL).returncode:
            return False
        subprocess.run(["umount", folder], check=True)
        return True


@contextmanager
def _playing(
    name: str, environment: dict[str, str], url: str, folder: Path, kinds: list[tuple[str, str]], room: Room | None
) -> Iterator[Stage]:
    data_dir = folder / "data"
    environment |= {"PODCAST_DATA_DIR": str(data_dir), "LANG": "C.UTF-8"}
    done = command(environment, data_dir, "migrate")
    assert done.returncode == 0, done.stderr
    token = _token(url)
    processes = [_process(name, kind, environment, folder) for name, kind in kinds]
    with supervised(processes, folder):
        yield Stage(name, environment, url, folder, data_dir, processes, token, room)


def _token(url: str) -> str:
    database = Database(url)
    try:
        return database.write(people.create_token, "chaos", None, utcnow())
    finally:
        database.close()


def _process(name: str, kind: str, environment: dict[str, str], folder: Path) -> Supervised:
    if kind == "worker":
        return Supervised(name, (kind,), environment, folder)
    port = free_port()
    return Supervised(name, (kind, "--port", str(port)), environment, folder, origin=f"http://127.0.0.1:{port}")


@contextmanager
def _room(folder: Path, is_wanted: bool) -> Iterator[Room | None]:
    """The data folder as a small disk of its own. CalledProcessError where the machine does not let us."""
    data_dir = folder / "data"
    data_dir.mkdir()
    if not is_wanted:
        yield None
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM_MB}m", "podcast-chaos", data_dir], check=True)
    try:
        yield Room(data_dir)
    finally:
        subprocess.run(["umount", "--lazy", data_dir], check=True)


def _written(file: int, size: int) -> int:
    """The size to go on with: smaller pieces into the last gaps, 0 when there are none."""
    try:
        os.write(file, bytes(size))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return size // 16
    return size


def _port(bucket: S3Server) -> int:
    return int(bucket.endpoint.rpartition(":")[2])
