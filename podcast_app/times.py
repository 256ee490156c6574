"""What time it is, and how times and sizes are said."""

import datetime as dt
from email.utils import format_datetime


def utcnow() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def iso(instant: dt.datetime) -> str:
    """2026-12-10T08:00:00Z."""
    return instant.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def http_date(instant: dt.datetime) -> str:
    """RFC 9110, 5.6.7: "Thu, 10 Dec 2026 08:00:00 GMT"."""
    return format_datetime(instant.astimezone(dt.UTC).replace(microsecond=0), usegmt=True)
