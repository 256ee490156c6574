"""Pictures over the API: covers, and what chapters and persons show."""

import struct
import zlib
from io import BytesIO
from typing import Any

import feedparser
import httpx2
import pytest
from lxml import etree
from PIL import Image

from tests.media.samples import picture
from tests.site import SLUG, Site

FEED = f"/{SLUG}/feed.xml"
SHOW = f"/api/v1/shows/{SLUG}"
PODCAST = "{https://podcastindex.org/namespace/1.0}"
PSC = "{http://podlove.org/simple-chapters}"

Answer = dict[str, Any]  # JSON


@pytest.fixture(scope="module")
def episode(shared_site: Site, mp3: bytes) -> Answer:
    return shared_site.published(mp3, title="Matonge")


def path(episode: Answer, rest: str = "") -> str:
    return f"/api/v1/episodes/{episode['id']}{rest}"


def drawn(width: int, height: int, kind: str = "PNG", mode: str = "RGB", **options: object) -> bytes:
    file = BytesIO()
    Image.new(mode, (width, height), 128).save(file, kind, **options)
    return file.getvalue()


def huge() -> bytes:
    """The beginning of a PNG of 30,000 x 30,000 pixels: 900 megapixels, and nothing in them."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def seen(answer: httpx2.Response) -> Image.Image:
    """The picture at an address, once it is what it is called."""
    assert answer.status_code == 200
    image = Image.open(BytesIO(answer.content))
    assert answer.headers["content-type"] == Image.MIME[image.format or ""]
    return image


def item(site: Site) -> etree._Element:
    [found] = [
        each
        for each in etree.fromstring(site.listener.get(FEED).content).iter("item")
        if each.findtext("title") == "Matonge"
    ]
    return found


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "CMYK"), ("PNG", "LA"), ("WEBP", "RGBA"), ("AVIF", "RGB")], ids=lambda word: str(word)
)
def test_a_cover_of_any_kind_becomes_one_that_directories_take(
    shared_site: Site, episode: Answer, kind: str, mode: str
) -> None:
    before = shared_site.api.get(path(episode)).json()["cover_url"]

    answer = shared_site.api.put(path(episode, "/cover"), content=drawn(1500, 1500, kind, mode))

    assert answer.status_code == 200, answer.text
    address = answer.json()["cover_url"]
    assert address != before
    image = seen(shared_site.listener.get(address))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (1500, 1500))
    assert feedparser.parse(shared_site.listener.get(FEED).text).entries[0].image.href == address
    assert shared_site.listener.get(before).status_code == 200  # apps may ask for it for years


def test_a_cover_that_is_not_square_is_refused_with_the_reason_or_cropped_when_asked(
    shared_site: Site, episode: Answer
) -> None:
    oblong = drawn(1600, 1400, "JPEG")

    refused = shared_site.api.put(path(episode, "/cover"), content=oblong)
    cropped = shared_site.api.put(path(episode, "/cover"), params={"crop": "true"}, content=oblong)

    assert refused.status_code == 422
    [error] = refused.json()["errors"]
    assert error["field"] == "cover"
    assert "square" in error["message"]
    assert cropped.status_code == 200
    assert seen(shared_site.listener.get(cropped.json()["cover_url"])).size == (1400, 1400)


def test_an_episode_whose_cover_is_taken_away_shows_the_shows(shared_site: Site, episode: Answer) -> None:
    shared_site.api.put(path(episode, "/cover"), content=picture("green", 1400))

    without = shared_site.api.delete(path(episode, "/cover")).json()["cover_url"]

    assert without == shared_site.api.get(SHOW).json()["cover_url"]
    assert feedparser.parse(shared_site.listener.get(FEED).text).entries[0].image.href == without


def test_a_show_gets_another_cover_and_its_feed_says_so(shared_site: Site, episode: Answer) -> None:
    answer = shared_site.api.put(f"{SHOW}/cover", content=picture("blue", 1400))

    assert answer.status_code == 200
    assert feedparser.parse(shared_site.listener.get(FEED).text).feed.image.href == answer.json()["cover_url"]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 422),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>steal()</script></svg>", 422),
        (picture("red", 99), 422),
        (picture("red", 1399), 422),
        (huge(), 422),
        (huge()[:40], 422),
        (picture("red", 1400)[:2000], 422),
        (b"GIF89a" + bytes(1000), 422),
        (bytes(60_000_000), 413),
    ],
    ids=["nothing", "svg", "tiny", "small", "900 megapixels", "cut header", "cut", "no gif", "too long"],
)
def test_what_can_be_no_cover_is_refused_in_words(shared_site: Site, episode: Answer, data: bytes, status: int) -> None:
    english = shared_site.api.put(path(episode, "/cover"), content=data)
    french = shared_site.api.put(f"{SHOW}/cover", content=data, headers={"Accept-Language": "fr"})

    assert (english.status_code, french.status_code) == (status, status)
    assert english.json()["errors"][0]["message"] != french.json()["errors"][0]["message"]


def test_a_chapter_shows_its_picture_in_every_list_of_chapters(shared_site: Site, episode: Answer) -> None:
    added = shared_site.api.post(path(episode, "/pictures"), content=drawn(900, 600, "JPEG"))
    assert added.status_code == 201, added.text
    assert added.headers["location"] == added.json()["url"]
    assert (added.json()["width"], added.json()["height"]) == (900, 600)
    address = added.json()["url"]
    assert seen(shared_site.listener.get(address)).size == (900, 600)

    chapters = [{"start_ms": 0, "title": "Welcome"}, {"start_ms": 900, "title": "The market", "image_url": address}]
    changed = shared_site.api.patch(path(episode), json={"chapters": chapters})

    assert [each["image_url"] for each in changed.json()["chapters"]] == ["", address]
    listed = shared_site.listener.get(changed.json()["chapters_url"]).json()["chapters"]
    assert [each.get("img") for each in listed] == [None, address]
    assert [each.get("image") for each in item(shared_site).iter(f"{PSC}chapter")] == [None, address]

    as_text = shared_site.api.patch(path(episode), json={"chapters": changed.json()["chapters_text"]})
    assert [each["image_url"] for each in as_text.json()["chapters"]] == ["", address]


def test_a_person_shows_a_picture_of_the_show(shared_site: Site, episode: Answer) -> None:
    address = shared_site.api.post(f"{SHOW}/pictures", content=drawn(400, 400, "PNG")).json()["url"]

    changed = shared_site.api.patch(path(episode), json={"persons": [{"name": "Aline", "image_url": address}]})

    assert changed.json()["persons"][0]["image_url"] == address
    assert [each.get("img") for each in item(shared_site).iter(f"{PODCAST}person")] == [address]


def test_a_picture_that_is_not_here_or_anothers_cannot_be_named(shared_site: Site, episode: Answer, mp3: bytes) -> None:
    other = shared_site.episode(mp3, title="Another").json()
    theirs = shared_site.api.post(path(other, "/pictures"), content=picture("red", 200)).json()["url"]

    for address in ("https://elsewhere.example/x.jpg", theirs, f"{shared_site.settings.origin}/x/cover-none.jpg"):
        chapters = [{"start_ms": 0, "title": "Welcome", "image_url": address}]
        refused = shared_site.api.patch(path(episode), json={"chapters": chapters})
        assert refused.status_code == 422, address
        assert refused.json()["errors"][0]["field"] == "chapters"


@pytest.mark.parametrize("place", ["episode", "show"])
def test_a_picture_that_is_sent_again_under_its_key_is_the_same_one(
    shared_site: Site, episode: Answer, place: str
) -> None:
    address = path(episode, "/pictures") if place == "episode" else f"{SHOW}/pictures"
    key = {"Idempotency-Key": f"picture-of-{place}"}

    first, again = (shared_site.api.post(address, content=picture("red", 200), headers=key) for _ in range(2))
    other = shared_site.api.post(address, content=picture("blue", 200), headers=key)

    assert (first.status_code, first.json()["url"]) == (201, again.json()["url"])
    assert other.status_code == 422
