"""What time it is, and how times and sizes are said."""

import datetime as dt
import time
from email.utils import format_datetime

# Goes on while the machine sleeps, and does not jump when its clock is set (on macOS the second one is such).
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

_origin: dt.datetime | None = None  # what the agreed clock showed when the steady one stood at 0


def utcnow() -> dt.datetime:
    """By the agreed clock; by this machine's, as long as there is none."""
    if _origin is None:
        return dt.datetime.now(dt.UTC)
    return _origin + dt.timedelta(seconds=time.clock_gettime(_STEADY))


def agree_on(now: dt.datetime) -> None:
    """Go by the clock that shows `now` at this moment, whatever this machine's says.

    Leases, publication and the clean-up compare times of several processes: so these go by the database server's.
    """
    global _origin
    _origin = now.astimezone(dt.UTC) - dt.timedelta(seconds=time.clock_gettime(_STEADY))


def iso(instant: dt.datetime) -> str:
    """2026-12-10T08:00:00Z."""
    return instant.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def http_date(instant: dt.datetime) -> str:
    """RFC 9110, 5.6.7: "Thu, 10 Dec 2026 08:00:00 GMT"."""
    return format_datetime(instant.astimezone(dt.UTC).replace(microsecond=0), usegmt=True)
