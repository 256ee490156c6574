"""What a step of work has at hand, and a place on disk to do it in."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Event
from typing import IO

from media.storage import Storage
from podcast_app.database import Database
from podcast_app.models import new_id
from podcast_app.settings import Settings


class Bell:
    """Wakes all who wait, also one who was busy when it rang: each says how many rings it has heard."""

    def __init__(self) -> None:
        self.rings = 0
        self._rung = Condition()

    def ring(self) -> None:
        with self._rung:
            self.rings += 1
            self._rung.notify_all()

    def wait(self, heard: int, seconds: float) -> None:
        """Until there are more rings than were heard, or the time is over."""
        with self._rung:
            self._rung.wait_for(lambda: self.rings > heard, seconds)


@dataclass(frozen=True, slots=True)
class Work:
    """One process's hands: a step is a function of this that does one piece and says whether there was one."""

    database: Database
    storage: Storage
    settings: Settings
    owner: str = field(default_factory=new_id)  # in whose name leases are taken
    bell: Bell = field(default_factory=Bell)
    stopping: Event = field(default_factory=Event)  # set: what lasts is to be left for another worker

    def wake(self) -> None:
        """Something was just made due: whoever waits looks at once."""
        self.bell.ring()


Step = Callable[[Work], bool]


@contextmanager
def workbench(settings: Settings) -> Iterator[Path]:
    """An empty directory for large files, on the storage's own disk where that is a local one.

    It goes at the end. Should we be killed, the next one to make a bench clears ours away: its lock is free.
    """
    benches = settings.data_dir / "work"
    benches.mkdir(parents=True, exist_ok=True)
    with ExitStack() as ours:
        with _alone(benches):  # or a bench without its lock yet would look abandoned
            _clear_abandoned(benches)
            bench = Path(tempfile.mkdtemp(dir=benches))
            ours.callback(shutil.rmtree, bench, ignore_errors=True)
            ours.enter_context(_alone(bench))
        yield bench


@contextmanager
def core(settings: Settings) -> Iterator[bool]:
    """One of this machine's cores for work that nobody waits for, or False: all have such work already.

    Each is a lock in the data directory, so that several workers beside each other share them.
    """
    locks = settings.data_dir / "work"
    locks.mkdir(parents=True, exist_ok=True)
    with ExitStack() as ours:
        names = (locks / f"core-{number}" for number in range(os.cpu_count() or 1))
        yield any(_is_ours(ours.enter_context(name.open("w"))) for name in names)


def _is_ours(lock: IO[str]) -> bool:
    """Whether the lock was free; it is held until the file is closed."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _alone(folder: Path, *, patiently: bool = True) -> Iterator[None]:
    """Hold the folder's lock. Impatient, raises BlockingIOError when somebody else does."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if patiently else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _clear_abandoned(benches: Path) -> None:
    for bench in filter(Path.is_dir, benches.iterdir()):
        with contextlib.suppress(OSError), _alone(bench, patiently=False):  # at work, or just done
            shutil.rmtree(bench, ignore_errors=True)
