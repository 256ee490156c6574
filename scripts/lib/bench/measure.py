"""How a row is measured: ours and its baseline in turn, several rounds, medians; what counts is the ratio."""

import resource
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

ROUNDS = 5


@dataclass(frozen=True)
class Line:
    """One comparison of a row."""

    row: int
    what: str
    baseline: str
    ours: float
    theirs: float
    unit: str
    goal: float
    counts_how_often_faster: bool = False  # then the ratio is theirs to ours, and should be large

    @property
    def ratio(self) -> float:
        return self.theirs / self.ours if self.counts_how_often_faster else self.ours / self.theirs

    @property
    def is_met(self) -> bool:
        return self.ratio >= self.goal if self.counts_how_often_faster else self.ratio <= self.goal


def medians(ways: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, float]:
    """Each way once per round, in turn, after a first round that does not count."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            value = way()
            if number:
                taken[name].append(value)
    return {name: statistics.median(values) for name, values in taken.items()}


def cpu(job: Callable[[], object], times: int = 1) -> Callable[[], float]:
    """CPU milliseconds of one go, the mean of so many."""

    def measure() -> float:
        start = time.process_time()
        for _ in range(times):
            job()
        return (time.process_time() - start) * 1000 / times

    return measure


def cpu_with_children(job: Callable[[], object]) -> Callable[[], float]:
    """CPU milliseconds of one go, of ours and of the processes that it starts and sees end."""

    def measure() -> float:
        start = _cpu_s()
        job()
        return (_cpu_s() - start) * 1000

    return measure


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def wall(job: Callable[[], object], times: int = 1) -> Callable[[], float]:
    """Milliseconds by the clock of one go, the mean of so many."""

    def measure() -> float:
        start = time.perf_counter()
        for _ in range(times):
            job()
        return (time.perf_counter() - start) * 1000 / times

    return measure
