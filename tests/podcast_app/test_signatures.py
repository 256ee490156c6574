"""Addresses that carry their permission: the same key signs in every process, and no other key does."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from podcast_app.settings import BadSettings, Settings
from podcast_app.signatures import KEY_FILE, Signer, open_signer

LATER = 4_000_000_000


def settings(folder: Path, secret_key: str = "") -> Settings:
    return Settings(_env_file=None, data_dir=folder, secret_key=secret_key)


def test_what_was_signed_is_known_again_and_nothing_else_is() -> None:
    signer = Signer(b"a key of sixteen")
    signature = signer.sign("part 1 of x", LATER)

    assert signer.has_signed("part 1 of x", LATER, signature)
    for what, expires_at, said in (
        ("part 1 of y", LATER, signature),
        ("part 11 of x", LATER, signature),
        ("part 1 of x", LATER + 1, signature),
        ("part 1 of x", LATER, signature[:-1]),
        ("part 1 of x", LATER, signature + "0"),
        ("part 1 of x", LATER, signature.upper()),
        ("part 1 of x", LATER, ""),
        ("part 1 of x", LATER, "é\ud800\0"),
        ("part 1 of x\0" + str(LATER), 0, signature),
    ):
        assert not signer.has_signed(what, expires_at, said)
    assert not Signer(b"another of these").has_signed("part 1 of x", LATER, signature)


def test_processes_that_share_a_data_folder_share_the_key(tmp_path: Path) -> None:
    here = settings(tmp_path / "new")

    with ThreadPoolExecutor(8) as many:
        signatures = set(many.map(lambda _: open_signer(here).sign("it", LATER), range(8)))

    assert len(signatures) == 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == [KEY_FILE]
    assert stat.S_IMODE((tmp_path / "new" / KEY_FILE).stat().st_mode) == 0o600


def test_another_data_folder_has_another_key(tmp_path: Path) -> None:
    one, other = (open_signer(settings(tmp_path / name)) for name in ("one", "other"))

    assert one.sign("it", LATER) != other.sign("it", LATER)


def test_a_key_that_is_set_counts_everywhere_and_none_is_kept(tmp_path: Path) -> None:
    one, other = (open_signer(settings(tmp_path / name, "a key of sixteen")) for name in ("one", "other"))

    assert one.sign("it", LATER) == other.sign("it", LATER)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept", [b"", b"short"])
def test_a_key_that_anybody_could_guess_is_refused(tmp_path: Path, kept: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(kept)

    with pytest.raises(BadSettings, match=KEY_FILE):
        open_signer(settings(tmp_path))


def test_where_no_key_can_be_kept_one_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(BadSettings, match="PODCAST_SECRET_KEY"):
            open_signer(settings(place))
