"""An enclosure has the original's sound, our tags, and nothing else of the original."""

import hashlib
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import mutagen.mp3
import pytest
from mutagen.apev2 import APEv2
from mutagen.id3 import COMM, GEOB, ID3, PRIV, TIT2, TXXX
from mutagen.mp4 import MP4
from PIL import Image

from media import enclosure, ffmpeg
from media.enclosure import EnclosureTags, Made
from media.ffmpeg import Absent, Failed
from media.mpeg_frame import known
from media.probe import Chapter, Picture, probe
from media.source import FileSource

FRAME_MS = 1152 / 44.1
SECONDS = 12
TONES = f"sine=440:d={SECONDS}:sample_rate=44100,volume='if(lt(t,6),0.001,1)':eval=frame"
TAGS = EnclosureTags(title="Trois voix", show="Récits d’ailleurs", author="Thérèse")
CHAPTERS = (
    Chapter(start_ms=0, title="Début = là; #1 \\ fin"),
    Chapter(start_ms=4000, title="Le cœur 🎙️", url="https://example.org/é?a=1&b=2#c"),
    Chapter(start_ms=9000, title="النهاية"),
)
MP3 = ("mp3", "mp3")
AAC = ("mp4", "aac")


def encode(path: Path, *arguments: str, source: str = TONES) -> Path:
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, *arguments, str(path)]
    subprocess.run(command, check=True)
    return path


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Sound of twelve seconds, as producers bring it."""
    folder = tmp_path_factory.mktemp("enclosure")
    constant = encode(folder / "constant.mp3", "-b:a", "64k")
    variable = encode(folder / "variable.mp3", "-q:a", "4")
    bare = folder / "no-header.mp3"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(variable), "-c", "copy", "-write_xing", "0", str(bare)], check=True
    )
    return {
        "constant": constant,
        "variable": variable,
        "no header": bare,
        "m4a": encode(folder / "sound.m4a", "-c:a", "aac", "-ac", "2", "-b:a", "96k"),
    }


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Made]:
    """`enclosure.make` with what most tests do not care for."""

    def made(original: Path, kind: tuple[str, str], tags: EnclosureTags = TAGS, channels: int | None = 1) -> Made:
        container, codec = kind
        return enclosure.make(
            original,
            container=container,
            codec=codec,
            channels=channels,
            tags=tags,
            directory=tmp_path,
            ffmpeg=ffmpeg.find(None),
        )

    return made


def packets(path: Path) -> list[str]:
    """A hash for each frame of sound, as it stands in the file."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:a:0", "-c", "copy", "-f", "framehash", "-"]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    return [line.split(",")[-1].strip() for line in ran.stdout.splitlines() if not line.startswith("#")]


def decoded(path: Path) -> bytes:
    """What one hears, as samples of 16 bits."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:a:0", "-f", "s16le", "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def decoded_ms(path: Path) -> float:
    sound = dict(seen(path)["streams"][0])
    return len(decoded(path)) / 2 / int(str(sound["channels"])) / int(str(sound["sample_rate"])) * 1000


def length_told(path: Path) -> float:
    """Seconds, by a reader that believes what stands in front of an MP3 file."""
    info = mutagen.mp3.MP3(path).info
    assert info is not None
    return float(info.length)


def seen(path: Path) -> dict[str, list[dict[str, object]]]:
    """Streams, chapters and tags, as players on ffmpeg see them."""
    command = ["ffprobe", "-v", "error", "-show_chapters", "-show_streams", "-show_format", "-of", "json", str(path)]
    found: dict[str, list[dict[str, object]]] = json.loads(
        subprocess.run(command, check=True, capture_output=True).stdout
    )
    return found


def tags_seen(path: Path) -> dict[str, str]:
    tags: dict[str, str] = dict(seen(path)["format"])["tags"]
    return tags


def chapters_seen(path: Path) -> list[tuple[float, float, str]]:
    return [
        (float(str(one["start_time"])), float(str(one["end_time"])), str(dict(one)["tags"]["title"]))
        for one in seen(path)["chapters"]
    ]


def boxes(path: Path) -> list[str]:
    """The names of an MP4 file's outermost boxes."""
    data, names, position = path.read_bytes(), [], 0
    while position < len(data):
        names.append(data[position + 4 : position + 8].decode())
        position += int.from_bytes(data[position : position + 4], "big")
    return names


def picture(format_name: str) -> bytes:
    written = BytesIO()
    Image.new("RGB", (600, 600), "teal").save(written, format_name)
    return written.getvalue()


def planted_mp3(original: Path, path: Path) -> Path:
    """The original amid all that programs leave in an MP3 file; each piece has PLANTED in it."""
    front, behind, ape = ID3(), ID3(), APEv2()
    front.add(TIT2(encoding=3, text="PLANTED interview_final_v2.wav"))
    front.add(PRIV(owner="PLANTED", data=b"PLANTED"))
    front.add(COMM(encoding=0, lang="eng", desc="", text="PLANTED"))
    front.add(GEOB(encoding=0, mime="audio/wav", filename="PLANTED.wav", desc="", data=b"PLANTED" * 300))
    front.add(TXXX(encoding=0, desc="PLANTED", text="+50.8503,PLANTED"))
    behind.add(COMM(encoding=0, lang="eng", desc="", text="PLANTED"))
    ape["Comment"] = "PLANTED"
    pieces = [BytesIO(), BytesIO(), BytesIO()]
    for tag, piece in zip((front, behind, ape), pieces, strict=True):
        tag.save(piece)
    first, second = halves(original)
    v2, v2_behind, apev2 = (piece.getvalue() for piece in pieces)
    id3v1 = b"TAG" + b"PLANTED".ljust(125)
    path.write_bytes(v2 + v2_behind + first + b"PLANTED junk" + apev2 + second + v2_behind + apev2 + id3v1)
    return path


def halves(mp3: Path) -> tuple[bytes, bytes]:
    """The frames of a clean file, in two parts."""
    data = mp3.read_bytes()
    begin = middle = data.index(b"\xff\xfb")
    while middle < len(data) // 2:
        middle += known(data[middle : middle + 4]).size_bytes
    return data[begin:middle], data[middle:]


def planted_m4a(original: Path, path: Path) -> Path:
    """The original with all that phones and programs leave in an M4A file; each piece has PLANTED in it."""
    fields = {"title": "PLANTED.wav", "comment": "PLANTED", "encoder": "PLANTED"}
    metadata = [part for name, value in fields.items() for part in ("-metadata", f"{name}={value}")]
    stream = ["-metadata:s:a:0", "handler_name=PLANTED", "-metadata", "creation_time=2026-01-02T03:04:05Z"]
    command = ["ffmpeg", "-v", "error", "-i", str(original), "-c", "copy", *metadata, *stream, "-f", "mp4", str(path)]
    subprocess.run(command, check=True)
    tagged = MP4(path)
    tagged["----:com.apple.iTunes:PLANTED"] = [b"PLANTED"]
    tagged["\xa9too"] = ["PLANTED recorder"]
    tagged["\xa9xyz"] = ["+50.8503+004.3517PLANTED/"]
    tagged.save()
    with path.open("ab") as file:
        file.write((8 + 16 + 100).to_bytes(4, "big") + b"uuid" + b"PLANTED".ljust(116))
    return path


# -- MP3


@pytest.mark.parametrize("name", ["constant", "variable", "no header"])
def test_an_mp3_keeps_every_frame_and_nothing_else(
    name: str, samples: dict[str, Path], make: Callable[..., Made]
) -> None:
    made = make(samples[name], MP3)

    assert packets(made.path) == packets(samples[name])
    assert (made.media_type, made.extension, made.channels, made.sample_rate_hz) == ("audio/mpeg", "mp3", 1, 44100)
    assert made.duration_ms == pytest.approx(SECONDS * 1000, abs=2 * FRAME_MS)
    assert made.size_bytes == made.path.stat().st_size
    assert made.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["constant", "no header"])
def test_nothing_private_leaves_with_an_mp3(
    name: str, samples: dict[str, Path], make: Callable[..., Made], tmp_path: Path
) -> None:
    original = planted_mp3(samples[name], tmp_path / "original.mp3")
    assert original.read_bytes().count(b"PLANTED") > 300

    made = make(original, MP3)

    assert b"PLANTED" not in made.path.read_bytes()
    assert b"APETAGEX" not in made.path.read_bytes()
    assert b"TAG" not in made.path.read_bytes()[-128:]
    assert packets(made.path) == packets(samples[name])


def test_the_length_of_a_variable_mp3_is_told_where_the_original_did_not(
    samples: dict[str, Path], make: Callable[..., Made]
) -> None:
    assert length_told(samples["no header"]) != pytest.approx(SECONDS, abs=1)

    made = make(samples["no header"], MP3)

    assert length_told(made.path) == pytest.approx(SECONDS, abs=3 * FRAME_MS / 1000)
    assert made.duration_ms / 1000 == pytest.approx(length_told(made.path), abs=FRAME_MS / 1000)


@pytest.mark.parametrize("name", ["constant", "variable"])
def test_a_cut_mp3_tells_the_length_that_is_left(
    name: str, samples: dict[str, Path], make: Callable[..., Made], tmp_path: Path
) -> None:
    whole = samples[name].read_bytes()
    cut = tmp_path / "cut.mp3"
    cut.write_bytes(whole[: len(whole) // 3])

    made = make(cut, MP3)

    assert made.duration_ms < SECONDS * 1000 * 0.8
    assert length_told(made.path) == pytest.approx(made.duration_ms / 1000, abs=FRAME_MS / 1000)
    assert decoded_ms(made.path) == pytest.approx(made.duration_ms, abs=FRAME_MS)


def test_the_duration_is_what_one_hears(samples: dict[str, Path], make: Callable[..., Made]) -> None:
    for name, kind in (("constant", MP3), ("variable", MP3), ("no header", MP3), ("m4a", AAC)):
        made = make(samples[name], kind)

        assert made.duration_ms == pytest.approx(decoded_ms(made.path), abs=FRAME_MS)


def test_joined_recordings_of_two_sample_rates_become_one(make: Callable[..., Made], tmp_path: Path) -> None:
    jingle = encode(tmp_path / "jingle.mp3", "-ar", "48000", "-t", "2")
    talk = encode(tmp_path / "talk.mp3", "-ar", "44100", "-t", "5")
    joined = tmp_path / "joined.mp3"
    joined.write_bytes(jingle.read_bytes() + talk.read_bytes())

    made = make(joined, MP3)

    assert made.duration_ms == pytest.approx(7000, abs=150)
    assert made.duration_ms == pytest.approx(decoded_ms(made.path), abs=FRAME_MS)


@pytest.mark.parametrize("content", [b"", b"ID3\x03\0\0\0\0\0\0", b"not sound " * 1000])
def test_an_mp3_without_sound_is_refused(content: bytes, make: Callable[..., Made], tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp3"
    empty.write_bytes(content)

    with pytest.raises(Failed) as told:
        make(empty, MP3)

    assert told.value.sentence == enclosure.NO_FRAMES


def test_an_mp3_needs_no_ffmpeg_and_other_kinds_say_that_they_do(samples: dict[str, Path], tmp_path: Path) -> None:
    def without(name: str, kind: tuple[str, str]) -> Made:
        container, codec = kind
        return enclosure.make(
            samples[name], container=container, codec=codec, channels=1, tags=TAGS, directory=tmp_path, ffmpeg=None
        )

    assert packets(without("constant", MP3).path) == packets(samples["constant"])
    with pytest.raises(Absent):
        without("m4a", AAC)


# -- M4A


def test_an_m4a_keeps_every_frame_and_starts_fast(samples: dict[str, Path], make: Callable[..., Made]) -> None:
    made = make(samples["m4a"], AAC, replace(TAGS, cover=picture("JPEG"), chapters=CHAPTERS))

    assert packets(made.path) == packets(samples["m4a"])
    assert (made.media_type, made.extension, made.channels, made.sample_rate_hz) == ("audio/x-m4a", "m4a", 2, 44100)
    assert made.duration_ms == pytest.approx(SECONDS * 1000, abs=FRAME_MS)
    assert made.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()
    assert [name for name in boxes(made.path) if name != "free"] == ["ftyp", "moov", "mdat"]
    assert made.path.read_bytes()[8:12] == b"M4A "
    assert decoded(made.path) == decoded(samples["m4a"])


def test_nothing_private_leaves_with_an_m4a(
    samples: dict[str, Path], make: Callable[..., Made], tmp_path: Path
) -> None:
    original = planted_m4a(samples["m4a"], tmp_path / "original.mp4")
    assert original.read_bytes().count(b"PLANTED") >= 7
    assert b"\xa9xyz" in original.read_bytes()

    made = make(original, AAC)

    data = made.path.read_bytes()
    assert b"PLANTED" not in data
    assert b"\xa9xyz" not in data
    assert b"\xa9too" not in data
    assert b"uuid" not in data
    assert "creation_time" not in json.dumps(seen(made.path))
    assert packets(made.path) == packets(samples["m4a"])


def test_of_a_video_only_the_sound_is_kept(make: Callable[..., Made], tmp_path: Path) -> None:
    picture = ["-f", "lavfi", "-i", f"testsrc=s=64x64:d={SECONDS}", "-c:a", "aac", "-shortest"]
    video = encode(tmp_path / "video.mp4", *picture)

    made = make(video, AAC)

    assert [stream["codec_type"] for stream in seen(made.path)["streams"]] == ["audio"]
    assert packets(made.path) == packets(video)


def test_where_a_phone_recorded_stays_with_the_phone(make: Callable[..., Made], tmp_path: Path) -> None:
    """QuickTime has a second list of metadata, with keys of its own (mdta)."""
    place = ["-metadata", "com.apple.quicktime.location.ISO6709=+50.8503+004.3517/PLANTED"]
    phone = ["-metadata", "com.apple.quicktime.make=PLANTED", "-metadata", "title=PLANTED"]
    lists = ["-movflags", "use_metadata_tags", "-c:a", "aac"]
    video = encode(tmp_path / "IMG_0001.MOV", "-f", "mov", *place, *phone, *lists)
    assert video.read_bytes().count(b"PLANTED") == 3
    assert b"mdta" in video.read_bytes()

    made = make(video, AAC)

    for trace in (b"PLANTED", b"ISO6709", b"mdta", b"quicktime"):
        assert trace not in made.path.read_bytes()
    assert packets(made.path) == packets(video)


def test_of_two_languages_in_one_file_the_first_is_kept(make: Callable[..., Made], tmp_path: Path) -> None:
    second = ["-f", "lavfi", "-i", "sine=880:d=20:sample_rate=48000", "-map", "0:a", "-map", "1:a"]
    both = encode(tmp_path / "both.mp4", *second, "-c:a", "aac", "-metadata:s:a:1", "title=PLANTED")

    made = make(both, AAC)

    assert len(seen(made.path)["streams"]) == 1
    assert packets(made.path) == packets(both)
    assert made.duration_ms == probe(FileSource(both)).duration_ms


def test_bare_aac_gets_a_container(make: Callable[..., Made], tmp_path: Path) -> None:
    bare = encode(tmp_path / "bare.aac", "-c:a", "aac", "-f", "adts")

    made = make(bare, ("adts", "aac"), replace(TAGS, chapters=CHAPTERS))

    assert made.extension == "m4a"
    assert decoded(made.path) == decoded(bare)
    assert len(chapters_seen(made.path)) == 3


# -- Other kinds


@pytest.mark.parametrize(
    ("name", "arguments", "kind", "channels", "expected"),
    [
        ("mono.wav", ["-ac", "1", "-ar", "44100"], ("wav", "pcm"), 1, (1, 44100, 96_000)),
        ("studio.wav", ["-ac", "2", "-ar", "96000"], ("wav", "pcm"), 2, (2, 48000, 128_000)),
        pytest.param(
            "phone.wav", ["-ac", "1", "-ar", "8000"], ("wav", "pcm"), 1, (1, 44100, 96_000), marks=pytest.mark.long
        ),
        ("surround.flac", ["-ac", "6", "-ar", "48000"], ("flac", "flac"), 6, (2, 48000, 128_000)),
        pytest.param(
            "lossless.m4a",
            ["-c:a", "alac", "-ac", "2"],
            ("mp4", "alac"),
            2,
            (2, 44100, 128_000),
            marks=pytest.mark.long,
        ),
        ("unknown.ogg", ["-c:a", "libopus"], ("ogg", "opus"), None, (2, 48000, 128_000)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_kinds_become_mp3(  # a table of kinds: each column is a thing that decides
    name: str,
    arguments: list[str],
    kind: tuple[str, str],
    channels: int | None,
    expected: tuple[int, int, int],
    make: Callable[..., Made],
    tmp_path: Path,
) -> None:
    original = encode(tmp_path / name, *arguments, "-metadata", "comment=PLANTED")

    made = make(original, kind, replace(TAGS, chapters=CHAPTERS), channels=channels)

    assert (made.channels, made.sample_rate_hz, made.bitrate_bps) == pytest.approx(expected, rel=0.01)
    assert made.duration_ms == pytest.approx(SECONDS * 1000, abs=FRAME_MS)
    assert b"PLANTED" not in made.path.read_bytes()
    assert len(chapters_seen(made.path)) == 3


def test_mp3_inside_another_container_is_taken_out_as_it_is(
    samples: dict[str, Path], make: Callable[..., Made], tmp_path: Path
) -> None:
    wrapped = tmp_path / "wrapped.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-i", samples["constant"], "-c", "copy", wrapped], check=True)

    made = make(wrapped, ("mp4", "mp3"))

    assert packets(made.path) == packets(wrapped)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("extensible.wav", "-c:a pcm_s24le -ac 6"),
        ("float.wav", "-c:a pcm_f32le"),
        ("large.wav", "-rf64 always"),
        ("large.w64", ""),
        ("phone.wav", "-c:a pcm_mulaw"),
        ("field.wav", "-c:a adpcm_ms"),
        ("mp3.wav", "-c:a libmp3lame"),
        ("mp2.wav", "-c:a mp2"),
        ("float.aiff", "-c:a pcm_f32be"),
        ("little.aifc", "-c:a pcm_s16le -f aiff"),
        ("ima.aiff", "-c:a adpcm_ima_qt"),
        ("eight.flac", "-ac 8 -ar 96000"),
        ("flac.ogg", "-c:a flac"),
        ("vorbis.ogg", "-c:a libvorbis"),
        ("speex.spx", "-c:a libspeex -ar 16000"),
        ("surround.opus", "-c:a libopus -ac 6"),
        ("opus.mp4", "-c:a libopus"),
        ("flac.mp4", "-c:a flac -strict -2"),
        ("dolby.mp4", "-c:a ac3"),
        ("pcm.mov", "-c:a pcm_s24le"),
        ("lossless.m4a", "-c:a alac"),
        ("surround.m4a", "-c:a aac -ac 6"),
        ("phone.3gp", "-c:a aac"),
        ("raw.aac", "-c:a aac"),
        ("low.mp3", "-ar 8000 -b:a 8k"),
        ("old.mp2", "-c:a mp2"),
        ("bare.mp3", "-q:a 2 -write_xing 0"),
    ],
)
def test_what_the_probe_takes_plays_as_an_enclosure_for_as_long(
    name: str, arguments: str, make: Callable[..., Made], tmp_path: Path
) -> None:
    """HE-AAC and AMR are missing here: our ffmpeg reads them, but cannot make them."""
    original = encode(tmp_path / name, *arguments.split())
    found = probe(FileSource(original))

    made = make(original, (found.container, found.codec), channels=found.channels)

    assert made.duration_ms == pytest.approx(found.duration_ms, abs=80 if found.duration_is_exact else 600)
    assert made.duration_ms == pytest.approx(decoded_ms(made.path), abs=60)
    assert made.duration_ms == pytest.approx(SECONDS * 1000, abs=80)


def test_chapters_that_quicktime_keeps_in_a_track_reach_the_enclosure(
    samples: dict[str, Path], make: Callable[..., Made]
) -> None:
    book = make(samples["m4a"], AAC, replace(TAGS, chapters=CHAPTERS)).path
    data = book.read_bytes()
    assert data.count(b"chpl") == 1
    book.write_bytes(data.replace(b"chpl", b"free"))  # without the list that most programs read
    chapters = probe(FileSource(book)).chapters

    made = make(book, AAC, replace(TAGS, chapters=chapters))

    assert [title for _, _, title in chapters_seen(made.path)] == [chapter.title for chapter in CHAPTERS]


# -- Tags


KINDS = pytest.mark.parametrize(("name", "kind"), [("constant", MP3), ("m4a", AAC)], ids=["mp3", "m4a"])


@KINDS
@pytest.mark.parametrize("title", ["L’été à Matongé : « œuvre »", "Kin 🎙️ la belle", "صوت الشتات", "a=b;c#d\\e\nf\0g"])
def test_any_title_arrives_as_it_was_written(
    title: str, name: str, kind: tuple[str, str], samples: dict[str, Path], make: Callable[..., Made]
) -> None:
    made = make(samples[name], kind, replace(TAGS, title=title, number=7))

    told = tags_seen(made.path)
    assert told["title"] == title.replace("\n", " ").replace("\0", "")
    assert (told["album"], told["artist"], told["track"]) == ("Récits d’ailleurs", "Thérèse", "7")


@KINDS
def test_chapters_reach_the_player(
    name: str, kind: tuple[str, str], samples: dict[str, Path], make: Callable[..., Made]
) -> None:
    made = make(samples[name], kind, replace(TAGS, chapters=CHAPTERS))

    end = made.duration_ms / 1000
    assert chapters_seen(made.path) == [
        (0, 4, "Début = là; #1 \\ fin"),
        (4, 9, "Le cœur 🎙️"),
        (9, pytest.approx(end, abs=0.002), "النهاية"),
    ]


@KINDS
@pytest.mark.parametrize("count", [0, 1, 255, 300])
def test_any_number_of_chapters_is_carried(
    count: int, name: str, kind: tuple[str, str], samples: dict[str, Path], make: Callable[..., Made]
) -> None:
    chapters = tuple(Chapter(start_ms=number * 30, title=f"Partie {number}") for number in range(count))

    made = make(samples[name], kind, replace(TAGS, chapters=chapters))

    assert [title for _, _, title in chapters_seen(made.path)] == [chapter.title for chapter in chapters]
    assert made.duration_ms == pytest.approx(SECONDS * 1000, abs=2 * FRAME_MS)


@KINDS
def test_chapters_behind_the_end_do_not_make_the_file_longer(
    name: str, kind: tuple[str, str], samples: dict[str, Path], make: Callable[..., Made]
) -> None:
    late = (Chapter(start_ms=9000, end_ms=99_000, title="Fin"), Chapter(start_ms=SECONDS * 1000 + 500, title="Après"))

    made = make(samples[name], kind, replace(TAGS, chapters=late))

    assert [title for _, _, title in chapters_seen(made.path)] == ["Fin"]
    assert float(str(dict(seen(made.path)["format"])["duration"])) < SECONDS + 0.1


def test_a_chapters_link_is_kept_in_mp3(samples: dict[str, Path], make: Callable[..., Made]) -> None:
    made = make(samples["constant"], MP3, replace(TAGS, chapters=CHAPTERS))

    (link,) = [frame for one in ID3(made.path).getall("CHAP") for frame in one.sub_frames.getall("WXXX")]
    assert link.url == "https://example.org/%C3%A9?a=1&b=2#c"


def test_a_chapters_picture_is_kept_in_mp3(samples: dict[str, Path], make: Callable[..., Made]) -> None:
    shown = Picture(media_type="image/jpeg", data=picture("JPEG"))
    chapters = (CHAPTERS[0], replace(CHAPTERS[1], picture=shown), CHAPTERS[2])

    made = make(samples["constant"], MP3, replace(TAGS, chapters=chapters, cover=picture("PNG")))

    found = probe(FileSource(made.path))
    assert [chapter.picture for chapter in found.chapters] == [None, shown, None]
    assert found.cover == Picture(media_type="image/png", data=picture("PNG"))
    assert [title for _, _, title in chapters_seen(made.path)] == [chapter.title for chapter in CHAPTERS]
    (inside,) = [frame for one in ID3(made.path).getall("CHAP") for frame in one.sub_frames.getall("APIC")]
    assert (inside.mime, inside.data) == ("image/jpeg", shown.data)


def test_an_m4a_lists_its_chapters_for_every_kind_of_player(
    samples: dict[str, Path], make: Callable[..., Made]
) -> None:
    """mutagen reads Nero's list, in which a title has 255 bytes, and refuses a file whose title is cut in a letter."""
    shown = Picture(media_type="image/jpeg", data=picture("JPEG"))
    long = (Chapter(start_ms=10_000, title="é" * 200, picture=shown), Chapter(start_ms=11_000, title="ሀ" * 85))

    made = make(samples["m4a"], AAC, replace(TAGS, chapters=(*CHAPTERS, *long)))

    titles = [*(chapter.title for chapter in CHAPTERS), "é" * 126 + "…", "ሀ" * 85]
    assert [(chapter.start, chapter.title) for chapter in MP4(made.path).chapters or ()] == list(
        zip([0, 4, 9, 10, 11], titles, strict=True)
    )
    assert [title for _, _, title in chapters_seen(made.path)] == titles
    assert [chapter.title for chapter in probe(FileSource(made.path)).chapters] == titles


@KINDS
@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
def test_the_cover_is_the_front_picture(
    format_name: str, name: str, kind: tuple[str, str], samples: dict[str, Path], make: Callable[..., Made]
) -> None:
    cover = picture(format_name)

    made = make(samples[name], kind, replace(TAGS, cover=cover))

    assert probe(FileSource(made.path)).cover == Picture(media_type=f"image/{format_name.lower()}", data=cover)


@KINDS
def test_an_enclosure_is_made_again_with_other_tags(
    name: str, kind: tuple[str, str], samples: dict[str, Path], make: Callable[..., Made]
) -> None:
    first = make(samples[name], kind, replace(TAGS, title="PLANTED", chapters=CHAPTERS, cover=picture("JPEG")))

    second = make(first.path, kind, replace(TAGS, title="Après"))

    assert packets(second.path) == packets(samples[name])
    assert second.duration_ms == first.duration_ms
    assert tags_seen(second.path)["title"] == "Après"
    assert chapters_seen(second.path) == []
    assert b"PLANTED" not in second.path.read_bytes()


@KINDS
def test_the_same_tags_give_the_same_bytes_and_leave_nothing_else(
    name: str, kind: tuple[str, str], samples: dict[str, Path], make: Callable[..., Made], tmp_path: Path
) -> None:
    tags = replace(TAGS, chapters=CHAPTERS, cover=picture("JPEG"))

    one, other = make(samples[name], kind, tags), make(samples[name], kind, tags)

    assert one.sha256 == other.sha256
    assert sorted(tmp_path.iterdir()) == sorted([one.path, other.path])
