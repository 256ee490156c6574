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

# A stop waits this long for answers that are under way; what is cut then resumes with the next process.
GRACE_SECONDS = 7
COME_BACK = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

COMING_IN_SECONDS = 0.2  # a handshake that has begun is over by then
HEARD_SECONDS = 1.0  # for who is still sending, to hear that it was cut
LAST_REQUEST_SECONDS = 1.0  # for a request that is on its way over an open connection

# "Drop what has SYN set", for a TCP listener (Linux, socket filters: code, jump if true, jump if false, operand).
LOAD_FLAGS, IS_SYN, DROP, KEEP = (0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFF)
SO_ATTACH_FILTER = 26


class Protocol(half_closed.Protocol):
    """A connection that, while the process stops, may bring one more request, and ends with its answer."""

    is_stopping = False
    is_cut = False

    def shutdown(self) -> None:
        self.is_stopping = True
        if self._is_idle():
            self.loop.call_later(LAST_REQUEST_SECONDS, self._end_if_idle)
        else:
            self.cycle.keep_alive = False
        self.loop.call_later(GRACE_SECONDS, self._cut)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self.is_stopping and not self._is_idle():
            self.cycle.keep_alive = False  # the answer says so: Connection: close

    def data_received(self, data: bytes) -> None:
        if not self.is_cut:
            super().data_received(data)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _end_if_idle(self) -> None:
        if self._is_idle():
            self.transport.close()

    def _cut(self) -> None:
        """For the application it is a client that went away, which it knows to clean up after."""
        if self._is_idle() or self.cycle.response_started:
            self.transport.abort()
            return
        self.is_cut = self.cycle.disconnected = True
        self.cycle.message_event.set()
        self.flow.resume_reading()  # a sender that is not listened to would not hear us either
        self.transport.write(COME_BACK)
        self.loop.call_later(HEARD_SECONDS, self.transport.abort)


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
    asking = select.poll()
    asking.register(listener, select.POLLIN)
    return bool(asking.poll(0))
