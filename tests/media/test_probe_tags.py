"""What a file says of itself: tags, chapters and the cover, from every kind of tag."""

import base64
import struct
from pathlib import Path

import pytest
from mutagen.flac import FLAC
from mutagen.flac import Picture as FlacPicture
from mutagen.id3 import APIC, CHAP, COMM, TDES, TIT2, TPE1, TPOS, TRCK, TXXX, WXXX, Encoding
from mutagen.mp4 import MP4, MP4Cover
from mutagen.oggopus import OggOpus

from media.probe import Chapter, Facts, Tags, probe
from media.source import FileSource
from tests.media.samples import Bytes, Mark, audio, picture, tagged

THREE = (Mark(0, 500, "Intro"), Mark(500, 1200, "Matongé"), Mark(1200, 2000, "Fin"))
UTF_8 = Encoding.UTF8


def facts(path: Path) -> Facts:
    return probe(FileSource(path))


@pytest.fixture
def mp3(tmp_path: Path) -> Path:
    return audio(tmp_path / "a.mp3", "-id3v2_version", "0")


@pytest.mark.parametrize("version", [3, 4])
def test_the_tags_of_an_mp3_are_read(mp3: Path, version: int) -> None:
    tagged(
        mp3,
        TIT2(encoding=Encoding.UTF16, text="Épisode 3 – Thérèse à Matonge"),
        TPE1(encoding=Encoding.UTF16, text="Équipe Diaspora"),
        COMM(encoding=Encoding.UTF16, lang="fra", desc="", text="Notes :\nl’été"),
        TRCK(encoding=Encoding.LATIN1, text="03/12"),
        TPOS(encoding=Encoding.LATIN1, text="2"),
        version=version,
    )

    assert facts(mp3).tags == Tags(
        title="Épisode 3 – Thérèse à Matonge",
        artist="Équipe Diaspora",
        comment="Notes :\nl’été",
        track=3,
        season=2,
    )


def test_several_values_are_joined_visibly(mp3: Path) -> None:
    tagged(mp3, TIT2(encoding=UTF_8, text=["Part one", "Part two"]), COMM(encoding=UTF_8, text=["Before", "after"]))

    assert facts(mp3).tags.title == "Part one / Part two"
    assert facts(mp3).tags.comment == "Before / after"


def test_control_characters_are_gone(mp3: Path) -> None:
    tagged(mp3, TIT2(encoding=UTF_8, text="a\x0bb\x1e\ufffe c\n d"), COMM(encoding=UTF_8, text="1\x08\r\n2"))

    assert facts(mp3).tags.title == "ab c d"
    assert facts(mp3).tags.comment == "1\n2"


def test_utf_16_without_its_mark_is_read(mp3: Path) -> None:
    text = b"\1" + "Épisode".encode("utf-16-le")
    frame = b"TIT2" + len(text).to_bytes(4, "big") + b"\0\0" + text
    tag = b"ID3\3\0\0\0\0\0" + bytes((len(frame),)) + frame

    assert probe(Bytes(tag + mp3.read_bytes())).tags.title == "Épisode"


def test_the_description_of_a_podcast_wins_over_comments(mp3: Path) -> None:
    tagged(mp3, COMM(encoding=UTF_8, text="short"), TDES(encoding=UTF_8, text="the long one"))

    assert facts(mp3).tags.comment == "the long one"


def test_what_itunes_notes_for_itself_is_no_comment(mp3: Path) -> None:
    tagged(mp3, COMM(encoding=UTF_8, desc="iTunNORM", text=" 000003E8"))

    assert facts(mp3).tags.comment == ""


def test_the_comment_without_a_name_wins(mp3: Path) -> None:
    named = COMM(encoding=UTF_8, desc="Aside", text="aside")

    tagged(mp3, named, COMM(encoding=UTF_8, text="notes"))
    assert facts(mp3).tags.comment == "notes"

    tagged(mp3, named)
    assert facts(mp3).tags.comment == "aside"


def test_a_comment_as_ffmpeg_writes_it_is_read(mp3: Path) -> None:
    tagged(mp3, TXXX(encoding=UTF_8, desc="comment", text="notes"))

    assert facts(mp3).tags.comment == "notes"


def test_the_first_of_two_tags_wins_and_the_second_adds(mp3: Path) -> None:
    sound = mp3.read_bytes()
    first = tagged(mp3, TIT2(encoding=UTF_8, text="First")).read_bytes()[: -len(sound)]
    mp3.write_bytes(sound)
    second = tagged(mp3, TIT2(encoding=UTF_8, text="Second"), TPE1(encoding=UTF_8, text="Artist")).read_bytes()

    found = probe(Bytes(first + second))

    assert found.tags == Tags(title="First", artist="Artist")


def test_an_old_tag_at_the_end_is_read(mp3: Path) -> None:
    old_tag = b"TAG" + b"Old title".ljust(30, b"\0") + bytes(95)

    assert probe(Bytes(mp3.read_bytes() + old_tag)).tags.title == "Old title"


@pytest.mark.parametrize("text", ["0", "-1", "", "x", "999999", "99999999999999999999"])
def test_a_number_that_is_none_is_left_out(mp3: Path, text: str) -> None:
    tagged(mp3, TRCK(encoding=UTF_8, text=text))

    assert facts(mp3).tags.track is None


def test_the_tags_of_an_m4a_are_read(tmp_path: Path) -> None:
    path = audio(tmp_path / "a.m4a")
    file = MP4(path)
    file["\xa9nam"], file["\xa9ART"] = "Entretien", "Équipe"
    file["\xa9cmt"], file["ldes"] = "short", "the long\r\none"
    file["trkn"], file["tvsn"] = [(3, 12)], [2]
    file["covr"] = [MP4Cover(picture(kind="PNG"), MP4Cover.FORMAT_JPEG)]
    file.save()

    found = facts(path)

    assert found.tags == Tags(
        title="Entretien",
        artist="Équipe",
        comment="the long\none",
        track=3,
        season=2,
    )
    assert found.cover
    assert found.cover.media_type == "image/png"


def test_vorbis_comments_are_read_from_flac(tmp_path: Path) -> None:
    path = audio(tmp_path / "a.flac")
    file = FLAC(path)
    file["TITLE"], file["ARTIST"], file["DESCRIPTION"] = "Entretien", ["Ana", "Bo"], "Notes"
    file["TRACKNUMBER"] = "3"
    file.add_picture(_flac_picture(picture()))
    file.save()

    found = facts(path)

    assert found.tags == Tags(title="Entretien", artist="Ana / Bo", comment="Notes", track=3)
    assert found.cover
    assert found.cover.data == picture()


def test_vorbis_comments_and_chapters_are_read_from_ogg(tmp_path: Path) -> None:
    path = audio(tmp_path / "a.opus")
    file = OggOpus(path)
    file["title"] = "Entretien"
    file["CHAPTER001"], file["CHAPTER001NAME"] = "00:00:01.200", "Fin"
    file["CHAPTER000"], file["CHAPTER000NAME"] = "00:00:00.000", "Intro"
    file["CHAPTER000URL"] = "https://example.org/"
    file["CHAPTER002"], file["CHAPTER002NAME"] = "soon", "Never"
    cover = picture(side=1000)
    file["metadata_block_picture"] = base64.b64encode(_flac_picture(cover + bytes(200_000)).write()).decode()
    file.save()

    found = facts(path)

    assert found.tags.title == "Entretien"
    assert found.chapters == (
        Chapter(start_ms=0, title="Intro", url="https://example.org/"),
        Chapter(start_ms=1200, title="Fin"),
    )
    assert found.cover
    assert found.cover.data.startswith(cover)
    assert found.duration_is_exact


@pytest.mark.parametrize(("suffix", "name", "size"), [("wav", b"id3 ", "<I"), ("aiff", b"ID3 ", ">I")])
def test_an_id3_tag_inside_wav_and_aiff_is_read(tmp_path: Path, suffix: str, name: bytes, size: str) -> None:
    path = audio(tmp_path / f"a.{suffix}")
    tag = tagged(tmp_path / "tag", TIT2(encoding=UTF_8, text="Entretien"), _picture(3, "", picture())).read_bytes()

    found = probe(Bytes(path.read_bytes() + name + struct.pack(size, len(tag)) + tag))

    assert found.tags.title == "Entretien"
    assert found.cover
    assert found.duration_is_exact


@pytest.mark.parametrize("suffix", ["wav", "aiff"])
def test_the_own_texts_of_wav_and_aiff_are_read(tmp_path: Path, suffix: str) -> None:
    found = facts(audio(tmp_path / f"a.{suffix}", "-metadata", "title=Été", "-metadata", "comment=Notes"))

    assert found.tags == Tags(title="Été", comment="Notes")


# -- Chapters


@pytest.mark.parametrize("options", ["mp3", "m4a", "m4a -movflags +faststart", "m4a -movflags disable_chpl"])
def test_chapters_are_read_in_order_with_their_titles(tmp_path: Path, options: str) -> None:
    suffix, *more = options.split()

    found = facts(audio(tmp_path / f"a.{suffix}", *more, chapters=THREE)).chapters

    assert [(chapter.start_ms, chapter.title) for chapter in found] == [(0, "Intro"), (500, "Matongé"), (1200, "Fin")]


def test_chapters_in_the_wrong_order_are_put_right(mp3: Path) -> None:
    tagged(mp3, _chapter("z", 1500, 2000, "Outro"), _chapter("b", 0, 500, "Intro"), _chapter("a", 500, 1500, "Second"))

    assert [chapter.title for chapter in facts(mp3).chapters] == ["Intro", "Second", "Outro"]


def test_chapters_are_tidied(mp3: Path) -> None:
    tagged(
        mp3,
        _chapter("a", 0, 500, "\n\tIntro"),
        _chapter("b", 0, 600, "The same start again"),
        _chapter("c", 600, 600, "No length"),
        _chapter("d", 700, 99_000, "Ends late"),
        _chapter("e", 99_000, 100_000, "Behind the end"),
        _chapter("f", 0xFFFFFFFF, 0xFFFFFFFF, "Somewhere else"),
        _chapter("g", 900, 1000, ""),
    )

    assert facts(mp3).chapters == (
        Chapter(start_ms=0, end_ms=500, title="Intro"),
        Chapter(start_ms=600, title="No length"),
        Chapter(start_ms=700, end_ms=facts(mp3).duration_ms, title="Ends late"),
    )


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://example.org/a?b=1", "https://example.org/a?b=1"),
        ("HTTP://example.org", "HTTP://example.org"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("https://", None),
        ("", None),
    ],
)
def test_a_chapter_links_to_the_web_or_nowhere(mp3: Path, address: str, kept: str | None) -> None:
    tagged(mp3, _chapter("a", 0, 500, "Intro", WXXX(encoding=UTF_8, desc="link", url=address)))

    assert facts(mp3).chapters[0].url == kept


# -- The cover


def test_the_front_cover_wins_over_a_larger_picture_and_an_icon(mp3: Path) -> None:
    front = picture("red", 100)
    tagged(
        mp3,
        _picture(1, "icon", picture("blue", 32, "PNG")),
        _picture(0, "large", picture("green", 1000)),
        _picture(3, "Image", front),
    )

    cover = facts(mp3).cover

    assert cover
    assert cover.data == front


def test_the_largest_picture_is_the_cover_when_none_is_in_front(mp3: Path) -> None:
    large = picture("green", 500)
    tagged(mp3, _picture(0, "small", picture("red", 10)), _picture(0, "large", large))

    cover = facts(mp3).cover

    assert cover
    assert cover.data == large


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_picture_is_what_its_bytes_are(mp3: Path, kind: str) -> None:
    tagged(mp3, APIC(encoding=UTF_8, mime="image/jpeg", type=3, desc="", data=picture(kind=kind)))

    cover = facts(mp3).cover

    assert cover
    assert cover.media_type == f"image/{kind.lower()}"


@pytest.mark.parametrize("data", [b"", b"https://example.org/cover.jpg", b"\xff\xd8\xff" + bytes(10 << 20)])
def test_what_is_no_picture_or_too_large_is_no_cover(mp3: Path, data: bytes) -> None:
    tagged(mp3, _picture(3, "", data), TIT2(encoding=UTF_8, text="Entretien"))

    assert facts(mp3).cover is None
    assert facts(mp3).tags.title == "Entretien"


def _chapter(name: str, start_ms: int, end_ms: int, title: str, *more: WXXX) -> CHAP:
    frames = [TIT2(encoding=UTF_8, text=title), *more]
    return CHAP(
        element_id=name,
        start_time=start_ms,
        end_time=end_ms,
        start_offset=0xFFFFFFFF,
        end_offset=0xFFFFFFFF,
        sub_frames=frames,
    )


def _picture(kind: int, name: str, data: bytes) -> APIC:
    return APIC(encoding=UTF_8, mime="image/jpeg", type=kind, desc=name, data=data)


def _flac_picture(data: bytes) -> FlacPicture:
    block = FlacPicture()
    block.type, block.mime, block.data = 3, "image/jpeg", data
    return block
