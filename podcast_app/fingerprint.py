"""A file that is to be sent, and its fingerprint: an upload of it is known by that, in another run or elsewhere.

The fingerprint is defined in docs/api.md; browsers and the command line take the same one, and a site only compares it.
"""

import math
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from podcast_app.uploads import safe_filename

PIECE_BYTES = 256 * 1024
SAMPLE_BYTES = 4096
CLOSEST_BYTES = 64 * 1024  # from one sample to the next: a second of WAV that was made silent is noticed
MOST_SAMPLES = 8192  # of larger files they lie further apart


class Changed(Exception):
    """The file is no longer the one whose sending began."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A file as it was when its sending began."""

    path: Path
    size_bytes: int
    modified_at_ns: int
    fingerprint: str

    @property
    def filename(self) -> str:
        """As a site keeps it."""
        return safe_filename(self.path.name)

    def is_in(self, upload: Mapping[str, object]) -> bool:
        """Whether this upload is of this very file."""
        of_upload = [upload["filename"], upload["size_bytes"], upload["fingerprint"]]
        return of_upload == [self.filename, self.size_bytes, self.fingerprint]

    def must_be_unchanged(self, *, whole: bool = False) -> None:
        """`whole`: look inside, too. Raises Changed, OSError."""
        now = self.path.stat()
        is_same = (now.st_size, now.st_mtime_ns) == (self.size_bytes, self.modified_at_ns)
        if not is_same or (whole and recording(self.path).fingerprint != self.fingerprint):
            raise Changed

    def read(self, start: int, size_bytes: int) -> Iterator[bytes]:
        """So many bytes from there on. Raises Changed, OSError."""
        with self.path.open("rb") as file:
            file.seek(start)
            while size_bytes > 0:
                piece = file.read(min(PIECE_BYTES, size_bytes))
                if not piece:
                    raise Changed
                size_bytes -= len(piece)
                yield piece


def recording(path: Path) -> Recording:
    """The file as it is now. Raises OSError."""
    with path.open("rb") as file:
        state = os.fstat(file.fileno())
        return Recording(path, state.st_size, state.st_mtime_ns, fingerprint(file, state.st_size))


def fingerprint(file: BinaryIO, size_bytes: int) -> str:
    """Of an open file of this size: the CRC-32 of samples from all over it, and of its end."""
    stride_bytes = CLOSEST_BYTES * max(1, math.ceil(size_bytes / (CLOSEST_BYTES * MOST_SAMPLES)))
    crc = 0
    for start in [*range(0, size_bytes, stride_bytes), max(0, size_bytes - SAMPLE_BYTES)]:
        file.seek(start)
        crc = zlib.crc32(file.read(SAMPLE_BYTES), crc)
    return f"sampled-1:{crc:08x}"
