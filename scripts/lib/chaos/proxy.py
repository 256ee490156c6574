"""Stands before the bucket and spoils what passes, as bad networks and busy servers do."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from random import Random

ERROR = (
    b"HTTP/1.1 %d Spoilt\r\nContent-Type: application/xml\r\nContent-Length: %d\r\nConnection: close\r\n\r\n",
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Spoilt on the way.</Message></Error>",
)


class Spoilt(StrEnum):
    """What may happen to a request."""

    REFUSED = "storage answers 500 or 503"
    UNHEARD = "storage never answers"
    LATE = "storage answers slowly"
    CUT = "connection cut in a body"
    UNTOLD = "connection cut after the deed, before the answer"


@dataclass
class FaultyProxy:
    """One request a connection, passed on whole. `how` and `share` may be changed at any time, from any thread."""

    target_port: int
    chance: Random
    how: Spoilt | None = None
    share: float = 0.5  # of the requests
    port: int = 0

    def __post_init__(self) -> None:
        self.spoilt: Counter[Spoilt] = Counter()

    @contextmanager
    def running(self) -> Iterator["FaultyProxy"]:
        """In a thread of its own, for as long as the block lasts."""
        ready = threading.Event()
        thread = threading.Thread(target=asyncio.run, args=(self._serve(ready),), name="proxy", daemon=True)
        thread.start()
        ready.wait()
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._over.set)
            thread.join()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with await asyncio.start_server(self._pass_on, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            await self._over.wait()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(
            OSError, asyncio.IncompleteReadError
        ):  # somebody was killed, or has gone: that is what we are for
            head, length_bytes = await _head(reader, writer)
            how = self._fate()
            await self._answer(how, head, length_bytes, reader, writer)
        writer.close()

    def _fate(self) -> Spoilt | None:
        how = self.how
        if how is None or self.chance.random() > self.share:
            return None
        self.spoilt[how] += 1
        return how

    async def _answer(
        self,
        how: Spoilt | None,
        head: bytes,
        length_bytes: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        match how:
            case Spoilt.REFUSED:
                await reader.readexactly(length_bytes)
                await _say(writer, ERROR[0] % (self.chance.choice((500, 503)), len(ERROR[1])) + ERROR[1])
            case Spoilt.UNHEARD:
                while self.how is Spoilt.UNHEARD:  # until the fault is over; then the connection is cut
                    await asyncio.sleep(0.1)
                writer.transport.abort()
            case Spoilt.CUT if length_bytes:
                await reader.readexactly(length_bytes // 2)
                writer.transport.abort()
            case Spoilt.CUT:
                said, _, body = (await self._ask(head, b"")).partition(b"\r\n\r\n")
                if body:
                    await _say(writer, said + b"\r\n\r\n" + body[: len(body) // 2])
                writer.transport.abort()
            case Spoilt.UNTOLD:
                await self._ask(head, await reader.readexactly(length_bytes))
                writer.transport.abort()
            case Spoilt.LATE | None:
                if how:
                    await asyncio.sleep(self.chance.uniform(0.2, 2))
                await _say(writer, await self._ask(head, await reader.readexactly(length_bytes)))

    async def _ask(self, head: bytes, body: bytes) -> bytes:
        """What the bucket answers, to the last byte."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        try:
            await _say(writer, head + body)
            return await reader.read()
        finally:
            writer.close()


async def _head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[bytes, int]:
    """The request's head, made to end its connection, and how many bytes follow."""
    lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    names = {line.partition(b":")[0].lower(): line.partition(b":")[2].strip() for line in lines[1:]}
    assert b"transfer-encoding" not in names, "S3 takes no body without a length"
    if b"expect" in names:
        await _say(writer, b"HTTP/1.1 100 Continue\r\n\r\n")
    kept = [line for line in lines if line.partition(b":")[0].lower() not in (b"expect", b"connection", b"")]
    return b"\r\n".join([*kept, b"Connection: close", b"", b""]), int(names.get(b"content-length", 0))


async def _say(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()
