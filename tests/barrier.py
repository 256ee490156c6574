"""A way to a server on which some requests are held up, as on a network that has a bad day."""

import re
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class Barrier:
    """Open at first. While it is shut, a request that begins like this waits before it, whole."""

    def __init__(self, beginning: bytes) -> None:
        self.beginning = beginning
        self.is_open = threading.Event()
        self.is_open.set()
        self.is_waited_at = threading.Event()

    def shut(self) -> None:
        self.is_waited_at.clear()
        self.is_open.clear()

    def open(self) -> None:
        self.is_open.set()


@contextmanager
def behind(endpoint: str, barrier: Barrier) -> Iterator[str]:
    """The endpoint behind the barrier, for a server at "http://HOST:PORT"."""
    there = urlsplit(endpoint)

    class Way(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((there.hostname, there.port)) as far:
                back = threading.Thread(target=_pass_on, args=(far, self.request), daemon=True)
                back.start()
                while data := self.request.recv(2**16):
                    if data.startswith(barrier.beginning) and not barrier.is_open.is_set():
                        data = _whole(self.request, data)
                        barrier.is_waited_at.set()
                        barrier.is_open.wait()
                    far.sendall(data)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False  # a client that is paused keeps its connection

    with Server(("127.0.0.1", 0), Way) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        barrier.open()
        server.shutdown()


def _whole(client: socket.socket, data: bytes) -> bytes:
    """The request with all of its body."""
    while (head_end := data.find(b"\r\n\r\n")) < 0:
        data += client.recv(2**16)
    length = int(LENGTH.search(data)[1])
    while len(data) < head_end + 4 + length:
        data += client.recv(2**16)
    return data


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(2**16):
            target.sendall(data)
    except OSError:
        pass  # one side has gone
