"""MP3 frames are found whatever lies around them, and counted exactly."""

import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3, PRIV
from mutagen.mp3 import MP3

from media import mpeg
from media.mpeg_frame import begin_at, known

STEREO_128 = bytes((0xFF, 0xFB, 0x90, 0x00))  # MPEG 1, layer III, 44.1 kHz: frames of 417 bytes
STEREO_64 = bytes((0xFF, 0xFB, 0x50, 0x00))  # of 208 bytes
OTHER_RATE = bytes((0xFF, 0xFB, 0x94, 0x00))  # 48 kHz: of 384 bytes
LENGTHS = {STEREO_128: 417, STEREO_64: 208, OTHER_RATE: 384}
JUNK = bytes(range(1, 200)) * 7


def frames(count: int, header: bytes = STEREO_128) -> bytes:
    return header.ljust(LENGTHS[header], b"\x55") * count


def read(data: bytes) -> mpeg.Stream:
    stream = mpeg.read(BytesIO(data))
    assert stream is not None
    return stream


def kept(data: bytes) -> bytes:
    """The bytes that are sound."""
    return b"".join(data[run.start : run.stop] for run in read(data).runs)


def id3v2(content: bytes = b"") -> bytes:
    tag = ID3()
    tag.add(PRIV(owner="test", data=content))
    written = BytesIO()
    tag.save(written)
    return written.getvalue()


def footed(content: bytes) -> bytes:
    """A tag as version 2.4 has it behind the sound: found by its end."""
    rest = b"\4\0\x10" + bytes(len(content) >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3" + rest + content + b"3DI" + rest


def id3v1() -> bytes:
    return b"TAG".ljust(128, b"x")


def ape() -> bytes:
    tag = APEv2()
    tag["Comment"] = "planted"
    written = BytesIO()
    tag.save(written)
    return written.getvalue()


def lyrics3() -> bytes:
    content = b"LYRICSBEGIN" + b"INF0000210"
    return content + f"{len(content):06}LYRICS200".encode()


@pytest.fixture(scope="session")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 s of noise that comes and goes, with a variable bitrate and a Xing header."""
    path = tmp_path_factory.mktemp("mpeg") / "variable.mp3"
    noise = "anoisesrc=d=60:a=0.3:sample_rate=44100,volume='if(lt(t,30),0.0001,1)':eval=frame"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", noise, "-q:a", "4", str(path)], check=True)
    return path


@pytest.mark.parametrize(
    ("front", "behind"),
    [
        (b"", b""),
        (id3v2() + id3v2(), b""),
        (id3v2() + bytes(4000), id3v1()),
        (b"", ape() + id3v1()),
        (b"", lyrics3() + id3v1()),
        (JUNK, JUNK),
        (ape(), ape()),
        (b"", id3v2()),
        (b"", footed(frames(3))),
    ],
    ids=[
        "nothing",
        "two ID3v2",
        "padding, ID3v1",
        "APE, ID3v1",
        "Lyrics3, ID3v1",
        "junk",
        "APE, APE",
        "ID3v2 behind",
        "ID3v2.4 with a footer",
    ],
)
def test_what_lies_around_the_frames_is_left_out(front: bytes, behind: bytes) -> None:
    sound = frames(20)

    assert kept(front + sound + behind) == sound


@pytest.mark.parametrize("between", [JUNK, id3v2(b"planted"), ape(), bytes(200_000), b"\xff" * 500, b"\xff\xfb\x90"])
def test_what_lies_between_frames_is_left_out(between: bytes) -> None:
    data = frames(10) + between + frames(5)

    assert kept(data) == frames(15)
    assert read(data).frames == 15


def test_sound_inside_a_tag_is_not_the_sound_of_the_file() -> None:
    assert kept(id3v2(frames(50)) + frames(10, STEREO_64)) == frames(10, STEREO_64)


def test_a_tag_whose_length_is_a_lie_hides_no_sound() -> None:
    lie = b"ID3\x03\0\0\x7f\x7f\x7f\x7f"

    assert kept(lie + frames(10)) == frames(10)


def test_frames_are_followed_over_the_ends_of_blocks() -> None:
    sound = frames(1000) + frames(777, STEREO_64)

    assert kept(JUNK + sound) == sound


@pytest.mark.parametrize("behind", [b"", id3v1(), id3v2(), ape(), frames(5)], ids=["end", "v1", "v2", "APE", "sound"])
def test_a_frame_that_was_cut_is_left_out(behind: bytes) -> None:
    cut = frames(10)[:-100]

    following = frames(5) if behind.startswith(b"\xff") else b""
    assert kept(cut + behind) == frames(9) + following


def test_the_duration_counts_every_frame() -> None:
    assert read(frames(100)).duration_ms == round(100 * 1152 / 44.1)


def test_joined_recordings_of_two_sample_rates_are_all_found() -> None:
    stream = read(frames(100) + frames(50, OTHER_RATE))

    assert stream.sample_rates_hz == {44100, 48000}
    assert stream.duration_ms == round(100 * 1152 / 44.1 + 50 * 1152 / 48)


@pytest.mark.parametrize("data", [b"", b"x" * 5000, frames(1)[:300], bytes(100_000), b"\xff\xfb" * 5000, id3v2()])
def test_a_file_without_a_stream_has_none(data: bytes) -> None:
    assert mpeg.read(BytesIO(data)) is None


def test_noise_with_ten_thousand_breaks_is_no_stream() -> None:
    assert mpeg.read(BytesIO((frames(3) + b"...") * (mpeg.MOST_PIECES + 1))) is None


class Counted(BytesIO):
    """A file that counts how often it is read."""

    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        return super().read(size)


@pytest.mark.parametrize(
    "unit",
    [
        b"\xff\xfb\x90\0",
        b"ID3\3\0\0\0\0\0\0",
        b"APETAGEX" + bytes(24),
        b"000000LYRICS200",
        id3v1(),
        b"\xff\xfb\x90\xff\xfb",
    ],
    ids=["frames", "ID3v2", "APE", "Lyrics3", "ID3v1", "frames in frames"],
)
def test_beginnings_without_an_end_cost_little(unit: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def counted(data: bytes, at: int, room: int) -> bool:
        looks.append(at)
        return begin_at(data, at, room)

    monkeypatch.setattr("media.mpeg.begin_at", counted)
    size = 4 << 20
    file = Counted(unit * (size // len(unit)))

    assert mpeg.read(file) is None
    assert len(looks) <= mpeg.MOST_LANDMARKS * (size / mpeg.BLOCK + 1)
    assert file.reads <= 3 * mpeg.MOST_PIECES


def test_free_format_is_not_understood() -> None:
    assert mpeg.read(BytesIO(bytes((0xFF, 0xFB, 0x00, 0x00)).ljust(417, b"\0") * 50)) is None


def test_a_true_header_frame_is_kept_apart_from_the_sound(encoded: Path) -> None:
    stream = read(encoded.read_bytes())

    assert stream.header_frame is not None
    assert stream.header_frame.frames == stream.frames
    assert stream.is_variable
    assert stream.duration_ms == 60_000  # the encoder says what it added, in front and behind


def test_the_header_frame_of_a_file_that_was_cut_is_not_true(encoded: Path) -> None:
    assert read(encoded.read_bytes()[:200_000]).header_frame is None


def test_a_vbri_header_frame_is_read() -> None:
    sound = frames(30)
    told = b"VBRI" + bytes(6) + len(sound + frames(1)).to_bytes(4, "big") + (30).to_bytes(4, "big")
    header_frame = (STEREO_128 + bytes(32) + told).ljust(417, b"\0")

    stream = read(header_frame + sound)

    assert stream.header_frame is not None
    assert stream.frames == 30


def test_a_new_header_frame_tells_players_length_and_places(encoded: Path, tmp_path: Path) -> None:
    data = encoded.read_bytes()
    stream = read(data)
    sound = kept(data)
    made = tmp_path / "made.mp3"

    made.write_bytes(mpeg.new_header_frame(stream) + sound)

    again = read(made.read_bytes())
    assert again.header_frame is not None
    assert (again.frames, again.audio_bytes) == (stream.frames, len(sound))
    assert _length_told(made) == pytest.approx(stream.frames * 1152 / 44100, abs=0.001)
    contents = mpeg.new_header_frame(stream)[4 + 17 + 16 :][:100]  # one channel: 17 bytes of side information
    assert list(contents) == sorted(contents)
    assert contents[50] / 256 == pytest.approx(_share_of_bytes(sound, 0.5), abs=0.02)


def _length_told(path: Path) -> float:
    """In seconds, by a reader that believes the header frame."""
    info = MP3(path).info
    assert info is not None
    return float(info.length)


def _share_of_bytes(sound: bytes, share_of_time: float) -> float:
    """Counted frame by frame."""
    starts, position = [], 0
    while position < len(sound):
        starts.append(position)
        position += known(sound[position : position + 4]).size_bytes
    return starts[round(len(starts) * share_of_time)] / len(sound)


def test_corpora_files_have_as_many_frames_as_ffprobe_counts(corpora: Path) -> None:
    differing = []
    for path in sorted((corpora / "audio" / "tinytag").rglob("vbr*.mp3")):
        with path.open("rb") as file:
            stream = mpeg.read(file)
        counted = _packets(path)
        # ffprobe counts a last frame that was cut
        if stream is None or counted - stream.frames not in (0, 1):
            differing.append((path.name, stream and stream.frames, counted))

    assert differing == []


def _packets(path: Path) -> int:
    command = ["ffprobe", "-v", "error", "-select_streams", "a:0", "-count_packets", "-of", "csv=p=0"]
    ran = subprocess.run(
        [*command, "-show_entries", "stream=nb_read_packets", str(path)], capture_output=True, check=True
    )
    return int(ran.stdout.strip(b",\n"))
