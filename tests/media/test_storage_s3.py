"""What a bucket promises beyond any storage: types, other people's servers, and their refusals in our words."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path

import pytest

from media.storage import Full, Key, Missing, Storage, Unavailable, s3
from media.storage.open import open_storage
from tests.media.storages import AUDIO, BLOCK, COPY, MIB, NOISE, Place, keys, known_gap, put, whole

on_both_servers = pytest.mark.parametrize("place", ["moto", "rclone"], indirect=True)
on_moto = pytest.mark.parametrize("place", ["moto"], indirect=True)
on_rclone = pytest.mark.parametrize("place", ["rclone"], indirect=True)


def media_type(place: Place, key: Key) -> str:
    """The type that the server gives the object by itself."""
    assert place.server
    head = place.server.client().head_object(Bucket=place.server.bucket, Key=f"{place.prefix}/{key}")
    return head["ContentType"]


@on_both_servers
@pytest.mark.parametrize("size_bytes", [100, 9 * MIB])
def test_an_object_has_its_type_however_it_came(
    storage: Storage, place: Place, tmp_path: Path, size_bytes: int
) -> None:
    data = (BLOCK * 9)[:size_bytes]
    file = tmp_path / "encoded"
    file.write_bytes(data)

    put(storage, AUDIO, data, "audio/x-m4a")
    storage.put_file(Key("moved-in"), file, "audio/x-m4a")
    storage.copy(AUDIO, COPY, "audio/ogg")

    assert [media_type(place, key) for key in (AUDIO, Key("moved-in"), COPY)] == [
        "audio/x-m4a",
        "audio/x-m4a",
        "audio/ogg",
    ]


@pytest.mark.long
@on_both_servers
def test_a_copy_too_large_for_one_request_is_made_in_parts(
    storage: Storage, place: Place, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_gap(request, "rclone", "it takes the copy of a part for an empty part")
    monkeypatch.setattr(s3, "COPIED_WHOLE_BYTES", 8 * MIB)
    put(storage, AUDIO, NOISE[: 17 * MIB])

    storage.copy(AUDIO, COPY, "audio/ogg")

    assert whole(storage, COPY) == NOISE[: 17 * MIB]
    assert media_type(place, COPY) == "audio/ogg"
    assert place.unfinished() == []


@on_both_servers
def test_a_completion_whose_answer_was_lost_is_none_the_less_one(storage: Storage, place: Place) -> None:
    with storage.writing(AUDIO, "audio/mpeg") as writer:
        writer.write(BLOCK * 8)
        complete_behind_its_back(place)

    assert whole(storage, AUDIO) == BLOCK * 8


def complete_behind_its_back(place: Place) -> None:
    """As the first of two requests does, of which boto3 hears the second one's answer only."""
    assert place.server
    client, bucket, name = place.server.client(), place.server.bucket, f"{place.prefix}/{AUDIO}"
    uploads = client.list_multipart_uploads(Bucket=bucket)["Uploads"]
    [upload_id] = [upload["UploadId"] for upload in uploads if upload["Key"] == name]
    while not (parts := client.list_parts(Bucket=bucket, Key=name, UploadId=upload_id).get("Parts")):
        pass
    client.complete_multipart_upload(
        Bucket=bucket,
        Key=name,
        UploadId=upload_id,
        MultipartUpload={"Parts": [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in parts]},
    )


@on_moto  # rclone makes an object "folder" of "folder/"
def test_what_others_put_beside_under_names_that_are_no_keys_is_not_listed(storage: Storage, place: Place) -> None:
    assert place.server
    put(storage, AUDIO, b"bytes")
    for name in ("folder/", "a file.txt"):
        place.server.client().put_object(Bucket=place.server.bucket, Key=f"{place.prefix}/{name}", Body=b"")

    assert keys(storage) == [AUDIO]


@on_both_servers
def test_two_prefixes_of_one_bucket_do_not_meet(storage: Storage, place: Place) -> None:
    assert place.server
    other = open_storage(place.server.storage_url(f"{place.prefix}-other"), None)

    put(other, AUDIO, b"theirs")

    assert keys(storage) == []
    with pytest.raises(Missing):
        storage.size(AUDIO)


# Refusals


@on_moto
def test_a_bucket_that_does_not_exist_is_said_and_not_taken_for_a_missing_object(place: Place) -> None:
    assert place.server
    storage = open_storage(f"s3://nowhere?endpoint={place.server.endpoint}", None)

    for ask in (lambda: put(storage, AUDIO, b""), lambda: storage.read(AUDIO, 0, 1), lambda: keys(storage)):
        with pytest.raises(Unavailable, match="NoSuchBucket"):
            ask()


@on_rclone
def test_a_wrong_secret_is_said_and_shows_no_secret(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    storage = place.open()

    with pytest.raises(Unavailable, match="SignatureDoesNotMatch") as refusal:
        put(storage, AUDIO, b"bytes")
    assert "another-secret" not in str(refusal.value)


@on_moto
def test_no_credentials_at_all_are_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(Unavailable, match="credentials"):
        put(place.open(), AUDIO, b"bytes")


@on_moto
def test_a_server_that_is_not_there_is_unavailable_in_every_way(place: Place, tmp_path: Path) -> None:
    storage = open_storage("s3://podcasts?endpoint=http://127.0.0.1:1", None)

    for ask in (
        lambda: put(storage, AUDIO, b"bytes"),
        lambda: storage.read(AUDIO, 0, 1),
        lambda: storage.size(AUDIO),
        lambda: storage.copy(AUDIO, COPY, "audio/mpeg"),
        lambda: storage.delete(AUDIO),
        lambda: keys(storage),
        lambda: storage.local_copy(AUDIO, tmp_path),
    ):
        with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:1/"):
            ask()


@contextmanager
def refusing_server(status: int, code: str) -> Iterator[str]:
    """A server that answers every request in this one way, as S3 servers word it."""
    body = f"<Error><Code>{code}</Code><Message>Told by the server.</Message></Error>".encode()

    class Refuse(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # boto3 asks whether it may send, and would wait a second for the answer

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline()
            if self.raw_requestline and self.parse_request():
                self.rfile.read(int(self.headers["Content-Length"] or 0))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            self.close_connection = True

        def log_message(self, *words: object) -> None:
            """Nothing: the test says what was expected."""

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Refuse)) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def serving(server: HTTPServer) -> Iterator[int]:
    """The port on which the server answers, in a thread of its own."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@on_moto
@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (507, "XMinioStorageFull", Full),
        (400, "XMinioAdminBucketQuotaExceeded", Full),
        (403, "QuotaExceeded", Full),
        (507, "SomethingElse", Full),
        (403, "AccessDenied", Unavailable),
    ],
)
def test_a_server_without_room_is_told_from_one_that_refuses(
    place: Place, status: int, code: str, meaning: type[Exception]
) -> None:
    with refusing_server(status, code) as endpoint:
        storage = open_storage(f"s3://podcasts?endpoint={endpoint}", None)
        for size_bytes in (100, 9 * MIB):
            with pytest.raises(meaning, match=code):
                put(storage, AUDIO, (BLOCK * 9)[:size_bytes])
