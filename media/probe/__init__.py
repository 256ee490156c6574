"""A file's facts: what it is, how long it lasts, what it says of itself. Read from a few parts of it; never decoded.

A hostile file costs a bounded number of bytes and calls (media.source.Reader). mutagen decodes ID3 frames; all else is
read here, because publication rests on it: which kind of file, how long, and how far that can be trusted.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from media.probe import flac, id3, iff, mp4, mp4_chapters, mp4_tags, mpeg, ogg, refusals, tags
from media.probe.chapter_list import tidy
from media.probe.facts import Chapter, Container, Facts, Metadata, NotAudio, Picture, Sound, Tags
from media.probe.sniff import Found, sniff
from media.source import Damaged, Reader, Source

__all__ = ["Chapter", "Container", "Facts", "NotAudio", "Picture", "Tags", "probe"]

_SLOWEST_HZ: Final = 4000  # half of a telephone's
_MOST_CHANNELS: Final = 64
_LONGEST_SECONDS: Final = 7 * 24 * 3600  # what says more is damaged
_KINDS: Final[dict[Container, tuple[str, str, str]]] = {  # as a producer calls it, media type, extension
    "mp3": ("MP3", "audio/mpeg", "mp3"),
    "mp4": ("M4A", "audio/x-m4a", "m4a"),  # Apple's name for it (Podcast requirements)
    "adts": ("AAC", "audio/aac", "aac"),
    "wav": ("WAV", "audio/wav", "wav"),
    "aiff": ("AIFF", "audio/aiff", "aiff"),
    "flac": ("FLAC", "audio/flac", "flac"),
    "ogg": ("Ogg", "audio/ogg", "ogg"),
}


def probe(source: Source) -> Facts:
    """The facts of an audio file. Raises NotAudio, and what the source raises when it cannot be read."""
    reader = Reader(source)
    found = _found(reader)
    try:
        sound, read_metadata = _parts(reader, found)
    except Damaged as damage:
        raise NotAudio(refusals.DAMAGED, kind=_KINDS[found.container][0]) from damage
    if not _can_be_speech(sound):  # or 1 Hz would make hours of sound of a few kilobytes
        raise NotAudio(refusals.DAMAGED, kind=_KINDS[found.container][0])
    if sound.is_exact and not sound.seconds:
        raise NotAudio(refusals.SILENT)
    try:  # last: if tags use up what a file may cost, only they are lost
        metadata = read_metadata()
    except Damaged:
        metadata = Metadata()
    return _facts(found, sound, metadata)


def _can_be_speech(sound: Sound) -> bool:
    """Whether somebody could have recorded that; what does not say is taken at its word."""
    return (sound.sample_rate_hz or _SLOWEST_HZ) >= _SLOWEST_HZ and (sound.channels or 1) <= _MOST_CHANNELS


def _found(reader: Reader) -> Found:
    try:
        return sniff(reader)
    except Damaged as damage:
        raise NotAudio(refusals.UNKNOWN) from damage


def _parts(reader: Reader, found: Found) -> tuple[Sound, Callable[[], Metadata]]:
    """The sound, and the function that reads what stands beside it. Raises NotAudio, Damaged."""
    start = found.start
    match found.container:
        case "mp3" | "adts":
            assert found.frame is not None  # it is how they were found
            return mpeg.sound(reader, start, found.frame), lambda: tags.from_id3(id3.frames(reader, found.tags))
        case "mp4":
            movie = mp4.movie(reader)
            return mp4.sound(reader, movie), lambda: _movie_metadata(reader, movie)
        case "flac":
            return flac.sound(reader, start), lambda: tags.from_comments(*flac.metadata(reader, start))
        case "ogg":
            return ogg.sound(reader, start), lambda: tags.from_comments(ogg.said(reader, start), [])
        case "wav":
            chunks = iff.chunks(reader, start, "little")
            return iff.wav(reader, chunks), lambda: _form_metadata(reader, chunks)
        case "aiff":
            chunks = iff.chunks(reader, start, "big")
            return iff.aiff(reader, chunks), lambda: _form_metadata(reader, chunks)


def _movie_metadata(reader: Reader, movie: mp4.Movie) -> Metadata:
    said = tags.from_mp4(*mp4_tags.said(reader, movie))
    return replace(said, chapters=mp4_chapters.chapters(reader, movie))


def _form_metadata(reader: Reader, chunks: list[iff.Chunk]) -> Metadata:
    """An ID3 tag says more than the form's own texts."""
    chunk = iff.id3_chunk(chunks)
    said = tags.from_id3(id3.frames(reader, (chunk.start,))) if chunk else Metadata()
    return said if said.tags.title else replace(said, tags=tags.from_texts(iff.texts(reader, chunks)).tags)


def _facts(found: Found, sound: Sound, metadata: Metadata) -> Facts:
    media_type, extension = _names(found, sound)
    seconds = sound.seconds or 0
    duration_ms = round(seconds * 1000) if 0.001 <= seconds < _LONGEST_SECONDS else None
    return Facts(
        container=found.container,
        codec=sound.codec,
        media_type=media_type,
        extension=extension,
        duration_ms=duration_ms,
        duration_is_exact=sound.is_exact and duration_ms is not None,
        bitrate_bps=round(sound.bitrate_bps) if sound.bitrate_bps else None,
        sample_rate_hz=sound.sample_rate_hz,
        channels=sound.channels,
        has_video=sound.has_video,
        tags=metadata.tags,
        chapters=tidy(metadata.chapters, duration_ms if sound.is_exact else None),
        cover=metadata.cover,
    )


def _names(found: Found, sound: Sound) -> tuple[str, str]:
    """Media type and extension."""
    if found.container == "mp4" and sound.has_video:
        return "video/mp4", "mp4"
    _, media_type, extension = _KINDS[found.container]
    return media_type, "opus" if sound.codec == "opus" and found.container == "ogg" else extension
