"""Whatever lags behind its desired state is brought up to it.

No message is sent and none can be lost: each step looks in the database for what lags, takes a lease on one piece,
does it so that doing it twice is harmless, and writes the result in one transaction. Many workers may run. A killed
worker's lease ends by itself, and another takes the piece over.
"""

import logging
import threading
import time
from contextlib import suppress
from dataclasses import replace

from sqlalchemy.exc import SQLAlchemyError

from media.storage import Full, Unavailable
from podcast_app import behind, leases, outgoing, parts, replacing, search, trash
from podcast_app.database import is_away
from podcast_app.enclosures import make_enclosure, make_quick_enclosure
from podcast_app.work import Step, Work

log = logging.getLogger(__name__)

LOOKED_EVERY = 0.4  # seconds; a scheduled episode goes out within a second of its time
LOOKED_FOR_AUDIO_EVERY = 1.0  # seconds; what comes up in this process rings the bell
LOOKED_BEHIND_EVERY = 2.0  # seconds; nobody waits

PUBLISHING: tuple[Step, ...] = (
    outgoing.publish_due,
    outgoing.rebuild_feed,
    outgoing.hide_email,
    outgoing.copy_feed,
    outgoing.announce_feed,
    outgoing.sweep,
    parts.expire,
    replacing.forget_replaced,
    trash.empty,
)
QUICK: tuple[Step, ...] = (make_quick_enclosure,)
AUDIO: tuple[Step, ...] = (make_enclosure, behind.measure_for_enclosure, parts.hash_original)
BEHIND: tuple[Step, ...] = (search.bring_up, behind.measure_recording, behind.make_low_mp3, behind.make_low_opus)


class Worker:
    """Four loops, so that a long encoding holds up nobody: one publishes and tidies, two make what publications wait
    for (what need not be encoded does not wait for what must be), and one makes what comes behind."""

    def __init__(self, work: Work) -> None:
        self._work = replace(work, stopping=threading.Event())
        self._threads = [
            threading.Thread(target=self._loop, args=(steps, seconds), name=name, daemon=True)
            for name, steps, seconds in (
                ("publishing", PUBLISHING, LOOKED_EVERY),
                ("quick", QUICK, LOOKED_FOR_AUDIO_EVERY),
                ("audio", AUDIO, LOOKED_FOR_AUDIO_EVERY),
                ("behind", BEHIND, LOOKED_BEHIND_EVERY),
            )
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """What is being made is left, and another worker takes it over at once."""
        self._work.stopping.set()
        self._work.wake()
        end = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            with suppress(SQLAlchemyError):  # the database is away: then the leases end by themselves
                self._work.database.write(leases.give_back_audio, self._work.owner)

    def _loop(self, steps: tuple[Step, ...], seconds: float) -> None:
        while not self._work.stopping.is_set():
            heard = self._work.bell.rings
            if not _round(steps, self._work):
                self._work.bell.wait(heard, seconds)


def catch_up(work: Work, steps: tuple[Step, ...] = (*PUBLISHING, *AUDIO)) -> None:
    """Do everything that lags now, then return; unless told otherwise, what publication needs."""
    while _round(steps, work):
        pass


def _round(steps: tuple[Step, ...], work: Work) -> bool:
    """Each step once; whether there was anything to do."""
    return sum(_attempt(step, work) for step in steps) > 0


def _attempt(step: Step, work: Work) -> bool:
    try:
        return step(work)
    except (Full, Unavailable) as failure:
        log.warning("The storage failed the step %s. It is tried again. %s", step.__name__, failure)
        return False
    except Exception as failure:  # the worker outlives whatever goes wrong, and says what it was
        if not (isinstance(failure, SQLAlchemyError) and is_away(failure)):  # of which database.py tells
            log.exception("The step %s failed. It is tried again.", step.__name__)
        return False
