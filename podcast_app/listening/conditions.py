"""Conditional requests (RFC 9110, 13): is what the asker holds still what we have?"""

import datetime as dt
import re
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from functools import lru_cache

_ETAG = re.compile(rb'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def named(field: bytes, etags: Sequence[bytes]) -> bytes | None:
    """The first of our ETags that an `If-None-Match` names; `*` names any. A weak form of it is as good."""
    if field in etags:
        return field
    if field == b"*":
        return etags[0]
    theirs = {etag for _weak, etag in _ETAG.findall(field)}
    return next((etag for etag in etags if etag in theirs), None)


def is_matched(field: bytes, etag: bytes) -> bool:
    """Whether an `If-Match` allows the answer: our ETag is among its strong ones."""
    return field in (etag, b"*") or (b"", etag) in _ETAG.findall(field)


def is_same(if_range: bytes, etag: bytes, modified_at: dt.datetime | None) -> bool:
    """Whether an `If-Range` allows a part: the rest of exactly what the asker holds. Without `modified_at`, no date
    says so."""
    return if_range == etag or (modified_at is not None and instant(if_range) == modified_at)


def changed_after(field: bytes | None, modified_at: dt.datetime | None) -> bool | None:
    """Whether something changed after the date in the field; None when nobody can say."""
    at = None if field is None else instant(field)
    return None if at is None or modified_at is None else modified_at > at


@lru_cache(maxsize=1024)  # apps send back the few dates that we gave them
def instant(field: bytes) -> dt.datetime | None:
    """A date in any of HTTP's three forms (RFC 9110, 5.6.7); None when it is none."""
    try:
        found = parsedate_to_datetime(field.decode("latin-1"))
    except (ValueError, OverflowError):
        return None
    return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found
