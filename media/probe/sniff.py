"""Which kind of file this is, by its bytes: a name and a declared type are only what somebody believed."""

import re
from dataclasses import dataclass
from typing import Final

from media.mpeg_frame import Header
from media.probe import refusals
from media.probe.facts import Container, NotAudio
from media.probe.iff import WAVE64
from media.probe.mpeg import first_frame, has_open_bitrate
from media.source import Reader
from media.tag_lengths import syncsafe

_MOST_TAGS: Final = 16  # ID3v2, one after another: Windows Media Player adds rather than replaces
_HEAD_BYTES: Final = 4096
_PICTURE_BRANDS: Final = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"jxl ")
_QUICKTIME_STARTS: Final = (b"moov", b"mdat", b"wide", b"skip", b"free", b"pnot")  # files older than "ftyp"
_FOREIGN: Final = {  # by their first bytes
    b"%PDF": (refusals.PDF, ""),
    b"\xff\xd8\xff": (refusals.PICTURE, ""),
    b"\x89PNG\r\n\x1a\n": (refusals.PICTURE, ""),
    b"GIF8": (refusals.PICTURE, ""),
    b"BM": (refusals.PICTURE, ""),
    b"II*\0": (refusals.PICTURE, ""),
    b"MM\0*": (refusals.PICTURE, ""),
    b"PK\3\4": (refusals.ARCHIVE, ""),
    b"PK\5\6": (refusals.ARCHIVE, ""),
    b"Rar!": (refusals.ARCHIVE, ""),
    b"7z\xbc\xaf": (refusals.ARCHIVE, ""),
    b"\x1f\x8b": (refusals.ARCHIVE, ""),
    b"\xd0\xcf\x11\xe0": (refusals.OFFICE, ""),
    b"{\\rtf": (refusals.OFFICE, ""),
    b"#EXTM3U": (refusals.PLAYLIST, ""),
    b"[playlist]": (refusals.PLAYLIST, ""),
    b"\x1aE\xdf\xa3": (refusals.VIDEO, "Matroska, WebM"),
    b"FLV\1": (refusals.VIDEO, "Flash"),
    b"\0\0\1\xba": (refusals.VIDEO, "MPEG"),
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": (refusals.OTHER_AUDIO, "Windows Media"),
    b"#!AMR": (refusals.OTHER_AUDIO, "AMR"),
    b"caff": (refusals.OTHER_AUDIO, "Core Audio"),
    b"MThd": (refusals.OTHER_AUDIO, "MIDI"),
    b"MAC ": (refusals.OTHER_AUDIO, "Monkey's Audio"),
    b"wvpk": (refusals.OTHER_AUDIO, "WavPack"),
    b"MPCK": (refusals.OTHER_AUDIO, "Musepack"),
    b"MP+": (refusals.OTHER_AUDIO, "Musepack"),
    b"TTA1": (refusals.OTHER_AUDIO, "True Audio"),
    b"DSD ": (refusals.OTHER_AUDIO, "DSD"),
    b"FRM8": (refusals.OTHER_AUDIO, "DSD"),
    b"ADIF": (refusals.OTHER_AUDIO, "AAC, ADIF"),
    b"\x0b\x77": (refusals.OTHER_AUDIO, "AC-3"),
}
_FOREIGN_START: Final = re.compile(b"|".join(map(re.escape, _FOREIGN)))
_PAGE: Final = re.compile(rb"<(?:!doctype html|html|head)[\s>]", re.IGNORECASE)
_CONTROLS: Final = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")  # a text has none
_FOREIGN_FORMS: Final = {
    b"WEBP": (refusals.PICTURE, ""),
    b"ILBM": (refusals.PICTURE, ""),
    b"AVI ": (refusals.VIDEO, "AVI"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A kind of file that holds sound."""

    container: Container
    start: int  # of the container, or of the first frame
    tags: tuple[int, ...]  # where ID3v2 tags begin that come before it
    frame: Header | None = None  # the first one, of "mp3" and "adts"


def sniff(reader: Reader) -> Found:
    """The kind of file. Raises NotAudio with what else it is, Damaged."""
    if reader.size == 0:
        raise NotAudio(refusals.EMPTY)
    start, tags = _after_tags(reader)
    if tags and start >= reader.size:
        raise NotAudio(refusals.CUT_OFF)
    head = reader.read(start, start + _HEAD_BYTES)
    if container := _container(head):
        return Found(container=container, start=start, tags=tags)
    if foreign := _foreign(head):  # asked first: an archive or a picture may hold bytes that look like frames
        raise foreign
    if found := first_frame(reader, start):
        at, frame = found
        return Found(container="adts" if frame.kind.codec == "aac" else "mp3", start=at, tags=tags, frame=frame)
    if has_open_bitrate(reader, start):
        raise NotAudio(refusals.OPEN_BITRATE)
    raise _unrecognised(reader, head, has_tags=bool(tags))


def picture_type(data: bytes) -> str | None:
    """The media type of a picture by its bytes; None for what browsers do not show."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    starts = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"GIF8": "image/gif"}
    return next((kind for start, kind in starts.items() if data.startswith(start)), None)


def _after_tags(reader: Reader) -> tuple[int, tuple[int, ...]]:
    """Where the ID3v2 tags at the beginning end, and where each of them begins."""
    at = 0
    tags: list[int] = []
    while len(tags) < _MOST_TAGS and (header := reader.read(at, at + 10))[:3] == b"ID3" and len(header) == 10:
        tags.append(at)
        has_footer = header[5] & 0x10
        at += 10 + syncsafe(header[6:10]) + (10 if has_footer else 0)
    return at, tuple(tags)


def _container(head: bytes) -> Container | None:
    kind, form = head[4:8], head[8:12]
    if head[:4] == b"fLaC":
        return "flac"
    if head[:4] == b"OggS":
        return "ogg"
    if (head[:4] in (b"RIFF", b"RF64", b"BW64") and form == b"WAVE") or head.startswith(WAVE64):
        return "wav"
    if head[:4] == b"FORM" and form in (b"AIFF", b"AIFC"):
        return "aiff"
    if (kind == b"ftyp" and form not in _PICTURE_BRANDS) or kind in _QUICKTIME_STARTS:
        return "mp4"
    return None


def _foreign(head: bytes) -> NotAudio | None:
    """The refusal of a kind that is known by its first bytes."""
    if start := _FOREIGN_START.match(head.removeprefix(b"\xef\xbb\xbf")):
        return _refusal(*_FOREIGN[start[0]])
    if head[4:8] == b"ftyp":
        return NotAudio(refusals.PICTURE)
    if head[:4] in (b"RIFF", b"FORM") and head[8:12] in _FOREIGN_FORMS:
        return _refusal(*_FOREIGN_FORMS[head[8:12]])
    if head[:1] == head[188:189] == head[376:377] == b"G":
        return NotAudio(refusals.VIDEO, kind="MPEG-TS")
    return None


def _refusal(sentence: str, kind: str) -> NotAudio:
    return NotAudio(sentence, kind=kind) if kind else NotAudio(sentence)


def _unrecognised(reader: Reader, head: bytes, *, has_tags: bool) -> NotAudio:
    """The refusal of what has neither sound nor a kind that is known by its first bytes."""
    if has_tags:
        return NotAudio(refusals.SILENT)
    if _is_text(head):
        return NotAudio(refusals.WEB_PAGE if _PAGE.search(head) else refusals.TEXT)
    if reader.size < _HEAD_BYTES:
        return NotAudio(refusals.TOO_SHORT)
    return NotAudio(refusals.UNKNOWN)


def _is_text(head: bytes) -> bool:
    """UTF-16 with its mark, or hardly anything that is not UTF-8: a little, and it is an older encoding."""
    in_utf_8 = len(head.decode("utf-8", "ignore").encode())
    return head[:2] in (b"\xff\xfe", b"\xfe\xff") or (in_utf_8 > 0.8 * len(head) and not _CONTROLS.search(head))
