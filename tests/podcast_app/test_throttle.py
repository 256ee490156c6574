"""How often something may be tried."""

from podcast_app import throttle
from podcast_app.throttle import Throttle


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_after_the_burst_each_pause_gives_one_more_try() -> None:
    clock = Clock()
    tries = Throttle(burst=3, pause=10, clock=clock)

    assert [tries.wait("a") for _ in range(4)] == [0, 0, 0, 10]
    clock.now = 4
    assert tries.wait("a") == 6
    clock.now = 10
    assert [tries.wait("a") for _ in range(2)] == [0, 10]


def test_one_name_does_not_hold_up_another() -> None:
    tries = Throttle(burst=1, pause=10, clock=Clock())

    assert [tries.wait("a"), tries.wait("a"), tries.wait("b")] == [0, 10, 0]


def test_a_rightful_try_forgives_those_before() -> None:
    tries = Throttle(burst=1, pause=10, clock=Clock())
    tries.wait("a")

    tries.forgive("a")

    assert tries.wait("a") == 0


def test_no_flood_of_names_fills_the_memory() -> None:
    tries = Throttle(burst=1, pause=10, clock=Clock())

    for number in range(throttle.MOST_NAMES + 5):
        tries.wait(str(number))

    assert tries.wait(str(throttle.MOST_NAMES)) == 10
    assert tries.wait("0") == 0  # forgotten, as the oldest
