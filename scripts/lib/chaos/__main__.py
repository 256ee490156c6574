"""Play both stages for so many minutes, print what happened, and end with 1 when a promise was broken."""

import argparse
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from scripts.lib.chaos.faults import storm
from scripts.lib.chaos.run import Outcome, play, sounds
from scripts.lib.chaos.stage import Stage, many_machines, may_mount, one_machine
from tests import postgresql

STAGES = ("many", "one")


def main() -> int:
    asked = _asked()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # moto's server tells each request otherwise
    print(f"Seed {asked.seed}: {asked.minutes} minutes on each stage.", flush=True)
    with_room = not asked.without_tmpfs
    if with_room and not may_mount():
        print("The disk cannot be filled: a small one could not be mounted (that takes root).", file=sys.stderr)
        print("Run this as root, or leave that fault out: --without-tmpfs", file=sys.stderr)
        return 2
    outcomes = []
    for name in asked.stage or STAGES:
        chance = Random(f"{asked.seed} {name}")
        with _stage(name, chance, with_room=with_room, keep=asked.keep) as stage:
            recordings = sounds(stage.folder)
            outcome = play(
                stage, recordings, chance, lambda on, by: storm(on, by, asked.minutes * 60), later=asked.shifted
            )
        report(outcome)
        outcomes.append(outcome)
    if not with_room:
        print("NOT TRIED: a full disk (--without-tmpfs).")
    return 1 if any(outcome.broken for outcome in outcomes) else 0


def report(outcome: Outcome) -> None:
    """For a person to read."""
    print(f"\n{outcome.stage}\n{'=' * len(outcome.stage)}")
    ledger = outcome.ledger
    for title, counted in (
        ("Faults", outcome.injected),
        ("Requests to the storage that were spoilt", outcome.spoilt),
        ("Answers, and how there was none", ledger.answers),
        ("Acknowledged", ledger.acknowledged),
        ("Starts of processes", Counter(outcome.starts)),
        ("Exceptions in the logs", outcome.exceptions),
    ):
        print(f"{title}: {sum(counted.values())}")
        for name, number in sorted(counted.items()):
            print(f"  {number:6} {name}")
    print("Nothing was lost." if not outcome.broken else "BROKEN:")
    for line in outcome.broken:
        print(f"  - {line}")
    sys.stdout.flush()


@contextmanager
def _stage(name: str, chance: Random, *, with_room: bool, keep: Path | None) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="podcast-chaos-") as folder:
        try:
            if name == "one":
                with one_machine(Path(folder), with_room=with_room) as stage:
                    yield stage
            else:
                with (
                    postgresql.running() as server,
                    many_machines(server, Path(folder), chance, with_room=with_room) as stage,
                ):
                    yield stage
        finally:
            _keep_logs(Path(folder), keep)


def _keep_logs(folder: Path, keep: Path | None) -> None:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        for log in folder.glob("*.log"):
            log.replace(keep / log.name)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=3, help="on each stage; 3 unless said")
    parser.add_argument("seed", type=int, nargs="?", default=Random().randrange(10**6), help="of all chance")
    parser.add_argument("--without-tmpfs", action="store_true", help="leave out the full disk, which takes root")
    parser.add_argument("--stage", action="append", choices=STAGES, help="only this one")
    parser.add_argument("--shifted", action="store_true", help="do not wait at the end: let leases and pauses be over")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where the processes' logs are put")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
