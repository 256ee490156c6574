"""Jobs that run in a process of their own, which may be killed in the middle of them.

A process changes the world by what it asks of the database and of the file system, and by nothing else. So it is
killed before the first such request, before the second, and so on: whatever lies between two of them is the same.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection

from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from media import artwork
from podcast_app import covers, episodes, parts, publishing, shows, uploads, worker
from podcast_app.enclosures import make_enclosure
from podcast_app.fields import ShowFields
from podcast_app.models import Episode, EpisodeId, EpisodeText, Show, Upload
from podcast_app.outcomes import Done, Refused
from podcast_app.times import utcnow
from tests.media.samples import picture
from tests.podcasts import Library, Place, at
from tests.site import hurried

# Forked from a server that has everything imported: a process in 20 ms, and no thread or connection of the tests' own.
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["__main__", __name__])

CHANGES_OF_FILES = {"os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "shutil.rmtree", "subprocess.Popen"}

Acknowledge = Callable[[], None]  # said when somebody was told that it is done
Job = Callable[[Library, bytes, Acknowledge], None]


def arrive(library: Library, audio: bytes, acknowledge: Acknowledge) -> None:
    """An upload is received and completed, and becomes a draft."""
    library.draft(audio, title="Third")
    acknowledge()


def prepare(library: Library, audio: bytes, acknowledge: Acknowledge) -> None:
    """The enclosure of a draft is made."""
    while make_enclosure(library.work):
        pass


def publish(library: Library, audio: bytes, acknowledge: Acknowledge) -> None:
    work = library.work
    due = work.database.write(publishing.make_due, episode_called(library, "Second"), None, work.settings, utcnow())
    assert isinstance(due, Done), due
    acknowledge()
    worker.catch_up(work)


def withdraw(library: Library, audio: bytes, acknowledge: Acknowledge) -> None:
    work = library.work
    gone = work.database.write(publishing.withdraw, episode_called(library, "First"), work.settings, utcnow())
    assert isinstance(gone, Done), gone
    acknowledge()
    worker.catch_up(work)


def give_cover(library: Library, audio: bytes, acknowledge: Acknowledge) -> None:
    """The show gets another name and another cover."""
    work = library.work
    cover = artwork.Cover(
        data=picture("green", artwork.SMALLEST_PX), width=artwork.SMALLEST_PX, height=artwork.SMALLEST_PX
    )
    stored = covers.store(work.database, work.storage, cover)
    show_id = library.show().id

    def edit(session: Session) -> Done[Show] | Refused:
        changes = ShowFields(author="Somebody else")
        show = episodes.locked_show(session, show_id)
        return shows.edit(session, show, changes, work.settings, utcnow(), picture=stored)

    edited = work.database.write(edit)
    assert isinstance(edited, Done), edited
    acknowledge()
    worker.catch_up(work)


def begin(library: Library, audio: bytes, acknowledge: Acknowledge) -> None:
    """Somebody wants to send a recording in parts."""
    new_upload(library, audio)
    acknowledge()


def send_part(library: Library, audio: bytes, acknowledge: Acknowledge) -> None:
    """The last part arrives."""
    send(library, audio, last_part(library))
    acknowledge()


def complete(library: Library, audio: bytes, acknowledge: Acknowledge) -> None:
    """All parts have arrived, and become a recording."""
    work = library.work
    outcome = parts.complete(work.database, work.storage, open_upload(library).id)
    assert isinstance(outcome, Upload), outcome
    acknowledge()


def refuse(library: Library, audio: bytes, acknowledge: Acknowledge) -> None:
    """All parts have arrived, and are no recording."""
    complete(library, audio, acknowledge)


def cancel(library: Library, audio: bytes, acknowledge: Acknowledge) -> None:
    work = library.work
    gone = work.database.write(uploads.discard, open_upload(library).id, utcnow())
    assert isinstance(gone, Done), gone
    acknowledge()
    worker.catch_up(work)


def expire(library: Library, audio: bytes, acknowledge: Acknowledge) -> None:
    """Nobody has sent a part for a week."""
    while parts.expire(library.work):
        pass
    worker.catch_up(library.work)


def new_upload(library: Library, audio: bytes) -> Upload:
    """An open one, of two parts."""
    upload = parts.new(library.show().id, "in-parts.wav", len(audio), None, utcnow())
    upload.part_size_bytes = len(audio) // 2 + 1
    parts.begin(library.work.database, library.work.storage, upload)
    return library.work.database.write(parts.record, upload)


def open_upload(library: Library) -> Upload:
    return library.work.database.read(
        lambda session: session.scalars(select(Upload).where(Upload.state == "open")).one()
    )


def last_part(library: Library) -> int:
    return len(parts.sizes_bytes(open_upload(library)))


def send(library: Library, audio: bytes, *numbers: int) -> None:
    upload = open_upload(library)
    for number in numbers:
        start = (number - 1) * upload.part_size_bytes
        piece = audio[start : start + upload.part_size_bytes]
        with library.work.storage.part_writing(upload.key, upload.parts_id, number, len(piece)) as writer:
            writer.write(piece)


def work_off(library: Library, audio: bytes, acknowledge: Acknowledge) -> None:
    """Everything that lags."""
    worker.catch_up(library.work)


def come_behind(library: Library, audio: bytes, acknowledge: Acknowledge) -> None:
    """What follows publications: measurements and light editions."""
    with hurried():
        worker.catch_up(library.work, worker.BEHIND)


def episode_called(library: Library, title: str) -> EpisodeId:
    query = select(Episode.id).join(EpisodeText).where(EpisodeText.title == title)
    return library.work.database.read(lambda session: session.scalars(query).one())


@dataclass(frozen=True)
class Ended:
    """How a process ended: killed or not, what it had acknowledged, and how many requests it had made."""

    is_killed: bool
    is_acknowledged: bool
    requests: int


def run(place: Place, job: Job, audio: bytes, *, killed_at: int = 0, killed_after: float | None = None) -> Ended:
    """Do the job in a process that is killed before its request of this number, or after so many seconds, or never."""
    ours, theirs = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_work, args=(place, job, audio, killed_at, theirs))
    process.start()
    theirs.close()
    if killed_after is not None:
        process.join(killed_after)
        process.kill()
    with ours:
        said = list(_everything(ours))
    process.join()
    is_killed = process.exitcode == -signal.SIGKILL
    assert is_killed or process.exitcode == 0, f"the job failed: {process.exitcode}"
    process.close()
    return Ended(is_killed, ACKNOWLEDGED in said, killed_at if is_killed else said[-1])


ACKNOWLEDGED = 0


def _everything(pipe: Connection) -> Iterator[int]:
    with suppress(EOFError):
        while True:
            yield pipe.recv()


def _work(place: Place, job: Job, audio: bytes, killed_at: int, said: Connection) -> None:
    made = 0

    def request(*_: object) -> None:
        nonlocal made
        made += 1
        if made == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def file_request(name: str, arguments: tuple[object, ...]) -> None:
        if name in CHANGES_OF_FILES or (name == "open" and _writes(arguments)):
            request()

    with at(place) as library:
        event.listen(Engine, "before_cursor_execute", request)
        event.listen(Engine, "commit", request)
        sys.addaudithook(file_request)
        job(library, audio, lambda: said.send(ACKNOWLEDGED))
        said.send(made)


def _writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))
