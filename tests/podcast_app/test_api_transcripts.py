"""Transcripts over the API: what producers send, what listeners' apps get, and that both agree on what it is."""

import json
import re
from typing import Any

import pytest
from lxml import etree, html

from media import transcripts
from tests.site import SLUG, Site

FEED = f"/{SLUG}/feed.xml"
PODCAST = "{https://podcastindex.org/namespace/1.0}"
LINES = ("Bonjour à toutes et à tous.", "Le marché de Matonge, un samedi : « tout est là ».")

VTT = "WEBVTT\n\n00:00.500 --> 00:01.000\n<v Aline>{}\n\n00:01.000 --> 00:01.900\n<v Éric>{}\n".format(*LINES)
SRT = "1\r\n00:00:00,5 --> 00:00:01,000\r\n{}\r\n\r\n2\r\n0:00:01.00 --> 00:00:01,900\r\n{}\r\n".format(*LINES)
SBV = "0:00:00.500,0:00:01.000\n{}\n\n0:00:01.000,0:00:01.900\n{}\n".format(*LINES)
JSON = json.dumps(
    {
        "version": "1.0.0",
        "segments": [
            {"speaker": "Aline", "startTime": 0.5, "endTime": 1.0, "body": LINES[0]},
            {"speaker": "Éric", "startTime": 1.0, "endTime": 1.9, "body": LINES[1]},
        ],
    },
    ensure_ascii=False,
)
HTML = (
    "<cite>Aline:</cite>\n<time>0:00</time>\n<p>{}</p>\n<cite>Éric:</cite>\n<time>0:01</time>\n<p>{}</p>\n"
    "<script>steal()</script>"
).format(*LINES)
TEXT = "{}\n\n{}\n".format(*LINES)

Answer = dict[str, Any]  # JSON


@pytest.fixture(scope="module")
def episode(shared_site: Site, mp3: bytes) -> Answer:
    """A published one, whose transcripts each test chooses."""
    return shared_site.published(mp3, title="Matonge")


@pytest.fixture
def bare(shared_site: Site, episode: Answer) -> Answer:
    """The same, with no transcript left."""
    for transcript in shared_site.api.get(path(episode)).json()["transcripts"]:
        assert shared_site.api.delete(path(episode, transcript["language"])).status_code == 200
    return episode


def path(episode: Answer, language: str | None = None) -> str:
    return f"/api/v1/episodes/{episode['id']}" + (f"/transcripts/{language}" if language else "")


def put(site: Site, episode: Answer, data: bytes, language: str = "fr", **query: str) -> Answer:
    answer = site.api.put(path(episode, language), content=data, params=query)
    assert answer.status_code == 200, answer.text
    said: Answer = answer.json()
    return said


def file(site: Site, extension: str, language: str = "fr") -> str:
    answer = site.listener.get(f"/{SLUG}/matonge/transcript.{language}.{extension}")
    assert answer.status_code == 200
    return answer.text


def cues(captions: str) -> list[tuple[str, str]]:
    """When each begins, and its words on one line."""
    found = re.findall(r"^(\S+) --> .*\n((?:.+\n?)+)", captions, re.MULTILINE)
    return [(start, " ".join(re.sub(r"<[^>]*>", "", words).split())) for start, words in found]


def in_feed(site: Site) -> list[dict[str, str]]:
    """The attributes of the transcripts that the feed names, in order."""
    feed = etree.fromstring(site.listener.get(FEED).content)
    return [dict(element.attrib) for element in feed.iter(f"{PODCAST}transcript")]


@pytest.mark.parametrize(
    ("data", "filename"),
    [
        (VTT.encode(), "words.vtt"),
        (SRT.encode("utf-8-sig"), "words.srt"),
        (SRT.encode("utf-16"), "words.srt"),
        (SRT.encode("cp1252"), "words.srt"),
        (SBV.encode("utf-16-le"), "captions.sbv"),
        (JSON.encode(), "words.json"),
        (VTT.encode(), "no-name-that-helps"),
    ],
    ids=["vtt", "srt with a mark", "srt in utf-16", "srt in windows-1252", "sbv in utf-16", "json", "by content"],
)
def test_every_timed_format_in_every_encoding_becomes_the_same_words_in_every_format(
    shared_site: Site, bare: Answer, data: bytes, filename: str
) -> None:
    [transcript] = put(shared_site, bare, data, filename=filename)["transcripts"]

    assert (transcript["language"], transcript["timed"], transcript["filename"]) == ("fr", True, filename)
    assert [each["url"].rpartition(".")[2] for each in transcript["files"]] == ["vtt", "srt", "json", "html", "txt"]
    assert cues(file(shared_site, "vtt")) == [("00:00:00.500", LINES[0]), ("00:00:01.000", LINES[1])]
    segments = json.loads(file(shared_site, "json"))["segments"]
    assert [(each["startTime"], each["endTime"]) for each in segments] == [(0.5, 1.0), (1.0, 1.9)]
    for extension in ("srt", "html", "txt"):
        words = " ".join(file(shared_site, extension).split())
        assert all(line in words for line in LINES), extension


def test_who_speaks_is_kept(shared_site: Site, bare: Answer) -> None:
    put(shared_site, bare, VTT.encode(), filename="words.vtt")

    assert re.findall(r"<v ([^>]*)>", file(shared_site, "vtt")) == ["Aline", "Éric"]
    assert [each["speaker"] for each in json.loads(file(shared_site, "json"))["segments"]] == ["Aline", "Éric"]
    assert "Aline: Bonjour" in file(shared_site, "srt")


def test_people_read_a_page_that_leads_to_what_it_tells_of_and_apps_find_the_words_in_it(
    shared_site: Site, bare: Answer
) -> None:
    put(shared_site, bare, VTT.encode(), filename="words.vtt")

    text = file(shared_site, "html")

    episode = f"{shared_site.settings.origin}/fr/{SLUG}/matonge"
    page = html.fromstring(text)
    assert text.startswith("<!doctype html>")
    assert page.get("lang") == "fr"
    assert page.xpath("//title/text()") == ["Matonge – Transcription (français)"]
    assert page.xpath("//main//@href") == [f"{episode}?t=0", f"{episode}?t=1"]
    assert page.xpath("//header//a/@href") == [episode]
    said = transcripts.read(text.encode()).segments
    assert [(each.start_ms, each.speaker, each.text) for each in said] == [
        (0, "Aline", LINES[0]),
        (1000, "Éric", LINES[1]),
    ]


def test_html_gives_its_words_and_never_its_scripts(shared_site: Site, bare: Answer) -> None:
    put(shared_site, bare, HTML.encode(), filename="words.html")

    page = file(shared_site, "html")
    assert LINES[0] in page
    assert "steal" not in page
    assert "<script" not in page


def test_plain_text_stays_text_and_is_given_out_as_text_and_html_alone(shared_site: Site, bare: Answer) -> None:
    [transcript] = put(shared_site, bare, TEXT.encode(), filename="words.txt", captions="true")["transcripts"]

    assert (transcript["timed"], transcript["captions"]) == (False, False)
    assert [each["media_type"] for each in transcript["files"]] == ["text/html", "text/plain"]
    assert [each["type"] for each in in_feed(shared_site)] == ["text/html", "text/plain"]
    assert file(shared_site, "txt").strip() == TEXT.strip()
    assert shared_site.listener.get(f"/{SLUG}/matonge/transcript.fr.vtt").status_code == 404


def test_what_the_feed_says_of_a_file_is_what_the_wire_says(shared_site: Site, bare: Answer) -> None:
    put(shared_site, bare, VTT.encode(), filename="words.vtt")
    put(shared_site, bare, TEXT.encode(), "rw", filename="words.txt")

    named = in_feed(shared_site)

    assert named[0]["type"] == "text/vtt"
    assert [each["type"] for each in named if each["language"] == "fr"] == [
        "text/vtt",
        "application/x-subrip",
        "application/json",
        "text/html",
        "text/plain",
    ]
    for each in named:
        whole, head = shared_site.listener.get(each["url"]), shared_site.listener.head(each["url"])
        assert (whole.status_code, head.status_code) == (200, 200)
        assert whole.headers["content-type"].partition(";")[0] == each["type"]
        assert head.headers["content-type"] == whole.headers["content-type"]
        assert head.headers["content-length"] == whole.headers["content-length"]
        assert whole.headers["access-control-allow-origin"] == "*"
        again = shared_site.listener.get(each["url"], headers={"If-None-Match": whole.headers["etag"]})
        assert again.status_code == 304


def test_one_language_is_the_captions_and_the_mark_moves(shared_site: Site, bare: Answer) -> None:
    def captions() -> dict[str, bool]:
        found = shared_site.api.get(path(bare)).json()["transcripts"]
        return {each["language"]: each["captions"] for each in found}

    put(shared_site, bare, VTT.encode(), "fr", filename="words.vtt")
    put(shared_site, bare, VTT.encode(), "en", filename="words.vtt")
    assert captions() == {"fr": True, "en": False}
    assert {each["language"] for each in in_feed(shared_site) if each.get("rel") == "captions"} == {"fr"}

    put(shared_site, bare, VTT.encode(), "en", filename="words.vtt", captions="true")
    assert captions() == {"fr": False, "en": True}
    assert {each["language"] for each in in_feed(shared_site) if each.get("rel") == "captions"} == {"en"}

    put(shared_site, bare, VTT.encode(), "en", filename="words.vtt", captions="false")
    assert captions() == {"fr": False, "en": False}


def test_a_transcript_that_is_taken_out_leaves_feed_and_address(shared_site: Site, bare: Answer) -> None:
    put(shared_site, bare, VTT.encode(), filename="words.vtt")

    removed = shared_site.api.delete(path(bare, "fr"))

    assert removed.json()["transcripts"] == []
    assert in_feed(shared_site) == []
    assert shared_site.listener.get(f"/{SLUG}/matonge/transcript.fr.vtt").status_code == 404


def test_a_new_version_is_another_answer_under_the_same_address(shared_site: Site, bare: Answer) -> None:
    put(shared_site, bare, VTT.encode(), filename="words.vtt")
    before = shared_site.listener.get(f"/{SLUG}/matonge/transcript.fr.txt")

    put(shared_site, bare, VTT.replace("Bonjour", "Bonsoir").encode(), filename="words.vtt")

    after = shared_site.listener.get(before.url, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert "Bonsoir" in after.text


@pytest.mark.parametrize(
    ("data", "filename", "line"),
    [
        (VTT.replace("00:01.000 -->", "00:01,x -->").encode(), "words.vtt", 6),
        (SRT.replace("0:00:01.00 --> ", "0:00:0I.00 --> ").encode(), "words.srt", 6),
        (JSON.replace('"startTime": 1.0', '"startTime": "x"').encode(), "words.json", 1),
        (b"Nothing\nof this\nhas times\n", "words.srt", 1),
    ],
    ids=["vtt", "srt", "json", "no times"],
)
def test_what_cannot_be_read_is_refused_with_its_line_and_what_was_there_stays(
    shared_site: Site, bare: Answer, data: bytes, filename: str, line: int
) -> None:
    put(shared_site, bare, VTT.encode(), filename="words.vtt")

    english = shared_site.api.put(path(bare, "fr"), content=data, params={"filename": filename})
    french = shared_site.api.put(
        path(bare, "fr"), content=data, params={"filename": filename}, headers={"Accept-Language": "fr"}
    )

    assert (english.status_code, french.status_code) == (422, 422)
    [error] = english.json()["errors"]
    assert error["field"] == "transcript"
    assert error["message"].startswith(f"Line {line}:")
    assert french.json()["errors"][0]["message"].startswith(f"Ligne {line}")
    assert LINES[0] in file(shared_site, "txt")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 422),
        (b"WEBVTT\n", 422),
        (b"\x00\x01\x02\xff" * 1000, 422),
        (b"PK\x03\x04" + bytes(1000), 422),
        (b"%PDF-1.7\n" + bytes(1000), 422),
        (b"<script>" * 100_000, 422),
        (b'{"segments": [' + b"[" * 1_000_000, 422),
        (b"9" * 2_000_000, 200),
        (bytes(10_000_001), 413),
    ],
    ids=["nothing", "no cue", "noise", "zip", "pdf", "scripts", "brackets", "digits", "too long"],
)
def test_hostile_files_are_answered_with_the_right_status(
    shared_site: Site, bare: Answer, data: bytes, status: int
) -> None:
    answer = shared_site.api.put(path(bare, "fr"), content=data)

    assert answer.status_code == status, answer.text[:500]


@pytest.mark.long
def test_ten_megabytes_of_captions_are_taken_and_given_out_whole(shared_site: Site, bare: Answer) -> None:
    seconds = (f"{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}" for number in range(100_000))
    many = "WEBVTT\n\n" + "".join(f"{at}.000 --> {at}.900\n{'word ' * 20}\n\n" for at in seconds)
    data = many[:9_999_000].rpartition("\n\n")[0].encode()

    [transcript] = put(shared_site, bare, data, filename="long.vtt")["transcripts"]

    assert transcript["timed"]
    assert file(shared_site, "txt").count("word") == data.count(b"word")


def test_a_language_that_is_none_and_an_episode_that_is_not_there_are_said_so(shared_site: Site, bare: Answer) -> None:
    assert shared_site.api.put(path(bare, "klingon"), content=VTT.encode()).status_code == 422
    assert shared_site.api.delete(path(bare, "klingon")).status_code == 422
    assert shared_site.api.put("/api/v1/episodes/none/transcripts/fr", content=b"x").status_code == 404
    assert shared_site.listener.put(path(bare, "fr"), content=b"x").status_code == 401


def test_a_draft_keeps_its_transcript_to_itself_until_it_is_out_and_takes_it_along_when_it_leaves(
    shared_site: Site, mp3: bytes
) -> None:
    draft = shared_site.episode(mp3, title="Not out yet").json()
    [transcript] = put(shared_site, draft, VTT.encode(), filename="words.vtt")["transcripts"]
    addresses = [each["url"] for each in transcript["files"]]
    assert {shared_site.listener.get(address).status_code for address in addresses} == {404}

    shared_site.api.post(f"{path(draft)}/publish")
    shared_site.wait_for(draft["id"], "published")
    assert {shared_site.listener.get(address).status_code for address in addresses} == {200}
    assert {each["url"] for each in in_feed(shared_site)} >= set(addresses)

    shared_site.api.post(f"{path(draft)}/withdraw")
    assert {shared_site.listener.get(address).status_code for address in addresses} == {410}
    assert {each["url"] for each in in_feed(shared_site)} & set(addresses) == set()
    refused = shared_site.api.put(path(draft, "fr"), content=VTT.encode())
    assert refused.status_code == 409
