"""Chapters inside recordings, with their links and pictures, as programs write them."""

import json
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from mutagen.flac import FLAC
from mutagen.id3 import APIC, CHAP, CTOC, TIT2, WOAS, WXXX, CTOCFlags, Encoding, Frame
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis

from media.chapters import tidy
from media.probe import Chapter, Facts, Picture, mp4, mp4_chapters, probe
from media.source import FileSource, Reader
from tests.media.samples import Bytes, audio, picture, tagged

LATIN_1, UTF_8 = Encoding.LATIN1, Encoding.UTF8
JPEG = Picture(media_type="image/jpeg", data=picture())
PNG = Picture(media_type="image/png", data=picture(kind="PNG"))

# Where ffprobe sees something else: of Hindenburg's two text tracks it takes the titles of the links.
HINDENBURG = ["Chapter Marker 1", "Chapter Marker 2"]
REAL = {
    "antennapod/auphonic.mp3": 4,
    "antennapod/auphonic.m4a": 4,
    "antennapod/auphonic.ogg": 4,
    "antennapod/auphonic.opus": 4,
    "antennapod/hindenburg-journalist-pro.mp3": 2,
    "antennapod/hindenburg-journalist-pro.m4a": 2,
    "antennapod/mp3chaps-py.mp3": 4,
    "antennapod/nero-chapters.m4a": 4,
    "mutagen/nero-chapters.m4b": 112,
    "mutagen/ep7.m4b": 1,
    "mutagen/ep9.m4b": 1,
}


def facts(path: Path) -> Facts:
    return probe(FileSource(path))


@pytest.fixture
def mp3(tmp_path: Path) -> Path:
    return audio(tmp_path / "a.mp3", "-id3v2_version", "0")


# -- ID3


@pytest.mark.parametrize("version", [3, 4])
def test_a_chapter_of_an_mp3_has_its_link_and_its_picture(mp3: Path, version: int) -> None:
    first = chapter("a", 0, "Intro", WXXX(encoding=LATIN_1, desc="link", url="https://example.org"), shown(JPEG))
    tagged(mp3, contents("b", "a"), chapter("b", 900, "Fin", shown(PNG)), first, shown(PNG), version=version)

    found = facts(mp3)

    assert found.chapters == (
        Chapter(start_ms=0, end_ms=900, title="Intro", url="https://example.org", picture=JPEG),
        Chapter(start_ms=900, end_ms=1800, title="Fin", picture=PNG),
    )
    assert found.cover == PNG


def test_chapters_out_of_order_in_the_file_and_its_contents_are_put_right(mp3: Path) -> None:
    starts = {"Outro": 1500, "Intro": 0, "Third": 1000, "Second": 500}
    tagged(mp3, contents(*starts), *(chapter(title, start_ms, title) for title, start_ms in starts.items()))

    assert [one.title for one in facts(mp3).chapters] == ["Intro", "Second", "Third", "Outro"]


def test_the_first_safe_link_of_a_chapter_counts(mp3: Path) -> None:
    unsafe = WXXX(encoding=LATIN_1, desc="", url="javascript:alert(1)")
    tagged(mp3, chapter("a", 0, "Intro", unsafe, WOAS(url="https://example.org")))

    assert facts(mp3).chapters[0].url == "https://example.org"


def test_a_chapters_picture_is_whole_in_an_unsynchronised_tag(mp3: Path) -> None:
    """Version 2.4 does it to each frame, and says the sizes inside a chapter as they were before."""
    data = b"\xff\xd8\xff\xe0\0\xff\0\xff\xff\0" * 50
    content = b"a\0" + struct.pack(">IIII", 0, 900, 0xFFFFFFFF, 0xFFFFFFFF)
    content += id3_frame(b"APIC", b"\0image/jpeg\0\0\0" + data) + id3_frame(b"TIT2", b"\3Intro")
    frame = id3_frame(b"CHAP", unsynchronised(content), b"\0\2")

    found = probe(Bytes(b"ID3\4\0\x80" + syncsafe(len(frame)) + frame + mp3.read_bytes()))

    assert found.chapters == (
        Chapter(start_ms=0, end_ms=900, title="Intro", picture=Picture(media_type="image/jpeg", data=data)),
    )


def test_a_tag_that_only_says_that_it_is_unsynchronised_is_read_as_it_is(mp3: Path) -> None:
    data = b"\xff\xd8\xff\xe0\0\xff\0" * 50
    content = b"a\0" + struct.pack(">IIII", 0, 900, 0xFFFFFFFF, 0xFFFFFFFF)
    content += id3_frame(b"TIT2", b"\3Intro") + id3_frame(b"APIC", b"\0image/jpeg\0\0\0" + data)
    frame = id3_frame(b"CHAP", content)

    found = probe(Bytes(b"ID3\4\0\x80" + syncsafe(len(frame)) + frame + mp3.read_bytes()))

    assert found.chapters[0].picture == Picture(media_type="image/jpeg", data=data)


def test_a_picture_that_is_too_large_costs_the_chapter_nothing_else(mp3: Path) -> None:
    large = Picture(media_type="image/jpeg", data=JPEG.data + bytes(2 << 20))
    link = WXXX(encoding=LATIN_1, desc="", url="https://example.org")
    tagged(mp3, chapter("a", 0, "Intro", shown(large), link))

    assert facts(mp3).chapters == (Chapter(start_ms=0, end_ms=900, title="Intro", url="https://example.org"),)


def test_pictures_are_kept_as_long_as_all_of_them_are_not_too_large(mp3: Path) -> None:
    large = Picture(media_type="image/jpeg", data=JPEG.data + bytes((2 << 20) - 10_000))
    tagged(mp3, *(chapter(f"{number}", number * 100, f"{number}", shown(large)) for number in range(9)))

    found = facts(mp3).chapters

    assert [one.title for one in found] == [str(number) for number in range(9)]
    assert [one.start_ms // 100 for one in found if one.picture] == [0, 1, 2, 3, 4, 5]


# -- QuickTime


def test_links_and_pictures_of_quicktime_stand_in_tracks_of_their_own() -> None:
    file = quicktime(
        text=[text_sample("Intro"), text_sample("\n\tMatongé")],
        links=[text_sample("Intro", "https://example.org/é"), text_sample("nothing")],
        stills=[JPEG.data, PNG.data],
    )

    assert chapters_of(file) == (
        Chapter(start_ms=0, end_ms=1000, title="Intro", url="https://example.org/é", picture=JPEG),
        Chapter(start_ms=1000, end_ms=2000, title="Matongé", picture=PNG),
    )


def test_a_link_may_stand_beside_the_title() -> None:
    file = quicktime(text=[text_sample("Intro", "https://example.org"), text_sample("Fin", "javascript:alert(1)")])

    assert [one.url for one in chapters_of(file)] == ["https://example.org", None]


@pytest.mark.parametrize("sample", [b"", b"\0", b"\0\5", b"\0\0\0\0\0\x0chref\0\0", b"\0\0\0\0\0\0href\0\0\0\0\xff"])
def test_a_link_that_is_cut_is_none(sample: bytes) -> None:
    file = quicktime(text=[text_sample("Intro"), text_sample("Fin")], links=[sample, sample])

    assert [(one.title, one.url) for one in chapters_of(file)] == [("Intro", None), ("Fin", None)]


def test_stills_that_are_no_pictures_or_too_large_are_none() -> None:
    titles = [text_sample(title) for title in "abc"]
    file = quicktime(text=titles, stills=[b"no picture", JPEG.data + bytes(2 << 20), JPEG.data])

    assert [one.picture for one in chapters_of(file)] == [None, None, JPEG]


def test_stills_are_kept_as_long_as_all_of_them_are_not_too_large() -> None:
    titles = [text_sample(title) for title in "abcdefgh"]

    found = chapters_of(quicktime(text=titles, stills=[JPEG.data.ljust(2 << 20, b"\0")] * 8))

    assert [one.title for one in found if one.picture] == list("abcdef")


def test_titles_stay_when_the_pictures_lie_outside_the_file() -> None:
    file = quicktime(text=[text_sample("Intro"), text_sample("Fin")], stills=[JPEG.data, JPEG.data])

    found = chapters_of(file.replace(b"stco\0\0\0\0\0\0\0\1" + still_place(file), b"stco\0\0\0\0\0\0\0\1\x7f\0\0\0"))

    assert [(one.title, one.picture) for one in found] == [("Intro", None), ("Fin", None)]


# -- Vorbis comments


@pytest.mark.parametrize(("suffix", "kind"), [("flac", FLAC), ("ogg", OggVorbis), ("opus", OggOpus)])
def test_comments_are_chapters_in_flac_and_ogg(
    suffix: str, kind: type[FLAC] | type[OggVorbis] | type[OggOpus], tmp_path: Path
) -> None:
    path = audio(tmp_path / f"a.{suffix}")
    file = kind(path)
    file["CHAPTER02"], file["CHAPTER02NAME"] = "00:00:01.5", "Fin"  # with two digits, as Matroska's programs do
    file["CHAPTER001"], file["Chapter001Name"], file["CHAPTER001URL"] = "00:00:00.000", "Début", "https://example.org"
    file.save()

    assert facts(path).chapters == (
        Chapter(start_ms=0, title="Début", url="https://example.org"),
        Chapter(start_ms=1500, title="Fin"),
    )


# -- Public samples


@pytest.mark.parametrize("name", REAL)
def test_real_chapters_are_what_ffprobe_and_mutagen_see(name: str, corpora: Path) -> None:
    path = corpora / "audio" / name

    found = facts(path).chapters

    seen = seen_by_ffprobe(path)
    assert len(found) == REAL[name]
    assert [one.start_ms for one in found] == [start_ms for start_ms, _ in seen]
    is_hindenburg = "hindenburg" in name
    assert [one.title for one in found] == (HINDENBURG if is_hindenburg else [title for _, title in seen])
    for (start_seconds, title), one in zip(expected(corpora, name).get("mp4_chapters", ()), found, strict=False):
        assert one.start_ms == pytest.approx(start_seconds * 1000, abs=1)
        assert one.title == title


@pytest.mark.parametrize("suffix", ["mp3", "m4a"])
@pytest.mark.parametrize(
    ("program", "link"),
    [("auphonic", "https://example.com"), ("hindenburg-journalist-pro", "https://example.com/chapter{number}url")],
)
def test_real_links_and_pictures_are_kept(program: str, link: str, suffix: str, corpora: Path) -> None:
    found = facts(corpora / f"audio/antennapod/{program}.{suffix}").chapters

    assert [one.url for one in found] == [link.format(number=number) for number, _ in enumerate(found, 1)]
    assert all(one.picture and one.picture.media_type == "image/jpeg" for one in found)


def test_a_list_of_tracks_on_a_cd_is_no_list_of_chapters(corpora: Path) -> None:
    """ffprobe calls them chapters, though two have no title and the third an ISRC."""
    assert facts(corpora / "audio/mutagen/silence-44-s.flac").chapters == ()


def expected(corpora: Path, name: str) -> dict[str, list[tuple[float, str]]]:
    """What mutagen found in that file."""
    lines = map(json.loads, (corpora / "expected_mutagen.jsonl").read_text(encoding="utf-8").splitlines())
    (line,) = (line for line in lines if line["path"] == f"audio/{name}")
    return dict(line)


def seen_by_ffprobe(path: Path) -> list[tuple[int, str]]:
    command = ["ffprobe", "-v", "error", "-show_chapters", "-of", "json", str(path)]
    said = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["chapters"]
    return [(int(float(one["start_time"]) * 1000 + 0.5), " ".join(one["tags"]["title"].split())) for one in said]


# -- Samples


def chapter(name: str, start_ms: int, title: str, *more: Frame) -> CHAP:
    """A frame of 900 ms."""
    return CHAP(
        element_id=name,
        start_time=start_ms,
        end_time=start_ms + 900,
        start_offset=0xFFFFFFFF,
        end_offset=0xFFFFFFFF,
        sub_frames=[TIT2(encoding=UTF_8, text=title), *more],
    )


def contents(*names: str) -> CTOC:
    flags = CTOCFlags.TOP_LEVEL | CTOCFlags.ORDERED
    return CTOC(element_id="toc", flags=flags, child_element_ids=list(names), sub_frames=[])


def shown(image: Picture) -> APIC:
    return APIC(encoding=LATIN_1, mime=image.media_type, type=0, desc="", data=image.data)


def syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def id3_frame(name: bytes, content: bytes, flags: bytes = b"\0\0") -> bytes:
    return name + syncsafe(len(content)) + flags + content


def unsynchronised(content: bytes) -> bytes:
    """Nothing in it looks like a frame of sound (ID3v2.4, 6.1)."""
    written = bytearray()
    for byte, following in zip(content, content[1:] + b"\0", strict=True):
        written.append(byte)
        if byte == 0xFF and (following == 0 or following >= 0xE0):
            written.append(0)
    return bytes(written)


def text_sample(title: str, link: str | None = None) -> bytes:
    """A sample of a text track, with the box of a link behind its text."""
    text = title.encode()
    sample = len(text).to_bytes(2, "big") + text
    if link is None:
        return sample
    address = link.encode()
    return sample + box(b"href", struct.pack(">HHB", 0, len(title), len(address)) + address + b"\0")


def quicktime(*, text: list[bytes], links: Iterable[bytes] = (), stills: Iterable[bytes] = ()) -> bytes:
    """A film of sound and of tracks with its chapters, each of a second."""
    tracks = [(b"text", list(text)), (b"text", list(links)), (b"vide", list(stills))]
    data, boxes = b"", [track(1, b"soun", [], 0, box(b"tref", box(b"chap", struct.pack(">III", 2, 3, 4))))]
    front = box(b"ftyp", b"M4A \0\0\0\0")
    for number, (handler, samples) in enumerate(tracks, 2):
        if samples:
            boxes.append(track(number, handler, samples, len(front) + 8 + len(data)))
            data += b"".join(samples)
    header = box(b"mvhd", bytes(12) + struct.pack(">II", 1000, 2000) + bytes(80))
    return front + box(b"mdat", data) + box(b"moov", header + b"".join(boxes))


def track(number: int, handler: bytes, samples: list[bytes], place: int, more: bytes = b"") -> bytes:
    """A track whose samples follow each other from that place of the file on."""
    count = len(samples)
    table = box(b"stts", struct.pack(">IIII", 0, 1, count, 1000))
    table += box(b"stsz", struct.pack(f">III{count}I", 0, 0, count, *map(len, samples)))
    table += box(b"stsc", struct.pack(">IIIII", 0, 1, 1, count, 1))
    table += box(b"stco", struct.pack(">III", 0, 1, place))
    medium = box(b"mdhd", bytes(12) + struct.pack(">II", 1000, 1000 * count) + bytes(4))
    medium += box(b"hdlr", bytes(8) + handler + bytes(13)) + box(b"minf", box(b"stbl", table))
    return box(b"trak", box(b"tkhd", bytes(12) + struct.pack(">I", number) + bytes(68)) + more + box(b"mdia", medium))


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, name) + content


def still_place(file: bytes) -> bytes:
    """Where the table of the last track says that its samples begin."""
    return file[file.rindex(b"stco") + 12 :][:4]


def chapters_of(file: bytes) -> tuple[Chapter, ...]:
    reader = Reader(Bytes(file))
    return tidy(mp4_chapters.chapters(reader, mp4.movie(reader)), None)
