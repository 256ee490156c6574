"""What a folder promises beyond any storage: names of the file system, room on the disk, no work done twice."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from media.storage import Full, Key, Storage, Unavailable
from media.storage.open import open_storage
from tests.media.storages import AUDIO, BLOCK, COPY, MIB, Place, keys, put, whole

pytestmark = pytest.mark.parametrize("place", ["folder"], indirect=True)


@pytest.fixture
def root(place: Place) -> Path:
    return place.data_dir / "storage"


def test_a_folder_has_no_door_of_its_own(storage: Storage) -> None:
    put(storage, AUDIO, b"bytes")

    assert storage.address(AUDIO, seconds=60, media_type="audio/mpeg", download_as="a.mp3") is None


def test_an_object_is_a_file_under_its_key(storage: Storage, root: Path) -> None:
    put(storage, AUDIO, b"bytes")

    assert storage.local_path(AUDIO) == storage.local_copy(AUDIO, root.parent) == root / AUDIO
    assert (root / AUDIO).read_bytes() == b"bytes"


def test_a_folder_holds_nothing_but_its_objects(storage: Storage, root: Path) -> None:
    put(storage, AUDIO, b"bytes")
    storage.copy(AUDIO, COPY, "audio/mpeg")

    storage.delete(AUDIO)

    assert [path for path in root.rglob("*") if path.is_file()] == [root / COPY]
    assert not (root / "private").exists()


def test_a_copy_takes_no_room(storage: Storage, root: Path) -> None:
    put(storage, AUDIO, BLOCK)

    storage.copy(AUDIO, COPY, "audio/mpeg")

    assert (root / AUDIO).samefile(root / COPY)


def test_a_copy_has_its_own_bytes_where_a_file_has_but_one_name(
    storage: Storage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*names: object, **options: object) -> None:
        raise PermissionError(1, "Operation not permitted")  # as FAT says it

    put(storage, AUDIO, BLOCK * 2)
    monkeypatch.setattr(os, "link", refuse)

    storage.copy(AUDIO, COPY, "audio/mpeg")

    assert whole(storage, COPY) == BLOCK * 2
    assert not (root / AUDIO).samefile(root / COPY)


def test_a_file_moves_in_without_being_copied(storage: Storage, root: Path, tmp_path: Path) -> None:
    file = tmp_path / "encoded.mp3"
    file.write_bytes(BLOCK)
    inode = file.stat().st_ino

    storage.put_file(AUDIO, file, "audio/mpeg")

    assert (root / AUDIO).stat().st_ino == inode
    assert not file.exists()


def test_a_directory_that_another_process_tidies_away_at_once_is_made_again(
    storage: Storage, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Path.mkdir
    rivals = iter(range(4))

    def make_and_lose(directory: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        make(directory, mode, parents, exist_ok)
        rival = next(rivals, None)
        if rival is not None:
            directory.rmdir()
        if rival == 0:  # what pathlib raises when the directory goes between its two looks
            raise FileExistsError(17, "File exists")

    monkeypatch.setattr(Path, "mkdir", make_and_lose)

    put(storage, AUDIO, b"bytes")

    assert whole(storage, AUDIO) == b"bytes"
    assert place.unfinished() == []


def test_a_folder_that_cannot_be_written_says_so(storage: Storage, root: Path) -> None:
    root.write_text("a file where the folder should be")

    with pytest.raises(Unavailable, match="storage"):
        put(storage, AUDIO, b"bytes")


WRITTEN_TOO_LARGE = """
import resource, sys
from pathlib import Path
from media.storage import Full
from media.storage.open import open_storage
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
try:
    with open_storage(None, Path(sys.argv[1])).writing(sys.argv[2], "audio/mpeg") as writer:
        for _ in range(3):
            writer.write(bytes(2**19 + 1))
except Full as full:
    print("full:", full)
"""


def test_a_file_larger_than_the_system_allows_is_no_room_and_leaves_nothing(storage: Storage, place: Place) -> None:
    command = [sys.executable, "-c", WRITTEN_TOO_LARGE, str(place.data_dir), AUDIO]
    said = subprocess.check_output(command, encoding="utf-8")

    assert said.startswith("full:")
    assert keys(storage) == []
    assert place.unfinished() == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one mebibyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk; the limit on a file's size, above, stands in for it")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_no_room_and_leaves_what_was_there(place: Place, small_disk: Path) -> None:
    storage = open_storage(None, small_disk)
    feed = Key("feeds/matonge/feed.xml")
    put(storage, feed, b"<rss/>")

    with pytest.raises(Full):
        put(storage, AUDIO, BLOCK * 2)
    with pytest.raises(Full):
        put(storage, feed, BLOCK * 2)

    assert whole(storage, feed) == b"<rss/>"
    assert keys(storage) == [feed]
    put(storage, AUDIO, BLOCK[: MIB // 2])  # there is room again


def test_a_file_from_another_disk_is_copied_in(storage: Storage, place: Place, small_disk: Path) -> None:
    file = small_disk / "encoded.mp3"
    file.write_bytes(BLOCK[: MIB // 2])

    storage.put_file(AUDIO, file, "audio/mpeg")

    assert whole(storage, AUDIO) == BLOCK[: MIB // 2]
    assert place.unfinished() == []


def test_a_file_for_which_the_disk_has_no_room_stays_where_it_is(
    place: Place, small_disk: Path, tmp_path: Path
) -> None:
    storage = open_storage(None, small_disk)
    file = tmp_path / "encoded.mp3"
    file.write_bytes(BLOCK * 2)

    with pytest.raises(Full):
        storage.put_file(AUDIO, file, "audio/mpeg")

    assert file.stat().st_size == 2 * MIB
    assert keys(storage) == []
