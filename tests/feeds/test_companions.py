"""Chapters, transcripts and other files stand in an item as apps read them, and are read back as they were meant."""

import io
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import feedparser
import podcastparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds import checks, companions, rss
from feeds.document import AlternateEnclosure, Chapter, Transcript
from feeds.elements import PODCAST, PSC
from tests.feeds.samples import ACCOMPANIED, BUILT_AT, EPISODE, NS, SHOW, item

NAMES = ("chapters", "transcript", "alternateEnclosure", "source", "integrity")


def said(path: str, entry: etree._Element) -> list[dict[str, str]]:
    return [dict(element.attrib) for element in entry.findall(path, NS)]


def test_chapters_stand_in_the_item_and_are_linked_as_json() -> None:
    entry = item(ACCOMPANIED)

    assert said("psc:chapters", entry) == [{"version": "1.2"}]
    assert said("psc:chapters/psc:chapter", entry) == [
        {"start": "00:00:00.000", "title": "Ouverture"},
        {
            "start": "00:01:01.250",
            "title": "Matonge",
            "href": "https://matonge.example/",
            "image": "https://radio.example/voix/therese/picture-1.jpg",
        },
    ]
    assert said("podcast:chapters", entry) == [
        {"url": "https://radio.example/voix/therese/chapters.json", "type": "application/json+chapters"}
    ]


def test_chapters_that_begin_after_the_end_of_the_audio_are_left_out() -> None:
    short = replace(ACCOMPANIED, duration_ms=60_000)

    assert [chapter["title"] for chapter in said("psc:chapters/psc:chapter", item(short))] == ["Ouverture"]


def test_transcripts_say_their_type_and_language_and_one_is_captions() -> None:
    place = "https://radio.example/voix/therese"

    assert said("podcast:transcript", item(ACCOMPANIED)) == [
        {"url": f"{place}/transcript.fr.vtt", "type": "text/vtt", "language": "fr", "rel": "captions"},
        {"url": f"{place}/transcript.fr.srt", "type": "application/x-subrip", "language": "fr"},
        {"url": f"{place}/transcript.en.txt", "type": "text/plain", "language": "en"},
    ]


def test_webvtt_comes_first_and_the_others_keep_their_order() -> None:
    kinds = ("text/plain", "application/x-subrip", "text/vtt", "text/html", "text/vtt")
    mixed = tuple(
        Transcript(url=f"https://x.example/{place}", media_type=kind, language="fr") for place, kind in enumerate(kinds)
    )

    written = said("podcast:transcript", item(replace(EPISODE, transcripts=mixed)))

    assert [transcript["url"][-1] for transcript in written] == ["2", "4", "0", "1", "3"]


def test_other_files_say_where_how_large_and_how_they_are_encoded() -> None:
    standard, small = item(ACCOMPANIED).findall("podcast:alternateEnclosure", NS)

    assert dict(standard.attrib) == {
        "type": "audio/mpeg",
        "length": "4321",
        "bitrate": "128000",
        "title": "Standard",
        "default": "true",
    }
    assert [(child.tag, dict(child.attrib)) for child in standard] == [
        (f"{PODCAST}source", {"uri": EPISODE.enclosure.url}),
        (f"{PODCAST}integrity", {"type": "sri", "value": "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}),
    ]
    assert dict(small.attrib) == {
        "type": "audio/ogg",
        "length": "810",
        "bitrate": "24000",
        "title": "Very low data",
        "codecs": "opus",
    }
    assert [child.tag for child in small] == [f"{PODCAST}source"]


def test_a_label_is_cut_where_apps_would_cut_it() -> None:
    [small] = (other for other in ACCOMPANIED.alternate_enclosures if not other.is_default)
    long = replace(small, title="Un fichier vraiment très petit pour les lignes lentes")
    chapter = Chapter(start_ms=0, title="Chapitre " * 100)

    entry = item(replace(EPISODE, alternate_enclosures=(long,), chapters=(chapter,)))

    assert entry.find("podcast:alternateEnclosure", NS).get("title") == "Un fichier vraiment très petit…"
    assert len(entry.find("psc:chapters/psc:chapter", NS).get("title")) <= 255


def test_what_there_is_none_of_has_no_element() -> None:
    plain, untitled = item(EPISODE), item(replace(EPISODE, chapters=(Chapter(start_ms=0, title=" "),)))

    for entry in (plain, untitled):
        assert not [each.tag for each in entry.iter() if each.tag in {f"{PODCAST}{name}" for name in NAMES}]
        assert entry.find("psc:chapters", NS) is None


def test_no_attribute_is_empty() -> None:
    bare = replace(
        EPISODE,
        chapters=(Chapter(start_ms=0, title="a", url="", image_url=" "),),
        transcripts=(Transcript(url="https://x.example/a.txt", media_type="text/plain", language=""),),
        alternate_enclosures=(
            AlternateEnclosure(
                url="https://x.example/a.mp3", length=1, media_type="audio/mpeg", bitrate_bps=None, title=""
            ),
        ),
    )

    attributes = [value for element in item(bare).iter() for value in element.attrib.values()]

    assert attributes
    assert "" not in attributes


def test_an_item_with_everything_declares_no_namespace_of_its_own() -> None:
    assert b"xmlns" not in rss.item(ACCOMPANIED)


def test_a_time_beyond_a_hundred_hours_is_told() -> None:
    late = Chapter(start_ms=((100 * 60 + 59) * 60 + 59) * 1000 + 7, title="Fin")

    entry = item(replace(EPISODE, chapters=(late,), duration_ms=late.start_ms + 1))

    assert entry.find("psc:chapters/psc:chapter", NS).get("start") == "100:59:59.007"
    assert companions.read(entry).chapters == (late,)


@pytest.mark.parametrize(
    ("start", "milliseconds"),
    [
        ("01:35:52", 5_752_000),
        ("7:48", 468_000),
        ("35:12.250", 2_112_250),
        ("05:12:03.5", 18_723_500),
        ("37", 37_000),
        (" 75:00.0009 ", 4_500_000),
    ],
)
def test_every_form_of_normal_play_time_is_read(start: str, milliseconds: int) -> None:
    assert [chapter.start_ms for chapter in companions.read(foreign(start)).chapters] == [milliseconds]


@pytest.mark.parametrize("start", ["", "x", "1:", ":1", "-1", "1:2:3:4", "1,5", "٣:٠٠", "9" * 400, "1." + "x"])
def test_what_is_no_time_begins_no_chapter(start: str) -> None:
    assert companions.read(foreign(start)).chapters == ()


def foreign(start: str) -> etree._Element:
    entry = etree.Element("item", nsmap={"psc": NS["psc"]})
    etree.SubElement(etree.SubElement(entry, PSC + "chapters"), PSC + "chapter", start=start, title="a")
    return entry


WORDS = st.text(max_size=40)
ADDRESS = st.one_of(st.none(), WORDS, WORDS.map("https://x.example/{}".format))
CHAPTERS = st.builds(Chapter, start_ms=st.integers(0, 10**9), title=WORDS, url=ADDRESS, image_url=ADDRESS)
TRANSCRIPTS = st.builds(Transcript, url=WORDS, media_type=WORDS, language=WORDS, is_captions=st.booleans())
OTHERS = st.builds(
    AlternateEnclosure,
    url=WORDS,
    length=st.integers(0, 10**12),
    media_type=WORDS,
    bitrate_bps=st.one_of(st.none(), st.integers(0, 10**9)),
    title=WORDS,
    codecs=st.one_of(st.none(), WORDS),
    integrity=st.one_of(st.none(), WORDS),
    is_default=st.booleans(),
)


@settings(deadline=None)  # a busy machine is no fault
@given(
    chapters=st.lists(CHAPTERS, max_size=3),
    address=ADDRESS,
    transcripts=st.lists(TRANSCRIPTS, max_size=3),
    others=st.lists(OTHERS, max_size=3),
)
def test_whatever_accompanies_an_episode_reads_back(
    chapters: list[Chapter], address: str | None, transcripts: list[Transcript], others: list[AlternateEnclosure]
) -> None:
    strange = replace(
        EPISODE,
        chapters=tuple(chapters),
        chapters_url=address,
        transcripts=tuple(transcripts),
        alternate_enclosures=tuple(others),
    )
    head, tail = rss.channel(SHOW, built_at=BUILT_AT)

    assert list(checks.reads_back(head, rss.item(strange), tail, strange)) == []
    assert companions.read(item(strange)) == companions.as_written(strange)


def test_companions_are_named_as_in_the_document() -> None:
    assert set(companions.Companions._fields) < {field.name for field in fields(EPISODE)}


def test_feedparser_reads_the_chapters() -> None:
    parsed = feedparser.parse(io.BytesIO(rss.rss(SHOW, [ACCOMPANIED], built_at=BUILT_AT)))

    assert not parsed.bozo
    chapters = parsed.entries[0].psc_chapters.chapters
    assert [(chapter.title, chapter.start_parsed) for chapter in chapters] == [
        ("Ouverture", timedelta(0)),
        ("Matonge", timedelta(minutes=1, seconds=1, milliseconds=250)),
    ]
    assert [link.href for link in parsed.entries[0].enclosures] == [EPISODE.enclosure.url]


def test_podcastparser_reads_the_chapters() -> None:
    xml = rss.rss(SHOW, [ACCOMPANIED], built_at=BUILT_AT)

    [parsed] = podcastparser.parse(SHOW.feed_url, io.BytesIO(xml))["episodes"]

    assert [(chapter["title"], chapter["start"]) for chapter in parsed["chapters"]] == [
        ("Ouverture", 0),
        ("Matonge", 61),
    ]
    assert parsed["chapters"][1]["href"] == "https://matonge.example/"
    assert [enclosure["url"] for enclosure in parsed["enclosures"]] == [EPISODE.enclosure.url]


def test_chapters_of_real_feeds_are_read_as_podcastparser_reads_them(corpora: Path) -> None:
    file = corpora / "feeds/podcastparser/chapters.rss"

    ours = [companions.read(entry).chapters for entry in etree.parse(file).iterfind("channel/item")]

    theirs = podcastparser.parse("https://x.example/", io.BytesIO(file.read_bytes()))["episodes"]
    assert sum(map(len, ours)) > 0
    assert [[(one.start_ms // 1000, one.title, one.url) for one in chapters] for chapters in ours] == [
        [(one["start"], one["title"], one.get("href")) for one in episode.get("chapters", [])] for episode in theirs
    ]
