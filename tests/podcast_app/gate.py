"""A proxy before a site or a bucket, as a test wants it: it counts parts, and can be slow, shut, or another's."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PART = re.compile(r"/parts/(\d+)|[?&]partNumber=(\d+)")
PIECE_BYTES = 64 * 1024
HELD_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What the gate says itself."""

    status: int
    body: bytes = b""
    media_type: str = "text/html"


Rule = Callable[[int, str], Answer | None]  # of a part's number and its whole address; None: it may pass


@dataclass
class Gate:
    """`came` and `passed`: the numbers of parts, in order. The rule may be changed at any time, and may wait."""

    address: str
    rule: Rule = lambda _number, _path: None
    seconds_a_piece: float = 0
    came: list[int] = field(default_factory=list)
    passed: list[int] = field(default_factory=list)
    opened: threading.Event = field(default_factory=threading.Event)

    def holds_after(self, count: int) -> None:
        """So many parts may pass; the others wait until the gate is opened."""
        free = threading.Semaphore(count)

        def rule(_number: int, _path: str) -> None:
            if not free.acquire(blocking=False):
                self.opened.wait(HELD_SECONDS)

        self.rule = rule

    def wait_for(self, count: int) -> None:
        """Until so many parts have passed."""
        end = time.monotonic() + HELD_SECONDS
        while len(self.passed) < count:
            assert time.monotonic() < end, f"only {self.passed} have passed"
            time.sleep(0.02)


@contextmanager
def gate_before(address: str) -> Iterator[Gate]:
    """A gate whose other side is the server at this address; that one may come and go."""
    target = urlsplit(address).netloc
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.daemon_threads = True
    gate = Gate(f"http://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass = _handler(gate, target)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield gate
    finally:
        gate.opened.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(gate: Gate, target: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do(self) -> None:
            number = _part(self.command, self.path)
            said = None
            if number is not None:
                gate.came.append(number)
                said = gate.rule(number, self.path)
            try:
                if said is not None:
                    self._say(said.status, {"Content-Type": said.media_type, "Connection": "close"}, said.body)
                else:
                    self._pass_on(number)
            except (OSError, HTTPException):  # one of the two is gone
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = do  # noqa: N815  (http.server's names)

        def _pass_on(self, number: int | None) -> None:
            connection = HTTPConnection(target, timeout=60)
            try:
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    connection.putheader(name, value)
                connection.endheaders()
                self._send_body(connection)
                answer = connection.getresponse()
                body = answer.read()
            finally:
                connection.close()
            if number is not None and answer.status < 300:
                gate.passed.append(number)
            headers = {name: value for name, value in answer.getheaders() if name.lower() not in ("date", "server")}
            self._say(answer.status, headers, body)

        def _send_body(self, connection: HTTPConnection) -> None:
            rest = int(self.headers.get("Content-Length", 0))
            while rest:
                piece = self.rfile.read(min(PIECE_BYTES, rest))
                if not piece:
                    raise ConnectionResetError
                connection.send(piece)
                rest -= len(piece)
                time.sleep(gate.seconds_a_piece)

        def _say(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            hop_by_hop = ("transfer-encoding", "content-length")
            for name, value in headers.items():
                if name.lower() not in hop_by_hop:
                    self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler


def _part(method: str, path: str) -> int | None:
    found = PART.search(path) if method == "PUT" else None
    return int(found[1] or found[2]) if found else None
