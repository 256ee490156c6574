import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.source import BLOCK_BYTES, KEPT_BLOCKS, MOST_BYTES, MOST_CALLS, Damaged, FileSource, Reader, Source
from tests.media.samples import Bytes, Recorded

DATA = random.Random(1).randbytes((KEPT_BLOCKS + 6) * BLOCK_BYTES + 1000)
POSITIONS = st.integers(-10, len(DATA) + 10)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    path = tmp_path_factory.mktemp("source") / "data"
    path.write_bytes(DATA)
    return FileSource(path)


@given(st.lists(st.tuples(POSITIONS, POSITIONS), max_size=6))
@settings(deadline=None)
def test_a_reader_gives_the_bytes_of_its_source(source: Source, parts: list[tuple[int, int]]) -> None:
    reader = Reader(source)

    for start, stop in parts:
        assert reader.read(start, stop) == DATA[max(start, 0) : max(stop, 0)]


def test_small_reads_in_one_block_cost_one_request(source: Source) -> None:
    recorded = Recorded(source)
    reader = Reader(recorded)

    for start in range(0, 1000, 10):
        reader.read(start, start + 10)

    assert recorded.parts == [(0, BLOCK_BYTES)]


def test_neighbours_that_are_missing_come_in_one_request(source: Source) -> None:
    recorded = Recorded(source)
    reader = Reader(recorded)

    reader.read(2 * BLOCK_BYTES, 2 * BLOCK_BYTES + 1)
    reader.read(0, len(DATA))

    assert recorded.parts[1:] == [(0, 2 * BLOCK_BYTES), (3 * BLOCK_BYTES, len(DATA))]


def test_a_reader_keeps_no_more_than_it_may(source: Source) -> None:
    recorded = Recorded(source)
    reader = Reader(recorded)

    for number in range(KEPT_BLOCKS):
        reader.read(number * BLOCK_BYTES, number * BLOCK_BYTES + 1)
    reader.read(0, 1)  # used again, so that another one goes
    reader.read(KEPT_BLOCKS * BLOCK_BYTES, KEPT_BLOCKS * BLOCK_BYTES + 1)
    reader.read(0, 1)
    reader.read(BLOCK_BYTES, BLOCK_BYTES + 1)

    assert [start // BLOCK_BYTES for start, _ in recorded.parts] == [*range(KEPT_BLOCKS), KEPT_BLOCKS, 1]


def test_more_bytes_than_a_file_may_cost_are_never_asked_for() -> None:
    recorded = Recorded(Bytes(b"", size=MOST_BYTES + 1))
    reader = Reader(recorded)

    with pytest.raises(Damaged):
        reader.read(0, MOST_BYTES + 1)

    assert recorded.parts == []


def test_more_calls_than_a_file_may_cost_are_refused(source: Source) -> None:
    reader = Reader(source)
    for _ in range(MOST_CALLS):
        reader.read(0, 1)

    with pytest.raises(Damaged):
        reader.read(0, 1)


def test_fewer_bytes_than_needed_are_damage(source: Source) -> None:
    reader = Reader(source)

    with pytest.raises(Damaged):
        reader.exactly(len(DATA) - 3, 4)


def test_a_file_that_shrank_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "shrinking"
    path.write_bytes(DATA)
    reader = Reader(FileSource(path))
    path.write_bytes(DATA[:1000])

    with pytest.raises(Damaged):
        reader.read(0, 2000)
