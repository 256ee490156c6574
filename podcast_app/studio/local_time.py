"""A time as somebody reads it off a clock, and the instants that it may mean.

When clocks are put forward an hour is missing that night, and when they are put back an hour comes twice. Python's own
arithmetic picks an instant without a word; here the person is told.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from feeds.checks import Finding, error
from podcast_app import formats

NO_TIME = error("publish_at", "This is not a day and a time.", "Choose both, like 10 December 2026, 09:00.")


PAST = error(
    "publish_at",
    "This time has passed, so the episode would go out at once.",
    "Check day and year, or choose “Save and publish now”.",
)


def read(said: str) -> dt.datetime | None:
    """What an `input type=datetime-local` sends (HTML, "local date and time string"), or None."""
    try:
        local = dt.datetime.fromisoformat(said)
    except ValueError:
        return None
    return local if local.tzinfo is None and dt.MINYEAR + 1 < local.year < dt.MAXYEAR else None


def written(instant: dt.datetime, zone: ZoneInfo) -> str:
    """The same field's value for an instant."""
    return instant.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")


def clock(instant: dt.datetime, zone: ZoneInfo) -> str:
    """What clocks there show, "14:02"."""
    return written(instant, zone)[-5:]


def instants(local: dt.datetime, zone: ZoneInfo) -> list[dt.datetime]:
    """The UTC instants at which clocks in the zone show this: one, in the night of a clock change none or two."""
    folds = (local.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    return sorted({instant for instant in folds if instant.astimezone(zone).replace(tzinfo=None) == local})


def instant(said: str, which: str, zone: ZoneInfo, language: str) -> dt.datetime | Finding:
    """The instant that is meant. `which` is "0" or "1" when the person chose between two. `language`: the person's."""
    local = read(said)
    if local is None:
        return NO_TIME
    found = instants(local, zone)
    if not found:
        return error(
            "publish_at",
            "This time does not exist: that night the clocks in {zone} are put forward, and jump over it.",
            "Choose an earlier or a later time.",
            zone=formats.city(zone.key, language),
        )
    if len(found) == 2 and which not in ("0", "1"):
        return error(
            "publish_at",
            "This time comes twice: that night the clocks in {zone} are put back.",
            "Choose below which of the two you mean.",
            zone=formats.city(zone.key, language),
        )
    return found[int(which)] if len(found) == 2 else found[0]
