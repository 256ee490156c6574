"""Chapters in MP4: a list in the header (Nero), or a text track beside the sound (QuickTime), which mutagen ignores."""

import struct
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from media.probe.boxes import fields, find, rows
from media.probe.facts import Chapter
from media.probe.mp4 import Movie, Track
from media.source import Damaged, Reader

_MOST: Final = 300  # of a text track: each may cost a request
_TITLE_BYTES: Final = 1024
_LIST_BYTES: Final = 9 + 255 * (9 + 255)  # the longest
_UNITS_PER_MS: Final = 10_000  # a list counts in 100 ns


def chapters(reader: Reader, movie: Movie) -> tuple[Chapter, ...]:
    """Those of the list, which costs nothing more, or else those of the text track, at a request for each.

    A damaged list or track gives none: no sound is refused for its chapters.
    """
    try:
        return _listed(reader, movie) or _tracked(reader, movie)
    except Damaged:
        return ()


def _listed(reader: Reader, movie: Movie) -> tuple[Chapter, ...]:
    box = find(reader, movie.box, b"udta", b"chpl")
    if box is None:
        return ()
    data = reader.read(box.start, min(box.end, box.start + _LIST_BYTES))
    at = 8 if data[:1] == b"\1" else 4
    count = data[at] if at < len(data) else 0
    at += 1
    found: list[Chapter] = []
    while len(found) < count and at + 9 <= len(data):
        start, length = struct.unpack_from(">QB", data, at)
        title = data[at + 9 : at + 9 + length].decode("utf-8", "replace")
        found.append(Chapter(start_ms=start // _UNITS_PER_MS, title=title))
        at += 9 + length
    return tuple(found)


def _tracked(reader: Reader, movie: Movie) -> tuple[Chapter, ...]:
    wanted = movie.spoken.chapter_tracks if movie.spoken else ()
    track = next((track for track in movie.tracks if track.number in wanted and track.handler == b"text"), None)
    if track is None:
        return ()
    durations = list(_durations(reader, track))
    ends = accumulate(durations)
    return tuple(
        Chapter(
            start_ms=(end - duration) * 1000 // track.ticks_per_second,
            end_ms=end * 1000 // track.ticks_per_second,
            title=_text(reader.read(start, start + size)),
        )
        for duration, end, (start, size) in zip(durations, ends, _samples(reader, track), strict=False)
    )


def _text(sample: bytes) -> str:
    """A text sample: its length, and UTF-8, or UTF-16 with a byte order mark (3GPP TS 26.245, 5.17)."""
    text = sample[2 : 2 + int.from_bytes(sample[:2], "big")]
    return text.decode("utf-16" if text[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8", "replace")


def _durations(reader: Reader, track: Track) -> Iterator[int]:
    """The ticks of each sample."""
    left = _MOST
    for count, ticks in _rows(reader, track, b"stts", "II"):
        yield from [ticks] * min(count, left)
        left -= min(count, left)


def _samples(reader: Reader, track: Track) -> Iterator[tuple[int, int]]:
    """Where each sample is in the file, and its size in bytes."""
    sizes = _sizes(reader, track)
    for start, count in _chunks(reader, track):
        for size in sizes[:count]:
            yield start, min(size, _TITLE_BYTES)
            start += size
        sizes = sizes[count:]


def _sizes(reader: Reader, track: Track) -> list[int]:
    box = find(reader, track.table, b"stsz")
    if box is None:
        return []
    fixed, count = fields(reader, box, "II")
    count = min(count, _MOST)
    return [fixed] * count if fixed else list(fields(reader, box, f"{count}I", at=8))


def _chunks(reader: Reader, track: Track) -> Iterator[tuple[int, int]]:
    """Where each chunk is in the file, and its number of samples."""
    runs = {first: count for first, count, _ in _rows(reader, track, b"stsc", "III")}
    count = 1
    offsets = _rows(reader, track, b"stco", "I") or _rows(reader, track, b"co64", "Q")
    for number, (offset,) in enumerate(offsets, 1):
        count = runs.get(number, count)
        yield offset, count


def _rows(reader: Reader, track: Track, name: bytes, form: str) -> list[tuple[int, ...]]:
    box = find(reader, track.table, name)
    return rows(reader, box, form, most=_MOST) if box else []
