"""A site behind nginx, configured as docs/operating.md has it."""

import socket
from collections.abc import Iterator
from pathlib import Path

import feedparser
import httpx2
import pytest

from tests import nginx
from tests.media.samples import audio
from tests.processes import ORIGIN, Web, many_machines, wait_until
from tests.site import SLUG

FEED = f"/{SLUG}/feed.xml"
MIB = 2**20


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return audio(tmp_path_factory.mktemp("audio") / "tone.wav", seconds=40).read_bytes()


class Behind:
    """A site with one published episode, and its door. `objects`: what it has stored."""

    def __init__(self, door: nginx.Door, web: Web, folder: Path, token: str) -> None:
        self.door = door
        self.web = web
        self.folder = folder
        self.public = door.client()
        self.api = door.client({"Authorization": f"Bearer {token}"})

    def recordings(self) -> set[Path]:
        """Also half written ones; what is made behind earlier publications comes and goes meanwhile."""
        return {path for path in self.folder.rglob("*") if path.is_file() and "originals" in str(path)}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    folder = tmp_path_factory.mktemp("site")
    recording = audio(folder / "tone.mp3", "-b:a", "64k").read_bytes()
    with (
        many_machines(f"sqlite:///{folder / 'podcast.db'}", folder, None) as machines,
        machines.at_work(webs=1, workers=1) as ([web], _),
        nginx.as_documented(folder / "nginx", [web.port]) as door,
    ):
        episode = web.episode(recording, title="Matonge", publish="now")
        wait_until(lambda: web.state(episode) == "published")
        wait_until(lambda: str(episode["guid"]) in web.feed().text)
        site = Behind(door, web, folder / "here" / "storage", machines.token)
        with site.public, site.api:
            yield site


def test_a_feed_that_has_not_changed_is_not_sent_again(site: Behind) -> None:
    first = site.public.get(FEED)
    again = site.public.get(FEED, headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Content-Encoding"] == "gzip"
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def test_a_part_of_the_audio_is_had(site: Behind) -> None:
    [entry] = feedparser.parse(site.public.get(FEED).content).entries
    path = entry.enclosures[0].href.removeprefix(ORIGIN)
    part = site.public.get(path, headers={"Range": "bytes=1000-1999"})

    assert (part.status_code, len(part.content)) == (206, 1000)
    assert part.content == site.public.get(path).content[1000:2000]


def test_a_whole_recording_comes_with_a_form(site: Behind, recording: bytes) -> None:
    assert len(recording) > 3 * MIB
    answer = site.api.post(f"/api/v1/shows/{SLUG}/episodes", files={"audio": ("tone.wav", recording)})

    assert answer.status_code == 201, answer.text


def test_the_largest_part_of_an_upload_comes_through(site: Behind) -> None:
    said = {"show": SLUG, "filename": "long.wav", "size_bytes": 5_000_000_000, "media_type": "audio/wav"}
    upload = site.api.post("/api/v1/uploads", json=said).json()
    assert upload["part_size_bytes"] == 16 * MIB

    sent = site.public.put(upload["parts"][0]["url"].removeprefix(ORIGIN), content=bytes(16 * MIB))

    assert sent.is_success, sent.text
    assert site.api.get(f"/api/v1/uploads/{upload['id']}").json()["parts"][0]["arrived"]


def test_an_upload_that_is_cut_leaves_nothing(site: Behind, recording: bytes) -> None:
    before = site.recordings()
    authorization = site.api.headers["Authorization"]
    head = (
        f"POST /api/v1/shows/{SLUG}/episodes HTTP/1.1\r\nHost: podcast.example.org\r\n"
        f"Authorization: {authorization}\r\nContent-Length: {len(recording)}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="audio"; filename="tone.wav"\r\n\r\n'
    )
    with (
        socket.create_connection(("127.0.0.1", site.door.port)) as plain,
        site.door.trust().wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        connection.sendall(head.encode() + recording[:MIB])
        wait_until(lambda: site.recordings() != before)

    wait_until(lambda: site.recordings() == before)
    assert "Traceback" not in site.web.process.said()


@pytest.mark.parametrize("kilobytes", [6, 20])
def test_a_browser_with_many_cookies_is_let_in(site: Behind, kilobytes: int) -> None:
    answer = site.public.get("/studio/sign-in", headers={"Cookie": f"other={'x' * kilobytes * 1000}"})

    assert answer.status_code == httpx2.codes.OK
