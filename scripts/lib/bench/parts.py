"""Row 6: a recording in parts, to our disk and to a bucket."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from scripts.lib.bench import samples, servers
from scripts.lib.bench.measure import Line, medians, wall
from scripts.lib.bench.uploads import MB, folder_on_disk, send
from tests.s3_servers import S3Server, rclone_server

AT_ONCE = 3  # as the browser and the command line send them


def in_parts() -> Iterator[Line]:
    """Row 6: one part to our disk; half a gigabyte to a bucket, past us and through us."""
    with folder_on_disk() as folder:
        recording = samples.mp3(folder / "long.mp3", 500 * MB)
        yield from _to_our_disk(folder, recording)
        with rclone_server(folder / "bucket") as bucket:
            yield from _to_a_bucket(folder, recording, bucket)


def _to_our_disk(folder: Path, recording: Path) -> Iterator[Line]:
    data = folder / "data"
    with servers.podcast_app(data) as ours, servers.bare("upload", folder) as bare:
        sender = _Sender(ours, data, recording)
        part = sender.begun()["parts"][0]
        size = int(part["size_bytes"])
        took = medians(
            {
                "ours": wall(lambda: _put(part["url"], recording, 0, size), times=10),
                "bare": wall(lambda: _put(f"{bare.origin}/", recording, 0, size), times=10),
            }
        )
    yield _speed("part, to our disk", "bare handler: stream, hash, sync", took["ours"], took["bare"], 0.9)


def _to_a_bucket(folder: Path, recording: Path, bucket: S3Server) -> Iterator[Line]:
    data = folder / "beside_bucket"
    environment = {**bucket.environment, "PODCAST_STORAGE_URL": bucket.storage_url()}
    os.environ.update(environment)  # for the server and for boto3, both of which find their credentials there
    client = bucket.client()
    # rclone removes a folder that a deletion has emptied, under whatever is still being written there
    client.put_object(Bucket=bucket.bucket, Key="private/originals/neighbour", Body=b"")
    with servers.podcast_app(data) as ours:
        sender = _Sender(ours, data, recording)
        read_before = ours.read_mb()
        sender.sent("url")
        passed_mb = ours.read_mb() - read_before
        took = medians(
            {
                "past us": wall(lambda: sender.sent("url")),
                "boto3": wall(lambda: client.upload_file(str(recording), bucket.bucket, "by-boto3.mp3")),
            },
            rounds=3,
        )
        with ours.memory_watched() as seen:
            through = medians(
                {"through us": wall(lambda: sender.sent("fallback_url")), "past us": wall(lambda: sender.sent("url"))},
                rounds=3,
            )
    yield _speed("500 MB by presigned parts", "boto3's upload_file, same server", took["past us"], took["boto3"], 0.9)
    yield Line(6, "of these, read by our process", "1 % of it", passed_mb, 5, "MB", 1)
    yield _speed("500 MB of parts through us", "presigned parts", through["through us"], through["past us"], 0.7)
    yield Line(6, "memory it grows by meanwhile", "64 MB", max(seen) - seen[0], 64, "MB", 1)


def _speed(what: str, baseline: str, ours_ms: float, theirs_ms: float, goal: float) -> Line:
    return Line(6, what, baseline, ours_ms, theirs_ms, "ms", goal, counts_how_often_faster=True)


class _Sender:
    """A client that sends a file as the browser does: it begins, sends three parts at a time, completes."""

    def __init__(self, server: servers.Server, data: Path, recording: Path) -> None:
        token = servers.command(data, "token", "create", "bench")
        self._api = httpx2.Client(base_url=server.origin, headers={"Authorization": f"Bearer {token}"}, timeout=120)
        self._recording = recording

    def begun(self) -> dict[str, Any]:
        said = {"show": "diaspora-insights", "filename": "long.mp3", "size_bytes": self._recording.stat().st_size}
        upload: dict[str, Any] = self._api.post("/api/v1/uploads", json=said).raise_for_status().json()
        return upload

    def sent(self, where: str) -> None:
        upload = self.begun()
        with ThreadPoolExecutor(AT_ONCE) as senders:
            list(senders.map(lambda part: self._put(part, part[where], upload["part_size_bytes"]), upload["parts"]))
        self._api.post(f"/api/v1/uploads/{upload['id']}/complete").raise_for_status()
        self._api.delete(f"/api/v1/uploads/{upload['id']}").raise_for_status()

    def _put(self, part: dict[str, Any], address: str, part_size_bytes: int) -> None:
        _put(address, self._recording, (part["number"] - 1) * part_size_bytes, part["size_bytes"])


def _put(address: str, file: Path, start: int, size_bytes: int) -> None:
    """A slice of the file as a body."""
    to = urlsplit(address)
    assert to.port
    send(f"PUT {to.path}?{to.query}", to.port, file, start=start, size_bytes=size_bytes)
