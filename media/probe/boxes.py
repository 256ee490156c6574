"""The boxes of MP4 and QuickTime files (ISO/IEC 14496-12, 4.2): each has a name, a size, and maybe boxes inside."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from media.source import Damaged, Reader

_MOST_BESIDE: Final = 1000  # boxes in one box; real files have some ten


@dataclass(frozen=True, slots=True)
class Box:
    """A box by its header."""

    name: bytes
    start: int  # of its content in the file
    end: int


def whole_file(reader: Reader) -> Box:
    """The file as the box around all."""
    return Box(b"", 0, reader.size)


def inside(reader: Reader, parent: Box) -> Iterator[Box]:
    """The boxes in a box, or those that follow each other in the file; the last may reach beyond its parent."""
    return islice(_inside(reader, parent), _MOST_BESIDE)


def named(reader: Reader, parent: Box, name: bytes) -> Iterator[Box]:
    """Those of that name."""
    return (box for box in inside(reader, parent) if box.name == name)


def find(reader: Reader, parent: Box, *path: bytes) -> Box | None:
    """The first box at that path, each name inside the one before; None when there is none."""
    found: Box | None = parent
    for name in path:
        found = next(named(reader, found, name), None) if found else None
    return found


def need(reader: Reader, parent: Box, *path: bytes) -> Box:
    """The first box at that path. Raises Damaged when there is none."""
    found = find(reader, parent, *path)
    if found is None:
        raise Damaged("lacks a box")
    return found


def fields(reader: Reader, box: Box, short: str, long: str | None = None, *, at: int = 0) -> tuple[int, ...]:
    """The numbers behind a full box's version and flags; version 1 has the `long` form. Raises Damaged."""
    is_long = reader.exactly(box.start, 1) == b"\1"
    form = ">" + (long if is_long and long else short)
    return struct.unpack(form, reader.exactly(box.start + 4 + at, struct.calcsize(form)))


def rows(reader: Reader, box: Box, short: str, long: str | None = None, *, most: int) -> list[tuple[int, ...]]:
    """A full box's table, `most` rows of it at most: a count, and then so many rows. Raises Damaged."""
    is_long = reader.exactly(box.start, 1) == b"\1"
    form = ">" + (long if is_long and long else short)
    (count,) = fields(reader, box, "I")
    data = reader.exactly(box.start + 8, min(count, most) * struct.calcsize(form))
    return list(struct.iter_unpack(form, data))


def _inside(reader: Reader, parent: Box) -> Iterator[Box]:
    at = parent.start
    while at + 8 <= parent.end:
        header = reader.exactly(at, min(16, parent.end - at, reader.size - at))
        size, name, long_size = struct.unpack(">I4sQ", header.ljust(16, b"\0"))
        start = at + 8
        if size == 1:
            size, start = long_size, at + 16
        elif size == 0:  # up to the end of what it is in
            size = parent.end - at
        if at + size < start:
            return  # not a box: QuickTime ends a list with zeros, and others with whatever was there
        yield Box(name, start, at + size)
        at += size
