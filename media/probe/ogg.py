"""Ogg: pages of one or several streams; the last page of a stream says how many samples came before its end."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from media.probe import flac, refusals
from media.probe.comments import Comments, comments
from media.probe.facts import NotAudio, Sound
from media.source import BLOCK_BYTES, Damaged, Reader

_PAGE_BYTES: Final = 27 + 255 + 255 * 255  # the largest
_MOST_STREAMS: Final = 16
_MOST_PAGES: Final = 512  # read in search of the first sound: a cover of 20 MB fits before it
_MOST_LAST_PAGES: Final = 2000  # looked at from the end, in search of the last one
_LATE_SECONDS: Final = 60  # no first page holds so much: a stream that starts there was cut out of a longer one
_COMMENTS_AT: Final = {"vorbis": 7, "opus": 8, "flac": 4, "speex": 0}  # in their packet, behind its own mark
_VIDEO: Final = (b"\x80theora", b"BBCD\0", b"OVP80")


@dataclass(frozen=True, slots=True)
class Page:
    """A page by its header (RFC 3533, 6)."""

    serial: int  # whose stream it belongs to
    is_first: bool  # of its stream
    position: int  # samples up to the end of what ends in it, as the codec counts; -1: nothing ends in it
    lengths_at: int  # in the file: the lengths of its pieces, a byte each
    start: int  # of its content
    end: int


@dataclass(frozen=True, slots=True)
class Stream:
    """The stream of sound, as its first packet describes it."""

    codec: str
    serial: int
    sample_rate_hz: int
    channels: int
    ticks_per_second: int  # in which positions are counted
    skipped_ticks: int = 0  # at the start, which nobody hears


def said(reader: Reader, start: int) -> Comments:
    """What the stream of sound says of itself: its second packet. Raises Damaged when that costs too much."""
    stream, _ = _stream(reader, start)
    packet = _second_packet(reader, start, stream.serial)
    return comments(packet[_COMMENTS_AT[stream.codec] :])


def sound(reader: Reader, start: int) -> Sound:
    """The sound of the Ogg file that begins at `start`. Raises NotAudio, Damaged."""
    stream, has_video = _stream(reader, start)
    end = _last_position(reader, stream)
    begin = _first_position(reader, start, stream)
    is_late = begin > _LATE_SECONDS * stream.ticks_per_second
    ticks = end - (begin if is_late else stream.skipped_ticks)
    seconds = ticks / stream.ticks_per_second if ticks > 0 else None
    return Sound(
        codec=stream.codec,
        seconds=seconds,
        is_exact=seconds is not None and not is_late,
        bitrate_bps=(reader.size - start) * 8 / seconds if seconds and not has_video else None,
        sample_rate_hz=stream.sample_rate_hz,
        channels=stream.channels,
        has_video=has_video,
    )


def _stream(reader: Reader, start: int) -> tuple[Stream, bool]:
    """The first stream of sound, and whether there is one of video; their first pages come before all others."""
    found, has_video = None, False
    for page in islice(_pages(reader, start), _MOST_STREAMS):
        if not page.is_first:
            break
        packet = reader.read(page.start, min(page.end, page.start + 256))
        found = found or _identified(packet, page.serial)
        has_video = has_video or packet.startswith(_VIDEO)
    if found is None:
        raise NotAudio(refusals.VIDEO_ONLY if has_video else refusals.SILENT)
    if not (found.sample_rate_hz and found.channels):
        raise Damaged("has no sample rate")
    return found, has_video


def _identified(packet: bytes, serial: int) -> Stream | None:
    for magic, read in _CODECS.items():
        if packet.startswith(magic):
            return read(packet.ljust(80, b"\0"), serial)
    return None


def _vorbis(packet: bytes, serial: int) -> Stream:
    rate_hz = _little(packet[12:16])
    return Stream("vorbis", serial, rate_hz, packet[11], rate_hz)


def _opus(packet: bytes, serial: int) -> Stream:
    return Stream("opus", serial, 48000, packet[9], 48000, _little(packet[10:12]))  # RFC 7845: always counted at 48 kHz


def _flac(packet: bytes, serial: int) -> Stream:
    info = flac.stream_info(packet[17:51])
    return Stream("flac", serial, info.sample_rate_hz, info.channels, info.sample_rate_hz)


def _speex(packet: bytes, serial: int) -> Stream:
    rate_hz = _little(packet[36:40])
    return Stream("speex", serial, rate_hz, _little(packet[48:52]), rate_hz)


_CODECS: Final[dict[bytes, Callable[[bytes, int], Stream]]] = {
    b"\x01vorbis": _vorbis,
    b"OpusHead": _opus,
    b"\x7fFLAC": _flac,
    b"Speex   ": _speex,
}


def _second_packet(reader: Reader, start: int, serial: int) -> bytes:
    """It may go over many pages; a packet ends with the first piece that is shorter than 255 bytes."""
    parts: list[bytes] = []
    own = (page for page in islice(_pages(reader, start), _MOST_PAGES) if page.serial == serial and not page.is_first)
    for page in own:
        pieces = reader.read(page.lengths_at, page.start)
        last = next((number for number, piece in enumerate(pieces) if piece < 255), None)
        parts.append(reader.read(page.start, page.start + sum(pieces if last is None else pieces[: last + 1])))
        if last is not None:
            break
    return b"".join(parts)


def _first_position(reader: Reader, start: int, stream: Stream) -> int:
    """The position of the first page with sound; 0 when it is not near."""
    pages = islice(_pages(reader, start), _MOST_PAGES)
    return next((page.position for page in pages if page.serial == stream.serial and page.position > 0), 0)


def _last_position(reader: Reader, stream: Stream) -> int:
    """The position of the last whole page of the stream, as far as the end of the file shows it; 0 when it does not."""
    at = max(reader.size - max(_PAGE_BYTES, BLOCK_BYTES), 0)
    tail = reader.read(at, reader.size)
    begins = [at + found.start() for found in re.finditer(b"OggS\0", tail)]
    for begin in reversed(begins[-_MOST_LAST_PAGES:]):
        page = _page(reader, begin)
        if page and page.serial == stream.serial and page.position >= 0 and page.end <= reader.size:
            return page.position
    return 0


def _pages(reader: Reader, at: int) -> Iterator[Page]:
    while page := _page(reader, at):
        yield page
        at = page.end


def _page(reader: Reader, at: int) -> Page | None:
    header = reader.read(at, at + 27)
    if len(header) < 27 or header[:5] != b"OggS\0":
        return None
    start = at + 27 + header[26]
    lengths = reader.read(at + 27, start)
    return Page(
        serial=_little(header[14:18]),
        is_first=bool(header[5] & 0b10),
        position=int.from_bytes(header[6:14], "little", signed=True),
        lengths_at=at + 27,
        start=start,
        end=start + sum(lengths),
    )


def _little(number: bytes) -> int:
    return int.from_bytes(number, "little")
