"""What may arrive for a new episode, and what stays of it."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from mutagen.id3 import APIC, TIT2, TRCK
from sqlalchemy import func, select

from podcast_app.models import LooseObject
from podcast_app.settings import Settings
from tests.media.samples import picture, tagged, video
from tests.site import SLUG, Site, free_port, running

PLACE = f"/api/v1/shows/{SLUG}/episodes"
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


def part(name: str, value: bytes, filename: str | None = None) -> bytes:
    file = f'; filename="{filename}"' if filename is not None else ""
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + value + b"\r\n"


def originals(site: Site, expected: int) -> list[str]:
    """The recordings in storage, once the worker has swept what nobody owns."""
    end = time.monotonic() + 10
    while True:
        keys = [stored.key for stored in site.storage.list("private/originals")]
        if len(keys) == expected or time.monotonic() > end:
            return list(keys)
        time.sleep(0.05)


def refused_field(answer: httpx2.Response) -> str:
    """The one field that the problem names."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    (wrong,) = answer.json()["errors"]
    return str(wrong["field"])


def test_fields_behind_the_recording_count_as_those_before_it(shared_site: Site, mp3: bytes) -> None:
    body = part("number", b"7") + part("audio", mp3, "a.mp3") + part("title", b"After") + b"--b--\r\n"

    answer = shared_site.api.post(PLACE, content=body, headers=FORM)

    assert answer.status_code == 201
    assert (answer.json()["title"], answer.json()["number"]) == ("After", 7)


def test_a_refused_field_costs_no_second_upload(site: Site, mp3: bytes) -> None:
    refused = site.episode(mp3, "a.mp3", title="Kept", number="three", season="zero")

    problem = refused.json()
    assert refused.status_code == 422
    assert {wrong["field"] for wrong in problem["errors"]} == {"number", "season"}
    kept = site.api.get(f"/api/v1/uploads/{problem['upload_id']}").json()
    assert (kept["state"], kept["filename"], kept["episode"]) == ("complete", "a.mp3", None)

    made = site.api.post(PLACE, json={"upload_id": problem["upload_id"], "title": "Kept", "number": 3})

    assert made.status_code == 201
    assert made.json()["audio"]["sha256"] == kept["audio"]["sha256"]
    assert site.api.get(f"/api/v1/uploads/{kept['id']}").json()["episode"] == made.json()["id"]
    assert len(originals(site, 1)) == 1


def test_a_recording_becomes_one_episode_however_often_it_is_named(shared_site: Site, mp3: bytes) -> None:
    upload_id = shared_site.episode(mp3, number="x").json()["upload_id"]
    assert shared_site.api.post(PLACE, json={"upload_id": upload_id}).status_code == 201

    again = shared_site.api.post(PLACE, json={"upload_id": upload_id})

    assert again.status_code == 422
    assert refused_field(again) == "upload_id"


def test_a_form_may_name_an_upload_instead_of_bringing_a_file(shared_site: Site, mp3: bytes) -> None:
    upload_id = shared_site.episode(mp3, number="x").json()["upload_id"]
    form = {"upload_id": (None, upload_id), "title": (None, "By name")}

    assert shared_site.api.post(PLACE, files=form).json()["title"] == "By name"


def test_an_address_that_is_taken_keeps_the_recording_too(site: Site, mp3: bytes) -> None:
    site.episode(mp3, title="One", slug="taken")

    refused = site.episode(mp3, title="Two", slug="taken")

    assert (refused.status_code, refused_field(refused)) == (422, "slug")
    assert site.api.get(f"/api/v1/uploads/{refused.json()['upload_id']}").json()["state"] == "complete"
    assert len(site.api.get(PLACE).json()["items"]) == 1


def test_notes_that_are_too_long_are_refused_with_the_limit_and_keep_the_recording(
    shared_site: Site, mp3: bytes
) -> None:
    refused = shared_site.episode(mp3, notes="x" * 1_200_000)

    assert (refused.status_code, refused_field(refused)) == (422, "notes")
    assert "100,000" in refused.json()["errors"][0]["message"]
    assert refused.json()["upload_id"]


def test_what_is_no_audio_is_refused_and_nothing_of_it_stays(site: Site) -> None:
    for audio in (b"", b"\xff", b"hello " * 1000, b"<html>" * 200):
        refused = site.episode(audio, "a.mp3", title="No")

        assert (refused.status_code, refused_field(refused)) == (422, "audio")
        assert "upload_id" not in refused.json()
    assert originals(site, 0) == []
    assert site.api.get(PLACE).json()["items"] == []


def test_a_video_is_taken_for_its_sound_and_that_is_said(shared_site: Site, tmp_path: Path) -> None:
    taken = shared_site.episode(video(tmp_path / "talk.mp4"), "talk.mp4", title="Filmed")

    assert taken.status_code == 201
    said = [finding for finding in taken.json()["findings"] if finding["field"] == "audio"]
    assert [finding["level"] for finding in said] == ["warning"]
    assert "sound alone" in said[0]["problem"]


def test_a_form_without_a_recording_is_refused_with_all_that_is_wrong(shared_site: Site) -> None:
    empty = part("audio", b"", "") + part("number", b"x") + b"--b--\r\n"

    refused = shared_site.api.post(PLACE, content=empty, headers=FORM)

    assert refused.status_code == 422
    assert [wrong["field"] for wrong in refused.json()["errors"]] == ["audio", "number"]


def test_a_form_that_ends_before_its_last_boundary_leaves_nothing(site: Site, mp3: bytes) -> None:
    whole = part("title", b"Cut") + part("audio", mp3, "a.mp3")

    for cut in (whole, whole[:-100], whole[:60], b""):
        refused = site.api.post(PLACE, content=cut, headers=FORM)

        assert refused.status_code == 400
        assert refused.json()["errors"][0]["field"] == "body"
    assert originals(site, 0) == []
    assert site.api.get(PLACE).json()["items"] == []


def test_a_sender_who_goes_away_leaves_nothing(site: Site, mp3: bytes) -> None:
    head = (
        f"POST {PLACE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.token}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 10000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", site.settings.port)) as sender:
        sender.sendall(head.encode() + part("audio", mp3 * 60, "a.mp3"))
        while not announced(site):
            time.sleep(0.02)

    end = time.monotonic() + 10
    while announced(site):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert originals(site, 0) == []


def announced(site: Site) -> int:
    """How many objects were announced, and neither taken over nor swept."""
    return site.database.read(lambda session: session.scalar(select(func.count()).select_from(LooseObject))) or 0


@pytest.fixture
def narrow_site(tmp_path: Path) -> Iterator[Site]:
    """It takes recordings up to 100 kB."""
    settings = Settings(port=free_port(), data_dir=tmp_path, max_upload_bytes=100_000, _env_file=None)
    with running(settings) as site:
        yield site


def test_a_recording_over_the_limit_is_refused_in_readable_units(narrow_site: Site) -> None:
    refused = narrow_site.episode(b"\0" * 300_000, title="Large")

    assert (refused.status_code, refused_field(refused)) == (413, "audio")
    assert "100 kB" in refused.json()["detail"]
    assert originals(narrow_site, 0) == []


@pytest.mark.parametrize(
    ("token", "length", "status"), [("good", 90_000_000, b"413"), ("bad", 5000, b"401"), ("", 5000, b"401")]
)
def test_a_refusal_comes_before_a_byte_of_the_body(narrow_site: Site, token: str, length: int, status: bytes) -> None:
    secret = narrow_site.token if token == "good" else token
    head = (
        f"POST {PLACE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {length}\r\n\r\n"
    )

    with socket.create_connection(("127.0.0.1", narrow_site.settings.port), timeout=5) as sender:
        sender.sendall(head.encode())
        answer = sender.recv(4096)

    assert answer.split(b" ")[1] == status


def test_the_file_suggests_and_the_sender_decides(site: Site, mp3: bytes, tmp_path: Path) -> None:
    file = tmp_path / "tagged.mp3"
    file.write_bytes(mp3)
    inside = picture("red", side=1400)
    tagged(file, TIT2(text="From the file"), TRCK(text="12"), APIC(mime="image/jpeg", type=3, data=inside))

    suggested = site.episode(file).json()
    decided = site.episode(file, title="Mine", number="").json()

    assert (suggested["title"], suggested["number"]) == ("From the file", 12)
    assert suggested["suggested"] == {"title": "file", "number": "file", "cover": "file"}
    assert (decided["title"], decided["number"]) == ("Mine", None)
    assert decided["suggested"] == {"cover": "file"}
    assert suggested["cover_url"] != decided["cover_url"]


def test_a_number_in_the_file_that_is_no_episode_number_suggests_nothing(
    shared_site: Site, mp3: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "dated.mp3"
    file.write_bytes(mp3)
    tagged(file, TIT2(text="Dated"), TRCK(text="20231105"))

    made = shared_site.episode(file)

    assert made.status_code == 201
    assert (made.json()["title"], made.json()["number"]) == ("Dated", None)


def test_a_cover_may_come_with_the_form(shared_site: Site, mp3: bytes) -> None:
    show_cover = shared_site.api.get(f"/api/v1/shows/{SLUG}").json()["cover_url"]
    small, large = picture("blue", side=500), picture("blue", side=1400)

    def send(cover: bytes) -> httpx2.Response:
        return shared_site.api.post(PLACE, files={"audio": ("a.mp3", mp3), "cover": ("c.jpg", cover)})

    refused, made = send(small), send(large)

    assert (refused.status_code, refused_field(refused)) == (422, "cover")
    assert refused.json()["upload_id"]
    assert made.status_code == 201
    assert made.json()["cover_url"] != show_cover
    assert "cover" not in made.json()["suggested"]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../x.mp3", "x.mp3"),
        ("/etc/x.mp3", "x.mp3"),
        ("a\\..\\b.mp3", "b.mp3"),
        ("CON.mp3", "CON.mp3"),
        (".mp3", ".mp3"),
        ("x" * 300 + ".mp3", "x" * 251 + ".mp3"),
        ("Épisode #3 – 100% & co?.mp3", "Épisode #3 – 100% & co?.mp3"),
    ],
)
def test_a_file_name_is_shown_without_its_folders(shared_site: Site, mp3: bytes, sent: str, shown: str) -> None:
    body = part("audio", mp3, sent) + b"--b--\r\n"

    made = shared_site.api.post(PLACE, content=body, headers=FORM)

    assert made.status_code == 201
    assert made.json()["audio"]["filename"] == shown


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/mixed; boundary=b"]
)
def test_a_body_that_is_neither_form_nor_json_is_refused(shared_site: Site, media_type: str) -> None:
    refused = shared_site.api.post(PLACE, content=b"title=x", headers={"Content-Type": media_type})

    assert refused.status_code == 415


def test_a_time_that_cannot_be_understood_makes_no_episode(site: Site, mp3: bytes) -> None:
    for publish in ("tomorrow", "2026-12-10T09:00:00", "12345678901234567890"):
        refused = site.episode(mp3, title="When?", publish=publish)

        assert (refused.status_code, refused_field(refused)) == (422, "publish")
    assert site.api.get(PLACE).json()["items"] == []


def test_a_time_in_the_past_publishes_now_and_is_the_date(shared_site: Site, mp3: bytes) -> None:
    public = shared_site.published(mp3, title="Long ago", publish="2023-05-01T10:00:00+02:00")

    assert public["published_at"] == "2023-05-01T08:00:00Z"
