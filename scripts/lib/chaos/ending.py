"""When the storm is over: everything starts anew, catches up, and is held against what was promised."""

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
from lxml import etree
from sqlalchemy import func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from podcast_app.database import Database
from podcast_app.models import Edition, Episode, Feed, IdempotencyKey, LooseObject, Upload
from scripts.lib.chaos.ledger import Ledger, Promise
from scripts.lib.chaos.listeners import FEEDS
from scripts.lib.chaos.processes import is_ready
from scripts.lib.chaos.stage import Stage
from tests.site import SLUG

START_PATIENCE = 60.0  # seconds
NEWS_PATIENCE = 20.0  # seconds
GOING_OUT_PATIENCE = 60.0  # seconds
CATCHING_UP_PATIENCE = 600.0  # seconds; pauses after failures, and the patience with loose objects

# Pauses after a failure, and answers that are waited for. To end them early disturbs nobody who is alive.
PAUSES = (Edition.try_again_at, Episode.try_again_at, Feed.try_again_at, IdempotencyKey.lease_until)
# What the dead leave behind. To end it early takes a living one's work out of his hands.
HOLDS = (LooseObject.delete_after, Edition.lease_until, Feed.lease_until, Upload.lease_until)


def everything_starts_anew(stage: Stage, *, later: bool) -> None:
    """As after an update; the supervisor starts them. `later`: what ends by itself has ended meanwhile."""
    for process in stage.processes:
        process.go_on()
        process.ask_to_stop()
    for process in stage.processes:
        process.wait()
    if later:
        with _database(stage) as database:
            database.write(_end, PAUSES + HOLDS)
    for process in stage.processes:
        process.is_wanted = True
    everybody_is_ready(stage)


def everybody_is_ready(stage: Stage) -> None:
    _wait(lambda: all(is_ready(origin) for origin in stage.origins), START_PATIENCE, "a process was not ready again")


def pauses_end(stage: Stage) -> None:
    with _database(stage) as database:
        database.write(_end, PAUSES)


def everything_goes_out(stage: Stage) -> None:
    """Until nothing lags, as it is when nobody has to pause."""

    def is_done() -> bool:
        pauses_end(stage)
        with _database(stage) as database:
            return database.read(_lagging) == 0

    _wait(is_done, GOING_OUT_PATIENCE, "something still lags")


def everything_catches_up(stage: Stage) -> None:
    """Until nothing lags and no object is without an owner."""

    def is_done() -> bool:
        with _database(stage) as database:
            return database.read(_lagging) == 0 and database.read(_loose) == 0

    _wait(is_done, CATCHING_UP_PATIENCE, "something still lags")


def publish_again(stage: Stage, ledger: Ledger) -> None:
    """What was to go out "now" while the only clock was ahead waits for that hour. Its producer sees so, and says it
    again. Where there is a database server all go by its clock, and nothing waits."""
    if stage.postgresql is not None:
        return
    there = dict(_episodes(stage))
    for promise in ledger.promises:
        if promise.state == "published" and there.get(promise.id, {}).get("state") == "scheduled":
            with _client(stage) as client:
                client.post(f"/api/v1/episodes/{promise.id}/publish").raise_for_status()
            ledger.acknowledge("published again: the clock had been ahead")


def broken_promises(stage: Stage, ledger: Ledger) -> Iterator[str]:
    """What is not as somebody was told, or not as it may ever be; nothing, when all is well."""
    yield from ledger.complaints
    there = dict(_episodes(stage))
    for promise in ledger.promises:
        yield from _compared(promise, there.pop(promise.id, None))
    for episode in there.values():
        yield f"the episode {episode['title']!r} is there, and nobody was told so"
    for origin in stage.origins:
        for path in FEEDS:
            yield from _feed_holds(f"{origin}{path}", ledger)


def left_over(stage: Stage) -> Iterator[str]:
    """What `podcast-app check` finds, and what lies in the bucket unseen."""
    yield from _checked(stage)
    yield from _left_in_bucket(stage)


def _compared(promise: Promise, found: dict[str, str] | None) -> Iterator[str]:
    if promise.state == "deleted":
        if found is not None:
            yield f"{promise.title!r} was deleted, and is there"
    elif found is None:
        yield f"{promise.title!r} is missing"
    else:
        wanted = {"guid": promise.guid, "title": promise.title, "state": promise.state}
        yield from (
            f"{promise.title!r}: {name} is {found[name]!r}, not {value!r}"
            for name, value in wanted.items()
            if found[name] != value
        )


def _episodes(stage: Stage) -> Iterator[tuple[str, dict[str, str]]]:
    with _client(stage) as client:
        cursor: str | None = ""
        while cursor is not None:
            wanted = {"limit": "100", **({"cursor": cursor} if cursor else {})}
            page = client.get(f"/api/v1/shows/{SLUG}/episodes", params=wanted).raise_for_status().json()
            yield from ((episode["id"], episode) for episode in page["items"])
            cursor = page["next"]


def _feed_holds(address: str, ledger: Ledger) -> Iterator[str]:
    """What is published and nothing else; within a while, because processes ask for each other's news."""
    wanted = {(promise.guid, promise.title) for promise in ledger.promises if promise.state == "published"}
    end = time.monotonic() + NEWS_PATIENCE
    while (found := _items(address)) != wanted and time.monotonic() < end:
        time.sleep(0.1)
    if found != wanted:
        yield f"a feed lacks {wanted - found} and has {found - wanted}"


def _items(address: str) -> set[tuple[str, str]]:
    feed = etree.fromstring(httpx2.get(address, timeout=30).raise_for_status().content)
    return {(str(item.findtext("guid")), str(item.findtext("title"))) for item in feed.iter("item")}


def _checked(stage: Stage) -> Iterator[str]:
    done = stage.check()
    if done.returncode != 0:
        yield f"podcast-app check ends with {done.returncode}: {done.stdout}{done.stderr}"
    elif "nobody owns" in done.stdout or "the copy in storage" in done.stdout:
        yield f"podcast-app check: {done.stdout}"


def _left_in_bucket(stage: Stage) -> Iterator[str]:
    """Parts that belong to no open upload: unseen, and paid for."""
    if stage.bucket is None:
        return
    left = stage.bucket.client().list_multipart_uploads(Bucket=stage.bucket.bucket).get("Uploads", [])
    with _database(stage) as database:
        known = set(database.read(lambda session: session.scalars(select(Upload.key).where(Upload.state == "open"))))
    times = Counter(each["Key"] for each in left if each["Key"] not in known)
    yield from (f"unfinished parts of {key} are left, of {number} beginnings" for key, number in times.items())


def _end(session: Session, columns: Iterable[InstrumentedAttribute[Any]]) -> None:  # Any: a time, or none
    now = dt.datetime.now(dt.UTC)
    for column in columns:
        session.execute(update(column.class_).where(column > now).values({column.key: now}))


def _lagging(session: Session) -> int:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)  # the others are for 2040
    unmade = select(func.count()).select_from(Edition).where(Edition.status.in_(("preparing", "failed")))
    due = select(func.count()).select_from(Episode).where(Episode.state == "scheduled", Episode.publish_at <= soon)
    uncopied = select(func.count()).select_from(Feed).where(Feed.copied_generation < Feed.generation)
    return sum(session.scalar(query) or 0 for query in (unmade, due, uncopied))


def _loose(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(LooseObject)) or 0


def _wait(is_so: Callable[[], bool], seconds: float, otherwise: str) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(otherwise)
        time.sleep(0.3)


@contextmanager
def _database(stage: Stage) -> Iterator[Database]:
    database = Database(stage.database_url)
    try:
        yield database
    finally:
        database.close()


def _client(stage: Stage) -> httpx2.Client:
    return httpx2.Client(base_url=stage.origins[0], headers={"Authorization": f"Bearer {stage.token}"}, timeout=30)
