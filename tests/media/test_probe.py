"""What a file is and how long it lasts, for every kind and every way of being wrong about it."""

import json
import os
import struct
import time
from contextlib import suppress
from pathlib import Path

import pytest

from media.probe import Facts, NotAudio, probe
from media.probe import refusals as why
from media.source import FileSource
from media.storage import Key, Missing
from tests.media import samples
from tests.media.samples import NOISE, UNEVEN, Bytes, Recorded, audio, repeated, video

FRAME_MS = 1152 / 44.1
KINDS = [  # suffix, ffmpeg's options; container, codec, media type, extension, whether the length is exact
    ("mp3", "", "mp3", "mp3", "audio/mpeg", "mp3", True),
    ("mp3", "-q:a 4", "mp3", "mp3", "audio/mpeg", "mp3", True),
    ("mp3", "-write_xing 0", "mp3", "mp3", "audio/mpeg", "mp3", True),
    ("mp2", "", "mp3", "mp2", "audio/mpeg", "mp3", True),
    ("m4a", "", "mp4", "aac", "audio/x-m4a", "m4a", True),
    ("m4a", "-movflags +faststart", "mp4", "aac", "audio/x-m4a", "m4a", True),
    ("m4a", "-c:a alac", "mp4", "alac", "audio/x-m4a", "m4a", True),
    ("mp4", "-c:a libmp3lame", "mp4", "mp3", "audio/x-m4a", "m4a", True),
    ("mp4", "-c:a libopus", "mp4", "opus", "audio/x-m4a", "m4a", True),
    ("mov", "-c:a pcm_s16le", "mp4", "pcm", "audio/x-m4a", "m4a", True),
    ("aac", "", "adts", "aac", "audio/aac", "aac", False),
    ("wav", "", "wav", "pcm", "audio/wav", "wav", True),
    ("wav", "-c:a pcm_f32le", "wav", "pcm", "audio/wav", "wav", True),
    ("wav", "-c:a pcm_s24le", "wav", "pcm", "audio/wav", "wav", True),
    ("wav", "-rf64 always", "wav", "pcm", "audio/wav", "wav", True),
    ("wav", "-c:a pcm_s24le -ac 6 -ar 48000", "wav", "pcm", "audio/wav", "wav", True),
    ("w64", "", "wav", "pcm", "audio/wav", "wav", True),
    ("wav", "-c:a libmp3lame", "wav", "mp3", "audio/wav", "wav", False),
    ("wav", "-c:a adpcm_ms", "wav", "adpcm", "audio/wav", "wav", False),
    ("wav", "-c:a pcm_mulaw", "wav", "mulaw", "audio/wav", "wav", False),
    ("aiff", "", "aiff", "pcm", "audio/aiff", "aiff", True),
    ("aiff", "-c:a pcm_f32be", "aiff", "pcm", "audio/aiff", "aiff", True),
    ("aiff", "-c:a adpcm_ima_qt", "aiff", "adpcm", "audio/aiff", "aiff", False),
    ("flac", "", "flac", "flac", "audio/flac", "flac", True),
    ("ogg", "", "ogg", "vorbis", "audio/ogg", "ogg", True),
    ("oga", "-c:a flac", "ogg", "flac", "audio/ogg", "ogg", True),
    ("opus", "", "ogg", "opus", "audio/ogg", "opus", True),
    ("spx", "-ar 16000", "ogg", "speex", "audio/ogg", "ogg", True),
]


def facts(path: Path) -> Facts:
    return probe(FileSource(path))


def refusal(data: bytes) -> NotAudio:
    with pytest.raises(NotAudio) as refused:
        probe(Bytes(data))
    return refused.value


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind[0]} {kind[1]}".strip())
def test_a_kind_is_known_by_its_content_whatever_its_name(
    tmp_path: Path, kind: tuple[str, str, str, str, str, str, bool]
) -> None:
    suffix, options, *expected, is_exact = kind
    path = audio(tmp_path / f"sample.{suffix}", *options.split()).rename(tmp_path / "SAMPLE.TXT")

    found = facts(path)

    assert [found.container, found.codec, found.media_type, found.extension] == expected
    assert found.duration_ms == pytest.approx(2000, abs=60)
    assert found.duration_is_exact is is_exact
    assert (
        found.channels == (6 if "-ac 6" in options else 1) or found.codec == "mp3"
    )  # in MP4 it says 2, whatever it is
    assert found.sample_rate_hz in (16000, 44100, 48000)
    assert not found.has_video


@pytest.mark.parametrize("suffix", ["mp4", "mov", "ogv"])
def test_a_video_is_taken_for_its_sound(tmp_path: Path, suffix: str) -> None:
    found = facts(video(tmp_path / f"talk.{suffix}"))

    assert found.has_video
    assert found.duration_ms == pytest.approx(1000, abs=60)
    assert found.media_type == ("audio/ogg" if suffix == "ogv" else "video/mp4")


@pytest.mark.parametrize("suffix", ["mp4", "ogv"])
def test_a_video_without_sound_is_refused(tmp_path: Path, suffix: str) -> None:
    assert refusal(video(tmp_path / f"silent.{suffix}", "-an").read_bytes()).sentence == why.VIDEO_ONLY


@pytest.mark.parametrize("suffix", ["mkv", "webm", "avi", "ts", "flv"])
def test_a_video_of_another_kind_is_refused_by_its_name(tmp_path: Path, suffix: str) -> None:
    options = ("-c:v", "flv") if suffix == "flv" else ()

    refused = refusal(video(tmp_path / f"talk.{suffix}", *options).read_bytes())

    assert refused.sentence == why.VIDEO
    assert refused.values["kind"] in str(refused)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", why.EMPTY),
        (b"\xff\xfb\x90\0" + bytes(28), why.TOO_SHORT),
        ("Notes de l'épisode\n".encode() * 30, why.TEXT),
        ("Notes de l'épisode\n".encode("latin-1") * 30, why.TEXT),
        ("Notes".encode("utf-16"), why.TEXT),
        (b"<?xml version='1.0'?><rss></rss>", why.TEXT),
        (b"\n<!DOCTYPE html><title>404</title>", why.WEB_PAGE),
        (b"%PDF-1.7\n" + bytes(range(256)), why.PDF),
        (samples.picture(), why.PICTURE),
        (samples.picture(kind="PNG"), why.PICTURE),
        (samples.picture(kind="GIF"), why.PICTURE),
        (samples.picture(kind="WEBP"), why.PICTURE),
        (b"\0\0\0\x18ftypheic" + bytes(100), why.PICTURE),
        (b"PK\3\4" + bytes(100), why.ARCHIVE),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), why.OFFICE),
        (b"#EXTM3U\nepisode.mp3\n", why.PLAYLIST),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(100), why.OTHER_AUDIO),
        (b"\x0b\x77" + bytes(100), why.OTHER_AUDIO),
        ((b"\xff\xfb\x00\xc0" + bytes(413)) * 50, why.OPEN_BITRATE),
        (b"ID3\4\0\0\0\0\0\x64" + bytes(100) + (b"\xff\xfb\x00\xc0" + bytes(413)) * 50, why.OPEN_BITRATE),
        (bytes(100_000), why.UNKNOWN),
        (b"ID3\4\0\0\0\0\0\0" + bytes(5000), why.SILENT),
        (b"ID3\4\0\0\0\0\x7f\x7f" + bytes(1000), why.CUT_OFF),
        (b"fLaC\0\0\0\x22", why.DAMAGED),
        (b"RIFF\0\0\0\0WAVEfmt ", why.DAMAGED),
        (b"\0\0\0\x08ftyp\0\0\0\x08moov", why.DAMAGED),
        (b"OggS" + bytes(100), why.SILENT),
    ],
)
def test_what_is_no_audio_is_refused_with_the_reason(data: bytes, sentence: str) -> None:
    refused = refusal(data)

    assert refused.sentence == sentence
    assert "{" not in str(refused)


def test_a_protected_recording_is_refused(tmp_path: Path) -> None:
    whole = audio(tmp_path / "bought.m4a").read_bytes()

    assert refusal(whole.replace(b"mp4a\0\0\0\0\0\0\0\1", b"drms\0\0\0\0\0\0\0\1")).sentence == why.PROTECTED


def test_aac_in_wav_is_refused_since_half_of_it_would_be_lost(tmp_path: Path) -> None:
    refused = refusal(audio(tmp_path / "a.wav", "-c:a", "aac").read_bytes())

    assert refused.sentence == why.OTHER_AUDIO
    assert "AAC in WAV" in str(refused)


def test_junk_and_several_tags_before_the_sound_are_stepped_over(tmp_path: Path) -> None:
    sound = audio(tmp_path / "a.mp3", "-id3v2_version", "0").read_bytes()
    tag = b"ID3\4\0\0\0\0\0\x64" + bytes(100)

    found = probe(Bytes(tag + tag + bytes(5000) + b"\xff\xfb\x90" + sound))

    assert found.container == "mp3"
    assert found.duration_ms == pytest.approx(2000, abs=60)


def test_a_flac_behind_an_id3_tag_is_a_flac(tmp_path: Path) -> None:
    sound = audio(tmp_path / "a.flac").read_bytes()

    assert probe(Bytes(b"ID3\4\0\0\0\0\0\x64" + bytes(100) + sound)).container == "flac"


# -- Lengths that cannot be trusted


def test_a_variable_bitrate_without_a_header_is_only_guessed(tmp_path: Path) -> None:
    sound = audio(tmp_path / "v.mp3", "-q:a", "2", "-write_xing", "0", seconds=30, sound=UNEVEN)

    found = facts(sound)

    assert not found.duration_is_exact
    assert found.duration_ms == pytest.approx(30_000, rel=0.4)  # the first frame alone says three times as much


def test_a_constant_bitrate_without_a_header_is_exact(tmp_path: Path) -> None:
    sound = audio(tmp_path / "c.mp3", "-b:a", "64k", "-write_xing", "0", seconds=20)

    found = facts(sound)

    assert found.duration_is_exact
    assert found.duration_ms == pytest.approx(20_000, rel=0.01)


def test_a_bitrate_that_varies_between_two_silences_is_only_guessed() -> None:
    still, loud = b"\xff\xfb\x50\xc0".ljust(208, b"\0"), b"\xff\xfb\x90\xc0".ljust(417, b"\0")  # 64 and 128 kbit/s

    found = probe(Bytes(still * 500 + loud * 2000 + still * 500))

    assert not found.duration_is_exact
    assert found.duration_ms == pytest.approx(3000 * FRAME_MS, rel=0.4)


def test_tags_behind_the_sound_do_not_lengthen_it(tmp_path: Path) -> None:
    sound = audio(tmp_path / "c.mp3", "-write_xing", "0", seconds=20).read_bytes()
    ape = bytes(60_000)
    footer = b"APETAGEX" + struct.pack("<IIII", 2000, len(ape) + 32, 1, 0) + bytes(8)
    lyrics = bytes(30_000) + b"030000LYRICS200"
    old_tag = b"TAG" + bytes(125)

    assert probe(Bytes(sound + ape + footer + lyrics + old_tag)).duration_ms == probe(Bytes(sound)).duration_ms


@pytest.mark.parametrize("options", [("-b:a", "64k"), ("-q:a", "4")])
def test_a_header_that_promises_more_than_the_file_holds_is_not_believed(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    whole = audio(tmp_path / "a.mp3", *options, seconds=20).read_bytes()

    found = probe(Bytes(whole[: len(whole) // 2]))

    assert not found.duration_is_exact
    assert found.duration_ms == pytest.approx(10_000, rel=0.1)


def test_a_header_that_describes_only_the_first_of_joined_files_is_not_believed(tmp_path: Path) -> None:
    part = audio(tmp_path / "a.mp3", "-id3v2_version", "0", seconds=20).read_bytes()

    found = probe(Bytes(part * 3))

    assert not found.duration_is_exact
    assert found.duration_ms == pytest.approx(60_000, rel=0.05)


def test_a_header_of_no_frames_is_not_believed(tmp_path: Path) -> None:
    whole = audio(tmp_path / "a.mp3", seconds=20).read_bytes()
    at = whole.index(b"Info") + 8

    found = probe(Bytes(whole[:at] + bytes(4) + whole[at + 4 :]))

    assert not found.duration_is_exact
    assert found.duration_ms == pytest.approx(20_000, rel=0.05)


def test_a_header_of_far_too_many_frames_is_not_believed(tmp_path: Path) -> None:
    whole = audio(tmp_path / "a.mp3", seconds=20).read_bytes()
    at = whole.index(b"Info") + 8

    found = probe(Bytes(whole[:at] + b"\x7f\xff\xff\xff" + whole[at + 4 :]))

    assert not found.duration_is_exact
    assert found.duration_ms == pytest.approx(20_000, rel=0.05)


def test_an_m4a_that_lacks_its_end_says_about_how_much_is_there(tmp_path: Path) -> None:
    whole = audio(tmp_path / "a.m4a", "-movflags", "+faststart", seconds=20, sound=NOISE).read_bytes()

    found = probe(Bytes(whole[: len(whole) // 2]))

    assert not found.duration_is_exact
    assert found.duration_ms == pytest.approx(10_000, rel=0.1)


def test_an_m4a_that_lacks_its_table_of_contents_is_refused(tmp_path: Path) -> None:
    whole = audio(tmp_path / "a.m4a", seconds=20).read_bytes()

    assert refusal(whole[: len(whole) // 2]).sentence == why.CUT_OFF


def test_a_fragmented_m4a_is_never_exact(tmp_path: Path) -> None:
    found = facts(audio(tmp_path / "a.m4a", "-movflags", "frag_keyframe+empty_moov"))

    assert found.codec == "aac"
    assert not found.duration_is_exact


@pytest.mark.parametrize("suffix", ["wav", "aiff", "flac", "aac", "ogg", "opus"])
def test_a_file_that_lacks_its_end_never_says_the_whole_length_exactly(tmp_path: Path, suffix: str) -> None:
    whole = audio(tmp_path / f"a.{suffix}", seconds=20, sound=NOISE).read_bytes()

    found = probe(Bytes(whole[: len(whole) // 2]))

    assert found.duration_ms is None or found.duration_ms < 19_000 or not found.duration_is_exact
    assert suffix in ("ogg", "opus") or not found.duration_is_exact  # each page of Ogg says what came before it


def test_a_wav_that_was_piped_says_about_how_long_it_is(tmp_path: Path) -> None:
    whole = audio(tmp_path / "a.wav").read_bytes()
    at = whole.index(b"data") + 4

    found = probe(Bytes(whole[:at] + b"\xff\xff\xff\xff" + whole[at + 4 :]))

    assert not found.duration_is_exact
    assert found.duration_ms == pytest.approx(2000, abs=5)


def test_a_recording_of_nothing_is_refused(tmp_path: Path) -> None:
    whole = audio(tmp_path / "a.wav").read_bytes()
    at = whole.index(b"data") + 4

    assert refusal(whole[:at] + bytes(4)).sentence == why.SILENT


def test_a_stream_that_was_cut_out_of_a_longer_one_is_guessed(tmp_path: Path) -> None:
    late = audio(tmp_path / "a.opus", "-output_ts_offset", "3600", seconds=20)

    found = facts(late)

    assert not found.duration_is_exact
    assert found.duration_ms == pytest.approx(20_000, rel=0.1)


# -- What it costs


@pytest.mark.long
@pytest.mark.parametrize(
    ("suffix", "options"),
    [("mp3", ()), ("mp3", ("-write_xing", "0")), ("m4a", ()), ("m4a", ("-movflags", "+faststart"))],
)
def test_a_file_of_four_hours_costs_three_requests(tmp_path: Path, suffix: str, options: tuple[str, ...]) -> None:
    minute = audio(tmp_path / f"minute.{suffix}", "-b:a", "128k", seconds=60, sound=NOISE)
    path = repeated(tmp_path / f"hours.{suffix}", minute, 240, *options)
    source = Recorded(FileSource(path))

    found = probe(source)

    assert source.size > 200_000_000
    assert found.duration_is_exact
    assert found.duration_ms == pytest.approx(4 * 3600 * 1000, rel=0.02)
    assert len(source.parts) <= 3
    assert source.read_bytes < 300_000


@pytest.mark.parametrize("has_header_frame", [False, True])
@pytest.mark.parametrize(("backup_bytes", "requests"), [(0, 3), (2_000_000, 4)], ids=["padding", "an editor's backup"])
def test_padding_and_frames_that_nobody_wants_are_not_read(
    tmp_path: Path, backup_bytes: int, requests: int, *, has_header_frame: bool
) -> None:
    title = b"TIT2\0\0\0\x0a\0\0\0Entretien"
    backup = b"GEOB" + struct.pack(">I", backup_bytes) + b"\0\0" if backup_bytes else b""
    path = _mp3_with_holes(tmp_path / "a.mp3", title + backup, backup_bytes + 200_000, has_header_frame)
    source = Recorded(FileSource(path))

    found = probe(source)

    assert source.size > 200_000_000
    assert found.tags.title == "Entretien"
    assert found.duration_is_exact
    assert found.duration_ms == pytest.approx(480_000 * FRAME_MS, abs=1)
    assert len(source.parts) <= requests
    assert source.read_bytes < 300_000


def _mp3_with_holes(path: Path, tag: bytes, hole_bytes: int, has_header_frame: bool) -> Path:
    """A tag that goes on with zeros, and 480,000 frames of which only the first and the last hundreds are written."""
    frame = b"\xff\xfb\x90\xc4".ljust(417, b"\0")
    header_frame = (frame[:21] + b"Info" + struct.pack(">III", 3, 480_000, 480_001 * 417)).ljust(417, b"\0")
    tag_bytes = len(tag) + hole_bytes
    with path.open("wb") as file:
        file.write(b"ID3\3\0\0" + bytes(tag_bytes >> shift & 127 for shift in (21, 14, 7, 0)) + tag)
        file.seek(hole_bytes, os.SEEK_CUR)
        file.write((header_frame if has_header_frame else b"") + frame * 200)
        file.seek((480_000 - 400) * 417, os.SEEK_CUR)
        file.write(frame * 200)
    return path


@pytest.mark.parametrize(
    ("suffix", "requests"), [("mp3", 3), ("m4a", 3), ("wav", 2), ("flac", 2), ("ogg", 2), ("opus", 2)]
)
def test_a_longer_file_costs_a_few_requests(tmp_path: Path, suffix: str, requests: int) -> None:
    path = repeated(tmp_path / f"a.{suffix}", audio(tmp_path / f"part.{suffix}", seconds=5, sound=NOISE), 12)
    source = Recorded(FileSource(path))

    probe(source)

    assert source.size > 350_000
    assert len(source.parts) <= requests
    assert source.read_bytes < 300_000


def test_a_storage_that_fails_is_not_taken_for_a_bad_file(tmp_path: Path) -> None:
    class Gone:
        size = 1_000_000

        def read(self, start: int, stop: int) -> bytes:
            raise Missing(Key("private/originals/gone"))

    with pytest.raises(Missing):
        probe(Gone())


# -- Public samples


def test_every_public_sample_is_read_or_refused(corpora: Path) -> None:
    for path in sorted(path for path in (corpora / "audio").rglob("*") if path.is_file()):
        started = time.process_time()
        with suppress(NotAudio):
            facts(path)
        assert time.process_time() - started < 2, path


def test_what_is_called_exact_is_what_a_decoder_hears(corpora: Path) -> None:
    expected = map(json.loads, (corpora / "expected_mutagen.jsonl").read_text(encoding="utf-8").splitlines())
    decoded_seconds = {line["path"]: line["decoded_seconds"] for line in expected if line.get("decoded_seconds")}
    exact = 0
    for name, seconds in decoded_seconds.items():
        try:
            found = facts(corpora / name)
        except NotAudio:
            continue
        if found.duration_is_exact:
            exact += 1
            assert found.duration_ms is not None
            assert abs(found.duration_ms / 1000 - seconds) <= max(0.02 * seconds, 0.06), name
    assert exact > 100
