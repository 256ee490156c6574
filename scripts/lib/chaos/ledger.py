"""What was promised: everything that a client was told, against which the end is held."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

State = Literal["draft", "scheduled", "published", "withdrawn", "deleted"]


@dataclass
class Promise:
    """An episode as its producer was last told it is, or will be."""

    id: str
    guid: str
    title: str
    state: State


@dataclass
class Ledger:
    """Written by many threads."""

    promises: list[Promise] = field(default_factory=list)
    leaving: set[str] = field(default_factory=set)  # GUIDs that somebody may have withdrawn by now
    acknowledged: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)  # by status, or by how there was none
    complaints: Counter[str] = field(default_factory=Counter)  # what must never be, and was
    lock: threading.Lock = field(default_factory=threading.Lock)

    def promise(self, episode: Promise) -> None:
        with self.lock:
            self.promises.append(episode)

    def acknowledge(self, what: str) -> None:
        with self.lock:
            self.acknowledged[what] += 1

    def answered(self, how: str) -> None:
        with self.lock:
            self.answers[how] += 1

    def complain(self, about: str) -> None:
        with self.lock:
            self.complaints[about] += 1
