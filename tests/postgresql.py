"""A PostgreSQL of the tests' own: made in a temporary folder, on a free port, and gone when they are."""

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

SUPERUSER = "postgres"
# Quick, and nothing is lost when the server is killed (only when the machine is): what is committed was written.
QUICK = ("fsync=off", "full_page_writes=off")
ADDRESS = ("listen_addresses=127.0.0.1", "unix_socket_directories=")  # a socket's path may be too long for the system


@dataclass
class PostgreSQL:
    """A server; each test takes databases of its own from it. `running` starts the first time, and stops the last."""

    port: int
    _folder: Path
    _process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str) -> str:
        """The database's SQLAlchemy URL."""
        return f"postgresql+psycopg://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Returns once it answers. It also ends when the thread that calls this does (see _command)."""
        settings = (*ADDRESS, *QUICK, f"port={self.port}")
        options = [word for setting in settings for word in ("-c", setting)]
        log = self._folder / "log"
        with log.open("ab") as output:
            command = _command("postgres", "-D", self._folder / "data", *options)
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        _wait_for(self, self._process, log)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End now, whoever is connected: SIGINT in order, SIGQUIT as in a crash (PostgreSQL, "Shutting Down")."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(timeout=30)

    def create(self, template: str = "template0") -> str:
        """The name of a new database: an empty one, or a copy of `template`, to which nobody may be connected."""
        name = f"test_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, database: str) -> None:
        """Remove the database, and whoever a test left connected to it."""
        self._run(f"DROP DATABASE {database} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with self.connect() as connection:
            connection.execute(statement.encode())

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=SUPERUSER, dbname="postgres", autocommit=True, connect_timeout=10
        )


@contextmanager
def running() -> Iterator[PostgreSQL]:
    """A server for as long as the block lasts, at most until this process ends."""
    with _folder() as folder:
        data = folder / "data"
        _call("initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        server = PostgreSQL(_free_port(), folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that the server may enter. Pytest's own ones are closed to every other user."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    if os.getuid() == 0:
        shutil.chown(folder, SUPERUSER, SUPERUSER)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _command(program: str, *arguments: str | Path) -> list[str]:
    """PostgreSQL refuses to run as root, so root steps down; and should we be killed, the server goes with us."""
    user = ("--reuid", SUPERUSER, "--regid", SUPERUSER, "--init-groups") if os.getuid() == 0 else ()
    return ["setpriv", *user, "--pdeathsig", "INT", "--", str(_program(program)), *map(str, arguments)]


def _call(program: str, *arguments: str | Path) -> None:
    done = subprocess.run(_command(program, *arguments), cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"


def _program(name: str) -> Path:
    """Debian keeps each version's programs in a folder of its own, off PATH; the newest one will do."""
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    found = newest or shutil.which(name)
    assert found, f"{name} is missing: scripts/test installs PostgreSQL, or says how"
    return Path(found)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(server: PostgreSQL, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        assert process.poll() is None, log.read_text()
        try:
            server.connect().close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"PostgreSQL did not answer within 15 seconds: {log.read_text()}")
