"""A bucket behind TLS and a strict proxy: there boto3 sends other bytes than over plain http, and addresses are signed
for the host outside. What every storage promises holds, and then what happens on a proxy's bad days."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from media.storage import Full, Key, Missing, PartsId, Storage, Unavailable
from media.storage.open import open_storage
from tests.media.storages import AUDIO, COPY, MIB, NOISE, Place, keys, put, whole
from tests.media.test_storage import (  # noqa: F401  (asked again here, of the place below)
    test_a_feed_that_is_put_again_is_the_old_one_until_it_is_the_new_one,
    test_an_exception_in_the_middle_leaves_nothing,
    test_an_object_is_read_as_it_was_written,
)
from tests.media.test_storage_parts import (  # noqa: F401  (as above)
    SIZES,
    WHOLE,
    arrived,
    send,
    test_a_part_that_is_cut_leaves_what_was_there,
    test_parts_that_come_backwards_become_the_object,
)
from tests.s3_servers import S3Server
from tests.strict_proxy import Answers, Cuts, LosesAnswer, StrictProxy, strict_proxy

on_moto = pytest.mark.parametrize("place", ["moto"], indirect=True)
on_rclone = pytest.mark.parametrize("place", ["rclone"], indirect=True)
both_servers = pytest.mark.parametrize("place", ["moto", "rclone"], indirect=True)


# in every run tests/podcast_app/test_strict_bucket.py is behind such a proxy
pytestmark = pytest.mark.long


@pytest.fixture(scope="session")
def proxies(
    moto: S3Server, rclone: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, StrictProxy]]:
    with (
        strict_proxy(moto.endpoint, tmp_path_factory.mktemp("moto")) as before_moto,
        strict_proxy(rclone.endpoint, tmp_path_factory.mktemp("rclone")) as before_rclone,
    ):
        yield {"moto": before_moto, "rclone": before_rclone}


@pytest.fixture(params=["moto", "rclone"])
def place(
    request: pytest.FixtureRequest, proxy: StrictProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """A place of this test alone, reached through the proxy; which at the end has had nothing to refuse."""
    server: S3Server = request.getfixturevalue(request.param)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CA_BUNDLE", proxy.certificate)
    prefix = token_hex(4)
    url = replace(server, endpoint=proxy.endpoint).storage_url(prefix)
    yield Place(url=url, data_dir=tmp_path, server=server, prefix=prefix)
    assert proxy.refused == []


@pytest.fixture
def proxy(request: pytest.FixtureRequest, proxies: dict[str, StrictProxy]) -> StrictProxy:
    return proxies[request.node.callspec.params["place"]]


# As strict servers store it


@both_servers
def test_what_is_stored_is_the_bytes_and_no_encoding_however_they_came(
    storage: Storage, place: Place, proxy: StrictProxy
) -> None:
    small, large, relayed = Key("small"), Key("large"), Key("relayed")
    put(storage, small, b"<rss/>")
    put(storage, large, NOISE[: 9 * MIB])
    storage.copy(large, COPY, "audio/mpeg")
    parts_id = storage.begin_parts(relayed, "audio/mpeg")
    with storage.part_writing(relayed, parts_id, 1, 5 * MIB) as writer:
        writer.write(NOISE[: 5 * MIB])
    address = storage.part_address(relayed, parts_id, 2, seconds=60)
    assert sent_by_browser(proxy, address, NOISE[5 * MIB : 9 * MIB]).status_code == 200
    storage.join_parts(relayed, parts_id, (5 * MIB, 4 * MIB))

    assert whole(storage, small) == b"<rss/>"
    for key in (large, COPY, relayed):
        assert sha256(whole(storage, key)).digest() == sha256(NOISE[: 9 * MIB]).digest()
    heads = [
        place.server.client().head_object(Bucket=place.server.bucket, Key=f"{place.prefix}/{key}")
        for key in (small, large, COPY, relayed)
    ]
    assert [head.get("ContentEncoding", "") for head in heads] == ["", "", "", ""]


def sent_by_browser(proxy: StrictProxy, address: str, data: bytes) -> httpx2.Response:
    """A PUT without any header of its own."""
    with httpx2.Client(verify=ssl.create_default_context(cafile=proxy.certificate)) as client:
        return client.put(address, content=data)


@on_rclone  # which looks at signatures
def test_addresses_are_signed_for_outside_while_our_own_calls_stay_inside(place: Place, proxy: StrictProxy) -> None:
    inside = place.server.storage_url(place.prefix)
    storage = open_storage(f"{inside}&public_endpoint={proxy.endpoint}", None)
    before = len(proxy.asked)
    put(storage, AUDIO, b"audio")
    parts_id = storage.begin_parts(COPY, "audio/mpeg")
    listened = storage.address(AUDIO, seconds=60, media_type="audio/mpeg", download_as=None)
    part = storage.part_address(COPY, parts_id, 1, seconds=60)
    with storage.part_writing(COPY, parts_id, 2, 4) as writer:
        writer.write(b"part")
    assert len(proxy.asked) == before

    with httpx2.Client(verify=ssl.create_default_context(cafile=proxy.certificate)) as browser:
        assert browser.get(listened).content == b"audio"
        assert browser.put(part, content=b"part").status_code == 200
        for address in (listened, part):
            inner = address.replace(proxy.endpoint, place.server.endpoint)
            assert browser.request("GET" if address is listened else "PUT", inner).status_code == 403
    assert len(proxy.asked) == before + 2


@on_moto
def test_a_certificate_that_nobody_vouches_for_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    parts_id = place.open().begin_parts(AUDIO, "audio/mpeg")
    monkeypatch.delenv("AWS_CA_BUNDLE")
    storage = place.open()

    with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        storage.size(AUDIO)
    with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        send(storage, parts_id, 4)


# On a bad day


@on_moto
@pytest.mark.parametrize(
    ("status", "code", "early", "meaning"),
    [
        (503, "SlowDown", False, Unavailable),
        (403, "AccessDenied", True, Unavailable),
        (413, "EntityTooLarge", True, Unavailable),
        (507, "XMinioStorageFull", False, Full),
        (404, "NoSuchUpload", True, Missing),
    ],
)
def test_a_part_that_is_refused_says_why_and_does_not_count(
    storage: Storage, proxy: StrictProxy, status: int, code: str, early: bool, meaning: type[Exception]
) -> None:
    parts_id = storage.begin_parts(AUDIO, "audio/mpeg")
    send(storage, parts_id, 2, NOISE[:1000])
    proxy.makes(Answers(status, code, early), "PUT", "partNumber=1")

    with pytest.raises(meaning, match=AUDIO if meaning is Missing else code):
        send(storage, parts_id, 1, NOISE[:MIB])
    assert arrived(storage, parts_id) == {2: 1000}

    send(storage, parts_id, 1, NOISE[:MIB])
    assert arrived(storage, parts_id) == {1: MIB, 2: 1000}


@pytest.mark.long
@both_servers
def test_a_part_whose_connection_breaks_does_not_count(storage: Storage, proxy: StrictProxy) -> None:
    parts_id = storage.begin_parts(AUDIO, "audio/mpeg")
    for number, after_bytes in ((2, 0), (3, 2 * MIB), (4, 3 * MIB - 1)):
        proxy.makes(Cuts(after_bytes), "PUT", f"partNumber={number}")
        with pytest.raises(Unavailable):
            send(storage, parts_id, number)
    assert arrived(storage, parts_id) == {}

    for number in (1, 2, 3, 4):
        send(storage, parts_id, number)
    storage.join_parts(AUDIO, parts_id, SIZES)
    assert sha256(whole(storage, AUDIO)).digest() == sha256(WHOLE).digest()


@both_servers
def test_a_part_of_which_nobody_hears_has_arrived_all_the_same(storage: Storage, proxy: StrictProxy) -> None:
    parts_id = storage.begin_parts(AUDIO, "audio/mpeg")
    proxy.makes(LosesAnswer(), "PUT", "partNumber=4")

    with pytest.raises(Unavailable):
        send(storage, parts_id, 4)

    assert arrived(storage, parts_id) == {4: 3 * MIB}


@both_servers
def test_parts_are_joined_once_although_the_answer_is_lost(storage: Storage, place: Place, proxy: StrictProxy) -> None:
    parts_id = all_sent(storage)
    proxy.makes(LosesAnswer(), "POST", "uploadId=")

    storage.join_parts(AUDIO, parts_id, SIZES)

    assert sha256(whole(storage, AUDIO)).digest() == sha256(WHOLE).digest()
    assert place.unfinished() == []


@on_moto
def test_a_failure_in_an_answer_of_success_is_none(storage: Storage, proxy: StrictProxy) -> None:
    parts_id = all_sent(storage)
    proxy.makes(Answers(200, "InternalError"), "POST", "uploadId=", times=4)  # S3 begins to answer before it knows
    with pytest.raises(Unavailable, match="InternalError"):
        storage.join_parts(AUDIO, parts_id, SIZES)
    assert keys(storage) == []

    proxy.makes(Answers(200, "InternalError"), "POST", "uploadId=")
    storage.join_parts(AUDIO, parts_id, SIZES)
    proxy.makes(Answers(200, "InternalError"), "PUT", COPY)
    storage.copy(AUDIO, COPY, "audio/mpeg")

    assert sha256(whole(storage, COPY)).digest() == sha256(WHOLE).digest()


def all_sent(storage: Storage) -> PartsId:
    parts_id = storage.begin_parts(AUDIO, "audio/mpeg")
    for number in (1, 2, 3, 4):
        send(storage, parts_id, number)
    return parts_id


@on_rclone
def test_the_servers_name_for_the_parts_may_have_any_letters(storage: Storage, proxy: StrictProxy) -> None:
    odd = PartsId("2~a+b/c==&d%20e é?#.")

    with pytest.raises(Missing):  # and no refusal of the signature
        send(storage, odd, 4, b"x")

    assert parse_qs(urlsplit(proxy.asked[-1].target).query)["uploadId"] == [odd]


@pytest.mark.long
@on_moto
@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (501, "NotImplemented")])
def test_where_nobody_may_list_unfinished_uploads_objects_are_joined_and_deleted_all_the_same(
    storage: Storage, proxy: StrictProxy, status: int, code: str
) -> None:
    parts_id = all_sent(storage)
    with proxy.always(Answers(status, code), "GET", "uploads"):
        storage.join_parts(AUDIO, parts_id, SIZES)
        assert keys(storage) == [AUDIO]
        storage.delete(AUDIO)
        assert keys(storage) == []
        with pytest.raises(Unavailable, match=code):
            list(storage.unfinished(""))
