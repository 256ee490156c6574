"""Which names an object may have, the same for every storage."""

import re

from media.storage import Key

# Printable ASCII but for / and \; below the 255 bytes that a file's name may have.
SEGMENT = re.compile(r"[!-.0-\[\]-~]{1,200}")

LONGEST = 900  # S3 has 1024 bytes, of which a prefix takes some


def checked(key: str) -> Key:
    """The key itself. ValueError when it is none: that is a bug, and must not reach a file system or a bucket."""
    if not is_key(key):
        raise ValueError(f"not a storage key: {key!r}")
    return Key(key)


def is_key(name: str) -> bool:
    """Whether the name is relative, `/`-separated, printable ASCII that no storage understands in its own way."""
    return len(name) <= LONGEST and all(map(_is_segment, name.split("/")))


def _is_segment(segment: str) -> bool:
    # No leading dot: neither "..", nor the folder's own place for what is half written, nor a .DS_Store.
    return SEGMENT.fullmatch(segment) is not None and not segment.startswith(".")
