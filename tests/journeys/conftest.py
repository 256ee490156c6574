"""What journeys start from, unless they say otherwise."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from podcast_app.settings import Settings
from tests.media.samples import audio
from tests.site import Site, free_port, running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A new site, for all journeys of a file."""
    folder = tmp_path_factory.mktemp("site")
    with running(Settings(port=free_port(), data_dir=folder / "data", _env_file=None)) as site:
        yield site


@pytest.fixture
def episode(site: Site, tmp_path: Path) -> str:
    """The id of a new draft."""
    tone = audio(tmp_path / "tone.mp3", "-b:a", "64k")
    episode: str = site.episode(tone, title="Matonge").json()["id"]
    return episode
