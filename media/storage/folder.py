"""Objects as files below one folder. What is half written lies aside, under a name that no object can have."""

import datetime as dt
import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from secrets import token_hex
from typing import TypeVar

from media.storage import (
    Changed,
    Incomplete,
    Key,
    Missing,
    Part,
    PartsId,
    Stored,
    Unavailable,
    Unfinished,
    Writer,
    disk,
)
from media.storage.keys import checked, is_key

T = TypeVar("T")

ASIDE = ".partial"
LOCK = "lock"  # in a directory of parts: who holds it joins them
BLOCK_BYTES = 2**20

# Bytes after which the disk is asked to begin. 500 MiB that come at 100 to 650 MB/s are then on the disk 6 ms after the
# last of them instead of 280 ms (ext4, medians of 5), and sooner in all; 8 MiB is as good, 32 MiB takes 15 ms.
SYNC_EVERY_BYTES = 16 * 2**20

NO_LINK = {errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.EXDEV}  # FAT, too many links, some mounts
NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}  # of directories: some network mounts
NO_FILE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class Folder:
    """A folder of this machine, or one that several machines mount. It is made when its first object comes."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    @contextmanager
    def writing(self, key: Key, media_type: str) -> Iterator[Writer]:  # noqa: ARG002 (a file has no type)
        target = self.local_path(key)
        with self._aside(key) as aside:
            with _written(aside) as writer:
                yield writer
            with disk.told():
                self._place(aside, target)

    def begin_parts(self, key: Key, media_type: str) -> PartsId:  # noqa: ARG002 (a file has no type)
        parts_id = PartsId(token_hex(8))
        lock = self._parts(key, parts_id) / LOCK
        with disk.told():
            _in_its_directory(lock, lock.touch)
            self._sync_directories(lock.parent)
        return parts_id

    @contextmanager
    def part_writing(self, key: Key, parts_id: PartsId, number: int, size_bytes: int) -> Iterator[Writer]:
        part = self._parts(key, parts_id) / str(number)
        arriving = part.with_suffix(f".{token_hex(8)}")  # a part may be sent twice at once
        try:
            with _found(key):
                file = FileIO(arriving, "x")
            with file:
                writer = _PartWriter(file)
                yield writer
                writer.finish(size_bytes)
            with _found(key):
                arriving.replace(part)
                _sync_directory(part.parent)
        finally:
            with disk.told():
                _remove(arriving)

    def part_address(self, key: Key, parts_id: PartsId, number: int, *, seconds: int) -> None:
        """None: only our own routes lead to a file."""

    def parts(self, key: Key, parts_id: PartsId) -> Iterator[Part]:
        with _found(key):
            paths = [path for path in self._parts(key, parts_id).iterdir() if path.name.isdecimal()]
            yield from map(_part, paths)

    def join_parts(self, key: Key, parts_id: PartsId, sizes_bytes: Sequence[int]) -> None:
        parts = self._parts(key, parts_id)
        try:
            with _found(key), (parts / LOCK).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # of many who say it at once, one joins
                if not self._is_joined(key, sizes_bytes):
                    (parts / LOCK).stat()  # or they were deleted while we waited
                    self._join(key, parts, sizes_bytes)
        except Missing:
            if not self._is_joined(key, sizes_bytes):
                raise
        with disk.told():
            self._clear_aside(key)

    def put_file(self, key: Key, path: Path, media_type: str) -> None:
        source = path.resolve(strict=True)  # a symbolic link that is moved would point elsewhere
        with disk.told():
            moved = self._moved(source, self.local_path(key))
        if not moved:
            self._write_file(key, source, media_type)

    def version(self, key: Key) -> str | None:
        try:
            with _found(key):
                state = self.local_path(key).stat()
        except Missing:
            return None
        return f"{state.st_ino}-{state.st_mtime_ns}-{state.st_size}"

    def replace(self, key: Key, data: bytes, media_type: str, version: str | None) -> None:  # noqa: ARG002 (as above)
        with disk.told():
            self._clear_aside(key)
        with self._aside(key) as aside:
            with _written(aside) as writer:
                writer.write(data)
            with disk.told(), self._one_at_a_time():  # or another may replace it between our look and our deed
                if self.version(key) != version or not aside.exists():
                    raise Changed(key)
                self._place(aside, self.local_path(key))

    def read(self, key: Key, start: int, stop: int) -> bytes:
        assert 0 <= start <= stop
        with _found(key), FileIO(self.local_path(key)) as file:
            stop = min(stop, _size_bytes(file))  # or the memory for all that was asked would be taken first
            return os.pread(file.fileno(), max(stop - start, 0), start)

    def size(self, key: Key) -> int:
        with _found(key), FileIO(self.local_path(key)) as file:  # opened, because a directory is no object
            return _size_bytes(file)

    def copy(self, source: Key, target: Key, media_type: str) -> None:
        self.size(source)  # or it is missing
        original = self.local_path(source)
        with disk.told():
            if not self._linked(original, target):
                self._write_file(target, original, media_type)

    def delete(self, key: Key) -> None:
        path = self.local_path(key)
        with disk.told():
            # In this order: a write that ends in between has brought its file to where it is removed next.
            self._clear_aside(key)
            _remove(path)
            self._sync_directories(path.parent)  # what was withdrawn does not come back after a power cut
            self._prune(path.parent)

    def list(self, prefix: str) -> Iterator[Stored]:
        within, _, _ = prefix.rpartition("/")
        top = self._root / checked(within) if within else self._root
        with disk.told():
            for path in _files(top):
                name = path.relative_to(self._root).as_posix()
                if is_key(name) and name.startswith(prefix):
                    with suppress(FileNotFoundError):  # deleted since
                        yield Stored(Key(name), path.stat().st_size)

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        aside = self._root / ASIDE
        with disk.told():
            for path in _files(aside):
                is_parts = (path.parent / LOCK).exists()
                if is_parts and path.name != LOCK:
                    continue  # the lock stands for all of them
                key = (path.parent.parent if is_parts else path.parent).relative_to(aside).as_posix()
                if key.startswith(prefix):
                    with suppress(FileNotFoundError):  # joined or deleted since
                        yield Unfinished(Key(key), _changed_at(path))

    def local_copy(self, key: Key, directory: Path) -> Path:  # noqa: ARG002 (it is here already)
        self.size(key)
        return self.local_path(key)

    def local_path(self, key: Key) -> Path:
        return self._root / checked(key)

    def address(self, key: Key, *, seconds: int, media_type: str, download_as: str | None) -> None:
        """None: only our own routes lead to a file."""

    def _parts(self, key: Key, parts_id: PartsId) -> Path:
        """The directory of an object's parts: a file each, named by its number. It goes when they are joined."""
        return self._root / ASIDE / checked(key) / checked(parts_id)

    def _is_joined(self, key: Key, sizes_bytes: Sequence[int]) -> bool:
        try:
            return self.size(key) == sum(sizes_bytes)
        except Missing:
            return False

    def _join(self, key: Key, parts: Path, sizes_bytes: Sequence[int]) -> None:
        paths = [parts / str(number) for number in range(1, len(sizes_bytes) + 1)]
        wanting = [
            number
            for number, (path, size_bytes) in enumerate(zip(paths, sizes_bytes, strict=True), 1)
            if not path.exists() or path.stat().st_size != size_bytes
        ]
        if wanting:
            raise Incomplete(wanting)
        with self.writing(key, "") as writer:
            for path in paths:
                _write_all(writer, path)

    def _clear_aside(self, key: Key) -> None:
        """Remove what lies half written for the object, whoever left it."""
        aside = self._root / ASIDE / key
        with suppress(*NO_FILE):  # nothing, or another clears it at the same time
            for unfinished in aside.iterdir():
                _remove_whole(unfinished)
        self._prune(aside)

    @contextmanager
    def _aside(self, key: Key) -> Iterator[Path]:
        """A fresh place for what becomes the object; whatever still is there at the end is removed."""
        path = self._root / ASIDE / checked(key) / token_hex(8)  # two writers of one key do not meet
        try:
            yield path
        finally:
            with disk.told():
                _remove(path)
                self._prune(path.parent)

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        directory = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with suppress(OSError):  # some network mounts lock no directories
                fcntl.flock(directory, fcntl.LOCK_EX)
            yield
        finally:
            os.close(directory)

    def _moved(self, source: Path, target: Path) -> bool:
        """Whether the file is at its target now: from another file system it cannot be moved there."""
        with source.open("rb") as file:
            os.fsync(file.fileno())
        try:
            self._place(source, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            return False
        return True

    def _linked(self, original: Path, target: Key) -> bool:
        """Whether the file has its second name now: an object never changes, so its bytes need not be there twice."""
        with self._aside(target) as aside:
            try:
                _in_its_directory(aside, lambda: aside.hardlink_to(original))
            except OSError as error:
                if error.errno not in NO_LINK:
                    raise
                return False
            # Renaming one name of a file to another name of it does nothing; _aside then removes the one too many.
            self._place(aside, self.local_path(target))
        return True

    def _write_file(self, key: Key, source: Path, media_type: str) -> None:
        with self.writing(key, media_type) as writer:
            _write_all(writer, source)

    def _place(self, written: Path, target: Path) -> None:
        """Make what was written the object, in one step, and durably."""
        _in_its_directory(target, lambda: written.replace(target))
        self._sync_directories(target.parent)

    def _sync_directories(self, directory: Path) -> None:
        """Make the names in it durable, its own included. All the way up, because another may have made the directory
        a moment ago and not synced it yet; one in which nothing changed costs 0.03 ms."""
        while directory != self._root.parent.parent:
            with suppress(*NO_FILE):  # nothing there, or its last object was deleted since
                _sync_directory(directory)
            directory = directory.parent

    def _prune(self, directory: Path) -> None:
        """Remove the directory and those above it, as far as they are empty."""
        while directory != self._root:
            try:
                directory.rmdir()
            except OSError:  # not empty, or another was quicker
                return
            directory = directory.parent


class _FileWriter:
    """Writes, and lets the disk begin meanwhile: the last sync is then short, however large the file."""

    def __init__(self, file: FileIO, background: ThreadPoolExecutor) -> None:
        self._file = file
        self._background = background
        self._syncing: Future[None] | None = None
        self._unsynced_bytes = 0

    def write(self, data: bytes | memoryview) -> None:
        rest = memoryview(data).cast("B")
        with disk.told():
            while rest:
                written_bytes = self._file.write(rest)
                self._unsynced_bytes += written_bytes
                rest = rest[written_bytes:]
            if self._unsynced_bytes >= SYNC_EVERY_BYTES:
                self._sync_behind()

    def finish(self) -> None:
        """Return when the bytes are on the disk."""
        with disk.told():
            if self._syncing:
                self._syncing.result()
            os.fsync(self._file.fileno())

    def _sync_behind(self) -> None:
        if self._syncing:
            if not self._syncing.done():
                return  # the disk is the slower one; asking twice makes it no faster
            self._syncing.result()  # the system tells a failed sync once: here
        self._syncing = self._background.submit(os.fsync, self._file.fileno())
        self._unsynced_bytes = 0


class _PartWriter:
    """A part is short: it is synced once, at its end."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._size_bytes = 0

    def write(self, data: bytes | memoryview) -> None:
        rest = memoryview(data).cast("B")
        self._size_bytes += rest.nbytes
        with disk.told():
            while rest:
                rest = rest[self._file.write(rest) :]

    def finish(self, size_bytes: int) -> None:
        """Return when the bytes are on the disk."""
        assert self._size_bytes == size_bytes, f"{self._size_bytes} bytes of a part of {size_bytes}"
        with disk.told():
            os.fsync(self._file.fileno())


@contextmanager
def _written(path: Path) -> Iterator[_FileWriter]:
    """A new file, which is on the disk when the block ends."""
    with disk.told():
        file = _in_its_directory(path, lambda: FileIO(path, "x"))
    with file, ThreadPoolExecutor(max_workers=1, thread_name_prefix="sync") as background:
        writer = _FileWriter(file, background)
        yield writer
        writer.finish()


def _write_all(writer: Writer, source: Path) -> None:
    with source.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            writer.write(block)


def _part(path: Path) -> Part:
    return Part(int(path.name), path.stat().st_size, _changed_at(path))


def _changed_at(path: Path) -> dt.datetime:
    return dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)


@contextmanager
def _found(key: Key) -> Iterator[None]:
    """Say that the object is missing when its file is."""
    try:
        with disk.told():
            yield
    except Unavailable as refusal:
        if isinstance(refusal.__cause__, NO_FILE):
            raise Missing(key) from refusal
        raise


def _size_bytes(file: FileIO) -> int:
    return os.fstat(file.fileno()).st_size


def _in_its_directory(path: Path, act: Callable[[], T], attempts: int = 10) -> T:
    """What `act` gives once the path's directory is there; again when it was pruned, being empty, in between."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return act()
    except (FileNotFoundError, FileExistsError):  # the latter: pruned while mkdir looked whether it is a directory
        if attempts == 1:
            raise
        return _in_its_directory(path, act, attempts - 1)


def _remove(path: Path) -> None:
    with suppress(*NO_FILE):
        path.unlink()


def _remove_whole(path: Path) -> None:
    """A file, or a directory with what is in it."""
    if path.is_dir():
        gone = path.with_suffix(f".{token_hex(8)}")
        with suppress(*NO_FILE):
            path.rename(gone)  # first, so that nobody puts anything more into it
        shutil.rmtree(gone, ignore_errors=True)
    else:
        _remove(path)


def _files(directory: Path) -> Iterator[Path]:
    """Every file below it; what is deleted meanwhile may be among them."""
    for parent, folders, names in os.walk(directory, onerror=_unless_gone):
        folders[:] = (folder for folder in folders if folder != ASIDE)
        yield from (Path(parent, name) for name in names)


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, NO_FILE):
        raise error


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_SYNC:
            raise
    finally:
        os.close(descriptor)
