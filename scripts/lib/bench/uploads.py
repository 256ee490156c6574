"""Rows 5, 7 and 13: a recording arrives, is read, and becomes public."""

import hashlib
import json
import os
import re
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from mutagen.mp3 import MP3

from media.probe import probe
from media.source import FileSource
from scripts.lib.bench import feeds, samples, servers
from scripts.lib.bench.measure import Line, cpu, medians, wall

MB = 1_000_000
HERE = Path("var/bench")


def half_a_gigabyte() -> Iterator[Line]:
    """Row 5: a form of 500 MB against a bare handler that streams, hashes and syncs; and the memory it takes."""
    with folder_on_disk() as folder:
        recording = samples.mp3(folder / "long.mp3", 500 * MB)
        data = folder / "data"
        with servers.podcast_app(data) as ours, servers.bare("upload", folder) as bare:
            token = servers.command(data, "token", "create", "bench")
            with ours.memory_watched() as seen:
                took = medians(
                    {
                        "ours": wall(lambda: upload(ours, token, recording)),
                        "bare": wall(lambda: _post(bare, "/", {}, b"", recording, b"")),
                    },
                    rounds=3,
                )
            grown = max(seen) - seen[0]
    yield Line(5, "form of 500 MB", "bare handler: stream, hash, sync", took["ours"], took["bare"], "ms", 1.3)
    yield Line(5, "memory it grows by, audio prepared too", "64 MB", grown, 64, "MB", 1)


def reading_what_a_file_is() -> Iterator[Line]:
    """Row 7: the probe of a 200 MB file, in reads and in CPU against mutagen's own class."""
    with folder_on_disk() as folder:
        recording = samples.mp3(folder / "long.mp3", 200 * MB)
        source = _Counted(recording)
        probe(source)
        took = medians(
            {"ours": cpu(lambda: probe(FileSource(recording)), 20), "mutagen": cpu(lambda: MP3(recording), 20)}
        )
    yield Line(7, "reads of a 200 MB file", "3 reads", source.reads, 3, "", 1)
    yield Line(7, "bytes read of it", "300 kB", source.bytes_read / 1000, 300, "kB", 1)
    yield Line(7, "probe", "mutagen's class on the local file", took["ours"], took["mutagen"], "ms CPU", 2)


def from_recording_to_feed() -> Iterator[Line]:
    """Row 13: 60 MB are sent, and the feed holds the episode. The floor is the sum of what cannot be avoided."""
    with folder_on_disk() as folder:
        recording = samples.mp3(folder / "episode.mp3", 60 * MB)
        data = folder / "data"
        samples.many_episodes(data, 1000)[0].database.close()
        with servers.podcast_app(data) as ours:
            token = servers.command(data, "token", "create", "bench")
            took = medians(
                {
                    "ours": wall(lambda: _publish(ours, token, recording)),
                    "copy": wall(lambda: _copied(recording, folder / "copy")),
                    "sync": lambda: _synced(folder / "copy"),
                    "hash": wall(lambda: hashlib.file_digest(recording.open("rb"), "sha256")),
                    "probe": wall(lambda: probe(FileSource(recording))),
                    "feed": feeds.change_of_a_thousand(),
                    "commit": feeds.bare_rows_of_a_thousand(),
                }
            )
    floor = sum(value for name, value in took.items() if name != "ours")
    yield Line(
        13, "60 MB, sent to in the feed", "copy + sync + hash + probe + feed + commit", took["ours"], floor, "ms", 1.5
    )


@contextmanager
def folder_on_disk() -> Iterator[Path]:
    """A folder that goes at the end, on the disk that a library would lie on."""
    HERE.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=HERE))
    try:
        yield folder.resolve()
    finally:
        shutil.rmtree(folder)


def upload(server: servers.Server, token: str, recording: Path, **fields: str) -> dict[str, object]:
    """A new episode, by a form; the answer."""
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    head = f'{parts}--b\r\nContent-Disposition: form-data; name="audio"; filename="{recording.name}"\r\n\r\n'.encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "multipart/form-data; boundary=b"}
    path = "/api/v1/shows/diaspora-insights/episodes"
    answer: dict[str, object] = json.loads(_post(server, path, headers, head, recording, b"\r\n--b--\r\n"))
    return answer


def _post(server: servers.Server, path: str, headers: dict[str, str], head: bytes, file: Path, tail: bytes) -> bytes:
    return send(f"POST {path}", server.port, file, headers=headers, head=head, tail=tail)


def send(
    request: str,
    port: int,
    file: Path,
    *,
    headers: Mapping[str, str] | None = None,
    start: int = 0,
    size_bytes: int | None = None,
    head: bytes = b"",
    tail: bytes = b"",
) -> bytes:
    """A request whose body is a file, or a slice of one, by sendfile: the sender costs next to nothing. The answer's
    body."""
    size_bytes = file.stat().st_size if size_bytes is None else size_bytes
    said = {
        "Host": f"127.0.0.1:{port}",
        "Content-Length": f"{len(head) + size_bytes + len(tail)}",
        "Connection": "close",
    }
    lines = [f"{request} HTTP/1.1", *(f"{name}: {value}" for name, value in (said | dict(headers or {})).items())]
    with socket.create_connection(("127.0.0.1", port)) as connection, file.open("rb") as body:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + head)
        with suppress(BrokenPipeError):  # refused early: the answer says why
            connection.sendfile(body, start, size_bytes)
            connection.sendall(tail)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    status, _, rest = answer.partition(b"\r\n")
    assert status.split()[1].startswith(b"2"), answer[:2000]
    return rest.partition(b"\r\n\r\n")[2]


def _publish(server: servers.Server, token: str, recording: Path) -> None:
    guid = str(upload(server, token, recording, title="Voices", publish="now")["guid"]).encode()
    while guid not in _get(server, "/diaspora-insights/feed.xml"):
        time.sleep(0.002)


def upload_published(server: servers.Server, token: str, recording: Path) -> str:
    """The path of the audio of an episode made from this recording, once it is public."""
    _publish(server, token, recording)
    address = re.search(rb'<enclosure url="https?://[^/]+(/media/[^"]+)"', _get(server, "/diaspora-insights/feed.xml"))
    assert address
    return address[1].decode()


def _get(server: servers.Server, path: str) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(1 << 20), b""))


def _copied(recording: Path, target: Path) -> None:
    """Through a socket into a file: the network's share."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender = threading.Thread(target=_send, args=(listener.getsockname()[1], recording))
        sender.start()
        connection, _ = listener.accept()
        with connection, target.open("wb") as file:
            while piece := connection.recv(1 << 20):
                file.write(piece)
        sender.join()


def _send(port: int, recording: Path) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection, recording.open("rb") as file:
        connection.sendfile(file)


def _synced(target: Path) -> float:
    with target.open("r+b") as file:
        start = time.perf_counter()
        os.fdatasync(file.fileno())
        return (time.perf_counter() - start) * 1000


class _Counted:
    """A file that counts how it is read."""

    def __init__(self, path: Path) -> None:
        self._source = FileSource(path)
        self.size = self._source.size
        self.reads = self.bytes_read = 0

    def read(self, start: int, stop: int) -> bytes:
        data = self._source.read(start, stop)
        self.reads += 1
        self.bytes_read += len(data)
        return data
