"""An episode's audio over HTTP: editions that follow publication, what is measured, and audio that is replaced."""

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from mutagen.mp3 import MP3
from mutagen.oggopus import OggOpus
from sqlalchemy import select, update

from podcast_app.models import Edition, Measurement
from podcast_app.settings import Settings
from tests.media.samples import Mark, audio
from tests.podcast_app.senders import sent
from tests.s3_servers import S3Server
from tests.site import SLUG, Site, free_port, running

FEED = f"/{SLUG}/feed.xml"
PODCAST = "{https://podcastindex.org/namespace/1.0}"
LIGHT = {"low-mp3", "low-opus"}

Answer = dict[str, Any]  # JSON


@pytest.fixture(scope="module")
def busy_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose worker also makes what comes behind publication: one for all tests of this file."""
    settings = Settings(port=free_port(), data_dir=tmp_path_factory.mktemp("busy"), _env_file=None)
    with running(settings, with_behind=True) as site:
        yield site


@pytest.fixture(scope="session")
def longer(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Four seconds, with two chapters."""
    marks = [Mark(0, 2000, "Welcome"), Mark(2000, 4000, "The market")]
    folder = tmp_path_factory.mktemp("audio")
    return audio(folder / "longer.mp3", "-b:a", "64k", seconds=4, chapters=marks).read_bytes()


def path(episode: Answer, rest: str = "") -> str:
    return f"/api/v1/episodes/{episode['id']}{rest}"


def wait_for(site: Site, episode: Answer, is_so: Callable[[Answer], bool], seconds: float = 30) -> Answer:
    """The episode, once it is so."""
    end = time.monotonic() + seconds
    while True:
        found: Answer = site.api.get(path(episode)).json()
        if is_so(found):
            return found
        assert time.monotonic() < end, f"it took too long: {found['audio']}"
        time.sleep(0.1)


def is_whole(episode: Answer) -> bool:
    """Everything that follows a publication is there."""
    editions = {edition["name"]: edition["url"] for edition in episode["audio"]["editions"]}
    return episode["audio"]["measurement"]["status"] == "ready" and all(editions.get(name) for name in LIGHT)


def edition(episode: Answer, name: str) -> Answer:
    found: Answer = next(each for each in episode["audio"]["editions"] if each["name"] == name)
    return found


def item(site: Site, episode: Answer, feed: str = FEED) -> etree._Element:
    items = etree.fromstring(site.listener.get(feed).content).iter("item")
    return next(each for each in items if each.findtext("guid") == episode["guid"])


def alternates(site: Site, episode: Answer) -> dict[str, etree._Element]:
    """What the feed offers, by address."""
    found = item(site, episode).iter(f"{PODCAST}alternateEnclosure")
    return {each.find(f"{PODCAST}source").get("uri"): each for each in found}


def seconds(site: Site, url: str) -> float:
    """How long the MP3 at this address is."""
    info = MP3(BytesIO(site.listener.get(url).content)).info
    assert info is not None
    length: float = info.length
    return length


def replace(site: Site, episode: Answer, data: bytes, filename: str = "corrected.mp3", **headers: str) -> Answer:
    answer = site.api.post(path(episode, "/audio"), files={"audio": (filename, data)}, headers=headers)
    assert answer.status_code == 200, answer.text
    said: Answer = answer.json()
    return said


@pytest.fixture(scope="module")
def whole(busy_site: Site, longer: bytes) -> Answer:
    """An episode with everything that follows publication."""
    return wait_for(busy_site, busy_site.published(longer, title="Matonge"), is_whole)


# --- what follows publication ---


def test_every_file_that_the_feed_offers_is_what_it_says(busy_site: Site, whole: Answer) -> None:
    offered = alternates(busy_site, whole)

    assert {each.get("title") for each in offered.values()} == {"Standard", "Low data (MP3)", "Low data (Opus)"}
    assert set(offered) == {each["url"] for each in whole["audio"]["editions"]}
    assert [address for address, each in offered.items() if each.get("default") == "true"] == [whole["audio"]["url"]]
    for address, each in offered.items():
        got, head = busy_site.listener.get(address), busy_site.listener.head(address)
        part = busy_site.listener.get(address, headers={"Range": "bytes=10-19"})
        integrity = each.find(f"{PODCAST}integrity")
        assert (got.status_code, head.status_code, part.status_code) == (200, 200, 206)
        assert part.content == got.content[10:20]
        assert len(got.content) == int(each.get("length") or 0) == int(head.headers["content-length"])
        assert got.headers["content-type"] == head.headers["content-type"] == each.get("type")
        checksum = base64.b64encode(hashlib.sha256(got.content).digest()).decode()
        assert (integrity.get("type"), integrity.get("value")) == ("sri", f"sha256-{checksum}")


def test_light_editions_are_small_mono_tagged_and_as_long(busy_site: Site, whole: Answer) -> None:
    low_mp3 = MP3(BytesIO(busy_site.listener.get(edition(whole, "low-mp3")["url"]).content))
    low_opus = OggOpus(BytesIO(busy_site.listener.get(edition(whole, "low-opus")["url"]).content))

    for made in (low_mp3, low_opus):
        assert made.info is not None
        assert made.info.channels == 1
        assert made.info.length == pytest.approx(4, abs=0.1)
    assert low_mp3.tags is not None
    assert low_opus.tags is not None
    assert low_mp3.tags["TIT2"].text == ["Matonge"]
    assert len(low_mp3.tags.getall("CHAP")) == 2
    assert low_opus.tags["title"] == ["Matonge"]
    assert edition(whole, "low-mp3")["bitrate_bps"] == pytest.approx(48_000, rel=0.05)
    assert (edition(whole, "low-opus")["media_type"], edition(whole, "low-mp3")["media_type"]) == (
        "audio/ogg",
        "audio/mpeg",
    )


def test_what_was_measured_is_told_in_numbers_and_as_a_waveform(busy_site: Site, whole: Answer) -> None:
    measured = whole["audio"]["measurement"]
    assert measured["duration_ms"] == pytest.approx(4000, abs=100)
    assert -30 < measured["loudness_lufs"] < -10
    assert -30 < measured["true_peak_dbtp"] < 0
    assert (measured["silence_start_ms"], measured["silence_end_ms"]) == (0, 0)
    assert (measured["progress_percent"], measured["failure"]) == (None, None)

    wave, head = busy_site.listener.get(whole["waveform_url"]), busy_site.listener.head(whole["waveform_url"])

    assert (wave.status_code, head.status_code) == (200, 200)
    assert wave.headers["access-control-allow-origin"] == "*"
    peaks = wave.json()["peaks"]
    assert wave.json()["duration_ms"] == measured["duration_ms"]
    assert 50 <= len(peaks) <= 600
    assert max(peaks) == pytest.approx(32, abs=8)  # an eighth of what is loudest: the tone's height
    assert all(0 <= peak <= 255 for peak in peaks)


def test_nothing_is_offered_before_it_can_be_fetched_and_nothing_after(busy_site: Site, mp3: bytes) -> None:
    draft = busy_site.episode(mp3, title="Coming").json()
    made = wait_for(busy_site, draft, lambda found: found["audio"]["measurement"]["status"] == "ready")
    assert [(each["name"], each["url"]) for each in made["audio"]["editions"]] == [("enclosure", None)]
    assert made["waveform_url"] is None
    assert busy_site.listener.get(f"/{SLUG}/coming/waveform.json").status_code == 404

    busy_site.api.post(path(draft, "/publish"))
    end = time.monotonic() + 30
    while not is_whole(busy_site.api.get(path(draft)).json()):
        if busy_site.api.get(path(draft)).json()["state"] == "published":
            for address in alternates(busy_site, draft):
                assert busy_site.listener.head(address).status_code == 200
        assert time.monotonic() < end
        time.sleep(0.1)
    addresses = list(alternates(busy_site, draft))
    assert len(addresses) == 3

    busy_site.api.post(path(draft, "/withdraw"))
    assert {busy_site.listener.get(address).status_code for address in addresses} == {410}
    left = busy_site.api.get(path(draft)).json()
    assert [each["url"] for each in left["audio"]["editions"]] == [None] * 3


@pytest.mark.long
def test_all_of_it_comes_from_a_bucket_too(
    tmp_path: Path, moto: S3Server, monkeypatch: pytest.MonkeyPatch, mp3: bytes, longer: bytes
) -> None:
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings(port=free_port(), data_dir=tmp_path, storage_url=moto.storage_url("audio"), _env_file=None)
    with running(settings, with_behind=True) as site:
        first = wait_for(site, site.published(mp3, title="In a bucket"), is_whole)
        replace(site, first, longer)
        wait_for(site, first, lambda found: found["audio"]["replacement"] is None)
        after = wait_for(site, first, is_whole)

        offered = alternates(site, after)
        assert len(offered) == 3
        for address, each in offered.items():
            got, head = site.listener.get(address, follow_redirects=True), site.listener.head(address)
            assert (got.status_code, head.status_code) == (200, 200)
            assert len(got.content) == int(each.get("length") or 0) == int(head.headers["content-length"])
            assert got.headers["content-type"] == head.headers["content-type"] == each.get("type")
        old = site.listener.get(first["audio"]["url"], follow_redirects=True)
        assert old.content == site.listener.get(after["audio"]["url"], follow_redirects=True).content


# --- replacing ---


def test_a_replacement_takes_over_when_it_is_ready_and_the_old_address_leads_to_it(
    busy_site: Site, mp3: bytes, longer: bytes
) -> None:
    before = wait_for(busy_site, busy_site.published(mp3, title="Corrected", notes="Ours"), is_whole)
    old_url, old_low = before["audio"]["url"], edition(before, "low-mp3")["url"]
    old = busy_site.listener.get(old_url)

    pending = replace(busy_site, before, longer)

    assert (pending["state"], pending["audio"]["url"]) == ("published", old_url)
    assert pending["audio"]["replacement"]["filename"] == "corrected.mp3"
    while (now := busy_site.listener.get(old_url)).content == old.content:
        assert (now.status_code, now.headers["etag"]) == (200, old.headers["etag"])
        time.sleep(0.1)
    assert now.status_code == 200
    after = wait_for(busy_site, before, lambda found: found["audio"]["replacement"] is None)
    for kept in ("guid", "published_at", "slug", "title", "notes", "url"):
        assert after[kept] == before[kept], kept
    assert after["audio"]["url"] != old_url
    assert after["audio"]["undo_until"] is not None
    assert after["audio"]["duration_ms"] == pytest.approx(4000, abs=100)
    assert item(busy_site, after).find("enclosure").get("url") == after["audio"]["url"]

    new = busy_site.listener.get(after["audio"]["url"])
    resumed = busy_site.listener.get(old_url, headers={"Range": "bytes=1000-", "If-Range": old.headers["etag"]})
    assert (resumed.status_code, resumed.content) == (200, new.content)
    assert busy_site.listener.get(old_low).status_code == 200

    again = wait_for(busy_site, after, is_whole)
    assert busy_site.listener.get(old_low).content == busy_site.listener.get(edition(again, "low-mp3")["url"]).content
    assert seconds(busy_site, old_low) == pytest.approx(4, abs=0.1)


def test_the_recording_before_comes_back_and_the_one_to_come_is_called_off(
    busy_site: Site, mp3: bytes, longer: bytes
) -> None:
    first = busy_site.published(mp3, title="Undone")
    old = busy_site.listener.get(first["audio"]["url"]).content
    replace(busy_site, first, longer)
    wait_for(busy_site, first, lambda found: found["audio"]["replacement"] is None)

    undone = busy_site.api.post(path(first, "/audio/undo"))
    assert undone.status_code == 200
    back = wait_for(busy_site, first, lambda found: found["audio"]["replacement"] is None)

    assert back["audio"]["url"] == first["audio"]["url"]
    assert busy_site.listener.get(first["audio"]["url"]).content == old
    assert item(busy_site, first).find("enclosure").get("url") == first["audio"]["url"]


def test_there_is_nothing_to_undo_where_nothing_was_replaced(busy_site: Site, whole: Answer) -> None:
    answer = busy_site.api.post(path(whole, "/audio/undo"), headers={"Accept-Language": "fr"})

    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("Il n’y a pas d’enregistrement antérieur")


@pytest.mark.long
def test_a_replacement_comes_in_parts_too_and_once_however_often_it_is_said(
    busy_site: Site, mp3: bytes, longer: bytes
) -> None:
    episode = busy_site.published(mp3, title="In parts")
    upload = sent(busy_site, longer)
    assert upload.complete().status_code == 200
    said = {"upload_id": upload.upload["id"]}

    once = busy_site.api.post(path(episode, "/audio"), json=said, headers={"Idempotency-Key": "replace"})
    twice = busy_site.api.post(path(episode, "/audio"), json=said, headers={"Idempotency-Key": "replace"})
    taken = busy_site.api.post(path(episode, "/audio"), json=said)

    assert (once.status_code, twice.status_code, taken.status_code) == (200, 200, 422)
    assert twice.json() == once.json()
    after = wait_for(busy_site, episode, lambda found: found["audio"]["replacement"] is None)
    assert after["audio"]["filename"] == "episode.mp3"
    assert after["audio"]["size_bytes"] == len(longer)


def test_what_is_no_recording_replaces_nothing(busy_site: Site, whole: Answer, mp3: bytes) -> None:
    def status(data: bytes, **fields: str) -> int:
        files = {"audio": ("episode.mp3", data)}
        return busy_site.api.post(path(whole, "/audio"), files=files, data=fields).status_code

    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    assert [status(bad) for bad in (playlist, b"PK\x03\x04" + bytes(5000), bytes(5000), mp3[:100])] == [422] * 4
    assert status(mp3, title="Another") == 422
    assert busy_site.api.post(path(whole, "/audio"), json={"upload_id": "none"}).status_code == 422
    assert busy_site.api.post(path(whole, "/audio"), json={}).status_code == 422
    assert busy_site.api.get(path(whole)).json()["audio"] == whole["audio"]


# --- made again ---


@pytest.mark.parametrize("name", ["measurement", pytest.param("low-mp3", marks=pytest.mark.long), "low-opus"])
def test_one_thing_is_made_again_by_itself_while_listeners_have_it(busy_site: Site, whole: Answer, name: str) -> None:
    if name == "measurement":
        row = update(Measurement).values(loudness_lufs=0.0, failure=None)
        busy_site.database.write(lambda session: session.execute(row))
        address, status = whole["waveform_url"], {200, 404}
    else:
        address, status = edition(whole, name)["url"], {200}

    answer = busy_site.api.post(path(whole, f"/audio/{name}"))

    assert answer.status_code == 200
    made = answer.json()["audio"]["measurement"] if name == "measurement" else edition(answer.json(), name)
    assert made["status"] == "preparing"
    assert busy_site.listener.get(address).status_code in status
    again = wait_for(busy_site, whole, is_ready)
    assert again["audio"]["measurement"] == whole["audio"]["measurement"]
    assert {each["name"]: each["url"] for each in again["audio"]["editions"]} == {
        each["name"]: each["url"] for each in whole["audio"]["editions"]
    }
    assert busy_site.listener.get(address).status_code == 200
    for url, each in alternates(busy_site, whole).items():
        assert len(busy_site.listener.get(url).content) == int(each.get("length") or 0)


def test_a_file_that_was_lost_is_made_again_and_served_by_a_process_that_knew_it(
    busy_site: Site, whole: Answer
) -> None:
    address = edition(whole, "low-opus")["url"]
    before = busy_site.listener.get(address)
    lost = select(Edition.public_key).where(Edition.address_id == address.split("/")[-2])
    busy_site.storage.delete(busy_site.database.read(lambda session: session.scalars(lost).one()))
    assert busy_site.listener.get(address).status_code == 503

    busy_site.api.post(path(whole, "/audio/low-opus"))
    wait_for(busy_site, whole, is_ready)

    assert busy_site.listener.get(address).content == before.content


def is_ready(episode: Answer) -> bool:
    made = [episode["audio"]["measurement"], *episode["audio"]["editions"]]
    return {each["status"] for each in made} == {"ready"}


@pytest.mark.long
def test_an_enclosure_made_again_carries_the_tags_of_today(busy_site: Site, mp3: bytes) -> None:
    episode = busy_site.published(mp3, title="Befor")
    busy_site.api.patch(path(episode), json={"title": "After"})

    assert busy_site.api.post(path(episode, "/audio/enclosure")).status_code == 200
    after = wait_for(busy_site, episode, lambda found: found["audio"]["url"] != episode["audio"]["url"])

    tags = MP3(BytesIO(busy_site.listener.get(after["audio"]["url"]).content)).tags
    assert tags is not None
    assert tags["TIT2"].text == ["After"]
    assert busy_site.listener.get(episode["audio"]["url"]).status_code == 200


def test_a_light_edition_of_a_draft_and_a_thing_nobody_makes_are_refused(busy_site: Site, mp3: bytes) -> None:
    draft = busy_site.episode(mp3, title="Draft").json()

    assert busy_site.api.post(path(draft, "/audio/low-mp3")).status_code == 409
    assert busy_site.api.post(path(draft, "/audio/flac")).status_code in (404, 409)
    assert busy_site.api.post("/api/v1/episodes/none/audio/low-mp3").status_code == 404
    assert busy_site.listener.post(path(draft, "/audio/low-mp3")).status_code == 401


def test_a_thing_is_made_again_once_however_often_it_is_said(busy_site: Site, mp3: bytes) -> None:
    episode = busy_site.published(mp3, title="Once")
    key = {"Idempotency-Key": "made-again-once"}

    answers = [busy_site.api.post(path(episode, "/audio/enclosure"), headers=key) for _ in range(2)]

    assert answers[0].status_code == 200
    assert answers[0].content == answers[1].content
