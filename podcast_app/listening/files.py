"""A part of a file goes to a listener, piece by piece, at the listener's pace."""

import asyncio
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import FileIO
from pathlib import Path

from starlette.types import Message, Receive, Send

from podcast_app.listening.messages import NOTHING_YET, piece

log = logging.getLogger(__name__)

PIECE_BYTES = 240 * 1024  # with its connection, a slow listener then costs 256 kB of memory
BURST = 4  # pieces
CAN_ASK_FOR_MEMORY = hasattr(os, "RWF_NOWAIT")  # Linux
READERS = ThreadPoolExecutor(max_workers=16, thread_name_prefix="reading")  # wait for the disk


class NotThere(Exception):
    """The file is missing, unreadable, or not as long as it should be. Nothing was sent."""


async def send_file(path: Path, size_bytes: int, part: range, start: Message, receive: Receive, send: Send) -> None:
    """Send the part, which is not empty, of the file, which should have this size. Raises NotThere.

    A listener who goes away ends it. So does a file that ends early: the connection is cut, for the length was said.
    """
    loop = asyncio.get_running_loop()
    file, first = await loop.run_in_executor(READERS, _open, path, size_bytes, part)
    with file:
        rest = part[len(first) :]
        await send(start)
        await send(piece(first, is_last=not rest))
        del first  # or it would stay in memory for as long as the listener takes
        if rest:
            await _send_rest(file, rest, receive, send)


async def _send_rest(file: FileIO, part: range, receive: Receive, send: Send) -> None:
    """In bursts: while one is sent to a fast listener nothing need wait, so others have their turn in between."""
    gone: asyncio.Future[None] | None = None
    try:
        while part := await _send_burst(file, part, send):
            gone = gone or asyncio.ensure_future(_gone(receive))
            await asyncio.sleep(0)
            if gone.done():
                return
    finally:
        if gone:
            gone.cancel()


async def _send_burst(file: FileIO, part: range, send: Send) -> range:
    """Some pieces of the part. What is left of it; nothing when the file has ended."""
    for _ in range(BURST):
        await send(NOTHING_YET)  # waits until the last piece is taken: so one is in memory, and not two
        data = _in_memory(file, part) or await _from_disk(file, part)
        if not data:
            log.error("The file %s ended %d bytes early.", file.name, len(part))
            return range(0)
        part = part[len(data) :]
        await send(piece(data, is_last=not part))
        if not part:
            break
    return part


def _open(path: Path, size_bytes: int, part: range) -> tuple[FileIO, bytes]:
    """The file, and the first piece: both may have to wait for the disk, so it is done in one go."""
    try:
        file = FileIO(path)
        if os.fstat(file.fileno()).st_size == size_bytes:
            return file, _read(file, part)
        file.close()
    except OSError as error:
        raise NotThere(str(error)) from error
    raise NotThere(f"{path} has another size than {size_bytes} bytes")


def _in_memory(file: FileIO, part: range) -> bytearray | None:
    """The next piece, as far as the system has it in memory: reading it takes no longer than copying it."""
    if not CAN_ASK_FOR_MEMORY:
        return None
    data = bytearray(min(len(part), PIECE_BYTES))
    with suppress(OSError):  # EAGAIN: it has nothing; EOPNOTSUPP: this file system cannot tell
        del data[os.preadv(file.fileno(), [data], part.start, os.RWF_NOWAIT) :]
        return data
    return None


async def _from_disk(file: FileIO, part: range) -> bytes:
    return await asyncio.get_running_loop().run_in_executor(READERS, _read, file, part)


def _read(file: FileIO, part: range) -> bytes:
    return os.pread(file.fileno(), min(len(part), PIECE_BYTES), part.start)


async def _gone(receive: Receive) -> None:
    """Returns when the listener has gone away: sending does not tell."""
    while (await receive())["type"] != "http.disconnect":
        pass
