"""What goes wrong. Each fault lasts as long as its block; after it, everything is as it was."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from random import Random

from podcast_app.leases import LEASE
from scripts.lib.chaos.processes import Supervised
from scripts.lib.chaos.proxy import Spoilt
from scripts.lib.chaos.stage import Stage

HOUR = 3600  # seconds


Holds = Callable[[Stage, Random], AbstractContextManager[None]]  # what is wrong for as long as the block lasts


@dataclass(frozen=True)
class Fault:
    """It lasts from `shortest` to `longest` seconds."""

    name: str
    holds: Holds
    shortest: float
    longest: float


def faults_of(stage: Stage) -> list[Fault]:
    """Those that this stage can play."""
    lease = LEASE.total_seconds()
    found = [
        Fault("process killed", killed, 0.2, 2),
        Fault("process paused for a moment", paused, 0.5, 4),
        Fault("process paused for longer than a lease", paused, lease + 2, lease + 5),
        Fault("clock an hour ahead", partial(clock_moved, seconds=HOUR), 1, 8),
        Fault("clock an hour behind", partial(clock_moved, seconds=-HOUR), 1, 8),
        Fault("machine with a wrong clock", machine_with_wrong_clock, 4, 12),
    ]
    if stage.proxy is not None:
        found += [Fault(how, partial(storage_spoilt, how=how), 1, 8) for how in Spoilt]
    if stage.postgresql is not None:
        found += [
            Fault("database crashed", partial(database_away, how=signal.SIGQUIT), 0.2, 4),
            Fault("database restarted", partial(database_away, how=signal.SIGINT), 0.2, 4),
        ]
    if stage.room is not None:
        found.append(Fault("disk full", disk_full, 1, 6))
    return found


def storm(stage: Stage, chance: Random, seconds: float) -> Counter[str]:
    """Faults at random, often two at once, then a moment of calm. What was injected, by name."""
    injected: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        chosen = chance.sample(faults_of(stage), chance.choice((1, 1, 2)))
        _inject(stage, chance, chosen)
        injected.update(fault.name for fault in chosen)
        time.sleep(chance.uniform(0.5, 4))
    return injected


def each_once(stage: Stage, chance: Random, seconds_each: float) -> Counter[str]:
    """All of them, in random order, while one process is paused for longer than a lease."""
    longest, *others = sorted(faults_of(stage), key=lambda fault: -fault.longest)
    chance.shuffle(others)
    with longest.holds(stage, chance):
        end = time.monotonic() + longest.shortest
        for fault in others:
            with fault.holds(stage, chance):
                time.sleep(seconds_each)
        time.sleep(max(0, end - time.monotonic()))
    return Counter(fault.name for fault in (longest, *others))


def _inject(stage: Stage, chance: Random, chosen: list[Fault]) -> None:
    with ExitStack() as stack:
        for fault in chosen:
            stack.enter_context(fault.holds(stage, chance))
        time.sleep(max(chance.uniform(fault.shortest, fault.longest) for fault in chosen))


@contextmanager
def killed(stage: Stage, chance: Random) -> Iterator[None]:
    for process in chance.sample(stage.processes, chance.choice((1, 1, 2))):
        process.kill()
    yield


@contextmanager
def paused(stage: Stage, chance: Random) -> Iterator[None]:
    """As a machine that swaps, or that its host holds."""
    process = chance.choice(stage.processes)
    process.pause()
    yield
    process.go_on()


@contextmanager
def clock_moved(stage: Stage, chance: Random, *, seconds: int) -> Iterator[None]:
    """It jumps in a process that runs, and jumps back."""
    process = chance.choice(stage.processes)
    process.set_clock(seconds)
    yield
    process.set_clock(0)


@contextmanager
def machine_with_wrong_clock(stage: Stage, chance: Random) -> Iterator[None]:
    """A process is born with it, and ends before somebody puts it right."""
    process = chance.choice(stage.processes)
    _be_born(process, chance.choice((-HOUR, HOUR)))
    yield
    _be_born(process, 0)


@contextmanager
def storage_spoilt(stage: Stage, chance: Random, *, how: Spoilt) -> Iterator[None]:
    assert stage.proxy is not None
    stage.proxy.share, stage.proxy.how = chance.choice((0.3, 0.7, 1.0)), how
    yield
    stage.proxy.how = None


@contextmanager
def database_away(stage: Stage, _chance: Random, *, how: signal.Signals) -> Iterator[None]:
    assert stage.postgresql is not None
    stage.postgresql.stop(how)
    yield
    stage.postgresql.start()


@contextmanager
def disk_full(stage: Stage, _chance: Random) -> Iterator[None]:
    assert stage.room is not None
    stage.room.fill()
    yield
    stage.room.free()


def _be_born(process: Supervised, clock_seconds: int) -> None:
    process.kill()
    process.set_clock(clock_seconds)
