"""A recording that comes in parts over HTTP, whatever happens to it on its way."""

import hashlib
import logging
import random
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from podcast_app import people
from podcast_app.models import Upload
from podcast_app.settings import Settings
from podcast_app.signatures import Signer, open_signer
from podcast_app.times import utcnow
from tests.media.samples import audio
from tests.podcast_app.senders import UPLOADS, Sender, asked_to_begin, at_once, begin, of, sent
from tests.podcast_app.test_api_access import other_show, signed_in
from tests.podcasts import Place
from tests.postgresql import PostgreSQL
from tests.s3_servers import S3Server
from tests.site import SLUG, Site, free_port, running

pytestmark = pytest.mark.long_on_postgresql

MIB = 2**20
SMALL = 4096  # bytes of a part, for recordings of a few thousand
EPISODES = f"/api/v1/shows/{SLUG}/episodes"


def long_recording(mp3: bytes, size_bytes: int) -> bytes:
    """An MP3 of this size, no two parts of which are alike."""
    return (mp3 * (size_bytes // len(mp3) + 1))[:size_bytes]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def refused_field(answer: httpx2.Response) -> str:
    """The one field that the problem names."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    (wrong,) = answer.json()["errors"]
    return str(wrong["field"])


def stays(sender: Sender) -> bool:
    """Whether the storage has anything of it, once the worker has swept."""
    end = time.monotonic() + 10
    while is_there(sender) and time.monotonic() < end:
        time.sleep(0.05)
    return is_there(sender)


def is_there(sender: Sender) -> bool:
    storage = sender.site.storage
    return any(True for _ in storage.list(sender.key)) or any(True for _ in storage.unfinished(sender.key))


def is_one_object(sender: Sender) -> bool:
    """The recording is whole in storage, and nothing else of it."""
    (stored,) = sender.site.storage.list(sender.key)
    return stored.size_bytes == len(sender.data) and list(sender.site.storage.unfinished(sender.key)) == []


def hashed(site: Site, upload_id: str) -> str:
    """The checksum that the worker finds, of an upload whose time for it has come."""

    def now(session: Session) -> None:
        session.get_one(Upload, upload_id).try_again_at = None

    site.database.write(now)
    end = time.monotonic() + 20
    while not (found := site.api.get(f"{UPLOADS}/{upload_id}").json()["audio"]["sha256"]):
        assert time.monotonic() < end
        time.sleep(0.05)
    return str(found)


FOLDER, FOLDER_AND_POSTGRESQL = ("folder", "sqlite"), ("folder", "postgresql")
BUCKETS = ("moto", "postgresql"), ("rclone", "sqlite")


@pytest.fixture(
    scope="module",
    params=[FOLDER, pytest.param(FOLDER_AND_POSTGRESQL, marks=pytest.mark.long), *BUCKETS],
    ids=["-".join(place) for place in (FOLDER, FOLDER_AND_POSTGRESQL, *BUCKETS)],
)
def stored_site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The whole application on each kind of storage and of database."""
    storage, database = request.param
    folder = tmp_path_factory.mktemp("stored")
    with pytest.MonkeyPatch.context() as patch:
        server: S3Server | None = None if storage == "folder" else request.getfixturevalue(storage)
        for name, value in (server.environment if server else {}).items():
            patch.setenv(name, value)
        chosen = Settings(
            port=free_port(),
            data_dir=folder,
            database_url="" if database == "sqlite" else _postgresql_url(request),
            storage_url=server.storage_url(token_hex(4)) if server else "",
            _env_file=None,
        )
        with running(chosen) as site:
            yield site


def _postgresql_url(request: pytest.FixtureRequest) -> str:
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.url(server.create(request.getfixturevalue("_migrated_template")))


on_both_databases = pytest.mark.parametrize(
    "stored_site",
    [
        pytest.param(FOLDER, id="-".join(FOLDER)),
        # in every run PostgreSQL is asked below HTTP, in test_parts.py
        pytest.param(FOLDER_AND_POSTGRESQL, id="-".join(FOLDER_AND_POSTGRESQL), marks=pytest.mark.long),
    ],
    indirect=True,
)


# --- the way of a recording ---


@on_both_databases
def test_a_recording_comes_in_parts_and_becomes_an_episode(stored_site: Site, mp3: bytes) -> None:
    recording = long_recording(mp3, 11 * MIB + 5)
    answer = asked_to_begin(
        stored_site, filename="dir/Épisode 1.mp3", size_bytes=len(recording), fingerprint="sampled-1:0a1b"
    )
    upload = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{stored_site.settings.origin}{UPLOADS}/{upload['id']}"
    assert (upload["state"], upload["show"], upload["filename"]) == ("open", SLUG, "Épisode 1.mp3")
    assert (upload["fingerprint"], upload["size_bytes"]) == ("sampled-1:0a1b", len(recording))
    assert upload["part_size_bytes"] == 5 * MIB
    assert [(part["number"], part["size_bytes"]) for part in upload["parts"]] == [
        (1, 5 * MIB),
        (2, 5 * MIB),
        (3, MIB + 5),
    ]
    assert not any(part["arrived"] or part["fallback_url"] for part in upload["parts"])
    assert all(part["url"].startswith(f"{stored_site.settings.origin}{UPLOADS}/") for part in upload["parts"])
    assert (upload["audio"], upload["suggestions"], upload["episode"]) == (None, None, None)

    sender = of(stored_site, recording, upload)
    for number in (3, 1):
        assert sender.put(number).status_code == 204
    assert sender.arrived() == [1, 3]
    assert sender.put(2).status_code == 204
    completed = sender.complete()

    assert completed.status_code == 200
    assert (completed.json()["state"], completed.json()["parts"], completed.json()["expires_at"]) == (
        "complete",
        None,
        None,
    )
    assert completed.json()["audio"]["size_bytes"] == len(recording)
    assert completed.json()["audio"]["media_type"] == "audio/mpeg"
    assert completed.json()["suggestions"]["chapters"] == []
    made = stored_site.api.post(EPISODES, json={"upload_id": upload["id"], "title": "In parts", "publish": "now"})
    assert made.status_code == 201
    assert stored_site.wait_for(made.json()["id"], "published")["audio"]["sha256"] == sha256(recording)
    assert sender.look()["episode"] == made.json()["id"]
    assert is_one_object(sender)


def test_parts_backwards_and_again_and_one_that_is_missing(stored_site: Site, mp3: bytes) -> None:
    recording = long_recording(mp3, 16 * MIB + 1)
    sender = begin(stored_site, recording)
    sender.put_all([4, 2, 2, 1])

    refused = sender.complete()

    assert refused.status_code == 409
    assert (refused.json()["missing_parts"], refused.json()["state"]) == ([3], "open")
    assert "3" in refused.json()["detail"]
    assert sender.arrived() == [1, 2, 4]

    sender.put_all([3])
    assert sender.complete().status_code == 200
    assert hashed(stored_site, sender.upload["id"]) == sha256(recording)
    assert is_one_object(sender)


@pytest.mark.long
def test_thirteen_parts_in_an_odd_order_are_the_source_after_publication(stored_site: Site, tmp_path: Path) -> None:
    """C010 as it stands."""
    bare = audio(tmp_path / "bare.mp3", "-b:a", "64k", "-write_xing", "0", "-id3v2_version", "0").read_bytes()
    recording = long_recording(bare, 61 * MIB)
    first = begin(stored_site, recording)
    assert first.numbers == list(range(1, 14))
    for number in reversed(first.numbers):
        first.put_all([number])
        if number == 4:
            answers = at_once(lambda: first.put(4), lambda: first.put(4))
            if not all(answer.is_success for answer in answers):  # moto answers 500 to one of two
                first.put_all([4])
    assert first.complete().status_code == 200
    made = stored_site.api.post(EPISODES, json={"upload_id": first.upload["id"], "title": "All", "publish": "now"})
    published = stored_site.wait_for(made.json()["id"], "published", 120)
    assert published["audio"]["sha256"] == sha256(recording)

    second = begin(stored_site, recording)
    second.put_all(number for number in reversed(second.numbers) if number != 7)
    refused = second.complete()
    assert (refused.status_code, refused.json()["missing_parts"]) == (409, [7])
    second.put_all([7])
    assert second.complete().status_code == 200
    assert hashed(stored_site, second.upload["id"]) == sha256(recording)


def test_a_bucket_has_a_door_of_its_own_and_another_leads_through_us(
    stored_site: Site, mp3: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    recording = long_recording(mp3, 11 * MIB)
    sender = begin(stored_site, recording)
    doors = [(part["url"], part["fallback_url"]) for part in sender.upload["parts"]]
    if not stored_site.settings.storage_url:
        assert all(fallback is None for _, fallback in doors)
        return
    assert all("X-Amz-Signature=" in url and url.startswith("http://127.0.0.1") for url, _ in doors)
    assert all(fallback.startswith(f"{stored_site.settings.origin}{UPLOADS}/") for _, fallback in doors)

    with caplog.at_level(logging.WARNING):
        assert [sender.put(number, door="fallback_url").status_code for number in (1, 3)] == [204, 204]
        assert sender.put(2).status_code == 200

    told = [record for record in caplog.records if sender.upload["id"] in record.getMessage()]
    assert len(told) == 1
    assert sender.arrived() == [1, 2, 3]
    assert sender.complete().status_code == 200
    assert hashed(stored_site, sender.upload["id"]) == sha256(recording)


def test_the_secure_site_of_an_insecure_bucket_is_its_only_door(
    sqlite_place: Place, moto: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    chosen = Settings(
        port=free_port(),
        data_dir=sqlite_place.data_dir,
        base_url="https://podcast.example.org",
        storage_url=moto.storage_url("mixed"),
        _env_file=None,
    )
    with running(chosen) as site:
        (part,) = asked_to_begin(site).json()["parts"]

    assert part["url"].startswith("https://podcast.example.org/api/v1/uploads/")
    assert part["fallback_url"] is None


# --- addresses and who may use them ---


def test_an_address_that_is_over_is_told_so_and_a_fresh_one_is_given(shared_site: Site, mp3: bytes) -> None:
    sender = begin(shared_site, mp3)
    over = shared_site.listener.put(address(shared_site, sender, time.time() - 1), content=mp3)
    assert over.status_code == 403
    assert over.headers["content-type"] == "application/problem+json"
    assert sender.arrived() == []

    fresh = sender.look()["parts"][0]["url"]

    assert shared_site.listener.put(fresh, content=mp3).status_code == 204
    assert sender.complete().status_code == 200


@pytest.mark.long
def test_an_address_is_over_when_the_setting_says(sqlite_place: Place, rclone: S3Server, mp3: bytes) -> None:
    """C008, on a server that looks at the time."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in rclone.environment.items():
            patch.setenv(name, value)
        chosen = Settings(
            port=free_port(),
            data_dir=sqlite_place.data_dir,
            storage_url=rclone.storage_url("over"),
            upload_address_seconds=5,
            _env_file=None,
        )
        with running(chosen) as site:
            sender = begin(site, long_recording(mp3, 11 * MIB))
            sender.put_all([1])
            time.sleep(6)
            assert sender.put(2).status_code in (400, 403)
            assert sender.put(2, door="fallback_url").status_code == 403

            again = replace(sender, upload=sender.look())
            again.put_all([2])
            again.put_all([3], door="fallback_url")
            assert again.complete().status_code == 200


def address(
    site: Site, sender: Sender, expires: float, *, number: int = 1, of: str = "", signer: Signer | None = None
) -> str:
    """The address of part 1, signed for another time, number or upload, or by somebody else."""
    signed_for = f"part {number} of {of or sender.upload['id']}"
    signature = (signer or open_signer(site.settings)).sign(signed_for, int(expires))
    return f"{sender.path}/parts/1?expires={int(expires)}&signature={signature}"


def test_an_address_is_good_for_its_own_part_alone(shared_site: Site, mp3: bytes) -> None:
    sender, later = begin(shared_site, mp3), time.time() + 60
    good = address(shared_site, sender, later)
    expires, signature = good.partition("expires=")[2].split("&signature=")
    tampered = signature[:-1] + ("0" if signature[-1] != "0" else "1")

    for forged in (
        address(shared_site, sender, later, number=2),
        address(shared_site, sender, later, of=begin(shared_site, mp3).upload["id"]),
        address(shared_site, sender, later, signer=Signer(b"somebody else's")),
        address(shared_site, sender, later, signer=Signer(b"")),
        good.replace(signature, tampered),
        good.replace(signature, signature.upper()),
        good.replace(signature, ""),
        good.replace(signature, "%C3%A9%ED%A0%80%00"),
        good.replace(f"expires={expires}", f"expires={int(expires) + 1}"),
        good.replace(f"expires={expires}", f"expires=+{expires}"),
        good.replace(f"expires={expires}", f"expires={'9' * 5000}"),
        good.replace(f"expires={expires}", "expires=1e400"),
        good.replace(f"expires={expires}", "expires=-1"),
        good.replace(f"expires={expires}&", ""),
    ):
        refused = shared_site.listener.put(forged, content=mp3)
        assert refused.status_code == 403, forged
        assert refused.headers["content-type"] == "application/problem+json"
    assert sender.arrived() == []
    assert shared_site.listener.put(good, content=mp3).status_code == 204


def test_who_may_change_the_show_needs_no_signature(shared_site: Site, mp3: bytes) -> None:
    sender = begin(shared_site, mp3)

    assert shared_site.listener.put(f"{sender.path}/parts/1", content=mp3).status_code == 401
    assert shared_site.api.put(f"{sender.path}/parts/1", content=mp3).status_code == 204
    assert sender.arrived() == [1]


def test_a_page_of_the_studio_may_send_and_a_page_elsewhere_may_not(shared_site: Site, mp3: bytes) -> None:
    ours = signed_in(shared_site, "producer")
    elsewhere = {"Cookie": ours["Cookie"], "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    said = {"show": SLUG, "filename": "a.mp3", "size_bytes": len(mp3)}

    def send(headers: Mapping[str, str]) -> list[int]:
        begun = shared_site.listener.post(UPLOADS, json=said, headers=headers)
        path = f"{UPLOADS}/{begun.json()['id']}" if begun.is_success else begin(shared_site, mp3).path
        put = shared_site.listener.put(f"{path}/parts/1", content=mp3, headers=headers)
        completed = shared_site.listener.post(f"{path}/complete", headers=headers)
        deleted = shared_site.listener.delete(path, headers=headers)
        return [answer.status_code for answer in (begun, put, completed, deleted)]

    assert send(ours) == [201, 204, 200, 204]
    assert send(elsewhere) == [403, 403, 403, 403]


def test_who_may_only_read_sees_what_has_arrived_and_gets_no_address(shared_site: Site, mp3: bytes) -> None:
    sender = sent(shared_site, mp3, part_size_bytes=SMALL)
    viewer = signed_in(shared_site, "viewer")

    seen = shared_site.listener.get(sender.path, headers=viewer)

    assert seen.status_code == 200
    assert [part["arrived"] for part in seen.json()["parts"]] == [True] * len(sender.numbers)
    assert {(part["url"], part["fallback_url"]) for part in seen.json()["parts"]} == {(None, None)}
    said = {"show": SLUG, "filename": "a.mp3", "size_bytes": 1}
    for answer in (
        shared_site.listener.post(UPLOADS, json=said, headers=viewer),
        shared_site.listener.put(f"{sender.path}/parts/1", content=mp3, headers=viewer),
        shared_site.listener.post(f"{sender.path}/complete", headers=viewer),
        shared_site.listener.delete(sender.path, headers=viewer),
    ):
        assert answer.status_code == 403


def test_a_token_for_another_show_sees_nothing_of_it(shared_site: Site, mp3: bytes) -> None:
    sender = sent(shared_site, mp3)
    secret = shared_site.database.write(people.create_token, "elsewhere", other_show(shared_site), utcnow())
    narrow = {"Authorization": f"Bearer {secret}"}

    for answer in (
        shared_site.listener.get(sender.path, headers=narrow),
        shared_site.listener.put(f"{sender.path}/parts/1", content=mp3, headers=narrow),
        shared_site.listener.post(f"{sender.path}/complete", headers=narrow),
        shared_site.listener.delete(sender.path, headers=narrow),
    ):
        assert answer.status_code == 404
    said = {"show": SLUG, "filename": "a.mp3", "size_bytes": 1}
    refused = shared_site.listener.post(UPLOADS, json=said, headers=narrow)
    assert (refused.status_code, refused_field(refused)) == (422, "show")
    assert shared_site.listener.get(UPLOADS, headers=narrow).json()["items"] == []
    assert sender.complete().status_code == 200


# --- what is refused ---


@pytest.mark.parametrize("size", [0, -1, 1.5, 1e3, True, "17", None, [1], {"a": 1}])
def test_what_is_no_size_is_refused(shared_site: Site, size: object) -> None:
    refused = asked_to_begin(shared_site, size_bytes=size)

    assert (refused.status_code, refused_field(refused)) == (422, "size_bytes")


@pytest.mark.parametrize("size", [5_000_000_001, 2**53, 10**400])
def test_a_recording_that_is_too_large_is_refused_before_a_byte_of_it(shared_site: Site, size: int) -> None:
    before = shared_site.api.get(UPLOADS).json()["items"]

    refused = asked_to_begin(shared_site, size_bytes=size)

    assert (refused.status_code, refused_field(refused)) == (413, "audio")
    assert "5,000 MB" in refused.json()["detail"]
    assert shared_site.api.get(UPLOADS).json()["items"] == before


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.mp3", "passwd.mp3"),
        ("C:\\Users\\Aline\\matonge.mp3", "matonge.mp3"),
        ("/", "audio"),
        ("..", "audio"),
        ("a\x00b\x07c\r\nd.mp3", "abc d.mp3"),
        ("\u202egpj.exe.mp3", "gpj.exe.mp3"),
        ("\ufeff.mp3", ".mp3"),
        ("x" * 996 + ".mp3", "x" * 251 + ".mp3"),
        ("\u0645\u0648\u0633\u064a\u0642\u0649.mp3", "\u0645\u0648\u0633\u064a\u0642\u0649.mp3"),
    ],
)
def test_a_file_s_name_is_its_last_part_on_one_line(shared_site: Site, name: str, shown: str) -> None:
    begun = asked_to_begin(shared_site, filename=name)

    assert begun.status_code == 201
    assert begun.json()["filename"] == shown


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"filename": ""}, "filename"),
        ({"filename": "x" * 1001}, "filename"),
        ({"filename": None}, "filename"),
        ({"show": "nobody"}, "show"),
        ({"show": ["x"]}, "show"),
        ({"fingerprint": "x" * 201}, "fingerprint"),
        ({"media_type": 1}, "media_type"),
        ({"parts": 3}, "parts"),
    ],
)
def test_a_field_that_is_refused_begins_nothing(shared_site: Site, said: dict[str, object], field: str) -> None:
    refused = asked_to_begin(shared_site, **said)

    assert (refused.status_code, refused_field(refused)) == (422, field)


@pytest.mark.parametrize("number", ["0", "6", "999999999", "9" * 12, "9" * 5000, "-1", "1.0", "one", "%00"])
def test_a_part_that_the_upload_does_not_have_is_refused(shared_site: Site, mp3: bytes, number: str) -> None:
    sender = begin(shared_site, mp3[: 5 * SMALL - 1], part_size_bytes=SMALL)

    for client in (shared_site.api, shared_site.listener):
        refused = client.put(f"{sender.path}/parts/{number}?", content=b"x" * SMALL)
        assert refused.status_code in (401, 404)
        assert refused.headers["content-type"] == "application/problem+json"


def test_a_part_of_another_size_is_refused_and_leaves_the_earlier_one(shared_site: Site, mp3: bytes) -> None:
    sender = begin(shared_site, mp3, part_size_bytes=SMALL)
    sender.put_all()
    piece = sender.piece(2)
    url = sender.upload["parts"][1]["url"]

    for content, status in ((piece[:-1], 422), (b"", 422), (piece + b"x", 413), (piece * 500, 413)):
        chunked = shared_site.listener.put(url, content=iter([content[:100], content[100:]]))
        for refused in (sender.put(2, content), chunked):
            assert (refused.status_code, refused_field(refused)) == (status, "audio")
    assert sender.arrived() == sender.numbers
    assert shared_site.listener.put(url, content=iter([piece[:100], piece[100:]])).status_code == 204
    assert sender.complete().status_code == 200
    assert hashed(shared_site, sender.upload["id"]) == sha256(mp3)


@pytest.mark.parametrize(("length", "status"), [("16000000", b"413"), ("5", b"422"), ("0", b"422")])
def test_a_part_that_says_another_size_is_refused_before_a_byte_of_it(
    shared_site: Site, mp3: bytes, length: str, status: bytes
) -> None:
    sender = begin(shared_site, mp3, part_size_bytes=SMALL)

    with connection(shared_site, sender, length) as line:
        answer = line.recv(4096)

    assert answer.split(b" ")[1] == status


def connection(site: Site, sender: Sender, length: str) -> socket.socket:
    """A line on which the head of part 1 has been sent."""
    target = sender.upload["parts"][0]["url"].removeprefix(site.settings.origin)
    line = socket.create_connection(("127.0.0.1", site.settings.port), timeout=10)
    line.sendall(f"PUT {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
    return line


def test_a_line_that_breaks_in_the_middle_of_a_part_leaves_the_earlier_one(stored_site: Site, mp3: bytes) -> None:
    recording = long_recording(mp3, 6 * MIB)
    sender = begin(stored_site, recording)
    doors = {"door": "fallback_url"} if stored_site.settings.storage_url else {}
    sender.put_all([1, 2], **doors)
    through_us = [part["fallback_url"] or part["url"] for part in sender.upload["parts"]]
    broken = replace(sender, upload={"parts": [{"url": url} for url in through_us]})

    with connection(stored_site, broken, str(5 * MIB)) as line:
        line.sendall(bytes(3 * MIB))

    assert sender.arrived() == [1, 2]
    assert sender.complete().status_code == 200
    assert hashed(stored_site, sender.upload["id"]) == sha256(recording)


def test_what_is_no_audio_is_refused_now_and_later_and_nothing_of_it_stays(stored_site: Site) -> None:
    sender = sent(stored_site, b"hello " * 1000)
    assert len(sender.numbers) == 1

    first, second = sender.complete(), sender.complete()

    for refused in (first, second):
        assert (refused.status_code, refused_field(refused)) == (422, "audio")
        assert (refused.json()["state"], refused.json()["upload_id"]) == ("refused", sender.upload["id"])
    assert first.json()["errors"] == second.json()["errors"]
    assert not stays(sender)
    assert sender.complete().json()["errors"] == first.json()["errors"]
    assert (sender.look()["state"], sender.look()["parts"], sender.look()["audio"]) == ("refused", None, None)
    assert stored_site.listener.put(_through_us(sender), content=b"hello " * 1000).status_code == 409
    assert stored_site.api.delete(sender.path).status_code == 204
    assert stored_site.api.get(sender.path).status_code == 404


def _through_us(sender: Sender) -> str:
    part = sender.upload["parts"][0]
    return str(part["fallback_url"] or part["url"])


def test_after_completion_no_part_is_taken(stored_site: Site, mp3: bytes) -> None:
    sender = sent(stored_site, mp3)
    assert sender.complete().status_code == 200
    other = bytes(len(mp3))

    late = stored_site.listener.put(_through_us(sender), content=other)
    past_us = sender.put(1, other)

    assert (late.status_code, late.json()["state"]) == (409, "complete")
    assert not past_us.is_success
    assert hashed(stored_site, sender.upload["id"]) == sha256(mp3)


def test_after_it_was_cancelled_there_is_no_upload(stored_site: Site, mp3: bytes) -> None:
    sender = sent(stored_site, mp3)
    assert stored_site.api.delete(sender.path).status_code == 204

    assert stored_site.api.get(sender.path).status_code == 404
    assert stored_site.listener.put(_through_us(sender), content=mp3).status_code == 404
    assert sender.complete().status_code == 404
    assert stored_site.api.delete(sender.path).status_code == 404
    assert not stays(sender)
    assert not sender.put(1).is_success
    assert not stays(sender)


# --- completion, again and at once ---


@pytest.fixture
def other_site(stored_site: Site) -> Iterator[Site]:
    """Another process's worth of the application on the same database and storage."""
    with running(stored_site.settings.model_copy(update={"port": free_port()}), with_worker=False) as other:
        yield other


@pytest.mark.parametrize("stored_site", [FOLDER, BUCKETS[0]], ids="-".join, indirect=True)
def test_five_who_complete_it_at_once_get_one_answer(stored_site: Site, other_site: Site, mp3: bytes) -> None:
    here, there = stored_site, other_site
    sender = sent(here, long_recording(mp3, 11 * MIB))
    path = f"{sender.path}/complete"

    answers = at_once(*(lambda site=site: site.api.post(path) for site in (here, there, here, there, here)))

    assert [answer.status_code for answer in answers] == [200] * 5
    assert len({answer.content for answer in answers}) == 1
    assert is_one_object(sender)


@on_both_databases
def test_five_who_complete_no_audio_at_once_are_all_refused(stored_site: Site) -> None:
    sender = sent(stored_site, b"hello " * 1000)

    answers = at_once(*[sender.complete] * 5)

    assert [answer.status_code for answer in answers] == [422] * 5
    assert {answer.json()["state"] for answer in answers} == {"refused"}
    assert not stays(sender)


@on_both_databases
def test_who_cancels_while_others_complete_leaves_nothing_or_an_upload(stored_site: Site, mp3: bytes) -> None:
    senders = [sent(stored_site, mp3 * 40) for _ in range(4)]
    for sender in senders:
        deleted, *completed = at_once(sender.cancel, *[sender.complete] * 3)

        assert deleted.status_code == 204
        assert {answer.status_code for answer in completed} <= {200, 404}
        assert stored_site.api.get(sender.path).status_code == 404
    assert not any(map(stays, senders))


def test_what_was_joined_by_somebody_who_was_killed_is_completed_by_the_next(stored_site: Site, mp3: bytes) -> None:
    sender = sent(stored_site, mp3)
    row = stored_site.database.read(lambda session: session.get_one(Upload, sender.upload["id"]))
    stored_site.storage.join_parts(row.key, row.parts_id, [len(mp3)])

    assert sender.arrived() == [1]
    assert not stored_site.listener.put(_through_us(sender), content=mp3).is_success
    assert sender.complete().status_code == 200
    assert hashed(stored_site, sender.upload["id"]) == sha256(mp3)


@on_both_databases
def test_an_upload_that_became_an_episode_is_still_complete_and_becomes_no_other(stored_site: Site, mp3: bytes) -> None:
    sender = sent(stored_site, mp3)
    assert sender.complete().status_code == 200
    made = stored_site.api.post(EPISODES, json={"upload_id": sender.upload["id"], "title": "Once"})
    assert made.status_code == 201

    again = sender.complete()
    second = stored_site.api.post(EPISODES, json={"upload_id": sender.upload["id"], "title": "Twice"})

    assert (again.status_code, again.json()["state"], again.json()["episode"]) == (200, "complete", made.json()["id"])
    assert (second.status_code, refused_field(second)) == (422, "upload_id")
    assert stored_site.api.delete(sender.path).status_code == 409
    assert is_one_object(sender)


def test_an_upload_that_is_not_complete_becomes_no_episode(shared_site: Site, mp3: bytes) -> None:
    still_open = sent(shared_site, mp3)
    refused = sent(shared_site, b"hello " * 1000)
    refused.complete()

    for sender in (still_open, refused):
        answer = shared_site.api.post(EPISODES, json={"upload_id": sender.upload["id"], "title": "No"})
        assert (answer.status_code, refused_field(answer)) == (422, "upload_id")
    assert "text file, not a recording" in answer.json()["detail"]  # and not that parts are missing
    assert still_open.complete().status_code == 200


@on_both_databases
def test_said_twice_under_a_key_it_is_begun_and_completed_once(stored_site: Site, mp3: bytes) -> None:
    first = asked_to_begin(stored_site, {"Idempotency-Key": "begin"}, size_bytes=len(mp3))
    second = asked_to_begin(stored_site, {"Idempotency-Key": "begin"}, size_bytes=len(mp3))
    other = asked_to_begin(stored_site, {"Idempotency-Key": "begin"}, size_bytes=len(mp3) + 1)
    assert (first.status_code, second.content) == (201, first.content)
    assert second.headers["location"] == first.headers["location"]
    assert (other.status_code, refused_field(other)) == (422, "Idempotency-Key")
    sender = of(stored_site, mp3, first.json())

    too_early = sender.complete(**{"Idempotency-Key": "complete"})
    sender.put_all()
    completed = [sender.complete(**{"Idempotency-Key": "complete"}) for _ in range(2)]

    assert [answer.status_code for answer in (too_early, *completed)] == [409, 200, 200]
    assert completed[0].content == completed[1].content
    listed = [item["id"] for item in stored_site.api.get(UPLOADS, params={"limit": "100"}).json()["items"]]
    assert listed.count(first.json()["id"]) == 1


# --- lists ---


def test_uploads_are_listed_by_show_and_state_without_their_parts(site: Site, mp3: bytes) -> None:
    complete, refused, *still_open = (sent(site, data) for data in (mp3, b"hello " * 1000, mp3, mp3, mp3))
    complete.complete()
    refused.complete()

    def listed(**query: str) -> list[str]:
        items: list[dict[str, object]] = site.api.get(UPLOADS, params=query).json()["items"]
        assert all(item["parts"] is None for item in items)
        return [str(item["id"]) for item in items]

    open_ids = [sender.upload["id"] for sender in reversed(still_open)]
    assert listed(state="open") == listed(state="open", show=SLUG) == open_ids
    assert listed(state="complete") == [complete.upload["id"]]
    assert listed(state="refused") == [refused.upload["id"]]
    assert listed(show="nobody") == listed(show="\0") == []
    assert len(listed()) == 5
    assert site.api.get(UPLOADS, params={"state": "lost"}).status_code == 422
    first = site.api.get(UPLOADS, params={"state": "open", "limit": "2"}).json()
    rest = site.api.get(UPLOADS, params={"state": "open", "limit": "2", "cursor": first["next"]}).json()
    assert [item["id"] for item in (*first["items"], *rest["items"])] == open_ids
    assert rest["next"] is None


# --- what the storage does ---


def test_parts_that_the_storage_has_lost_are_asked_for_again(stored_site: Site, mp3: bytes) -> None:
    sender = sent(stored_site, mp3)
    stored_site.storage.delete(sender.key)

    lost = stored_site.listener.put(_through_us(sender), content=mp3)
    assert lost.status_code in (409, 503)  # moto answers 500
    again = replace(sender, upload=sender.look())
    assert again.arrived() == []
    assert sender.complete().json()["missing_parts"] == [1]

    again = replace(sender, upload=sender.look())
    again.put_all()
    assert again.complete().status_code == 200
    assert hashed(stored_site, sender.upload["id"]) == sha256(mp3)
    assert is_one_object(again)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_whatever_is_sent_it_is_the_source_or_what_is_missing_is_named(
    shared_site: Site, mp3: bytes, seed: int
) -> None:
    chance = random.Random(seed)
    sender = begin(shared_site, mp3, part_size_bytes=SMALL)
    safe: set[int] = set()
    for number in chance.choices(sender.numbers, k=chance.randint(0, 2 * len(sender.numbers))):
        content = chance.choice([sender.piece(number)] * 4 + [b"", sender.piece(number)[1:], bytes(SMALL + 1)])
        if sender.put(number, content).status_code == 204:
            assert content == sender.piece(number)
            safe.add(number)
    missing = [number for number in sender.numbers if number not in safe]

    completed = sender.complete()

    if missing:
        assert completed.status_code == 409
        assert completed.json()["missing_parts"] == missing
        assert sender.arrived() == sorted(safe)
    else:
        assert completed.status_code == 200
        assert hashed(shared_site, sender.upload["id"]) == sha256(mp3)


@pytest.mark.long
def test_a_recording_of_five_gigabytes_has_299_parts(
    stored_site: Site, record_property: Callable[[str, object], None]
) -> None:
    begun = asked_to_begin(stored_site, size_bytes=5_000_000_000).json()
    start = time.monotonic()
    parts = stored_site.api.get(f"{UPLOADS}/{begun['id']}").json()["parts"]
    record_property("seconds", round(time.monotonic() - start, 3))

    assert len(parts) == 299
    assert sum(part["size_bytes"] for part in parts) == 5_000_000_000


@pytest.mark.long
def test_more_than_a_thousand_parts_are_all_seen(sqlite_place: Place, mp3: bytes) -> None:
    chosen = Settings(port=free_port(), data_dir=sqlite_place.data_dir, max_upload_bytes=5 * 2**40, _env_file=None)
    with running(chosen) as site:
        assert 9_000 < len(asked_to_begin(site, size_bytes=5 * 2**40).json()["parts"]) <= 10_000
        sender = sent(site, long_recording(mp3, 1200 * 64), part_size_bytes=64)
        assert sender.arrived() == list(range(1, 1201))
        assert sender.complete().status_code == 200
        assert hashed(site, sender.upload["id"]) == sha256(sender.data)


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[None]:
    """The folder is a disk of its own, of this size."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_is_full_loses_only_the_part_that_was_coming(sqlite_place: Place, mp3: bytes) -> None:
    with small_disk(sqlite_place.data_dir / "storage", 26 * MIB):
        chosen = Settings(port=free_port(), data_dir=sqlite_place.data_dir, _env_file=None)
        with running(chosen) as site:
            recording = long_recording(mp3, 11 * MIB)
            sender = begin(site, recording)
            ballast = sqlite_place.data_dir / "storage" / ".ballast"
            ballast.write_bytes(bytes(17 * MIB))
            sender.put_all([1])

            full = sender.put(2)
            assert (full.status_code, full.headers["content-type"]) == (507, "application/problem+json")
            assert sender.arrived() == [1]
            ballast.write_bytes(bytes(10 * MIB))
            sender.put_all([2, 3])
            assert sender.complete().status_code == 507
            assert sender.arrived() == [1, 2, 3]
            ballast.unlink()

            assert sender.complete().status_code == 200
            assert hashed(site, sender.upload["id"]) == sha256(recording)
