"""How often something may be tried. Remembered in this process only, and by name, never by a visitor's address."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MOST_NAMES = 10_000  # remembered at once; the one that was tried longest ago is forgotten first


@dataclass(slots=True)
class _Bucket:
    left: float
    looked_at: float


class Throttle:
    """Each name may be tried `burst` times, and then once every `pause` seconds."""

    def __init__(self, burst: int, pause: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait(self, name: str) -> int:
        """Count a try: 0 when it may go on, or else the seconds until it may."""
        with self._lock:
            bucket = self._filled(name)
            if bucket.left < 1:
                return math.ceil((1 - bucket.left) * self._pause)
            bucket.left -= 1
            return 0

    def forgive(self, name: str) -> None:
        """The tries of this name were rightful."""
        with self._lock:
            self._buckets.pop(name, None)

    def _filled(self, name: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.pop(name, None) or _Bucket(self._burst, now)
        bucket.left = min(self._burst, bucket.left + (now - bucket.looked_at) / self._pause)
        bucket.looked_at = now
        self._buckets[name] = bucket  # at the end again: the last one to be forgotten
        if len(self._buckets) > MOST_NAMES:
            self._buckets.popitem(last=False)
        return bucket
