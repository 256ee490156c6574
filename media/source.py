"""Bytes to be read in parts: a local file or a stored object, and the careful reader that parsers get."""

import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from media.storage import Key, Storage

BLOCK_BYTES: Final = 64 * 1024  # larger ones save no request on real files, smaller ones cost more of them
MOST_BYTES: Final = 32 << 20  # that one file may cost
MOST_CALLS: Final = 100_000
KEPT_BLOCKS: Final = 64


class Source(Protocol):
    """Bytes of a known length. May raise what its storage raises, or OSError."""

    @property
    def size(self) -> int:
        """The length in bytes."""

    def read(self, start: int, stop: int) -> bytes:
        """Bytes start to stop, stop excluded; fewer at the end."""


class FileSource:
    """A local file."""

    def __init__(self, path: Path) -> None:
        """Raises OSError when there is no such file."""
        self._path = path
        self.size = path.stat().st_size

    def read(self, start: int, stop: int) -> bytes:
        with self._path.open("rb", 0) as file:  # opened for each of the few reads, so that nobody has to close a source
            return os.pread(file.fileno(), stop - start, start)


class BytesSource:
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self._data = data

    def read(self, start: int, stop: int) -> bytes:
        return self._data[start:stop]


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in storage whose size is known already."""

    storage: Storage
    key: Key
    size: int  # bytes

    def read(self, start: int, stop: int) -> bytes:
        return self.storage.read(self.key, start, stop)


class Damaged(Exception):
    """The bytes are not what their format promises: too few of them, contradicting, or costing too much to follow."""


class Reader:
    """A source for parsers of hostile files: few requests to the source, and a limit on all that a file can cost.

    Raises Damaged where a file asks for more. What the source itself raises passes: a storage that is
    down must not look like a bad file.
    """

    def __init__(self, source: Source) -> None:
        self.size = source.size
        self._source = source
        self._bytes_left = MOST_BYTES
        self._calls_left = MOST_CALLS
        self._blocks: OrderedDict[int, bytes] = OrderedDict()  # the least recently used first

    def read(self, start: int, stop: int) -> bytes:
        """Bytes start to stop, stop excluded; fewer at the end. Raises Damaged."""
        self._calls_left -= 1
        if self._calls_left < 0:
            raise Damaged("asks for too many reads")
        start, stop = max(start, 0), min(stop, self.size)
        if start >= stop:
            return b""
        first, offset = divmod(start, BLOCK_BYTES)
        if first in self._blocks and offset + stop - start <= BLOCK_BYTES:  # nearly always
            self._blocks.move_to_end(first)
            return self._blocks[first][offset : offset + stop - start]
        blocks = self._between(first, (stop - 1) // BLOCK_BYTES + 1)
        return b"".join(blocks)[offset : offset + stop - start]

    def exactly(self, start: int, length: int) -> bytes:
        """So many bytes from start. Raises Damaged when the file has fewer."""
        data = self.read(start, start + length)
        if len(data) != length:
            raise Damaged("ends too early")
        return data

    def _between(self, first: int, end: int) -> list[bytes]:
        """The blocks from `first` up to `end`; neighbours that are missing come in one request."""
        blocks: list[bytes] = []
        number = first
        while number < end:
            if number in self._blocks:
                self._blocks.move_to_end(number)
                blocks.append(self._blocks[number])
            else:
                blocks += self._fetched(number, self._next_kept(number, end))
            number = first + len(blocks)
        for number, block in enumerate(blocks[-KEPT_BLOCKS:], end - min(len(blocks), KEPT_BLOCKS)):
            self._keep(number, block)
        return blocks

    def _next_kept(self, number: int, end: int) -> int:
        return next((later for later in range(number + 1, end) if later in self._blocks), end)

    def _fetched(self, first: int, end: int) -> list[bytes]:
        start, stop = first * BLOCK_BYTES, min(end * BLOCK_BYTES, self.size)
        if stop - start > self._bytes_left:  # before anything is allocated
            raise Damaged("asks for too many bytes")
        self._bytes_left -= stop - start
        data = self._source.read(start, stop)
        if len(data) != stop - start:
            raise Damaged("is shorter than it was")
        return [data[at : at + BLOCK_BYTES] for at in range(0, len(data), BLOCK_BYTES)]

    def _keep(self, number: int, block: bytes) -> None:
        self._blocks[number] = block
        if len(self._blocks) > KEPT_BLOCKS:
            self._blocks.popitem(last=False)
