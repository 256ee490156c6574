"""Row 14: a thousand slow listeners at once, and apps that ask for the feed meanwhile."""

import re
import selectors
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.lib.bench import samples, servers
from scripts.lib.bench.measure import Line
from scripts.lib.bench.uploads import MB, folder_on_disk, upload_published

LISTENERS = 1000
PIECE_BYTES = 4096  # every so often, each of them reads so much: about 20 kB/s, a bad mobile line
EVERY_SECONDS = 0.2
HELD_KB = 256  # of each listener, at most (performance goals, row 4)
FEED = "/diaspora-insights/feed.xml"


def slow_listeners() -> Iterator[Line]:
    """Row 14: memory for each of a thousand slow listeners, and the feed's slowest percent while they listen."""
    with folder_on_disk() as folder:
        data = folder / "data"
        samples.many_episodes(data, 300)[0].database.close()
        with servers.podcast_app(data) as ours:
            token = servers.command(data, "token", "create", "bench")
            media = upload_published(ours, token, samples.mp3(folder / "episode.mp3", 100 * MB))
            alone_ms = slowest_percent_ms(ours)
            with ours.memory_watched() as seen, _listening(ours, media):
                crowded_ms = slowest_percent_ms(ours)
            grown_mb = max(seen) - seen[0]
    yield Line(14, "held for each of 1,000 slow listeners", "256 kB", grown_mb * 1000 / LISTENERS, HELD_KB, "kB", 1)
    yield Line(14, "feed, slowest percent, beside them", "the same without them", crowded_ms, alone_ms, "ms", 5)


@contextmanager
def _listening(server: servers.Server, path: str) -> Iterator[None]:
    """All of them are connected, and read slowly, while the block lasts."""
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(LISTENERS)]
    for connection in connections:
        connection.sendall(request)
        assert connection.recv(12) == b"HTTP/1.1 200"
    done = threading.Event()
    reader = threading.Thread(target=_read_slowly, args=(connections, done))
    reader.start()
    try:
        time.sleep(2)  # what the system keeps for each connection is full by then
        yield
    finally:
        done.set()
        reader.join()
        for connection in connections:
            connection.close()


def _read_slowly(connections: list[socket.socket], done: threading.Event) -> None:
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        while not done.wait(EVERY_SECONDS):
            for key, _ in selector.select(0):
                assert isinstance(key.fileobj, socket.socket)
                assert key.fileobj.recv(PIECE_BYTES), "a listener was cut off"


def slowest_percent_ms(server: servers.Server, *headers: str) -> float:
    """Of eight at a time who ask for the feed."""
    said_with_each = [word for header in ("Accept-Encoding: gzip", *headers) for word in ("-H", header)]
    command = ["wrk", "-t1", "-c8", "-d8s", "--latency", *said_with_each, f"{server.origin}{FEED}"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    assert found, said
    return float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000}[found[2]]
