"""Files made to hurt: the probe answers soon, in little memory, and with nothing but facts or NotAudio."""

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutagen.id3 import APIC, CHAP, TIT2, Encoding

from media.probe import Facts, NotAudio, probe
from media.source import Reader
from tests.media.samples import Bytes, Mark, Recorded, audio, picture, tagged

MOST_BYTES = 160 << 20  # of memory: the budget of 32 MiB, joined, cut and decoded
SAMPLES = [
    "mp3",
    "mp3 -write_xing 0",
    "m4a",
    "m4a -movflags +faststart+disable_chpl",
    "aac",
    "wav",
    "aiff",
    "flac",
    "ogg",
    "opus",
]

FRAME = b"\xff\xfb\x90\0" + bytes(413)
MP3 = FRAME * 200
APIC_HEAD = b"\0image/jpeg\0\0\0\xff\xd8\xff"
FLAC_INFO = (
    b"fLaC\0\0\0\x22"
    + struct.pack(">HH6x", 4096, 4096)
    + (44100 << 44 | 1 << 41 | 15 << 36 | 441_000).to_bytes(8, "big")
    + bytes(16)
)
WAV = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 2, 44100, 176_400, 4, 16)
OPUS = b"OggS\0\2" + struct.pack("<qIIIB", 0, 1, 0, 0, 1) + b"\x13OpusHead\1\2\0\0\x80\xbb\0\0\0\0\0"


def syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def id3(frames: bytes, size: int | None = None) -> bytes:
    return b"ID3\4\0\0" + syncsafe(len(frames) if size is None else size) + frames


def frame(name: bytes, content: bytes, flags: bytes = b"\0\0") -> bytes:
    return name + syncsafe(len(content)) + flags + content


def chapter(frames: bytes, number: int = 0) -> bytes:
    return frame(b"CHAP", b"%d\0" % number + struct.pack(">IIII", number, number + 1, 0, 0) + frames)


@cache  # packing so much takes a second
def compressed(name: bytes, size: int) -> bytes:
    return frame(name, syncsafe(size) + zlib.compress(bytes(size), 9), b"\0\x09")


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, name) + content


def movie(content: bytes) -> bytes:
    header = box(b"mvhd", bytes(12) + struct.pack(">II", 1000, 1000) + bytes(80))
    return box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", header + content) + box(b"mdat", b"")


def nested(name: bytes, times: int, prefix: bytes = b"") -> bytes:
    return b"".join(struct.pack(">I4s", (8 + len(prefix)) * (times - level), name) + prefix for level in range(times))


def comments(count: int) -> bytes:
    fields = b"".join(struct.pack("<I", len(field)) + field for field in (b"K%d=v" % number for number in range(count)))
    return bytes(4) + struct.pack("<I", count) + fields


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a tag of 256 MB in a small file": lambda: id3(b"", 0x0FFFFFFF) + MP3,
    "a tag of a million frames": lambda: id3(frame(b"TIT2", b"\3x") * 1_000_000) + MP3,
    "a tag of many comments": lambda: id3(b"".join(frame(b"COMM", b"\3eng%d\0x" % n) for n in range(200_000))) + MP3,
    "a compressed frame": lambda: id3(compressed(b"TIT2", 200 << 20)) + MP3,
    "a compressed frame in a chapter": lambda: id3(chapter(compressed(b"TIT2", 200 << 20))) + MP3,
    "a compressed picture in a chapter": lambda: id3(chapter(compressed(b"APIC", 200 << 20))) + MP3,
    "a chapter of many pictures": lambda: id3(chapter(frame(b"APIC", APIC_HEAD + bytes(190 << 10)) * 50)) + MP3,
    "chapters of large pictures": lambda: (
        id3(b"".join(chapter(frame(b"APIC", APIC_HEAD + bytes(2 << 20)), number) for number in range(16))) + MP3
    ),
    "many chapters": lambda: id3(b"".join(chapter(b"", number) for number in range(100_000))) + MP3,
    "a chapter of many frames": lambda: id3(chapter(frame(b"TIT2", b"\3x") * 1_000_000)) + MP3,
    "nothing but the beginning of syncs": lambda: b"\xff" * (4 << 20),
    "nothing but syncs": lambda: b"\xff\xfb\x90\0" * (1 << 20),
    "tiny frames of AAC": lambda: b"\xff\xf1\x50\x80\x01\x1f\xfc\0" * (1 << 20),
    "boxes in boxes in boxes": lambda: movie(nested(b"udta", 20_000)),
    "tags in tags in tags": lambda: movie(nested(b"meta", 20_000, bytes(4))),
    "a million boxes inside": lambda: movie(box(b"free", b"") * 1_000_000),
    "a million boxes beside each other": lambda: box(b"ftyp", b"M4A ") + box(b"free", b"") * 1_000_000,
    "many tracks": lambda: movie(box(b"trak", box(b"free", b"") * 300) * 3000),
    "a box that contains itself": lambda: box(b"ftyp", b"M4A ") + struct.pack(">I4sQ", 1, b"moov", 0) + bytes(100),
    "a million comments in FLAC": lambda: FLAC_INFO + b"\x84\xff\xff\xff" + comments(1_000_000)[: (1 << 24) - 1],
    "many blocks in FLAC": lambda: FLAC_INFO + bytes(8 << 20),
    "syncs of FLAC": lambda: FLAC_INFO + b"\x84\0\0\0" + b"\xff\xf8\xc9\x18\xfe" * 20_000,
    "empty pages of Ogg": lambda: OPUS + (b"OggS\0\0" + bytes(21)) * 200_000,
    "beginnings of pages of Ogg": lambda: OPUS + b"OggS\0\0" * 200_000,
    "many chunks in WAV": lambda: WAV + b"LIST\0\0\0\0" * 500_000,
    "lists in WAV": lambda: WAV + b"data\x10\0\0\0" + bytes(16) + b"LIST\x04\0\0\0INFO" * 900,
    "unended comments of HTML": lambda: b"<!--" * 1_000_000,
}  # fmt: skip


def outcome(source: Bytes | Recorded) -> Facts | NotAudio:
    """Anything else flies, and fails the test."""
    try:
        return probe(source)
    except NotAudio as refused:
        return refused


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Every read of every reader, as it happens."""
    made: list[tuple[int, int]] = []
    read = Reader.read

    def counted(self: Reader, start: int, stop: int) -> bytes:
        made.append((start, stop))
        return read(self, start, stop)

    monkeypatch.setattr(Reader, "read", counted)
    return made


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_a_bounded_amount(name: str, calls: list[tuple[int, int]]) -> None:
    source = Recorded(Bytes(HOSTILE[name]()))

    tracemalloc.start()
    outcome(source)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert source.read_bytes <= 32 << 20
    assert most_bytes < MOST_BYTES
    assert len(calls) <= 100_001


def test_sizes_of_gigabytes_are_not_allocated() -> None:
    tag = Recorded(Bytes(id3(frame(b"TIT2", b"\3x"), 0x0FFFFF00), size=4 << 30))
    wav = Recorded(Bytes(WAV + b"data\xff\xff\xff\xff", size=6 << 30))

    assert isinstance(outcome(tag), NotAudio)
    assert isinstance(outcome(wav), Facts)
    assert tag.read_bytes + wav.read_bytes < 1 << 20


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A file of each kind, with a cover, tags and chapters where its kind has them."""
    folder = tmp_path_factory.mktemp("originals")
    return {name: _original(folder, name) for name in SAMPLES}


def _original(folder: Path, name: str) -> bytes:
    suffix, *options = name.split()
    marks = [Mark(0, 200, "One"), Mark(200, 400, "Two")]
    path = audio(folder / f"a.{suffix}", "-metadata", "title=Title", *options, seconds=0.5, chapters=marks)
    if suffix == "mp3":
        chapter = CHAP(
            element_id="a", start_time=0, end_time=100, sub_frames=[TIT2(encoding=Encoding.UTF8, text="One")]
        )
        tagged(
            path, TIT2(encoding=Encoding.UTF8, text="Title"), chapter, APIC(mime="image/png", type=3, data=picture())
        )
    return path.read_bytes()


@given(data=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_gives_facts_or_a_refusal(originals: dict[str, bytes], data: st.DataObject) -> None:
    original = originals[data.draw(st.sampled_from(SAMPLES))]
    damaged = bytearray(original)
    position = st.one_of(st.integers(0, min(600, len(original) - 1)), st.integers(0, len(original) - 1))
    for at, wrong in data.draw(st.lists(st.tuples(position, st.binary(min_size=1, max_size=8)), max_size=8)):
        damaged[at : at + len(wrong)] = wrong
    end = data.draw(st.one_of(st.just(len(damaged)), st.integers(0, len(damaged))))

    found = outcome(Bytes(bytes(damaged[:end])))

    if isinstance(found, Facts):
        assert found.duration_ms is None or 0 < found.duration_ms < 2**31
        starts = [chapter.start_ms for chapter in found.chapters]
        assert starts == sorted(set(starts))
        assert "\0" not in found.tags.title


@given(
    st.binary(max_size=2000),
    st.sampled_from(
        [
            b"",
            b"ID3\3\0\0\0\0\x07\x76",
            b"RIFF\0\0\0\0WAVE",
            b"FORM\0\0\0\0AIFC",
            b"fLaC",
            b"OggS\0\2",
            b"\0\0\0\x08ftyp",
        ]
    ),
)
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_facts_or_a_refusal(data: bytes, magic: bytes) -> None:
    outcome(Bytes(magic + data))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_cut_anywhere_gives_facts_or_a_refusal(originals: dict[str, bytes], name: str) -> None:
    original = originals[name]

    for end in [*range(min(200, len(original))), *range(200, len(original), 97)]:
        outcome(Bytes(original[:end]))


@pytest.mark.parametrize(("channels", "rate_hz"), [(1, 1), (1, 3999), (65, 44100)])
def test_sound_that_nobody_can_have_recorded_is_damaged(channels: int, rate_hz: int) -> None:
    """882 kB at 1 Hz would be 122 hours, and all of them would have to be encoded."""
    width = 2 * channels
    format_chunk = b"fmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, channels, rate_hz, rate_hz * width, width, 16)
    sound = bytes(width * 10_000)
    size = 20 + len(format_chunk) + len(sound)
    file = (
        b"RIFF" + struct.pack("<I", size - 8) + b"WAVE" + format_chunk + b"data" + struct.pack("<I", len(sound)) + sound
    )

    with pytest.raises(NotAudio):
        probe(Bytes(file))


def test_a_recorder_that_lost_power_never_said_how_much_it_wrote() -> None:
    format_chunk = b"fmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 1, 8000, 16_000, 2, 16)
    file = b"RIFF\0\0\0\0WAVE" + format_chunk + b"data\0\0\0\0" + bytes(16_000 * 3)

    assert probe(Bytes(file)).duration_ms == 3000
