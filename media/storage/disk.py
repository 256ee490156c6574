"""What a file system refuses, in the words of the storage."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from media.storage import Full, Unavailable

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # the last: more than this process, or a file here, may have


@contextmanager
def told() -> Iterator[None]:
    """Say what an OSError means to us: Full, or Unavailable."""
    try:
        yield
    except OSError as error:
        meaning = Full if error.errno in NO_ROOM else Unavailable
        raise meaning(str(error)) from error
