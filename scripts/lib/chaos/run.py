"""One run: load and listeners while faults come, then the end."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random

from scripts.lib.chaos import ending
from scripts.lib.chaos.ledger import Ledger
from scripts.lib.chaos.listeners import Listener
from scripts.lib.chaos.producers import Producer, Sounds
from scripts.lib.chaos.stage import Stage
from tests.media.samples import NOISE, audio

PRODUCERS = ("Aline", "Bénédicte", "Chantal", "Désiré", "Espérance", "Faustin")
EPISODES_EACH = 6  # at a time

Storm = Callable[[Stage, Random], Counter[str]]


@dataclass(frozen=True)
class Outcome:
    """What happened on one stage."""

    stage: str
    injected: Counter[str]
    ledger: Ledger
    spoilt: Counter[str]
    starts: dict[str, int]
    exceptions: Counter[str]  # in the logs
    broken: list[str]  # promises


def play(stage: Stage, sounds: Sounds, chance: Random, storm: Storm, *, later: bool) -> Outcome:
    """`later`: at the end, what ends by itself after minutes is over at once."""
    ledger = Ledger()
    with _listening(stage, ledger, chance):
        with producing(stage, ledger, sounds, chance, PRODUCERS) as finish:
            ending.everybody_is_ready(stage)
            injected = storm(stage, chance)
            finish.set()
            ending.everything_starts_anew(stage, later=later)
        broken = list(_ended(stage, ledger))
    spoilt: Counter[str] = Counter(stage.proxy.spoilt) if stage.proxy is not None else Counter()
    starts = {process.name: process.starts for process in stage.processes}
    return Outcome(stage.name, injected, ledger, spoilt, starts, exceptions(stage), broken)


@contextmanager
def producing(
    stage: Stage, ledger: Ledger, sounds: Sounds, chance: Random, names: Sequence[str]
) -> Iterator[threading.Event]:
    """Producers at work. The block ends when each has ended what it began, once the event is set."""
    finish = threading.Event()
    people = [Producer(name, stage, ledger, sounds, Random(chance.random()), EPISODES_EACH) for name in names]
    with _threads([partial(each.act_until, finish) for each in people], finish):
        yield finish


def small_sounds(folder: Path) -> Sounds:
    """Of three kinds, one of which has to be encoded."""
    small = (
        audio(folder / "tone.mp3", "-b:a", "64k"),
        audio(folder / "tone.m4a", "-b:a", "64k"),
        audio(folder / "tone.wav"),
    )
    return Sounds(tuple((path.name, path.read_bytes()) for path in small))


def sounds(folder: Path) -> Sounds:
    """The small ones, and one of two parts."""
    large = audio(folder / "long.mp3", "-b:a", "320k", seconds=140, sound=NOISE)
    return replace(small_sounds(folder), large=large.read_bytes())


def exceptions(stage: Stage) -> Counter[str]:
    """The last line of each traceback that our processes wrote."""
    found: Counter[str] = Counter()
    for process in stage.processes:
        lines = process.log.read_text(encoding="utf-8", errors="replace").splitlines()
        inside = False
        for line in lines:
            if line.startswith("Traceback "):
                inside = True
            elif inside and line and not line.startswith((" ", "Traceback ")):
                inside = False
                found[line[:160]] += 1
    return found


def _ended(stage: Stage, ledger: Ledger) -> Iterator[str]:
    try:
        ending.publish_again(stage, ledger)
        ending.everything_catches_up(stage)
    except TimeoutError as late:
        yield str(late)
    yield from ending.broken_promises(stage, ledger)
    yield from ending.left_over(stage)


@contextmanager
def _listening(stage: Stage, ledger: Ledger, chance: Random) -> Iterator[None]:
    done = threading.Event()
    apps = [Listener(stage, ledger, Random(chance.random())) for _ in range(2)]
    with _threads([partial(each.listen_until, done) for each in apps], done):
        yield


@contextmanager
def _threads(jobs: list[Callable[[], None]], done: threading.Event) -> Iterator[None]:
    """Until the event; a job that fails fails the run."""
    failures: list[BaseException] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as failure:  # noqa: BLE001  (raised again below, where it is heard)
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
