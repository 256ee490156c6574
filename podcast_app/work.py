"""What a step of work has at hand, and a place on disk to do it in."""

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from media.storage import Storage
from podcast_app.database import Database
from podcast_app.models import new_id
from podcast_app.settings import Settings


@dataclass(frozen=True, slots=True)
class Work:
    """One process's hands: a step is a function of this that does one piece and says whether there was one."""

    database: Database
    storage: Storage
    settings: Settings
    owner: str = field(default_factory=new_id)  # in whose name leases are taken
    woken: Event = field(default_factory=Event)  # set when something was just made due

    def wake(self) -> None:
        self.woken.set()


Step = Callable[[Work], bool]


@contextmanager
def workbench(settings: Settings) -> Iterator[Path]:
    """An empty directory for large files, on the storage's own disk where that is a local one.

    It goes at the end. Should we be killed, the next one to make a bench clears ours away: its lock is free.
    """
    benches = settings.data_dir / "work"
    benches.mkdir(parents=True, exist_ok=True)
    _clear_abandoned(benches)
    bench = Path(tempfile.mkdtemp(dir=benches))
    with (bench / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield bench
        finally:
            shutil.rmtree(bench, ignore_errors=True)


def _clear_abandoned(benches: Path) -> None:
    for bench in benches.iterdir():
        with contextlib.suppress(OSError), (bench / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: somebody is at work there
            shutil.rmtree(bench, ignore_errors=True)
