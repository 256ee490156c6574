"""What the tests of the storages share: a place with a storage in it, and short words for what they do there."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from media.storage import Key, Storage
from media.storage.open import open_storage
from tests.s3_servers import S3Server

MIB = 2**20
AUDIO = Key("private/audio/3f2a.mp3")
COPY = Key("public/audio/9c1e.mp3")
BLOCK = bytes(range(256)) * 4096  # 1 MiB
NOISE = Random(1).randbytes(20 * MIB)  # no two places alike


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A storage as its operator sees it."""

    url: str | None
    data_dir: Path
    server: S3Server | None  # None: a folder
    prefix: str  # of this test's objects on the server

    def open(self) -> Storage:
        return open_storage(self.url, self.data_dir)

    def unfinished(self) -> list[str]:
        """What lies half written, by the names that the place itself gives it."""
        if self.server is None:
            aside = self.data_dir / "storage" / ".partial"
            return [str(path) for path in aside.rglob("*")]
        client = self.server.client()
        try:
            uploads = client.list_multipart_uploads(Bucket=self.server.bucket)
        except client.exceptions.NoSuchUpload:  # rclone's way to say that nobody ever began one
            return []
        return [upload["Key"] for upload in uploads.get("Uploads", []) if upload["Key"].startswith(self.prefix)]


def put(storage: Storage, key: Key, data: bytes, media_type: str = "audio/mpeg") -> None:
    with storage.writing(key, media_type) as writer:
        writer.write(data)


def whole(storage: Storage, key: Key) -> bytes:
    return storage.read(key, 0, storage.size(key))


def keys(storage: Storage, prefix: str = "") -> list[str]:
    return sorted(stored.key for stored in storage.list(prefix))


def known_gap(request: pytest.FixtureRequest, server: str, what: str) -> None:
    """Expect this test to fail on the server; when a newer one passes, the suite says so."""
    if request.node.callspec.params["place"] == server:
        request.applymarker(pytest.mark.xfail(strict=True, reason=f"{server}: {what}"))
