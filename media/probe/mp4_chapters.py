"""Chapters in MP4: a list in the header (Nero), or a text track beside the sound (QuickTime), which mutagen ignores."""

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import accumulate
from typing import Final, NamedTuple

from media.probe.boxes import fields, find, rows
from media.probe.facts import Chapter, Picture
from media.probe.mp4 import Movie, Track
from media.probe.tags import picture
from media.source import Damaged, Reader

_MOST: Final = 300  # of a track: each may cost a request
_TEXT_BYTES: Final = 4096
_PICTURE_BYTES: Final = 2 << 20
_PICTURES_BYTES: Final = 12 << 20  # of all chapters together
_LIST_BYTES: Final = 9 + 255 * (9 + 255)  # the longest
_UNITS_PER_MS: Final = 10_000  # a list counts in 100 ns


class _Sample(NamedTuple):
    """What a track shows from one time to another: a title, a link or a picture."""

    start_ms: int
    end_ms: int
    start: int  # in the file
    size: int  # bytes


def chapters(reader: Reader, movie: Movie) -> tuple[Chapter, ...]:
    """Those of the list, which costs nothing more, or else those of the first text track, at a request for each.

    A second text track has their links, a track of stills their pictures. What is damaged gives none: no sound is
    refused for its chapters.
    """
    texts, stills = _tracks(movie, b"text"), _tracks(movie, b"vide")
    found: list[Chapter] = []
    links: dict[int, str] = {}
    pictures: dict[int, Picture] = {}
    with suppress(Damaged):  # what was read until then is right
        found += _listed(reader, movie)
        for track in texts[:1] if not found else ():
            found.extend(_titled(reader, track))
        for track in texts[1:2]:
            links.update(_links(reader, track))
        for track in stills[:1]:
            pictures.update(_pictures(reader, track))
    return tuple(
        replace(chapter, url=links.get(chapter.start_ms, chapter.url), picture=pictures.get(chapter.start_ms))
        for chapter in found
    )


def _tracks(movie: Movie, handler: bytes) -> list[Track]:
    wanted = movie.spoken.chapter_tracks if movie.spoken else ()
    return [track for track in movie.tracks if track.number in wanted and track.handler == handler]


def _listed(reader: Reader, movie: Movie) -> list[Chapter]:
    box = find(reader, movie.box, b"udta", b"chpl")
    if box is None:
        return []
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
    return found


def _titled(reader: Reader, track: Track) -> Iterator[Chapter]:
    """A chapter for each sample of a text track."""
    for sample in _samples(reader, track):
        data = _data(reader, sample, _TEXT_BYTES)
        yield Chapter(start_ms=sample.start_ms, end_ms=sample.end_ms, title=_text(data), url=_link(data) or None)


def _links(reader: Reader, track: Track) -> Iterator[tuple[int, str]]:
    """The links of a text track, by their start."""
    for sample in _samples(reader, track):
        if link := _link(_data(reader, sample, _TEXT_BYTES)):
            yield sample.start_ms, link


def _pictures(reader: Reader, track: Track) -> Iterator[tuple[int, Picture]]:
    """The pictures of a track, by their start, as long as all of them are not too large."""
    left = _PICTURES_BYTES
    for sample in _samples(reader, track):
        if sample.size <= min(left, _PICTURE_BYTES) and (shown := picture(_data(reader, sample, sample.size))):
            left -= sample.size
            yield sample.start_ms, shown


def _data(reader: Reader, sample: _Sample, most_bytes: int) -> bytes:
    return reader.read(sample.start, sample.start + min(sample.size, most_bytes))


def _text(sample: bytes) -> str:
    """A text sample: its length, and UTF-8, or UTF-16 with a byte order mark (3GPP TS 26.245, 5.17)."""
    text = sample[2 : _text_end(sample)]
    return text.decode("utf-16" if text[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8", "replace")


def _link(sample: bytes) -> str:
    """The address in the box of a link behind the text (the same, 5.17.1.5); "" when there is none."""
    at = _text_end(sample)
    while len(header := sample[at : at + 8]) == 8:
        size, name = struct.unpack(">I4s", header)
        if name == b"href":  # the first and last character that are underlined, then the address behind its length
            address = sample[at + 13 : at + 13 + sample[at + 12]] if len(sample) > at + 12 else b""
            return address.decode("utf-8", "replace")
        at += max(size, 8)
    return ""


def _text_end(sample: bytes) -> int:
    return 2 + int.from_bytes(sample[:2], "big")


def _samples(reader: Reader, track: Track) -> Iterator[_Sample]:
    """Those of a track in order."""
    durations = list(_durations(reader, track))
    for duration, end, (start, size) in zip(durations, accumulate(durations), _places(reader, track), strict=False):
        start_ms, end_ms = ((ticks * 1000) // track.ticks_per_second for ticks in (end - duration, end))
        yield _Sample(start_ms, end_ms, start, size)


def _durations(reader: Reader, track: Track) -> Iterator[int]:
    """The ticks of each sample."""
    left = _MOST
    for count, ticks in _rows(reader, track, b"stts", "II"):
        yield from [ticks] * min(count, left)
        left -= min(count, left)


def _places(reader: Reader, track: Track) -> Iterator[tuple[int, int]]:
    """Where each sample is in the file, and its size in bytes."""
    sizes = _sizes(reader, track)
    for start, count in _chunks(reader, track):
        for size in sizes[:count]:
            yield start, size
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
