"""Where bytes live. The local folder and S3 pass the same tests (tests/media/test_storage.py).

An object is written once, whole or not at all, and never changed: only the feeds' copies are put again
under the same key. Keys are relative, `/`-separated ASCII; what lies under `private/` is never public.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NewType, Protocol

Key = NewType("Key", str)


class Missing(Exception):
    """There is no object under this key."""


class Full(Exception):
    """The place where bytes live has no room left; what was being written is gone."""


class Unavailable(Exception):
    """The storage does not answer, or refuses us; the text says what it said. Trying again may help."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as a listing names it."""

    key: Key
    size_bytes: int


class Writer(Protocol):
    """An object on its way in."""

    def write(self, data: bytes | memoryview) -> None:
        """Append. Raises Full, Unavailable."""


class Storage(Protocol):
    """Where bytes live. Every method may raise Unavailable; all block, so callers run them off the event loop."""

    def writing(self, key: Key, media_type: str) -> AbstractContextManager[Writer]:
        """Leaving the block makes the object visible, whole and durable; an exception leaves nothing."""

    def put_file(self, key: Key, path: Path, media_type: str) -> None:
        """Store the file's bytes. The file may be moved: do not use it afterwards. Raises Full."""

    def read(self, key: Key, start: int, stop: int) -> bytes:
        """Bytes start to stop, stop excluded; fewer at the end of the object. Raises Missing."""

    def size(self, key: Key) -> int:
        """The object's length in bytes. Raises Missing."""

    def copy(self, source: Key, target: Key, media_type: str) -> None:
        """The same bytes under another key. Raises Missing, Full."""

    def delete(self, key: Key) -> None:
        """Remove the object and whatever an interrupted write left of it; silent when there is none."""

    def list(self, prefix: str) -> Iterator[Stored]:
        """Every object whose key starts with the prefix, in no promised order."""

    def local_copy(self, key: Key, directory: Path) -> Path:
        """A readable local file with the object's bytes: its own file when it is local (never write to it),
        or else a download into `directory`. Raises Missing, Full."""

    def local_path(self, key: Key) -> Path | None:
        """The file that holds the object, when it is a local one; it need not exist."""

    def address(self, key: Key, *, seconds: int, media_type: str, download_as: str | None) -> str | None:
        """A URL from which anyone can read the object for `seconds`; with `download_as`, a browser saves it under
        that name. None when the storage has no door of its own (a local folder)."""
