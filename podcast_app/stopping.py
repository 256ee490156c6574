"""A stop that loses no request: whoever has begun to come in is answered, and nobody new gets in.

uvicorn closes its socket at once. The kernel then resets the connections that wait to be accepted, and uvicorn closes
those whose request is still on its way. A proxy does not send a POST again, so its sender is told 502.
"""

import ctypes
import select
import socket
import struct
import sys
import time
from contextlib import suppress

import uvicorn
from anyio import to_thread
from uvicorn.supervisors import Multiprocess

from podcast_app import half_closed

COMING_IN_SECONDS = 0.2  # a handshake that has begun is over by then
LAST_REQUEST_SECONDS = 0.5  # for a request that is on its way over an open connection

# "Drop what has SYN set", for a TCP listener (Linux, socket filters: code, jump if true, jump if false, operand).
LOAD_FLAGS, IS_SYN, DROP, KEEP = (0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFF)
SO_ATTACH_FILTER = 26


class Protocol(half_closed.Protocol):
    """A connection that, while the process stops, may bring one more request, and ends with its answer."""

    is_stopping = False

    def shutdown(self) -> None:
        self.is_stopping = True
        if self._is_idle():
            self.loop.call_later(LAST_REQUEST_SECONDS, self._end_if_idle)
        else:
            self.cycle.keep_alive = False

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self.is_stopping and not self._is_idle():
            self.cycle.keep_alive = False  # the answer says so: Connection: close

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _end_if_idle(self) -> None:
        if self._is_idle():
            self.transport.close()


class Server(uvicorn.Server):
    """One process that serves. Made for a socket that is given to `run`."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in sockets or ():
            await to_thread.run_sync(let_the_last_in, listener)
        await super().shutdown(sockets)


class Processes(Multiprocess):
    """Several that serve from one socket. They still accept while this one waits, and are told to stop only then."""

    def terminate_all(self) -> None:
        for listener in self.sockets:
            let_the_last_in(listener)
            listener.close()
        super().terminate_all()


def let_the_last_in(listener: socket.socket) -> None:
    """Nobody new may connect from now on. Returns when those who had begun to are accepted. Blocks."""
    _turn_newcomers_away(listener)
    time.sleep(COMING_IN_SECONDS)
    end = time.monotonic() + 1
    while _somebody_waits(listener) and time.monotonic() < end:
        time.sleep(0.01)


def _turn_newcomers_away(listener: socket.socket) -> None:
    """Their first packet is dropped. They send it again after a second, and are refused, for the socket is closed."""
    if sys.platform != "linux":
        return  # a few may be cut off there
    program = b"".join(struct.pack("HBBI", *step) for step in (LOAD_FLAGS, IS_SYN, DROP, KEEP))
    memory = ctypes.create_string_buffer(program)
    with suppress(OSError):  # a sandbox that has no filters: as above
        filters = struct.pack("HP", len(program) // 8, ctypes.addressof(memory))
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, filters)


def _somebody_waits(listener: socket.socket) -> bool:
    return bool(select.select([listener], [], [], 0)[0])
