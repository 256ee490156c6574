"""What may stand before a bucket: a proxy with TLS that takes only what every S3 server takes; and its bad days."""

import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from urllib.parse import urlsplit

from werkzeug.serving import make_ssl_devcert

LARGEST_BODY_BYTES = 10 * 2**20
BLOCK_BYTES = 2**16
PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """The head of a request."""

    method: str
    target: str
    headers: dict[str, str]  # names in lower case

    @property
    def body_bytes(self) -> int:
        return int(self.headers.get("content-length", 0))


@dataclass(frozen=True, slots=True)
class Answers:
    """The proxy answers by itself: when the body has come, or at once, which leaves the sender with the rest."""

    status: int
    code: str
    early: bool = False


@dataclass(frozen=True, slots=True)
class Cuts:
    """The connection breaks on both sides when this much of the body has gone through."""

    after_bytes: int


@dataclass(frozen=True, slots=True)
class LosesAnswer:
    """The server does what it was asked, and nobody hears of it."""


Trouble = Answers | Cuts | LosesAnswer


@dataclass(slots=True)
class StrictProxy:
    """A running proxy, and what it has seen."""

    endpoint: str  # "https://localhost:PORT"
    certificate: str  # the file that AWS_CA_BUNDLE is to name
    asked: list[Asked] = field(default_factory=list)
    refused: list[Asked] = field(default_factory=list)  # which no server need understand
    _troubles: list[tuple[Callable[[Asked], bool], Trouble]] = field(default_factory=list)

    def makes(self, trouble: Trouble, method: str, part_of_target: str = "", times: int = 1) -> None:
        """The next requests of this kind meet the trouble."""

        def is_meant(asked: Asked) -> bool:
            return asked.method == method and part_of_target in asked.target

        self._troubles += [(is_meant, trouble)] * times

    @contextmanager
    def always(self, trouble: Trouble, method: str, part_of_target: str = "") -> Iterator[None]:
        """Every request of this kind meets the trouble in this block."""
        self.makes(trouble, method, part_of_target, times=1000)
        yield
        self._troubles.clear()

    def trouble(self, asked: Asked) -> Trouble | None:
        """What this request meets; it is then used up."""
        self.asked.append(asked)
        if refusal := _refusal(asked):
            self.refused.append(asked)
            return refusal
        for number, (is_meant, trouble) in enumerate(self._troubles):
            if is_meant(asked):
                del self._troubles[number]
                return trouble
        return None


def _refusal(asked: Asked) -> Answers | None:
    """What a server need not understand: chunks, bodies of any size, and checksums that came after 2022."""
    if "transfer-encoding" in asked.headers:
        return Answers(411, "MissingContentLength", early=True)
    if asked.body_bytes > LARGEST_BODY_BYTES:
        return Answers(413, "EntityTooLarge", early=True)
    words = " ".join([asked.target, *asked.headers, asked.headers.get("content-encoding", "")]).lower()
    if any(word in words for word in ("aws-chunked", "x-amz-trailer", "x-amz-checksum", "x-amz-sdk-checksum")):
        return Answers(501, "NotImplemented")
    if asked.headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
        return Answers(501, "NotImplemented")
    return None


@contextmanager
def strict_proxy(upstream: str, directory: Path) -> Iterator[StrictProxy]:
    """Before the server at this address; its certificate lies in the directory."""
    certificate, private_key = make_ssl_devcert(str(directory / "proxy"), host="localhost")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, private_key)
    parts = urlsplit(upstream)
    assert parts.hostname
    with _Server(tls, (parts.hostname, parts.port or 80)) as server:
        proxy = server.proxy = StrictProxy(f"https://localhost:{server.server_address[1]}", certificate)
        thread = Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingTCPServer):
    daemon_threads = False
    request_queue_size = 50
    proxy: StrictProxy

    def __init__(self, tls: ssl.SSLContext, upstream: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.upstream = upstream
        self._tls = tls

    def get_request(self) -> tuple[socket.socket, object]:
        connection, sender = super().get_request()
        connection.settimeout(PATIENCE_SECONDS)
        return self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), sender

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks is an everyday thing here; what else goes wrong is not."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Door(StreamRequestHandler):
    """One request a connection: then who comes and goes is plain to see."""

    server: _Server

    def handle(self) -> None:
        if not (lines := list(iter(self._line, b""))):
            return  # they have only shaken hands
        asked = _parsed(lines)
        if asked.headers.get("expect") == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        match self.server.proxy.trouble(asked):
            case Answers() as answer:
                self._answer(answer, asked)
            case trouble:
                self._pass_on(lines, asked, trouble)

    def _line(self) -> bytes:
        return self.rfile.readline().rstrip(b"\r\n")

    def _answer(self, answer: Answers, asked: Asked) -> None:
        if not answer.early:
            self._body(asked.body_bytes, to=None)
        body = f"<Error><Code>{answer.code}</Code><Message>By the proxy.</Message></Error>".encode()
        head = f"HTTP/1.1 {answer.status} Told\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self.wfile.write(head.encode() + (b"" if asked.method == "HEAD" else body))
        if answer.early:  # as proxies do: whoever is still sending would be cut off before it has read this
            self._body(asked.body_bytes, to=None)

    def _pass_on(self, lines: list[bytes], asked: Asked, trouble: Cuts | LosesAnswer | None) -> None:
        with socket.create_connection(self.server.upstream, PATIENCE_SECONDS) as server:
            server.sendall(_asking_to_close(lines))
            body_bytes = trouble.after_bytes if isinstance(trouble, Cuts) else asked.body_bytes
            if not self._body(body_bytes, to=server) or isinstance(trouble, Cuts):
                return
            while block := server.recv(BLOCK_BYTES):
                if trouble is None:
                    self.wfile.write(block)

    def _body(self, size_bytes: int, to: socket.socket | None) -> bool:
        """Take so much of the body; False when less came."""
        while size_bytes and (block := self.rfile.read(min(size_bytes, BLOCK_BYTES))):
            size_bytes -= len(block)
            if to:
                to.sendall(block)
        return size_bytes == 0


def _parsed(lines: list[bytes]) -> Asked:
    first, *rest = (line.decode("latin-1") for line in lines)
    method, target, _ = first.split(" ")
    pairs = (line.partition(":") for line in rest)
    return Asked(method, target, {name.strip().lower(): value.strip() for name, _, value in pairs})


def _asking_to_close(lines: list[bytes]) -> bytes:
    """The same, but for one connection a request; the host above all is passed on as it was said, and signed."""
    kept = [line for line in lines if not line.lower().startswith((b"connection:", b"expect:"))]
    return b"\r\n".join([*kept, b"Connection: close", b"", b""])
