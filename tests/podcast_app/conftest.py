"""What tests of the application share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.library import Library, opened
from tests.media.samples import audio


@pytest.fixture(scope="session")
def mp3(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two seconds of a tone."""
    return audio(tmp_path_factory.mktemp("audio") / "tone.mp3", "-b:a", "64k").read_bytes()


@pytest.fixture(scope="session")
def wav(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The same, as a recorder writes it."""
    return audio(tmp_path_factory.mktemp("audio") / "tone.wav").read_bytes()


@pytest.fixture
def library(migrated_database_url: str, tmp_path: Path) -> Iterator[Library]:
    """An empty library with its first show, on each kind of database."""
    with opened(migrated_database_url, tmp_path) as library:
        yield library
