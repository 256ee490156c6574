"""Where bytes live. The local folder and S3 pass the same tests (tests/media/test_storage.py).

An object is written once, whole or not at all, and never changed: only the feeds' copies are put again
under the same key. It comes in one go (`writing`), or over days in numbered parts that are then joined (`begin_parts`).
Keys are relative, `/`-separated ASCII; what lies under `private/` is never public.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NewType, Protocol

Key = NewType("Key", str)
PartsId = NewType("PartsId", str)  # what a storage calls an object that comes in parts

LARGEST_NUMBER = 10_000  # of a part (S3)


class Missing(Exception):
    """There is no object under this key."""


class Full(Exception):
    """The place where bytes live has no room left; what was being written is gone."""


class Changed(Exception):
    """Under this key lies another version than the one that was to be replaced."""


class Unavailable(Exception):
    """The storage does not answer, or refuses us; the text says what it said. Trying again may help."""


class Incomplete(Exception):
    """Parts are missing, or have another size than they should; `numbers` names them."""

    def __init__(self, numbers: Sequence[int]) -> None:
        super().__init__(numbers)
        self.numbers = numbers


@dataclass(frozen=True, slots=True)
class Part:
    """A part that has arrived whole."""

    number: int
    size_bytes: int
    arrived_at: dt.datetime  # with zone


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as a listing names it."""

    key: Key
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What has come of an object, and is none."""

    key: Key
    since: dt.datetime  # with zone: when it began, or was last written to


class Writer(Protocol):
    """An object on its way in."""

    def write(self, data: bytes | memoryview) -> None:
        """Append. Raises Full, Unavailable."""


class Storage(Protocol):
    """Where bytes live. Every method may raise Unavailable; all block, so callers run them off the event loop."""

    def writing(self, key: Key, media_type: str) -> AbstractContextManager[Writer]:
        """Leaving the block makes the object visible, whole and durable; an exception leaves nothing."""

    def begin_parts(self, key: Key, media_type: str) -> PartsId:
        """Prepare for an object that comes in parts: numbered from 1, in any order, more than once, over days."""

    def part_writing(self, key: Key, parts_id: PartsId, number: int, size_bytes: int) -> AbstractContextManager[Writer]:
        """Leaving the block, after exactly `size_bytes`, makes the part count, in place of an earlier one like it; an
        exception leaves what was there. Raises Full; Missing when the object does not come in parts any more."""

    def part_address(self, key: Key, parts_id: PartsId, number: int, *, seconds: int) -> str | None:
        """A URL to which anyone can PUT the part for `seconds`; None when the storage has no door of its own."""

    def parts(self, key: Key, parts_id: PartsId) -> Iterator[Part]:
        """Those that have arrived, in any order. Raises Missing as above."""

    def join_parts(self, key: Key, parts_id: PartsId, sizes_bytes: Sequence[int]) -> None:
        """The parts, the first one first, become the object, and nothing else that was begun for it stays; silent when
        they have before, however often it is said. Raises Incomplete, and then nothing has changed; Missing as above;
        Full."""

    def put_file(self, key: Key, path: Path, media_type: str) -> None:
        """Store the file's bytes. The file may be moved: do not use it afterwards. Raises Full."""

    def version(self, key: Key) -> str | None:
        """What tells the object under this key from those before and after it; None when there is none."""

    def replace(self, key: Key, data: bytes, media_type: str, version: str | None) -> None:
        """Put the bytes in the place of this version, whole and durable, and remove what others left half written.
        Raises Full; Changed when the version is not there any more. A server that does not look at conditions replaces
        whatever lies there."""

    def read(self, key: Key, start: int, stop: int) -> bytes:
        """Bytes start to stop, stop excluded; fewer at the end of the object. Raises Missing."""

    def size(self, key: Key) -> int:
        """The object's length in bytes. Raises Missing."""

    def copy(self, source: Key, target: Key, media_type: str) -> None:
        """The same bytes under another key. Raises Missing, Full."""

    def delete(self, key: Key) -> None:
        """Remove the object, its parts, and whatever an interrupted write left of it; silent when there is none."""

    def list(self, prefix: str) -> Iterator[Stored]:
        """Every object whose key starts with the prefix, in no promised order."""

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        """Parts that were never joined, and what interrupted writes left, of keys that start with the prefix."""

    def local_copy(self, key: Key, directory: Path) -> Path:
        """A readable local file with the object's bytes: its own file when it is local (never write to it),
        or else a download into `directory`. Raises Missing, Full."""

    def local_path(self, key: Key) -> Path | None:
        """The file that holds the object, when it is a local one; it need not exist."""

    def address(self, key: Key, *, seconds: int, media_type: str, download_as: str | None) -> str | None:
        """A URL from which anyone can read the object for `seconds`; with `download_as`, a browser saves it under
        that name. None when the storage has no door of its own (a local folder)."""
