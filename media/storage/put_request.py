"""A PUT over HTTP whose body is pushed piece by piece, so that it never has to be there as a whole."""

import re
import ssl
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from media.storage import Unavailable

PATIENCE_SECONDS = 60
CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,64})</Code>")  # of an S3 error document


class Refused(Exception):
    """The server answered, and did not take it."""

    def __init__(self, status: int, code: str | None) -> None:
        super().__init__(f"the server answered {status} {code or ''}".strip())
        self.status = status
        self.code = code


class PutRequest:
    """One request to a signed address. Leaving the block closes the connection: what was not finished does not count.

    Raises Unavailable when the connection fails.
    """

    def __init__(self, address: str, size_bytes: int, ca_bundle: str) -> None:
        parts = urlsplit(address)
        assert parts.hostname is not None
        self._size_bytes = size_bytes
        self._rest_bytes = size_bytes
        self._target = f"{parts.path}?{parts.query}"
        if parts.scheme == "https":
            self._connection: HTTPConnection = HTTPSConnection(
                parts.hostname, parts.port, timeout=PATIENCE_SECONDS, context=_trust(ca_bundle)
            )
        else:
            self._connection = HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        try:
            self._connection.putrequest("PUT", self._target, skip_accept_encoding=True)
            self._connection.putheader("Content-Length", str(self._size_bytes))
            self._connection.endheaders()
        except (OSError, HTTPException) as failure:
            self._connection.close()
            raise Unavailable(str(failure)) from failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, cause: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def write(self, data: bytes | memoryview) -> None:
        self._rest_bytes -= len(data)
        try:
            self._connection.send(data)
        except OSError as failure:
            self._answer()  # a server that refuses early says why, and closes
            raise Unavailable(str(failure)) from failure

    def finish(self) -> None:
        """Return when the server has taken it all. Raises Refused."""
        assert self._rest_bytes == 0, f"{self._rest_bytes} bytes too few"
        self._answer()

    def _answer(self) -> None:
        try:
            answer = self._connection.getresponse()
            said = answer.read(10_000)
        except (OSError, HTTPException) as failure:
            raise Unavailable(str(failure)) from failure
        if not 200 <= answer.status < 300:
            code = CODE.search(said)
            raise Refused(answer.status, code[1].decode() if code else None)


@cache  # reading the file takes longer than connecting
def _trust(ca_bundle: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_bundle)
