"""MP4 and QuickTime: how long the sound lasts, what else is there, and whether what is promised is in the file.

mutagen looks at none of edits, fragments, other tracks and the data's end, and refuses what QuickTime adds.
"""

import struct
from dataclasses import dataclass
from itertools import islice
from typing import Final

from media.probe import mp4_coding, refusals
from media.probe.boxes import Box, fields, find, inside, named, need, rows, whole_file
from media.probe.facts import NotAudio, Sound
from media.source import Damaged, Reader

_MOST_TOP_BOXES: Final = 64
_MOST_TRACKS: Final = 64
_MOST_ROWS: Final = 4096
_TOLERANCE: Final = 0.02
_TOLERANCE_SECONDS: Final = 0.06
_FRAME_SAMPLES: Final = 1024  # of AAC, which plays whole frames
_LIKELY_BPS: Final = range(100, 50_000_000)  # from silence to eight channels without loss
_UNKNOWN_TICKS: Final = (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
_STILLS: Final = (b"jpeg", b"png ", b"mjpa", b"mjpb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A track as its own boxes describe it."""

    number: int
    handler: bytes  # b"soun", b"vide", b"text" ...
    ticks_per_second: int
    ticks: int  # 0: not known
    played_movie_ticks: int  # by the edit list; 0: there is none
    chapter_tracks: tuple[int, ...]  # the numbers of the tracks that hold this one's chapters
    entry: Box | None  # how it is coded; the box's name says it
    table: Box  # of its samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Movie:
    """What the file has."""

    box: Box
    ticks_per_second: int
    tracks: tuple[Track, ...]
    data_share: float  # of the data that the file says it has, how much is there: 1.0 when it is whole
    is_fragmented: bool
    fragments_ticks: int  # 0: not known

    @property
    def spoken(self) -> Track | None:
        """The first track of sound."""
        return next((track for track in self.tracks if track.handler == b"soun"), None)


def movie(reader: Reader) -> Movie:
    """The file's table of contents. Raises NotAudio, Damaged."""
    box, data_share = _movie_box(reader)
    ticks_per_second, _ = _times(reader, need(reader, box, b"mvhd"))
    fragments = find(reader, box, b"mvex", b"mehd")
    return Movie(
        box=box,
        ticks_per_second=ticks_per_second,
        tracks=tuple(_track(reader, track) for track in islice(named(reader, box, b"trak"), _MOST_TRACKS)),
        data_share=data_share,
        is_fragmented=find(reader, box, b"mvex") is not None,
        fragments_ticks=fields(reader, fragments, "I", "Q")[0] if fragments else 0,
    )


def sound(reader: Reader, found: Movie) -> Sound:
    """The first track of sound. Raises NotAudio, Damaged."""
    track, has_video = found.spoken, _has_video(found)
    if track is None:
        raise NotAudio(refusals.VIDEO_ONLY if has_video else refusals.SILENT)
    coding = mp4_coding.coding(reader, track.entry)
    if coding.is_protected:
        raise NotAudio(refusals.PROTECTED)
    seconds, is_exact = _length(reader, found, track)
    data_bytes = reader.size - (found.box.end - found.box.start)
    bitrate_bps = data_bytes * 8 / seconds if seconds and not has_video else None
    return Sound(
        codec=coding.codec,
        seconds=seconds or None,
        is_exact=is_exact and seconds > 0 and (has_video or _is_likely(bitrate_bps, seconds, coding.sample_rate_hz)),
        bitrate_bps=bitrate_bps,
        sample_rate_hz=coding.sample_rate_hz,
        channels=coding.channels,
        has_video=has_video,
    )


def _is_likely(bitrate_bps: float | None, seconds: float, rate_hz: int | None) -> bool:
    """Whether a length may be said exactly: the data fit it, and the coder's last frame does not matter."""
    frame_seconds = _FRAME_SAMPLES / rate_hz if rate_hz else 0
    fits = bitrate_bps is not None and int(bitrate_bps) in _LIKELY_BPS
    return fits and frame_seconds <= max(_TOLERANCE * seconds, _TOLERANCE_SECONDS)


def _has_video(found: Movie) -> bool:
    """Moving pictures: neither the chapters' pictures nor a still that stands for a cover."""
    of_chapters = {number for track in found.tracks for number in track.chapter_tracks}
    videos = (track for track in found.tracks if track.handler == b"vide" and track.number not in of_chapters)
    return any(track.entry is None or track.entry.name not in _STILLS for track in videos)


def _length(reader: Reader, found: Movie, track: Track) -> tuple[float, bool]:
    """Seconds (0: not known), and whether they are exact."""
    if found.is_fragmented:
        ticks = found.fragments_ticks
        return (ticks / found.ticks_per_second if ticks else track.ticks / track.ticks_per_second), False
    durations = find(reader, track.table, b"stts")
    ticks = sum(count * each for count, each in rows(reader, durations, "II", most=_MOST_ROWS)) if durations else 0
    is_agreed = ticks > 0 and abs(track.ticks - ticks) <= _TOLERANCE * ticks
    seconds = (track.ticks or ticks) / track.ticks_per_second
    played = track.played_movie_ticks / found.ticks_per_second
    if 0 < played < seconds:  # an edit cuts away the silence that an encoder adds; it cannot add sound
        seconds = played
    return seconds * found.data_share, is_agreed and found.data_share == 1


def _movie_box(reader: Reader) -> tuple[Box, float]:
    """The movie box, and the share that is there of the data beside it. What comes after both is not looked at."""
    found: Box | None = None
    data: Box | None = None
    for box in islice(inside(reader, whole_file(reader)), _MOST_TOP_BOXES):
        if box.name == b"moov":
            found = box
        elif box.name in (b"mdat", b"moof"):
            data = box
        if found and data:
            break
    if found is None or found.end > reader.size:
        raise NotAudio(refusals.CUT_OFF)
    if data is None:
        return found, 0
    return found, (min(data.end, reader.size) - data.start) / (data.end - data.start) if data.end > data.start else 1


def _track(reader: Reader, box: Box) -> Track:
    table = need(reader, box, b"mdia", b"minf", b"stbl")
    ticks_per_second, ticks = _times(reader, need(reader, box, b"mdia", b"mdhd"))
    handler = need(reader, box, b"mdia", b"hdlr")
    references, edits = find(reader, box, b"tref", b"chap"), find(reader, box, b"edts", b"elst")
    return Track(
        number=fields(reader, need(reader, box, b"tkhd"), "8xI", "16xI")[0],
        handler=reader.exactly(handler.start + 8, 4),
        ticks_per_second=ticks_per_second,
        ticks=ticks,
        played_movie_ticks=_played(reader, edits) if edits else 0,
        chapter_tracks=_numbers(reader, references) if references else (),
        entry=_entry(reader, table),
        table=table,
    )


def _times(reader: Reader, header: Box) -> tuple[int, int]:
    """Ticks a second, and ticks (0: not known), of the header of a movie or of a track's medium."""
    ticks_per_second, ticks = fields(reader, header, "8xII", "16xIQ")
    if not ticks_per_second:
        raise Damaged("has no time scale")
    return ticks_per_second, 0 if ticks in _UNKNOWN_TICKS else ticks


def _played(reader: Reader, edits: Box) -> int:
    """Ticks of the movie in which something is played: an edit that starts at -1 is a pause."""
    listed = rows(reader, edits, "Iii", "Qqi", most=_MOST_ROWS)
    return sum(ticks for ticks, media_start, _ in listed if media_start >= 0)


def _numbers(reader: Reader, references: Box) -> tuple[int, ...]:
    count = min(max(references.end - references.start, 0) // 4, _MOST_TRACKS)
    return struct.unpack(f">{count}I", reader.exactly(references.start, 4 * count))


def _entry(reader: Reader, table: Box) -> Box | None:
    descriptions = find(reader, table, b"stsd")
    if descriptions is None:
        return None
    return next(inside(reader, Box(b"stsd", descriptions.start + 8, descriptions.end)), None)
