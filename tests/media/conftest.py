"""The storages that `media` is tested against: a folder, and two S3 servers. And a voice."""

from pathlib import Path
from secrets import token_hex

import pytest

from media.storage import Storage
from tests.media import samples
from tests.media.storages import Place
from tests.s3_servers import S3Server


@pytest.fixture(params=["folder", "moto", "rclone"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An empty place of this test alone."""
    if request.param == "folder":
        return Place(url=None, data_dir=tmp_path, server=None, prefix="")
    server: S3Server = request.getfixturevalue(request.param)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    prefix = token_hex(4)
    return Place(url=server.storage_url(prefix), data_dir=tmp_path, server=server, prefix=prefix)


@pytest.fixture
def storage(place: Place) -> Storage:
    return place.open()


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds of a voice."""
    return samples.speech(tmp_path_factory.mktemp("speech") / "speech.wav")
