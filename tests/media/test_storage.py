"""What every storage promises, asked of a folder and of two S3 servers."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from itertools import product
from pathlib import Path

import pytest

from media.storage import Changed, Key, Missing, Storage, Unavailable
from tests.media.storages import AUDIO, BLOCK, COPY, MIB, NOISE, Place, keys, known_gap, put, whole

# Written whole or not at all


def test_an_object_is_read_as_it_was_written(storage: Storage, place: Place) -> None:
    for size_bytes in (0, 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 17 * MIB):
        data = NOISE[:size_bytes]
        put(storage, AUDIO, data)

        assert storage.size(AUDIO) == size_bytes
        assert whole(storage, AUDIO) == data
        assert place.unfinished() == []


@pytest.mark.parametrize("piece_bytes", [1000, 3 * MIB + 1, pytest.param(20 * MIB, marks=pytest.mark.long)])
def test_an_object_is_the_same_in_whatever_pieces_it_comes(storage: Storage, piece_bytes: int) -> None:
    with storage.writing(AUDIO, "audio/mpeg") as writer:
        for start in range(0, len(NOISE), piece_bytes):
            writer.write(memoryview(NOISE)[start : start + piece_bytes])

    assert sha256(whole(storage, AUDIO)).digest() == sha256(NOISE).digest()


@pytest.mark.parametrize("size_bytes", [100, 20 * MIB])
def test_an_object_is_visible_only_when_it_is_whole(storage: Storage, size_bytes: int) -> None:
    with storage.writing(AUDIO, "audio/mpeg") as writer:
        writer.write((BLOCK * 20)[:size_bytes])

        assert keys(storage) == []
        with pytest.raises(Missing):
            storage.size(AUDIO)

    assert keys(storage) == [AUDIO]


@pytest.mark.parametrize("size_bytes", [100, 20 * MIB])
def test_an_exception_in_the_middle_leaves_nothing(storage: Storage, place: Place, size_bytes: int) -> None:
    with pytest.raises(ConnectionResetError), storage.writing(AUDIO, "audio/mpeg") as writer:  # noqa: PT012 (the block is what is tested)
        writer.write((BLOCK * 20)[:size_bytes])
        raise ConnectionResetError("the producer's train went into a tunnel")

    assert keys(storage) == []
    assert place.unfinished() == []


def test_a_feed_that_is_put_again_is_the_old_one_until_it_is_the_new_one(storage: Storage) -> None:
    feed = Key("feeds/matonge/feed.xml")
    put(storage, feed, b"<rss>the first</rss>", "application/rss+xml")

    with storage.writing(feed, "application/rss+xml") as writer:
        writer.write(b"<rss>2nd</rss>")
        before = whole(storage, feed)

    assert before == b"<rss>the first</rss>"
    assert whole(storage, feed) == b"<rss>2nd</rss>"


def test_a_feed_that_fails_to_be_put_again_stays_as_it_was(storage: Storage) -> None:
    feed = Key("feeds/matonge/feed.xml")
    put(storage, feed, b"<rss>the first</rss>", "application/rss+xml")

    with pytest.raises(KeyboardInterrupt), storage.writing(feed, "application/rss+xml") as writer:  # noqa: PT012 (as above)
        writer.write(b"<rss>2nd</rss>")
        raise KeyboardInterrupt

    assert whole(storage, feed) == b"<rss>the first</rss>"


def test_a_feed_is_replaced_only_by_who_has_seen_the_last_one(
    storage: Storage, place: Place, request: pytest.FixtureRequest
) -> None:
    known_gap(request, "rclone", "it does not look at conditions")
    feed = Key("feeds/matonge/feed.xml")
    for seen_by_both in (storage.version(feed), None):
        storage.replace(feed, b"<rss>the new one</rss>", "application/rss+xml", seen_by_both or storage.version(feed))

        with pytest.raises(Changed):
            storage.replace(feed, b"<rss>an old one</rss>", "application/rss+xml", seen_by_both)

        assert whole(storage, feed) == b"<rss>the new one</rss>"
        assert place.unfinished() == []


def test_two_who_write_the_same_key_at_once_leave_one_whole_object(storage: Storage, place: Place) -> None:
    together = threading.Barrier(2)

    def write(letter: bytes) -> None:
        with storage.writing(AUDIO, "audio/mpeg") as writer:
            for _ in range(9):
                together.wait(timeout=60)
                writer.write(letter * MIB)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(write, [b"a", b"b"]))

    assert whole(storage, AUDIO) in (b"a" * 9 * MIB, b"b" * 9 * MIB)
    assert place.unfinished() == []


@pytest.mark.long
def test_many_objects_come_and_go_at_once(storage: Storage, place: Place) -> None:
    def live(number: int) -> None:
        key = Key(f"private/shared/{number % 3}/{number}.mp3")
        for _ in range(4):
            put(storage, key, b"%d" % number)
            assert whole(storage, key) == b"%d" % number
            storage.delete(key)

    stay = [Key(f"private/shared/{folder}/stays.mp3") for folder in range(3)]  # rclone removes folders that are empty
    for key in stay:
        put(storage, key, b"stays")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(live, range(16)))

    assert keys(storage) == stay
    assert place.unfinished() == []


KILLED = """
import sys
from pathlib import Path
from media.storage.open import open_storage
with open_storage(sys.argv[1] or None, Path(sys.argv[2])).writing(sys.argv[3], "audio/mpeg") as writer:
    writer.write(bytes(20 * 2**20))
    print("written", flush=True)
    sys.stdin.read()
"""


def test_a_process_killed_in_the_middle_leaves_nothing_visible_and_delete_cleans_the_rest(
    storage: Storage, place: Place
) -> None:
    command = [sys.executable, "-c", KILLED, place.url or "", str(place.data_dir), AUDIO]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"written\n"
        process.send_signal(signal.SIGKILL)

    assert keys(storage) == []
    with pytest.raises(Missing):
        storage.read(AUDIO, 0, 1)
    assert place.unfinished() != []
    storage.delete(AUDIO)
    assert place.unfinished() == []


def test_deleting_one_key_leaves_the_unfinished_write_of_another_alone(storage: Storage) -> None:
    neighbour = Key(f"{AUDIO}.mp3")  # the deleted key is its beginning
    put(
        storage, Key(f"{AUDIO}.old"), b"x"
    )  # rclone removes a folder that a deletion leaves empty, unfinished writes too

    with storage.writing(neighbour, "audio/mpeg") as writer:
        writer.write(BLOCK * 9)
        storage.delete(AUDIO)

    assert storage.size(neighbour) == 9 * MIB


@pytest.mark.parametrize("size_bytes", [8 * MIB, 9 * MIB])
def test_a_write_whose_key_is_deleted_meanwhile_fails_and_leaves_nothing(
    storage: Storage, place: Place, size_bytes: int
) -> None:
    with pytest.raises(Unavailable), storage.writing(AUDIO, "audio/mpeg") as writer:  # noqa: PT012 (as above)
        writer.write((BLOCK * 9)[:size_bytes])
        wait_for(place.unfinished)
        storage.delete(AUDIO)

    assert keys(storage) == []
    assert place.unfinished() == []


def wait_for(seen: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.02)


MEASURED = """
import sys, tracemalloc
from pathlib import Path
from media.storage.open import open_storage
storage = open_storage(sys.argv[1] or None, Path(sys.argv[2]))
block = bytes(2**20)
def put(key, blocks):
    with storage.writing(key, "audio/mpeg") as writer:
        for _ in range(blocks):
            writer.write(block)
put(sys.argv[3] + ".small", 1)
tracemalloc.start()
put(sys.argv[3], 40)
print(tracemalloc.get_traced_memory()[1])
"""


@pytest.mark.long
def test_forty_megabytes_pass_through_with_the_memory_of_two_parts(storage: Storage, place: Place) -> None:
    command = [sys.executable, "-c", MEASURED, place.url or "", str(place.data_dir), AUDIO]
    peak_bytes = int(subprocess.check_output(command))

    assert storage.size(AUDIO) == 40 * MIB
    assert peak_bytes < 20 * MIB


# Reading


RANGES = [
    (0, 1, b"0"),
    (9, 10, b"9"),
    (3, 7, b"3456"),
    (0, 10, b"0123456789"),
    (8, 100, b"89"),
    (0, 10**12, b"0123456789"),
    (10, 11, b""),
    (500, 600, b""),
    (0, 0, b""),
    (4, 4, b""),
    (10, 10, b""),
]


def test_a_range_gives_its_bytes_and_fewer_at_the_end(storage: Storage) -> None:
    put(storage, AUDIO, b"0123456789")

    for start, stop, expected in RANGES:
        assert storage.read(AUDIO, start, stop) == expected, (start, stop)


def test_a_range_across_parts_gives_its_bytes(storage: Storage) -> None:
    data = NOISE[: 17 * MIB]
    put(storage, AUDIO, data)

    assert storage.read(AUDIO, 8 * MIB - 5, 8 * MIB + 5) == data[8 * MIB - 5 : 8 * MIB + 5]
    assert storage.read(AUDIO, 16 * MIB - 1, 17 * MIB) == data[16 * MIB - 1 :]


def test_an_empty_object_has_no_bytes_in_any_range(storage: Storage) -> None:
    put(storage, AUDIO, b"")

    assert storage.read(AUDIO, 0, 1) == b""


MISSES: dict[str, Callable[[Storage, Path], object]] = {
    "read": lambda storage, _: storage.read(AUDIO, 0, 1),
    "read nothing": lambda storage, _: storage.read(AUDIO, 0, 0),
    "size": lambda storage, _: storage.size(AUDIO),
    "copy": lambda storage, _: storage.copy(AUDIO, COPY, "audio/mpeg"),
    "local copy": lambda storage, directory: storage.local_copy(AUDIO, directory),
}


@pytest.mark.parametrize("ask", MISSES.values(), ids=MISSES)
def test_what_is_not_there_is_missing_whatever_lies_beside_it(
    storage: Storage, place: Place, tmp_path: Path, ask: Callable[[Storage, Path], object]
) -> None:
    neighbours = [f"{AUDIO}/inside", f"{AUDIO}x", "private/audio/other.mp3"]
    for key in neighbours:
        put(storage, Key(key), b"something else")
    before = set(tmp_path.iterdir())

    with pytest.raises(Missing, match=AUDIO):
        ask(storage, tmp_path)

    assert keys(storage) == sorted(neighbours)
    assert set(tmp_path.iterdir()) == before
    assert place.unfinished() == []


def test_a_local_copy_has_the_bytes_and_the_ending(storage: Storage, tmp_path: Path) -> None:
    data = NOISE[: 17 * MIB]
    put(storage, AUDIO, data)

    path = storage.local_copy(AUDIO, tmp_path)

    assert path.read_bytes() == data
    assert path.suffix == ".mp3"


def test_two_local_copies_of_one_name_do_not_meet(storage: Storage, tmp_path: Path) -> None:
    put(storage, Key("a/feed.xml"), b"a")
    put(storage, Key("b/feed.xml"), b"b")

    paths = [storage.local_copy(Key(key), tmp_path) for key in ("a/feed.xml", "b/feed.xml")]

    assert [path.read_bytes() for path in paths] == [b"a", b"b"]


def test_a_local_path_leads_to_the_bytes_or_to_none(storage: Storage) -> None:
    put(storage, AUDIO, b"bytes")

    path = storage.local_path(AUDIO)

    assert path is None or path.read_bytes() == b"bytes"


# Listing


def test_a_listing_names_every_object_under_the_prefix_with_its_size(storage: Storage) -> None:
    for key in ("feeds/a/feed.xml", "feeds/a/fr/feed.xml", "feeds/ab/feed.xml", "feeds.txt", "public/x"):
        put(storage, Key(key), key.encode())

    assert keys(storage, "feeds/a") == ["feeds/a/feed.xml", "feeds/a/fr/feed.xml", "feeds/ab/feed.xml"]
    assert keys(storage, "feeds/a/") == ["feeds/a/feed.xml", "feeds/a/fr/feed.xml"]
    assert keys(storage, "feeds/a/feed.xml") == ["feeds/a/feed.xml"]
    assert keys(storage, "nothing/") == []
    assert len(keys(storage)) == 5
    assert all(stored.size_bytes == len(stored.key) for stored in storage.list(""))


def test_a_storage_that_never_held_anything_lists_nothing(storage: Storage) -> None:
    assert keys(storage) == []
    assert keys(storage, "feeds/") == []


@pytest.mark.long
def test_a_listing_goes_on_past_a_thousand_objects(storage: Storage) -> None:
    for number in range(1003):
        put(storage, Key(f"many/{number}"), b"")

    assert len(keys(storage, "many/")) == 1003


# Copying, moving in, deleting


@pytest.mark.parametrize("size_bytes", [0, 100, 9 * MIB])
def test_a_copy_has_the_bytes_and_lives_on_alone(storage: Storage, place: Place, size_bytes: int) -> None:
    data = NOISE[:size_bytes]
    put(storage, AUDIO, data, "application/octet-stream")

    storage.copy(AUDIO, COPY, "audio/mpeg")
    storage.copy(AUDIO, COPY, "audio/mpeg")  # once more, as a worker does after a crash
    storage.delete(AUDIO)

    assert whole(storage, COPY) == data
    assert keys(storage) == [COPY]
    assert place.unfinished() == []


def test_a_copy_keeps_its_bytes_when_the_source_is_put_again(storage: Storage) -> None:
    feed, kept = Key("feeds/matonge/feed.xml"), Key("private/feeds/1.xml")
    put(storage, feed, b"first")

    storage.copy(feed, kept, "application/rss+xml")
    put(storage, feed, b"second")

    assert (whole(storage, kept), whole(storage, feed)) == (b"first", b"second")


@pytest.mark.parametrize("size_bytes", [0, 100, 17 * MIB])
def test_a_file_is_stored_whole(storage: Storage, place: Place, tmp_path: Path, size_bytes: int) -> None:
    data = NOISE[:size_bytes]
    file = tmp_path / "encoded.mp3"
    file.write_bytes(data)

    storage.put_file(AUDIO, file, "audio/mpeg")

    assert whole(storage, AUDIO) == data
    assert place.unfinished() == []


def test_a_file_is_stored_through_a_symbolic_link(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "encoded.mp3").write_bytes(b"bytes")
    (tmp_path / "link.mp3").symlink_to("encoded.mp3")

    storage.put_file(AUDIO, tmp_path / "link.mp3", "audio/mpeg")

    assert whole(storage, AUDIO) == b"bytes"


def test_a_file_that_is_not_there_is_the_callers_mistake(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        storage.put_file(AUDIO, tmp_path / "nothing.mp3", "audio/mpeg")

    assert keys(storage) == []


def test_what_is_deleted_is_gone_and_may_be_deleted_again(storage: Storage) -> None:
    put(storage, AUDIO, b"bytes")

    storage.delete(AUDIO)
    storage.delete(AUDIO)

    assert keys(storage) == []
    with pytest.raises(Missing):
        storage.size(AUDIO)


def test_deleting_leaves_what_lies_beside(storage: Storage) -> None:
    others = [f"{AUDIO}x", "private/audio/other.mp3"]
    for key in others:
        put(storage, Key(key), b"")

    storage.delete(AUDIO)

    assert keys(storage) == sorted(others)


def test_deleting_leaves_what_lies_below(storage: Storage, request: pytest.FixtureRequest) -> None:
    known_gap(request, "rclone", "it tries to remove the folder and answers 500")
    put(storage, AUDIO, b"")

    storage.delete(Key("private/audio"))

    assert keys(storage) == [AUDIO]


# Keys


ESCAPES = [
    "",
    "/",
    "/etc/passwd",
    "..",
    "../outside",
    "a/../../outside",
    "a/..",
    "a/./b",
    "a//b",
    "a/",
    ".partial/a",
    "a/.hidden",
    "a\\..\\b",
    "nul\0",
    "line\nbreak",
    "a b",
    "épisode",
    "a" * 201,
    "a/" * 500 + "a",
]

USES: list[Callable[[Storage, Key, Path], object]] = [
    lambda storage, key, _: put(storage, key, b""),
    lambda storage, key, file: storage.put_file(key, file, "audio/mpeg"),
    lambda storage, key, _: storage.read(key, 0, 1),
    lambda storage, key, _: storage.size(key),
    lambda storage, key, _: storage.copy(key, COPY, "audio/mpeg"),
    lambda storage, key, _: storage.copy(AUDIO, key, "audio/mpeg"),
    lambda storage, key, _: storage.delete(key),
    lambda storage, key, file: storage.local_copy(key, file.parent),
    lambda storage, key, _: storage.local_path(key),
]


def test_a_key_that_is_none_is_refused_before_anything_happens(storage: Storage, tmp_path: Path) -> None:
    put(storage, AUDIO, b"bytes")
    file = tmp_path / "file.mp3"
    file.write_bytes(b"bytes")

    for use, key in product(USES, ESCAPES):
        with pytest.raises(ValueError, match="not a storage key"):
            use(storage, Key(key), file)

    assert keys(storage) == [AUDIO]
    assert file.exists()


def test_every_other_key_holds_an_object(storage: Storage) -> None:
    for key in ("a", "A-z_0.9~", "a..b/c...", "x/" * 30 + "y", "a" * 200, "100%25/#?&=+'"):
        put(storage, Key(key), key.encode())

        assert whole(storage, Key(key)) == key.encode()
        assert keys(storage) == [key]
        storage.delete(Key(key))
        assert keys(storage) == []
