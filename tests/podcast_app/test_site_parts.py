"""Chapters from wherever they are known to wherever they are shown: the API, the feed, their own address, the file."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from mutagen.id3 import CHAP, CTOC, ID3, TIT2, CTOCFlags
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4

from tests.media.samples import Mark, audio
from tests.site import SLUG, Site

FEED = f"/{SLUG}/feed.xml"
PODCAST = "{https://podcastindex.org/namespace/1.0}"
PSC = "{http://podlove.org/simple-chapters}"
TITLES = ["Intro", "Second", "Third", "Outro"]
STARTS = [0, 500, 1250, 1900]

Answer = dict[str, Any]  # JSON


@pytest.fixture(scope="module")
def episode(shared_site: Site, mp3: bytes) -> Answer:
    return shared_site.published(mp3, title="Matonge")


@pytest.fixture(scope="module")
def out_of_order(tmp_path_factory: pytest.TempPathFactory, mp3: bytes) -> bytes:
    """An MP3 whose chapters stand in the tag as no table of contents has them, one of them past the end (C058)."""
    path = tmp_path_factory.mktemp("audio") / "chapters.mp3"
    path.write_bytes(mp3)
    tags = ID3()
    for name, start, title in [
        *zip("dbca", (1900, 500, 1250, 0), ("Outro", "Second", "Third", "Intro"), strict=True),
        ("e", 9000, "Never"),
    ]:
        chapter = CHAP(
            element_id=name, start_time=start, end_time=start + 100, sub_frames=[TIT2(encoding=3, text=title)]
        )
        tags.add(chapter)
    flags = CTOCFlags.TOP_LEVEL | CTOCFlags.ORDERED
    tags.add(CTOC(element_id="toc", flags=flags, child_element_ids=list("dcbae"), sub_frames=[]))
    tags.save(path)
    return path.read_bytes()


def path(episode: Answer) -> str:
    return f"/api/v1/episodes/{episode['id']}"


def item(site: Site, episode: Answer) -> etree._Element:
    feed = etree.fromstring(site.listener.get(FEED).content)
    return next(each for each in feed.iter("item") if each.findtext("guid") == episode["guid"])


def in_feed(site: Site, episode: Answer) -> list[tuple[str | None, str | None]]:
    """Podlove Simple Chapters: start and title of each."""
    return [(each.get("start"), each.get("title")) for each in item(site, episode).iter(f"{PSC}chapter")]


def at_its_address(site: Site, episode: Answer) -> list[tuple[float, str]]:
    """JSON chapters, where the feed says that they are, as what it says that they are."""
    [named] = item(site, episode).iter(f"{PODCAST}chapters")
    whole, head = site.listener.get(named.get("url") or ""), site.listener.head(named.get("url") or "")
    assert (whole.status_code, head.status_code) == (200, 200)
    assert whole.headers["content-type"] == head.headers["content-type"] == named.get("type")
    assert whole.headers["access-control-allow-origin"] == "*"
    assert whole.json()["version"] == "1.2.0"
    return [(each["startTime"], each["title"]) for each in whole.json()["chapters"]]


def test_chapters_of_a_file_come_out_in_order_everywhere(shared_site: Site, out_of_order: bytes) -> None:
    episode: Answer = shared_site.published(out_of_order, title="Out of order")

    assert episode["suggested"]["chapters"] == "file"
    assert [(each["start_ms"], each["title"]) for each in episode["chapters"]] == list(zip(STARTS, TITLES, strict=True))
    assert [title for _, title in in_feed(shared_site, episode)] == TITLES
    assert [title for _, title in at_its_address(shared_site, episode)] == TITLES
    enclosure = shared_site.listener.get(episode["audio"]["url"]).content
    tags = MP3(BytesIO(enclosure)).tags
    assert tags is not None
    chapters = [tags[f"CHAP:{name}"] for name in tags.getall("CTOC")[0].child_element_ids]
    assert [chapter.sub_frames["TIT2"].text[0] for chapter in chapters] == TITLES
    assert [chapter.start_time for chapter in chapters] == STARTS


def test_chapters_of_an_m4a_stay_in_its_copy_for_listeners(shared_site: Site, tmp_path: Path) -> None:
    marks = [Mark(0, 1000, "Welcome"), Mark(1000, 2000, "The market")]
    recording = audio(tmp_path / "marked.m4a", "-c:a", "aac", chapters=marks)

    episode = shared_site.published(recording, "marked.m4a", title="Marked")

    copy = MP4(BytesIO(shared_site.listener.get(episode["audio"]["url"]).content))
    assert [(chapter.start, chapter.title) for chapter in copy.chapters] == [(0, "Welcome"), (1, "The market")]
    assert at_its_address(shared_site, episode) == [(0, "Welcome"), (1, "The market")]


def test_chapters_are_taken_as_people_write_them_and_come_back_as_text(shared_site: Site, episode: Answer) -> None:
    lines = "00:00 Bienvenue\r\n\r\n[0:00,5] – Le marché <https://example.org/matonge>\n0:00:01.250 — Au revoir"

    changed = shared_site.api.patch(path(episode), json={"chapters": lines}).json()

    assert [(each["start_ms"], each["title"], each["url"]) for each in changed["chapters"]] == [
        (0, "Bienvenue", ""),
        (500, "Le marché", "https://example.org/matonge"),
        (1250, "Au revoir", ""),
    ]
    again = shared_site.api.patch(path(episode), json={"chapters": changed["chapters_text"]}).json()
    assert again["chapters"] == changed["chapters"]
    assert again["chapters_text"] == changed["chapters_text"]
    assert in_feed(shared_site, episode) == [
        ("00:00:00.000", "Bienvenue"),
        ("00:00:00.500", "Le marché"),
        ("00:00:01.250", "Au revoir"),
    ]
    assert at_its_address(shared_site, episode)[1] == (0.5, "Le marché")


def test_times_in_the_notes_are_chapters_until_there_are_others(shared_site: Site, tmp_path: Path) -> None:
    notes = "About Matonge.\n\n- 00:00 **Hello**\n- 00:01 [The market](https://example.org)\n- (0:00:03) Goodbye"

    episode: Answer = shared_site.published(audio(tmp_path / "longer.mp3", seconds=4), title="Noted", notes=notes)
    assert episode["suggested"]["chapters"] == "notes"
    assert [each["title"] for each in episode["chapters"]] == ["Hello", "The market", "Goodbye"]
    assert at_its_address(shared_site, episode) == [(0, "Hello"), (1, "The market"), (3, "Goodbye")]
    assert [title for _, title in in_feed(shared_site, episode)] == ["Hello", "The market", "Goodbye"]

    own = shared_site.api.patch(path(episode), json={"chapters": "00:00 Ours"}).json()
    assert "chapters" not in own["suggested"]
    assert [each["title"] for each in own["chapters"]] == ["Ours"]

    none = shared_site.api.patch(path(episode), json={"chapters": [], "notes": "At 10:30 we met."}).json()
    assert (none["chapters"], none["chapters_text"], none["chapters_url"]) == ([], "", None)
    assert in_feed(shared_site, episode) == []
    assert shared_site.listener.get(f"/{SLUG}/noted/chapters.json").status_code == 404


@pytest.mark.parametrize("is_form", [False, True], ids=["as JSON", "in a form"])
def test_a_line_that_is_no_chapter_is_named_in_both_languages(shared_site: Site, mp3: bytes, is_form: bool) -> None:
    lines = "00:00 Welcome\n\nthen the market"
    said = {}
    for language in ("en", "fr"):
        shared_site.api.headers["Accept-Language"] = language
        if is_form:
            answer = shared_site.episode(mp3, title="Refused", chapters=lines)
        else:
            made = shared_site.episode(mp3, title="Kept").json()
            answer = shared_site.api.patch(path(made), json={"chapters": lines})
        assert answer.status_code == 422
        [error] = answer.json()["errors"]
        assert error["field"] == "chapters"
        said[language] = error["message"]
    del shared_site.api.headers["Accept-Language"]

    assert "3" in said["en"]
    assert "igne 3" in said["fr"]


@pytest.mark.parametrize(
    "lines",
    [
        "9" * 100_000,
        "00:" * 33_000,
        "0:00 " + "x" * 100_000,
        "\n".join(["0:00 x"] * 20_000),
        "[" * 100_000,
        "\0" * 1000,
    ],
    ids=["digits", "colons", "one long title", "too many", "brackets", "nothing printable"],
)
def test_hostile_lines_are_refused_or_taken_and_nothing_breaks(shared_site: Site, episode: Answer, lines: str) -> None:
    answer = shared_site.api.patch(path(episode), json={"chapters": lines})

    assert answer.status_code in (200, 422), answer.text[:500]
    assert shared_site.listener.get(FEED).status_code == 200


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd"])
def test_a_link_that_is_not_of_the_web_reaches_nobody(shared_site: Site, episode: Answer, url: str) -> None:
    as_fields = shared_site.api.patch(path(episode), json={"chapters": [{"start_ms": 0, "title": "x", "url": url}]})
    as_text = shared_site.api.patch(path(episode), json={"chapters": f"0:00 x <{url}>"})

    assert as_fields.status_code == 422
    assert as_text.status_code == 422 or as_text.json()["chapters"][0]["url"] == ""


def test_chapters_past_the_end_are_pointed_out_and_not_given_out_at_their_address(
    shared_site: Site, episode: Answer
) -> None:
    changed = shared_site.api.patch(path(episode), json={"chapters": "0:00 Here\n0:30 Beyond"}).json()

    assert [finding["level"] for finding in changed["findings"] if finding["field"] == "chapters"] == ["warning"]
    assert at_its_address(shared_site, episode) == [(0, "Here")]


def test_parts_of_a_withdrawn_episode_are_gone(shared_site: Site, mp3: bytes) -> None:
    episode = shared_site.published(mp3, title="Leaves", chapters="0:00 Welcome")
    assert shared_site.listener.get(episode["chapters_url"]).status_code == 200

    shared_site.api.post(f"{path(episode)}/withdraw")

    assert shared_site.listener.get(episode["chapters_url"]).status_code == 410
    assert shared_site.listener.get(f"/{SLUG}/leaves/waveform.json").status_code == 410
    assert shared_site.listener.get(f"/{SLUG}/never/chapters.json").status_code == 404
