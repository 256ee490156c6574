"""An object that comes in parts: in any order, more than once, over days; asked of a folder and of two S3 servers."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import httpx2
import pytest

from media.storage import Incomplete, Key, Missing, PartsId, Storage, Unavailable
from tests.media.storages import AUDIO, MIB, NOISE, Place, keys, known_gap, put, whole

SIZES = (5 * MIB, 5 * MIB, 5 * MIB, 3 * MIB)
WHOLE = NOISE[: sum(SIZES)]
PARTS = [WHOLE[start : start + 5 * MIB] for start in range(0, len(WHOLE), 5 * MIB)]


def send(storage: Storage, parts_id: PartsId, number: int, data: bytes | None = None) -> None:
    data = PARTS[number - 1] if data is None else data
    with storage.part_writing(AUDIO, parts_id, number, len(data)) as writer:
        for start in range(0, len(data), MIB):
            writer.write(memoryview(data)[start : start + MIB])


def arrived(storage: Storage, parts_id: PartsId) -> dict[int, int]:
    return {part.number: part.size_bytes for part in storage.parts(AUDIO, parts_id)}


def test_parts_that_come_backwards_become_the_object(storage: Storage, place: Place) -> None:
    parts_id = storage.begin_parts(AUDIO, "audio/mpeg")
    for number in (4, 3, 2, 1):
        send(storage, parts_id, number)
    assert keys(storage) == []

    storage.join_parts(AUDIO, parts_id, SIZES)

    assert sha256(whole(storage, AUDIO)).digest() == sha256(WHOLE).digest()
    assert place.unfinished() == []


def test_a_part_says_its_size_and_when_it_came(storage: Storage) -> None:
    parts_id = storage.begin_parts(AUDIO, "audio/mpeg")
    assert list(storage.parts(AUDIO, parts_id)) == []

    send(storage, parts_id, 4)

    (part,) = storage.parts(AUDIO, parts_id)
    assert (part.number, part.size_bytes) == (4, 3 * MIB)
    assert abs(dt.datetime.now(dt.UTC) - part.arrived_at) < dt.timedelta(minutes=1)


def test_of_a_part_that_is_sent_again_the_last_one_counts(
    request: pytest.FixtureRequest, storage: Storage, place: Place
) -> None:
    known_gap(request, "rclone", "a part that has been streamed on is not replaced by other bytes")
    parts_id = storage.begin_parts(AUDIO, "audio/mpeg")
    send(storage, parts_id, 1, bytes(5 * MIB))
    for number in (1, 2, 2, 3, 4):
        send(storage, parts_id, number)

    storage.join_parts(AUDIO, parts_id, SIZES)

    assert whole(storage, AUDIO) == WHOLE


def test_a_part_may_be_sent_by_two_at_once(storage: Storage) -> None:
    parts_id = storage.begin_parts(AUDIO, "audio/mpeg")

    def send_until_it_is_there(number: int) -> None:
        try:
            send(storage, parts_id, number)
        except Unavailable:  # moto answers 500 to one of two
            send(storage, parts_id, number)

    with ThreadPoolExecutor(6) as senders:
        list(senders.map(send_until_it_is_there, (4, 4, 2, 2, 3, 1)))

    storage.join_parts(AUDIO, parts_id, SIZES)

    assert whole(storage, AUDIO) == WHOLE


def test_parts_that_are_missing_or_short_are_named_and_nothing_is_joined(storage: Storage) -> None:
    parts_id = storage.begin_parts(AUDIO, "audio/mpeg")
    send(storage, parts_id, 1)
    send(storage, parts_id, 4, PARTS[3][:-1])

    with pytest.raises(Incomplete) as refused:
        storage.join_parts(AUDIO, parts_id, SIZES)

    assert refused.value.numbers == [2, 3, 4]
    assert keys(storage) == []


def test_a_part_that_comes_late_completes_the_object(storage: Storage) -> None:
    parts_id = storage.begin_parts(AUDIO, "audio/mpeg")
    for number in (1, 2, 4):
        send(storage, parts_id, number)
    with pytest.raises(Incomplete):
        storage.join_parts(AUDIO, parts_id, SIZES)

    send(storage, parts_id, 3)
    storage.join_parts(AUDIO, parts_id, SIZES)

    assert whole(storage, AUDIO) == WHOLE


def test_a_part_that_is_cut_leaves_what_was_there(storage: Storage) -> None:
    parts_id = storage.begin_parts(AUDIO, "audio/mpeg")
    send(storage, parts_id, 1)

    for number in (1, 2):
        with (  # noqa: PT012 (the block is what is tested)
            pytest.raises(ConnectionResetError),
            storage.part_writing(AUDIO, parts_id, number, 5 * MIB) as writer,
        ):
            writer.write(bytes(MIB))
            raise ConnectionResetError("the producer's train went into a tunnel")

    assert arrived(storage, parts_id) == {1: 5 * MIB}


def test_joining_may_be_said_again_and_by_many_at_once(storage: Storage, place: Place) -> None:
    parts_id = storage.begin_parts(AUDIO, "audio/mpeg")
    for number in (1, 2, 3, 4):
        send(storage, parts_id, number)

    with ThreadPoolExecutor(5) as many:
        list(many.map(lambda _: place.open().join_parts(AUDIO, parts_id, SIZES), range(5)))
    storage.join_parts(AUDIO, parts_id, SIZES)

    assert keys(storage) == [AUDIO]
    assert whole(storage, AUDIO) == WHOLE


def test_nothing_comes_to_an_object_that_was_deleted(storage: Storage, place: Place) -> None:
    parts_id = storage.begin_parts(AUDIO, "audio/mpeg")
    send(storage, parts_id, 1)

    storage.delete(AUDIO)

    with pytest.raises((Missing, Unavailable)):  # moto answers 500
        send(storage, parts_id, 2)
    with pytest.raises(Missing):
        list(storage.parts(AUDIO, parts_id))
    with pytest.raises(Missing):
        storage.join_parts(AUDIO, parts_id, SIZES)
    assert place.unfinished() == []


def test_parts_are_no_objects(storage: Storage) -> None:
    parts_id = storage.begin_parts(AUDIO, "audio/mpeg")
    send(storage, parts_id, 1)
    put(storage, Key("public/other.mp3"), b"audio")

    assert keys(storage) == ["public/other.mp3"]


def test_what_is_unfinished_is_listed_until_it_is_joined_or_deleted(storage: Storage) -> None:
    assert list(storage.unfinished("")) == []
    parts_id, other = storage.begin_parts(AUDIO, "audio/mpeg"), Key("public/other.mp3")
    send(storage, parts_id, 1, b"audio")
    with storage.writing(other, "audio/mpeg") as writer:
        writer.write(NOISE[: 9 * MIB])
        writer.write(NOISE[: 9 * MIB])  # the first part is on its way now, so the upload has begun

        assert {found.key for found in storage.unfinished("")} == {AUDIO, other}
        assert [found.key for found in storage.unfinished("private/")] == [AUDIO]

    assert [found.key for found in storage.unfinished("")] == [AUDIO]
    storage.join_parts(AUDIO, parts_id, (5,))
    assert list(storage.unfinished("")) == []


def test_what_is_unfinished_says_since_when(request: pytest.FixtureRequest, storage: Storage) -> None:
    known_gap(request, "moto", "it says 2010 of all")
    storage.begin_parts(AUDIO, "audio/mpeg")

    (found,) = storage.unfinished("")

    assert abs(dt.datetime.now(dt.UTC) - found.since) < dt.timedelta(minutes=1)


def test_a_bucket_takes_parts_at_an_address_that_needs_no_header(storage: Storage, place: Place) -> None:
    parts_id = storage.begin_parts(AUDIO, "audio/mpeg")
    address = storage.part_address(AUDIO, parts_id, 4, seconds=60)
    if place.server is None:
        assert address is None
        return

    assert address is not None
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in address
    assert "checksum" not in address.lower()
    assert httpx2.put(address, content=PARTS[3]).status_code == 200
    assert arrived(storage, parts_id) == {4: 3 * MIB}


@pytest.mark.long
@pytest.mark.parametrize("place", ["folder", "moto"], indirect=True)
def test_more_than_a_thousand_parts_are_all_found(storage: Storage) -> None:
    parts_id = storage.begin_parts(AUDIO, "audio/mpeg")
    for number in range(1, 1102):
        send(storage, parts_id, number, b"%06d" % number)

    assert arrived(storage, parts_id) == dict.fromkeys(range(1, 1102), 6)
