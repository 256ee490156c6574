"""Which bytes a `Range` header asks for (RFC 9110, 14.2)."""

import re

# 999 digits are more than any file has bytes, and few enough for `int`.
_ONE_RANGE = re.compile(rb"bytes= *([0-9]{0,999})-([0-9]{0,999})", re.IGNORECASE)


def asked(field: bytes, size_bytes: int) -> range | None:
    """The places of the bytes that are asked for; empty when we have none of them (416); None for the whole.

    The whole is also the answer to several ranges, which it may be, and to a unit or a form that is not understood,
    which it must be.
    """
    found = _ONE_RANGE.fullmatch(field)
    if found is None:
        return None
    first, last = found.groups()
    if not first:
        return range(max(size_bytes - int(last), 0), size_bytes) if last else None
    start, stop = int(first), int(last) + 1 if last else size_bytes
    is_backwards = last and stop <= start
    return None if is_backwards else range(start, min(stop, size_bytes))
