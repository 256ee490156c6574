"""Faults injected into real processes: what was acknowledged stays. The long run is scripts/chaos (docs/chaos.md)."""

import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random

import pytest

from scripts.lib.chaos import ending, faults
from scripts.lib.chaos.ledger import Ledger
from scripts.lib.chaos.producers import Producer
from scripts.lib.chaos.proxy import Spoilt
from scripts.lib.chaos.run import play, producing, small_sounds, sounds
from scripts.lib.chaos.stage import Stage, many_machines, may_mount, one_machine
from tests import postgresql

SINGLE = (
    pytest.param(faults.killed, id="processes are killed"),
    pytest.param(
        partial(faults.storage_spoilt, how=Spoilt.UNTOLD),
        id="the bucket does its work and never says so",
    ),
    pytest.param(partial(faults.database_away, how=signal.SIGQUIT), id="the database crashes"),
)
SECONDS = 1.0  # that a single fault lasts


@pytest.fixture(scope="module")
def hurt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, Ledger]]:
    """Many machines, and what was promised on them by all tests so far."""
    folder = tmp_path_factory.mktemp("stage")
    with postgresql.running() as server, many_machines(server, folder, Random(4), with_room=False, of_each=1) as stage:
        ending.everybody_is_ready(stage)
        yield stage, Ledger()


@pytest.mark.long
@pytest.mark.parametrize("fault", SINGLE)
def test_nothing_that_was_acknowledged_is_lost_when(
    fault: faults.Holds, hurt: tuple[Stage, Ledger], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    stage, ledger = hurt
    before = sum(ledger.acknowledged.values())
    chance = Random(request.node.name)
    people = [f"{request.node.callspec.id} {number}" for number in (1, 2, 3)]

    with producing(stage, ledger, small_sounds(tmp_path), chance, people) as finish:
        with fault(stage, chance):
            time.sleep(SECONDS)
        time.sleep(SECONDS / 2)
        finish.set()
        ending.everybody_is_ready(stage)
        ending.pauses_end(stage)

    ending.everything_goes_out(stage)
    assert sum(ledger.acknowledged.values()) > before
    assert list(ending.broken_promises(stage, ledger)) == []


@pytest.mark.long
@pytest.mark.parametrize(
    "seconds",
    [pytest.param(faults.HOUR, id="ahead"), pytest.param(-faults.HOUR, id="behind")],
)
def test_now_is_now_on_a_machine_whose_clock_is_an_hour(
    seconds: int, hurt: tuple[Stage, Ledger], tmp_path: Path
) -> None:
    stage, ledger = hurt
    producer = Producer(f"Hour {seconds}", stage, ledger, small_sounds(tmp_path), Random(4), most=1)

    stage.web.set_clock(seconds)
    with producer.client:
        producer.create_with({"publish": "now"})
    ending.everything_goes_out(stage)
    stage.web.set_clock(0)

    assert list(ending.broken_promises(stage, ledger)) == []


@pytest.mark.long
@pytest.mark.parametrize("kind", ["many", "one"])
def test_nothing_is_lost_when_everything_goes_wrong(kind: str, tmp_path: Path) -> None:
    chance = Random(4)
    with_room = may_mount()  # without root, a full disk is left out, as scripts/chaos --without-tmpfs does
    with (
        postgresql.running() as server,
        many_machines(server, tmp_path, chance, with_room=with_room)
        if kind == "many"
        else one_machine(tmp_path, with_room=with_room) as stage,
    ):
        outcome = play(stage, sounds(tmp_path), chance, partial(faults.each_once, seconds_each=1.5), later=True)

    assert outcome.ledger.acknowledged
    assert outcome.broken == []
