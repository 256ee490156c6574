"""Light editions: the enclosure's sound in mono at the rates that are promised, our tags, nothing else."""

import hashlib
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mutagen.mp3
import pytest
from mutagen.id3 import ID3, TIT2
from mutagen.oggopus import OggOpus

from media import editions, enclosure, ffmpeg
from media.editions import EditionName
from media.enclosure import EnclosureTags, Made
from media.ffmpeg import Absent, Failed, Pace
from media.probe import Chapter, Facts, Picture, probe
from media.source import FileSource
from tests.media.samples import altered, audio, picture

CHAPTERS = (
    Chapter(start_ms=0, title="Début = là; #1 \\ fin"),
    Chapter(start_ms=3250, title="Le cœur 🎙️", url="https://example.org/a?b=1&c=2#d"),
    Chapter(start_ms=5007, title="النهاية", picture=Picture(media_type="image/jpeg", data=picture("blue", 200))),
)
TAGS = EnclosureTags(
    title="L’été à Matongé : « œuvre »",
    show="Récits d’ailleurs",
    author="Thérèse",
    number=7,
    cover=picture("teal", 200),
    chapters=(*CHAPTERS, Chapter(start_ms=99_000_000, title="PLANTED behind the end")),
)
BOTH = pytest.mark.parametrize("name", ["low-mp3", "low-opus"])


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Made]:
    def made(original: Path, name: EditionName, tags: EnclosureTags = TAGS, **options: object) -> Made:
        container = "mp3" if original.suffix == ".mp3" else "mp4"
        given = {"ffmpeg": ffmpeg.find(None), "directory": tmp_path, "pace": Pace.BRISK, **options}
        return editions.make(original, name=name, container=container, tags=tags, **given)

    return made


@pytest.fixture(scope="session")
def voice(speech: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds as an enclosure has them."""
    path = tmp_path_factory.mktemp("editions") / "voice.mp3"
    return altered(path, speech, "atrim=end=8", "-ar", "44100", "-ac", "2", "-b:a", "128k")


def facts(made: Made) -> Facts:
    return probe(FileSource(made.path))


def decoded_ms(path: Path) -> float:
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:a:0", "-ar", "48000", "-f", "s16le", "-"]
    return len(subprocess.run(command, check=True, capture_output=True).stdout) / 96


@pytest.mark.parametrize(
    ("name", "kind", "bitrate_bps"),
    [("low-mp3", ("audio/mpeg", "mp3", 24000), 48_000), ("low-opus", ("audio/ogg", "opus", 48000), 24_000)],
)
def test_an_edition_is_as_light_and_as_long_as_it_says(
    name: EditionName, kind: tuple[str, str, int], bitrate_bps: int, voice: Path, make: Callable[..., Made]
) -> None:
    made = make(voice, name)

    sound = facts(made)
    assert (made.media_type, made.extension, made.sample_rate_hz) == kind
    assert (made.channels, sound.channels) == (1, 1)
    assert made.bitrate_bps == pytest.approx(bitrate_bps, rel=0.2)
    assert made.size_bytes == made.path.stat().st_size < bitrate_bps / 8 * 8 * 1.2 + 5000
    assert made.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()
    assert made.duration_ms == sound.duration_ms == pytest.approx(decoded_ms(made.path), abs=1)
    assert made.duration_ms == pytest.approx(decoded_ms(voice) / 2, abs=2)  # which has two channels


@BOTH
def test_an_edition_says_what_the_enclosure_says(name: EditionName, voice: Path, make: Callable[..., Made]) -> None:
    found = facts(make(voice, name))

    assert (found.tags.title, found.tags.artist, found.tags.track) == (TAGS.title, TAGS.author, TAGS.number)
    assert found.cover == Picture(media_type="image/jpeg", data=TAGS.cover)
    assert [(one.start_ms, one.title, one.url) for one in found.chapters] == [
        (one.start_ms, one.title, one.url) for one in CHAPTERS
    ]
    assert all(one.picture is None for one in found.chapters)


def test_other_programs_read_the_comments_of_an_opus_edition(voice: Path, make: Callable[..., Made]) -> None:
    comments: dict[str, list[str]] = dict(OggOpus(make(voice, "low-opus").path).tags)

    del comments["encoder"], comments["metadata_block_picture"]
    assert comments == {
        "title": [TAGS.title],
        "album": [TAGS.show],
        "artist": [TAGS.author],
        "tracknumber": ["7"],
        "chapter000": ["00:00:00.000"],
        "chapter000name": ["Début = là; #1 \\ fin"],
        "chapter001": ["00:00:03.250"],
        "chapter001name": ["Le cœur 🎙️"],
        "chapter001url": ["https://example.org/a?b=1&c=2#d"],
        "chapter002": ["00:00:05.007"],
        "chapter002name": ["النهاية"],
    }


def test_an_mp3_edition_tells_its_length_in_front(voice: Path, make: Callable[..., Made]) -> None:
    made = make(voice, "low-mp3")

    info: Any = mutagen.mp3.MP3(made.path).info  # mutagen does not say of what kind
    assert info.bitrate_mode == mutagen.mp3.BitrateMode.CBR
    assert info.length * 1000 == pytest.approx(made.duration_ms, abs=72)  # it counts three frames of padding in
    assert ID3(made.path).version == (2, 3, 0)


@BOTH
def test_nothing_of_the_enclosures_own_tags_is_left(
    name: EditionName, voice: Path, make: Callable[..., Made], tmp_path: Path
) -> None:
    planted = tmp_path / "planted.mp3"
    planted.write_bytes(voice.read_bytes())
    tag = ID3()
    tag.add(TIT2(encoding=3, text="PLANTED"))
    tag.save(planted)

    data = make(planted, name).path.read_bytes()

    assert b"PLANTED" not in data
    assert "PLANTED".encode("utf-16-le") not in data


@BOTH
def test_an_edition_without_chapters_and_cover_is_made_of_an_m4a(
    name: EditionName, make: Callable[..., Made], tmp_path: Path
) -> None:
    original = audio(tmp_path / "sound.m4a", "-c:a", "aac", seconds=3)

    made = make(original, name, EnclosureTags(title="Un", show="Deux"))

    assert made.duration_ms == pytest.approx(decoded_ms(original), abs=2)
    assert (facts(made).chapters, facts(made).cover) == ((), None)


@BOTH
@pytest.mark.parametrize("count", [1, 900])
def test_an_edition_carries_any_number_of_chapters(
    count: int, name: EditionName, voice: Path, make: Callable[..., Made]
) -> None:
    chapters = tuple(Chapter(start_ms=number * 7, title=f"Partie {number}") for number in range(count))

    found = facts(make(voice, name, replace(TAGS, chapters=chapters)))

    assert [(one.start_ms, one.title) for one in found.chapters] == [(one.start_ms, one.title) for one in chapters]


@BOTH
def test_the_same_enclosure_gives_the_same_bytes_and_leaves_nothing_else(
    name: EditionName, voice: Path, make: Callable[..., Made], tmp_path: Path
) -> None:
    told: list[int] = []

    one, other = make(voice, name), make(voice, name, on_progress=told.append)

    assert one.sha256 == other.sha256
    assert sorted(tmp_path.iterdir()) == sorted([one.path, other.path])
    assert told[-1] == pytest.approx(one.duration_ms, abs=100)


@BOTH
def test_an_edition_is_made_by_the_ffmpeg_of_the_wheel_too(
    name: EditionName, voice: Path, make: Callable[..., Made]
) -> None:
    made = make(voice, name, ffmpeg=ffmpeg._from_the_wheel())

    assert made.duration_ms == pytest.approx(decoded_ms(voice) / 2, abs=2)
    assert len(facts(made).chapters) == len(CHAPTERS)


@BOTH
@pytest.mark.parametrize("content", [b"#EXTM3U\n#EXTINF:2,\nsecret.mp3\n", b"\xff\xfb\x90\x64" + bytes(900), b""])
def test_what_is_no_enclosure_is_refused_with_a_sentence(
    content: bytes, name: EditionName, voice: Path, make: Callable[..., Made], tmp_path: Path
) -> None:
    (tmp_path / "secret.mp3").write_bytes(voice.read_bytes())
    hostile = tmp_path / "episode.mp3"
    hostile.write_bytes(content)

    with pytest.raises(Failed) as told:
        make(hostile, name)

    assert told.value.sentence.endswith(".")


def test_without_ffmpeg_that_is_told(voice: Path, make: Callable[..., Made]) -> None:
    with pytest.raises(Absent):
        make(voice, "low-opus", ffmpeg=None)


def test_public_samples_become_light_as_long_as_their_enclosures(
    corpora: Path, make: Callable[..., Made], tmp_path: Path
) -> None:
    for path in sorted(corpora.glob("audio/antennapod/*.*")):
        found = probe(FileSource(path))
        whole = enclosure.make(
            path,
            container=found.container,
            codec=found.codec,
            channels=found.channels,
            tags=replace(TAGS, chapters=found.chapters),
            directory=tmp_path,
            ffmpeg=ffmpeg.find(None),
        )
        for name in ("low-mp3", "low-opus"):
            made = make(whole.path, name, replace(TAGS, chapters=found.chapters))

            assert made.duration_ms == pytest.approx(whole.duration_ms, abs=60), (path, name)
            assert [one.title for one in facts(made).chapters] == [one.title for one in found.chapters], (path, name)
