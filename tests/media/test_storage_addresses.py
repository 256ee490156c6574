"""A bucket's door: signed addresses, from which anyone may read one object for a while."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from werkzeug.http import parse_options_header

from media.storage import Key, Storage
from media.storage.open import open_storage
from tests.media.storages import AUDIO, COPY, Place, known_gap, put

pytestmark = pytest.mark.parametrize("place", ["moto", "rclone"], indirect=True)


def address(
    storage: Storage, *, seconds: int = 60, media_type: str = "audio/mpeg", download_as: str | None = None
) -> str:
    url = storage.address(AUDIO, seconds=seconds, media_type=media_type, download_as=download_as)
    assert url is not None
    return url


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str]


def fetched(url: str, **headers: str) -> Answer:
    """What anyone gets who has the address."""
    try:
        with urlopen(Request(url, headers=headers), timeout=20) as answer:
            return Answer(answer.status, answer.read(), answer.headers)
    except HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, refusal.read(), refusal.headers)


def test_anyone_with_the_address_gets_the_bytes_with_the_type_that_was_asked(storage: Storage) -> None:
    put(storage, AUDIO, b"0123456789", "application/octet-stream")

    answer = fetched(address(storage, media_type="audio/x-m4a"))

    assert (answer.status, answer.body) == (200, b"0123456789")
    assert answer.headers["Content-Type"] == "audio/x-m4a"
    assert answer.headers["Content-Disposition"] is None


def test_an_address_gives_a_range_too(storage: Storage) -> None:
    put(storage, AUDIO, b"0123456789")

    answer = fetched(address(storage), Range="bytes=2-4")

    assert answer.body == b"234"
    assert answer.headers["Content-Range"] == "bytes 2-4/10"


NAMES = [
    "matonge.mp3",
    "Récits d'ailleurs – 日本 … n° 3.mp3",
    'a "quoted" \\ name; filename=evil.exe.mp3',
    "100 % \r\nSet-Cookie: a=b.mp3",
    "\U0001f399 podcast.mp3",
]


def test_a_download_has_its_name_whatever_the_letters(storage: Storage) -> None:
    put(storage, AUDIO, b"bytes")

    for name in NAMES:
        answer = fetched(address(storage, download_as=name))

        assert answer.body == b"bytes"
        assert answer.headers["Content-Disposition"].isascii()
        assert saved_as(answer.headers["Content-Disposition"]) == name
        assert "Set-Cookie" not in answer.headers


def saved_as(content_disposition: str) -> str:
    """The name as a reader of such headers understands it who is not ours."""
    kind, options = parse_options_header(content_disposition)
    assert kind == "attachment"
    return options["filename"]


def test_an_address_whose_time_is_over_opens_nothing(storage: Storage, request: pytest.FixtureRequest) -> None:
    known_gap(request, "moto", "it never looks at the time")
    put(storage, AUDIO, b"bytes")
    url = address(storage, seconds=1)

    time.sleep(2.1)

    assert fetched(url).status in (400, 403)


def test_an_address_opens_no_other_object(storage: Storage, request: pytest.FixtureRequest) -> None:
    known_gap(request, "moto", "it believes every signature")
    put(storage, COPY, b"bytes")

    assert fetched(address(storage).replace(AUDIO, COPY)).status == 403


def test_an_address_is_signed_for_the_host_that_browsers_reach(place: Place) -> None:
    assert place.server
    outside = place.server.endpoint.replace("127.0.0.1", "localhost")
    storage = open_storage(f"{place.url}&public_endpoint={outside}", None)
    put(storage, AUDIO, b"bytes")

    url = address(storage)

    assert urlsplit(url).hostname == "localhost"
    assert fetched(url).body == b"bytes"


def test_asking_for_an_address_asks_no_server(place: Place) -> None:
    storage = open_storage("s3://podcasts?endpoint=http://127.0.0.1:1", None)

    assert address(storage).startswith("http://127.0.0.1:1/podcasts/private/audio/3f2a.mp3?")


def test_an_address_holds_for_seven_days_and_no_longer(storage: Storage) -> None:
    put(storage, AUDIO, b"bytes")

    assert fetched(address(storage, seconds=7 * 24 * 3600)).body == b"bytes"
    with pytest.raises(AssertionError):
        address(storage, seconds=7 * 24 * 3600 + 1)


def test_an_address_is_for_a_key(storage: Storage) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        storage.address(Key("../outside"), seconds=60, media_type="audio/mpeg", download_as=None)
