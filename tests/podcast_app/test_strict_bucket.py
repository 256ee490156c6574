"""The whole application with a bucket behind TLS and a strict proxy; browsers reach the bucket at another address."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy import select

from media.storage import Key
from podcast_app.models import Feed
from podcast_app.settings import Settings
from tests.s3_servers import S3Server, moto_server
from tests.site import SLUG, Site, free_port, running
from tests.strict_proxy import StrictProxy, strict_proxy

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Strict:
    """The application, what stands before its bucket, and the bucket as browsers reach it."""

    site: Site
    proxy: StrictProxy
    outside: S3Server


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strict]:
    folder = tmp_path_factory.mktemp("strict")
    with (
        pytest.MonkeyPatch.context() as patch,
        moto_server() as server,
        strict_proxy(server.endpoint, folder) as proxy,
    ):
        for name, value in server.environment.items():
            patch.setenv(name, value)
        patch.setenv("AWS_CA_BUNDLE", proxy.certificate)
        url = f"s3://{server.bucket}?endpoint={proxy.endpoint}&public_endpoint={server.endpoint}"
        with running(Settings(_env_file=None, port=free_port(), data_dir=folder, storage_url=url)) as site:
            yield Strict(site, proxy, server)


def test_a_form_becomes_an_episode_and_a_copy_of_the_feed_on_a_strict_server(strict: Strict, mp3: bytes) -> None:
    site, bucket = strict.site, strict.outside.client()
    recording = long_recording(mp3, 9 * MIB)  # in two parts

    episode = site.published(recording, title="By form")
    wait_for_copy(site)

    found = {
        item["Key"]: bucket.get_object(Bucket=strict.outside.bucket, Key=item["Key"])
        for item in bucket.list_objects_v2(Bucket=strict.outside.bucket)["Contents"]
    }
    stored = {key: answer["Body"].read() for key, answer in found.items()}
    assert [data for key, data in stored.items() if key.startswith("private/originals/")] == [recording]
    assert [answer.get("ContentEncoding", "") for answer in found.values()] == [""] * len(found)
    heard = site.listener.get(episode["audio"]["url"], follow_redirects=True)
    assert heard.content in [data for key, data in stored.items() if key.startswith("public/")]
    assert stored[f"feeds/{SLUG}/feed.xml"] == site.listener.get(f"/{SLUG}/feed.xml").content
    assert strict.proxy.refused == []


def wait_for_copy(site: Site) -> None:
    deadline = time.monotonic() + 20
    while site.database.read(
        lambda session: session.scalar(select(Feed).where(Feed.copied_generation < Feed.generation))
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_parts_reach_a_strict_server_by_its_own_door_and_by_ours(strict: Strict, mp3: bytes) -> None:
    recording = long_recording(mp3, 11 * MIB)
    wanted = {"show": SLUG, "filename": "parts.mp3", "size_bytes": len(recording), "media_type": "audio/mpeg"}
    upload = strict.site.api.post("/api/v1/uploads", json=wanted).json()
    assert [urlsplit(part["url"]).netloc for part in upload["parts"]] == [urlsplit(strict.outside.endpoint).netloc] * 3

    for part, door in zip(upload["parts"], ("url", "fallback_url", "fallback_url"), strict=True):
        start = (part["number"] - 1) * upload["part_size_bytes"]
        sent = httpx2.put(part[door], content=recording[start : start + part["size_bytes"]])
        assert sent.is_success, sent.text
    complete = strict.site.api.post(f"/api/v1/uploads/{upload['id']}/complete")

    assert complete.status_code == 200, complete.text
    key = next(
        stored.key for stored in strict.site.storage.list("private/originals/") if stored.size_bytes == len(recording)
    )
    assert strict.site.storage.read(Key(key), 0, len(recording)) == recording
    assert strict.proxy.refused == []


def test_no_signed_address_stands_where_it_may_be_kept(strict: Strict, mp3: bytes) -> None:
    site = strict.site
    episode = site.published(mp3, title="Kept nowhere")
    page = str(episode["url"])

    answers = [
        site.listener.get(address)
        for address in (
            *(f"/{SLUG}/", f"/fr/{SLUG}/", page, f"{page}/embed", f"/{SLUG}/embed", f"/oembed?url={page}"),
            *(f"/{SLUG}/feed.xml", f"/fr/{SLUG}/feed.xml"),
        )
    ] + [
        site.api.get(f"/api/v1/{address}")
        for address in ("shows", f"shows/{SLUG}", f"shows/{SLUG}/episodes", f"episodes/{episode['id']}", "uploads")
    ]

    assert [(answer.url, answer.status_code) for answer in answers if answer.status_code != 200] == []
    assert [answer.url for answer in answers if re.search("x-amz-", answer.text, re.IGNORECASE)] == []
    assert [answer.url for answer in answers if urlsplit(strict.outside.endpoint).netloc in answer.text] == []


def test_listeners_are_sent_to_the_bucket_as_they_reach_it_and_ask_us_again_each_time(
    strict: Strict, mp3: bytes
) -> None:
    episode = strict.site.published(mp3, title="Heard")

    answer = strict.site.listener.get(episode["audio"]["url"])

    assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
    address = answer.headers["Location"]
    assert address.startswith(f"{strict.outside.endpoint}/")
    assert int(parse_qs(urlsplit(address).query)["X-Amz-Expires"][0]) >= 6 * 3600
    part = httpx2.get(address, headers={"Range": "bytes=0-1"})
    assert (part.status_code, len(part.content)) == (206, 2)
    assert not [
        asked for asked in strict.proxy.asked if asked.method == "GET" and urlsplit(address).path in asked.target
    ]


def long_recording(mp3: bytes, size_bytes: int) -> bytes:
    """At least so long."""
    return mp3 * (size_bytes // len(mp3) + 1)
