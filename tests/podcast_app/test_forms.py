"""Multipart forms as browsers, scripts and hostile senders write them: read whole, or nothing of them stays."""

import asyncio
import gc
import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect

from podcast_app import forms, uploads
from podcast_app.fields import NewEpisode, parse
from podcast_app.forms import BadForm, Form
from tests.podcasts import Library, Place, at

TYPE = "multipart/form-data; boundary=b"
AUDIO = bytes(range(256)) * 20

Part = tuple[str, bytes]  # what stands after `form-data; `, and the content


def body(*parts: Part, end: bytes = b"--b--\r\n") -> bytes:
    heads = (f"--b\r\nContent-Disposition: form-data; {about}\r\n\r\n".encode() + data for about, data in parts)
    return b"\r\n".join([*heads, end])


def audio(filename: str = "a.mp3", data: bytes = AUDIO) -> Part:
    return f'name="audio"; filename="{filename}"', data


def field(name: str, value: str) -> Part:
    return f'name="{name}"', value.encode()


WHOLE = body(field("title", "Été"), audio(), field("notes", "After\r\n--bonus--\r\nthe file"), ('name="x"', b""))


@pytest.fixture
def library(sqlite_place: Place) -> Iterator[Library]:
    with at(sqlite_place) as library:
        yield library


def read(
    library: Library, chunks: Iterable[bytes], content_type: str = TYPE, *, limit: int = 10**9, fails: bool = False
) -> Form:
    async def sent() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk
        if fails:
            raise ClientDisconnect

    work = library.work
    return asyncio.run(forms.read(sent(), content_type, lambda: uploads.Original(work.database, work.storage, limit)))


def assert_nothing_stays(library: Library) -> None:
    assert library.objects("private/originals/") == set()
    assert library.loose() == set()
    assert [path for path in (library.work.settings.data_dir / "storage/.partial").rglob("*") if path.is_file()] == []


def refused(library: Library, chunks: Iterable[bytes], content_type: str = TYPE) -> str:
    """The sentence, after which nothing stays."""
    with pytest.raises(BadForm) as refusal:
        read(library, chunks, content_type)
    assert_nothing_stays(library)
    return refusal.value.finding.message()


def in_pieces(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    places = [0, *sorted(cuts), len(data)]
    return [data[start:stop] for start, stop in pairwise(places)]


# --- whole forms ---


@given(st.sets(st.integers(0, len(WHOLE)), max_size=40))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_however_the_network_cuts_it_the_form_says_the_same(library: Library, cuts: set[int]) -> None:
    form = read(library, in_pieces(WHOLE, cuts))

    assert form.fields == {"title": "Été", "notes": "After\r\n--bonus--\r\nthe file", "x": ""}
    assert form.audio.filename == "a.mp3"
    assert form.audio.size_bytes == len(AUDIO)
    assert form.audio.sha256 == hashlib.sha256(AUDIO).hexdigest()
    assert library.work.storage.read(form.audio.key, 0, 10**6) == AUDIO


def test_a_form_that_comes_byte_by_byte_is_read(library: Library) -> None:
    form = read(library, (WHOLE[at : at + 1] for at in range(len(WHOLE))))

    assert form.audio.sha256 == hashlib.sha256(AUDIO).hexdigest()


def test_audio_larger_than_a_piece_is_written_while_it_comes(library: Library) -> None:
    large = AUDIO * 1000

    form = read(library, in_pieces(body(audio(data=large)), range(0, len(large), 65_536)))

    assert form.audio.size_bytes == len(large) > 4 * forms.PIECE
    assert form.audio.sha256 == hashlib.sha256(large).hexdigest()


@pytest.mark.parametrize("part", [audio("", b""), ('name="audio"', b"")])
def test_a_file_field_in_which_nothing_was_chosen_is_no_audio(library: Library, part: Part) -> None:
    form = read(library, [body(field("title", "x"), part)])

    assert form.audio is None
    assert form.fields == {"title": "x"}
    assert_nothing_stays(library)


def test_an_empty_file_is_audio_that_the_probe_refuses(library: Library) -> None:
    assert read(library, [body(audio("empty.mp3", b""))]).audio.size_bytes == 0


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("Épisode 3 – Thérèse.mp3", "Épisode 3 – Thérèse.mp3"),
        ("a%22b.mp3", 'a"b.mp3'),
        ('a\\"b.mp3', 'a"b.mp3'),
        ("100%25 sûr.mp3", "100%25 sûr.mp3"),
        ("../../etc/passwd", "passwd"),
        ("C:\\\\fakepath\\\\a.mp3", "a.mp3"),
        ("a%0D%0Ab.mp3", "a b.mp3"),
        ("..", "audio"),
        ("x" * 400 + ".mp3", "x" * 251 + ".mp3"),
    ],
)
def test_a_files_name_is_its_last_part_in_one_line(library: Library, sent: str, name: str) -> None:
    assert read(library, [body(audio(sent))]).audio.filename == name


def test_a_cover_comes_beside_the_audio(library: Library) -> None:
    form = read(library, [body(audio(), ('name="cover"; filename="c.jpg"', b"\xff\xd8"))])

    assert form.picture == b"\xff\xd8"


def test_a_text_that_is_far_too_long_is_refused_by_its_own_field_and_the_audio_is_kept(library: Library) -> None:
    form = read(library, in_pieces(body(audio(), field("notes", "é" * 600_000)), range(0, 1_200_000, 65_536)))

    [finding] = parse(NewEpisode, form.fields)
    assert finding.field == "notes"
    assert form.audio.size_bytes == len(AUDIO)
    assert len(form.fields["notes"]) < forms.LONGEST_FIELD + 65_536


# --- what is no whole form ---


@given(st.integers(0, WHOLE.rindex(b"--b--") + 4))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_a_form_that_ends_before_its_last_boundary_leaves_nothing(library: Library, end: int) -> None:
    assert "ended before it was whole" in refused(library, [WHOLE[:end]])


def test_a_sender_that_goes_away_leaves_nothing(library: Library) -> None:
    large = body(audio(data=AUDIO * 1000))

    with pytest.raises(ClientDisconnect):
        read(library, in_pieces(large[:-5000], range(0, len(large), 65_536)), fails=True)

    assert_nothing_stays(library)


def test_a_write_that_fails_while_the_sender_goes_away_is_not_left_unheard(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ClientDisconnect):
        read(library, [body(audio(data=bytes(2 * forms.PIECE)))[:-20]], limit=100, fails=True)

    gc.collect()  # an exception that nobody took is told when it is thrown away
    assert caplog.messages == []
    assert_nothing_stays(library)


@pytest.mark.parametrize("size", [101, 3 * forms.PIECE])
def test_audio_over_the_limit_leaves_nothing(library: Library, size: int) -> None:
    with pytest.raises(uploads.TooLarge):
        read(library, in_pieces(body(audio(data=bytes(size))), range(0, size, 65_536)), limit=100)

    assert_nothing_stays(library)


def test_two_audio_files_are_one_too_many(library: Library) -> None:
    assert "two audio files" in refused(library, [body(audio(), audio("b.mp3"))])


def test_more_parts_than_any_form_has_are_refused(library: Library) -> None:
    many = (field(f"f{number}", "x") for number in range(forms.MOST_PARTS + 1))

    assert "too many parts" in refused(library, [body(audio(), *many)])


def test_a_picture_without_end_is_refused(library: Library) -> None:
    huge = body(audio(), ('name="cover"; filename="c.jpg"', bytes(forms.LARGEST_PICTURE + 1)))

    assert "larger than 20 MB" in refused(library, in_pieces(huge, range(0, len(huge), 1 << 20)))


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=b"],
)
def test_what_is_no_multipart_form_is_said_to_be_none(library: Library, content_type: str) -> None:
    assert "not a multipart form" in refused(library, [WHOLE], content_type)


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"{}",
        b"--c\r\n\r\n",
        b"--b\r\nContent-Disposition form-data\r\n\r\nx\r\n--b--",
        b"--b\r\n" + b"X" * 1_000_000 + b": x\r\n\r\n",
        b"--b\r\n" + b"X: x\r\n" * 100_000,
        b"--b\r\nX: " + b"x" * 5_000_000 + b"\r\n\r\nx\r\n--b--",
    ],
    ids=["empty", "json", "another boundary", "no colon", "long name", "many headers", "long header"],
)
def test_junk_is_refused(library: Library, junk: bytes) -> None:
    refused(library, in_pieces(junk, range(0, len(junk), 65_536)))


@given(st.lists(st.sampled_from([b"--b", b"--b--", b"\r\n", b"\r", b"--", b": ", b"\0", b"Content-Disposition",
    b'form-data; name="audio"', b"x" * 40]), max_size=30).map(b"".join))  # fmt: skip
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_mixture_of_a_forms_own_signs_breaks_the_reading_of_it(library: Library, junk: bytes) -> None:
    try:
        read(library, [junk])
    except BadForm:
        assert_nothing_stays(library)
