"""WAV (RIFF, RF64, Wave64) and AIFF: chunks, each with a name and a size that may lie."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

from media.probe import refusals
from media.probe.facts import NotAudio, Sound
from media.source import Damaged, Reader
from media.text import clean_line

Order = Literal["little", "big"]

WAVE64: Final = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")  # how Sony's form for long recordings begins

_MOST_CHUNKS: Final = 1000
_UNKNOWN_SIZE: Final = 0xFFFFFFFF  # written by those who cannot go back, and by RF64, whose sizes stand elsewhere
_TOLERANCE: Final = 0.02
_EXTENSIBLE: Final = 0xFFFE
_WAV_CODECS: Final = {
    0x01: "pcm", 0x03: "pcm", 0x02: "adpcm", 0x11: "adpcm", 0x06: "alaw", 0x07: "mulaw",
    0x31: "gsm", 0x50: "mp2", 0x55: "mp3",
}  # fmt: skip
_AAC: Final = 0xFF  # nothing says where its frames begin: ffmpeg 5.1 makes a tenth of a second of an hour
_AIFF_CODECS: Final = {
    **dict.fromkeys((b"NONE", b"twos", b"sowt", b"fl32", b"FL32", b"fl64", b"FL64", b"in24", b"in32", b"raw "), "pcm"),
    b"ulaw": "mulaw", b"ULAW": "mulaw", b"alaw": "alaw", b"ALAW": "alaw", b"ima4": "adpcm",
}  # fmt: skip
_IMA4_SAMPLES: Final = 64  # in each of the packets that such a file counts instead of samples (QTFF, "IMA 4:1")
_AIFF_TEXTS: Final = {b"NAME": "title", b"AUTH": "artist", b"ANNO": "comment"}
_WAV_TEXTS: Final = {
    b"INAM": "title", b"IART": "artist", b"ICMT": "comment", b"ITRK": "track",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of the file."""

    name: bytes
    start: int  # of its content
    size_bytes: int  # of its content, as far as the file has it
    is_whole: bool


def chunks(reader: Reader, start: int, order: Order) -> list[Chunk]:
    """The chunks of the form that begins at `start`, in their order."""
    is_wave64 = reader.read(start, start + 16) == WAVE64
    found = _wave64_chunks(reader, start + 40) if is_wave64 else _chunks(reader, start + 12, order)
    return list(islice(found, _MOST_CHUNKS))


def content(reader: Reader, found: list[Chunk], name: bytes, *, most_bytes: int = 4096) -> bytes:
    """The beginning of the first chunk of that name; b"" when there is none."""
    chunk = next((chunk for chunk in found if chunk.name == name), None)
    return reader.read(chunk.start, chunk.start + min(chunk.size_bytes, most_bytes)) if chunk else b""


def wav(reader: Reader, found: list[Chunk]) -> Sound:
    """The sound of a WAV file with these chunks. Raises NotAudio, Damaged."""
    form = content(reader, found, b"fmt ")
    data = next((chunk for chunk in found if chunk.name == b"data"), None)
    if len(form) < 16 or data is None:
        raise Damaged("has no format or no data")
    tag, channels = _little(form[0:2]), _little(form[2:4])
    rate_hz, bytes_per_second, block_bytes = _little(form[4:8]), _little(form[8:12]), _little(form[12:14])
    if tag == _EXTENSIBLE:
        tag = _little(form[24:26])
    if tag == _AAC:
        raise NotAudio(refusals.OTHER_AUDIO, kind="AAC in WAV")
    codec = _WAV_CODECS.get(tag, f"wav-{tag:#06x}")
    if codec == "pcm":
        bytes_per_second = rate_hz * block_bytes
    samples = _little(content(reader, found, b"fact")[:4]) if codec != "pcm" and data.is_whole else 0
    return Sound(
        codec=codec,
        seconds=samples / rate_hz if samples and rate_hz else _ratio(data.size_bytes, bytes_per_second),
        is_exact=codec == "pcm" and data.is_whole,
        bitrate_bps=bytes_per_second * 8 or None,
        sample_rate_hz=rate_hz or None,
        channels=channels or None,
    )


def aiff(reader: Reader, found: list[Chunk]) -> Sound:
    """The sound of an AIFF or AIFF-C file with these chunks. Raises Damaged."""
    common = content(reader, found, b"COMM")
    data = next((chunk for chunk in found if chunk.name == b"SSND"), None)
    if len(common) < 18 or data is None:
        raise Damaged("has no format or no data")
    channels, samples, bits = _big(common[0:2]), _big(common[2:6]), _big(common[6:8])
    rate_hz = _extended(common[8:18])
    codec = _AIFF_CODECS.get(common[18:22] or b"NONE", "aiff-" + clean_line(common[18:22].decode("latin-1")))
    if common[18:22] == b"ima4":
        samples *= _IMA4_SAMPLES
    promised_bytes = samples * channels * ((bits + 7) // 8)
    fits = abs(data.size_bytes - 8 - promised_bytes) <= _TOLERANCE * promised_bytes
    seconds = samples / rate_hz if rate_hz else None
    return Sound(
        codec=codec,
        seconds=seconds,
        is_exact=codec == "pcm" and data.is_whole and fits,
        bitrate_bps=data.size_bytes * 8 / seconds if seconds else None,
        sample_rate_hz=rate_hz or None,
        channels=channels or None,
    )


def id3_chunk(found: list[Chunk]) -> Chunk | None:
    """The chunk that holds an ID3 tag, which is the richer one."""
    return next((chunk for chunk in found if chunk.name.lower() == b"id3 "), None)


def texts(reader: Reader, found: list[Chunk]) -> dict[str, str]:
    """What the form's own text chunks say, by our names for it."""
    said = {name: content(reader, found, chunk) for chunk, name in _AIFF_TEXTS.items()}
    lists = (chunk for chunk in found if chunk.name == b"LIST")
    information = next((each for each in lists if reader.read(each.start, each.start + 4) == b"INFO"), None)
    if information:
        inner = chunks(reader, information.start - 8, "little")
        said |= {name: content(reader, inner, info) for info, name in _WAV_TEXTS.items()}
    return {name: _decoded(text) for name, text in said.items() if text}


def _decoded(text: bytes) -> str:
    """Neither form says which encoding it means."""
    text = text.split(b"\0")[0]
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")


def _chunks(reader: Reader, at: int, order: Order) -> Iterator[Chunk]:
    form_size = int.from_bytes(reader.read(at - 8, at - 4), order)  # 0: whoever wrote it never came back to say
    long_size = 0  # of "data", where its own field is too short (EBU Tech 3306, ds64)
    while len(header := reader.read(at, at + 8)) == 8:
        name, declared = header[:4], int.from_bytes(header[4:], order)
        at += 8
        if name == b"ds64":
            long_size = _little(reader.read(at + 8, at + 16))
        if name == b"data" and (declared == _UNKNOWN_SIZE or (declared == 0 and form_size == 0)):
            declared = long_size or reader.size
        available = reader.size - at
        yield Chunk(name, at, min(declared, available), is_whole=declared <= available)
        at += declared + declared % 2


def _wave64_chunks(reader: Reader, at: int) -> Iterator[Chunk]:
    """Names are GUIDs that begin with the old name; sizes count 24 bytes of header in (Sony, "Wave 64")."""
    while len(header := reader.read(at, at + 24)) == 24 and (size := _little(header[16:])) >= 24:
        yield Chunk(header[:4], at + 24, min(at + size, reader.size) - at - 24, is_whole=at + size <= reader.size)
        at += (size + 7) // 8 * 8


def _ratio(amount: int, per_second: int) -> float | None:
    return amount / per_second if per_second else None


def _extended(number: bytes) -> int:
    """An 80-bit floating point number, as a whole one; 0 when it is none that a sample rate can be."""
    exponent, mantissa = _big(number[:2]) - 16383 - 63, _big(number[2:])
    return mantissa >> -exponent if -64 < exponent <= 0 else 0


def _little(number: bytes) -> int:
    return int.from_bytes(number, "little")


def _big(number: bytes) -> int:
    return int.from_bytes(number, "big")
